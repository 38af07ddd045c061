"""The paper's Table 8 (trained on WMT text, tested on TED talks, with one language pair or two):
text and recipe at three scales, and the cells that follow."""

import contextlib
import dataclasses
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from rim_nmt.commands import (
    USER_DIR,
    console,
    fairseq_command,
    interrupted,
    run,
    script_command,
    show,
    training_progress,
)
from rim_nmt.data import corpus
from rim_nmt.data.parallel import languages
from rim_nmt.experiments.cells import Cell
from rim_nmt.experiments.table8 import MODELS
from rim_nmt.files import InputError, read_json, read_lines, write_lines
from rim_nmt.models.parameters import build_without_memory
from rim_nmt.models.twins import twins

NEVER = 1_000_000  # epochs


@dataclass(frozen=True)
class Recipe:
    """How every model of an experiment is trained: the same for all but for what was tuned.

    Args:
        size: of the models, a key of `twins`.
        max_update: updates.
        warmup_updates: of the learning rate.
        interval: updates between two validations, each with a checkpoint.
        average: the mean of so many last checkpoints is scored; of a tenth of the training, where
            the learning rate is low: over more the mean was worse than the last one.
        patience: validations without a better loss after which training ends.
        max_tokens: of a batch, on the longer side, padding included.
        lr: learning rate, by model.
        dropout: by model.
        decay: of the learning rate after the warm-up: "linear", to zero at `max_update`, or
            "inverse_sqrt", for a training whose end is not known before.
        scored: whether test sets are translated; without, the validation loss is all.
        more: further flags of fairseq-train.
    """

    size: str
    max_update: int
    warmup_updates: int
    interval: int
    max_tokens: int
    lr: dict[str, float]
    dropout: dict[str, float]
    average: int = 3
    patience: int = 10
    decay: str = "linear"
    scored: bool = True
    more: tuple = ("--num-workers", 0)

    @property
    def scheduler(self) -> tuple:
        """The flags of fairseq-train for the learning rate's decay."""
        if self.decay == "linear":
            return "--lr-scheduler", "polynomial_decay", "--total-num-update", self.max_update
        return "--lr-scheduler", self.decay

    def adapted(
        self,
        lr: dict[str, float],
        dropout: dict[str, float],
        max_update: int | None,
        amp: bool = False,
    ) -> "Recipe":
        """Another recipe with these values, where they are given. With another number of updates,
        warm-up and validation keep their share of it.

        Raises:
            InputError: mixed precision for a recipe that has it already.
        """
        if amp and "--fp16" in self.more:
            raise InputError("--amp: this scale trains in float16 as it is")
        changed = dataclasses.replace(
            self,
            lr={**self.lr, **lr},
            dropout={**self.dropout, **dropout},
            more=(*self.more, "--amp") if amp else self.more,
        )
        if max_update is None:
            return changed
        share = max_update / self.max_update
        return dataclasses.replace(
            changed,
            max_update=max_update,
            warmup_updates=max(1, round(share * self.warmup_updates)),
            interval=max(1, round(share * self.interval)),
        )


@dataclass(frozen=True)
class Text:
    """Prepared text, and how to prepare it.

    Args:
        folder: the prepared folder that is trained on.
        pairs: its language pairs; the first one is tested.
        tests: name of a test set -> how scripts/score.py is told of it.
        generate: makes raw text that the commands need.
        commands: prepare it; none where the user has done so.
    """

    folder: Path
    pairs: tuple[str, ...]
    tests: dict[str, str]
    generate: Callable[[], None] | None = None
    commands: Sequence[list[str]] = ()

    @property
    def settings(self) -> list[tuple[str, ...]]:
        """What can be trained on: the first pair alone, and all pairs together."""
        return list(dict.fromkeys([self.pairs[:1], self.pairs]))

    def prepare(self, log: Path) -> None:
        """Run what prepares it; scripts/prepare.py does nothing where that has been done.

        Raises:
            InputError: a command failed.
        """
        if self.generate and not self.folder.exists():
            self.generate()
        for command in self.commands:
            show(command)
            run(command, log)


def per_model(value: float) -> dict[str, float]:
    """The same value for every model."""
    return dict.fromkeys(MODELS, value)


RECIPES = {
    "tiny": Recipe(
        size="tiny",
        max_update=600,
        warmup_updates=100,
        interval=40,
        max_tokens=1500,
        lr=per_model(0.004),
        dropout=per_model(0.1),
        average=2,
    ),
    "screening": Recipe(
        size="tiny",
        max_update=1000,
        warmup_updates=100,
        interval=100,
        max_tokens=1500,
        lr=per_model(0.004),
        dropout=per_model(0.1),
        average=1,
        scored=False,
    ),
    "small": Recipe(
        size="tiny",
        max_update=3000,
        warmup_updates=300,
        interval=100,
        max_tokens=1500,
        lr=per_model(0.004),
        dropout=per_model(0.1),
    ),
    "converged": Recipe(
        size="tiny",
        max_update=40_000,
        warmup_updates=400,
        interval=400,
        max_tokens=1500,
        lr=per_model(0.002),
        dropout=per_model(0.2),
        average=10,
        decay="inverse_sqrt",
    ),
    "paper": Recipe(
        size="wmt",
        max_update=100_000,
        warmup_updates=4000,
        interval=1000,
        max_tokens=8192,
        lr=per_model(0.0007),
        dropout=per_model(0.1),
        average=10,
        more=("--fp16", "--num-workers", 4),
    ),
}


def tiny_text(out: Path) -> Text:
    """The embedded corpus. Its second pair translates into a made-up language: English with the
    words backwards, under qaa, a code that ISO 639 leaves to private use."""
    text, folder = out / "text", out / "data"
    names = ("train", "valid", "test", "transfer")

    def generate() -> None:
        corpus.write(text, seed=1)
        for name in names:
            lines = read_lines(text / f"{name}.en")
            write_lines(text / f"{name}.en-qaa.en", lines)
            backwards = (" ".join(reversed(line.split())) for line in lines)
            write_lines(text / f"{name}.en-qaa.qaa", backwards)

    command = script_command(
        "prepare",
        *("files", "--pairs", "en-de,en-qaa", "--vocab-size", 1400, "--no-filter"),
        *("--train", text / "train", "--valid", text / "valid"),
        *("--test", f"test={text / 'test'}", "--test", f"transfer={text / 'transfer'}"),
        *("--out", folder),
    )
    tests = {name: name for name in names[2:]}
    return Text(folder, ("en-de", "en-qaa"), tests, generate, [command])


def paper_text(out: Path) -> Text:
    """WMT14 from the hub with both pairs, and IWSLT14's test set in its subwords."""
    wmt, ted = out / "data", out / "data-iwslt14"
    commands = [
        script_command("prepare", "wmt14", "--pairs", "en-de,en-fr", "--out", wmt),
        script_command("prepare", "iwslt14", "--subwords-from", wmt, "--only-test", "--out", ted),
    ]
    tests = {"newstest2014": "newstest2014", "iwslt14": f"iwslt14={ted / 'raw' / 'test'}"}
    return Text(wmt, ("en-de", "en-fr"), tests, commands=commands)


def prepared_text(folder: Path) -> Text:
    """A folder that `scripts/prepare.py` made; every test set that it has for its first pair.

    Raises:
        InputError: it is not such a folder, or has no test set.
    """
    manifest = folder / "manifest.json"
    if not manifest.exists():
        raise InputError(f"{manifest} does not exist: prepare the text with scripts/prepare.py")
    pairs = tuple(read_json(manifest)["pairs"])
    source, _ = languages(pairs[0])
    raw = sorted(folder.glob(f"raw/*.{pairs[0]}.{source}"))
    names = [path.name.removesuffix(f".{pairs[0]}.{source}") for path in raw]
    tests = {name: name for name in names if name != "valid"}
    if not tests:
        raise InputError(f"{folder} has no test set for {pairs[0]}: prepare it with --test")
    return Text(folder, pairs, tests)


def find_text(scale: str, prepared: Path | None, out: Path) -> Text:
    """The text of a scale, or the prepared folder that the user gives instead.

    Raises:
        InputError: the scale has no text of its own, or the folder is not a prepared one.
    """
    if prepared:
        return prepared_text(prepared)
    if scale in ("screening", "small", "converged"):
        raise InputError(
            f"the {scale} scale trains on text of your own: prepare it with scripts/prepare.py "
            "files and give that folder as --prepared"
        )
    return {"tiny": tiny_text, "paper": paper_text}[scale](out)


def check_variants(
    recipe: Recipe, models: dict[str, list[str]], settings: Sequence[tuple[str, ...]]
) -> None:
    """See, before hours are spent, that every model that has flags of its own can be built.

    Args:
        recipe: what tells the size.
        models: as for `build_cells`.
        settings: as for `build_cells`.

    Raises:
        InputError: one cannot; the message says why.
    """
    for name, flags in models.items():
        for pairs in settings if flags else ():
            said = io.StringIO()
            try:
                with contextlib.redirect_stderr(said):
                    size = twins(recipe.size, len(pairs) > 1)["rim"]
                    build_without_memory([*size, *flags], 100, pairs)
            except (ValueError, AssertionError) as error:
                raise InputError(f"--variant {name}: {error}") from None
            except SystemExit:  # the parser of fairseq-train
                reason = said.getvalue().strip().rpartition("error: ")[2]
                raise InputError(f"--variant {name}: {reason}") from None


def build_cells(
    text: Text,
    recipe: Recipe,
    models: dict[str, list[str]],
    settings: Sequence[tuple[str, ...]],
    seeds: Sequence[int],
    out: Path,
) -> list[Cell]:
    """All cells of a table, those of one seed together.

    Args:
        text: what is trained on and tested.
        recipe: how.
        models: name -> flags added to its kind of model; a name that is no kind is a RIM.
        settings: the pairs that are trained together, in each column.
        seeds: one training with each.
        out: a folder for each cell goes here.
    """
    return [
        _cell(text, recipe, name, flags, pairs, seed, out)
        for seed in seeds
        for pairs in settings
        for name, flags in models.items()
    ]


def _cell(
    text: Text,
    recipe: Recipe,
    name: str,
    flags: list[str],
    pairs: tuple[str, ...],
    seed: int,
    out: Path,
) -> Cell:
    kind = name if name in MODELS else "rim"
    kinds = twins(recipe.size, len(pairs) > 1)
    if kind not in kinds:
        raise InputError(f"{kind} is a model for one language pair: choose with --data {pairs[0]}")
    folder = out / "cells" / f"{name}.{'+'.join(pairs)}.seed{seed}"
    checkpoints = folder / "checkpoints"
    source, target = languages(pairs[0])
    several = len(pairs) > 1
    task = (
        ("--task", "multilingual_translation", "--lang-pairs", ",".join(pairs))
        if several
        else ("--source-lang", source, "--target-lang", target)
    )
    train = fairseq_command(
        "train",
        text.folder / "bin",
        *("--user-dir", USER_DIR, *task),
        *kinds[kind],
        *flags,
        *("--share-all-embeddings", "--dropout", recipe.dropout[kind]),
        *("--criterion", "label_smoothed_cross_entropy", "--label-smoothing", 0.1),
        *("--optimizer", "adam", "--adam-betas", "(0.9, 0.98)", "--clip-norm", 1.0),
        *("--lr", recipe.lr[kind], *recipe.scheduler, "--warmup-updates", recipe.warmup_updates),
        *("--max-update", recipe.max_update, "--patience", recipe.patience),
        *("--max-tokens", recipe.max_tokens, "--required-batch-size-multiple", 1),
        *("--validate-interval-updates", recipe.interval),
        *("--save-interval-updates", recipe.interval),
        # not at the ends of epochs too, which would count towards --patience
        *("--validate-interval", NEVER, "--save-interval", NEVER, "--no-epoch-checkpoints"),
        *("--keep-interval-updates", recipe.average),
        *("--seed", seed, "--save-dir", checkpoints, "--ddp-backend", "legacy_ddp"),
        *("--log-format", "json", "--log-interval", 20),
        *recipe.more,
        *(() if torch.cuda.is_available() or "--fp16" in recipe.more else ("--cpu",)),
    )
    averaged = checkpoints / "average.pt"
    average = script_command("average", "--last", recipe.average, checkpoints, "--out", averaged)
    score = {
        f"{test}.{pairs[0]}" if several else test: script_command(
            "score",
            *("--checkpoint", averaged, "--data", text.folder, "--out", folder / "scores"),
            *(("--target-lang", target) if several else ()),
            *("--test", where),
        )
        for test, where in (text.tests.items() if recipe.scored else ())
    }
    about = {"model": name, "pairs": list(pairs), "seed": seed}
    return Cell(folder, about, recipe.max_update, train, average if score else None, score)


def run_cells(cells: Sequence[Cell], jobs: int) -> None:
    """Run what is not finished, `jobs` cells at a time.

    Raises:
        InputError: cells failed; the others were run all the same.
    """
    for cell in cells:
        cell.check()
    failures = []
    interrupted.clear()

    def work(cell: Cell) -> None:
        try:
            if not cell.run(progress):
                console.print(f"{cell.name}: another process is at work on it")
        except InputError as error:
            failures.append(f"{cell.name}: {error}")

    with training_progress() as progress, ThreadPoolExecutor(jobs) as pool:
        try:
            list(pool.map(work, (cell for cell in cells if not cell.finished)))
        except BaseException:  # Ctrl-C; what runs is ended, the rest is not begun
            interrupted.set()
            raise
    if failures:
        raise InputError("\n".join(failures))
