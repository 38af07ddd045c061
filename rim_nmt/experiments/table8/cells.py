"""The cells of a table: a model, a set of language pairs and a seed, each with its commands."""

import contextlib
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

import rim_nmt.plugin.register  # noqa: F401  (puts back the level of logging that fairseq changes)
from rim_nmt.data.parallel import languages
from rim_nmt.errors import InputError
from rim_nmt.experiments.table8.recipes import MODELS, Recipe
from rim_nmt.experiments.table8.texts import Text
from rim_nmt.experiments.training_cell import Cell, cell_name
from rim_nmt.experiments.training_flags import NEVER
from rim_nmt.models.matched_sizes import matched_models
from rim_nmt.models.parameters import build_without_memory
from rim_nmt.runtime.console import console, training_progress
from rim_nmt.runtime.fairseq_commands import (
    USER_DIR,
    fairseq_command,
    interrupted,
    rim_command,
)


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
                    size = matched_models(recipe.size, len(pairs) > 1)["rim"]
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
    kinds = matched_models(recipe.size, len(pairs) > 1)
    if kind not in kinds:
        raise InputError(f"{kind} is a model for one language pair: choose with --pairs {pairs[0]}")
    folder = out / "cells" / cell_name(name, pairs, seed)
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
        *("--lr", recipe.lr[kind], "--warmup-updates", recipe.warmup_updates),
        *("--lr-scheduler", "polynomial_decay", "--total-num-update", recipe.max_update),
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
    average = rim_command("average", "--last", recipe.average, checkpoints, "--out", averaged)
    score = rim_command(
        "score",
        *("--checkpoint", averaged, "--data", text.folder, "--out", folder / "scores"),
        *(("--target-lang", target) if several else ()),
        *("--test", *text.tests.values()),
    )
    reports = [f"{test}.{pairs[0]}" if several else test for test in text.tests]
    scores = dict.fromkeys(reports if recipe.scored else (), score)
    about = {"model": name, "pairs": list(pairs), "seed": seed}
    return Cell(folder, about, recipe.max_update, train, average if scores else None, scores)


def run_cells(cells: Sequence[Cell], jobs: int) -> None:
    """Run what is not finished, `jobs` cells at a time.

    Raises:
        InputError: cells failed; the others were run all the same.
    """
    for cell in cells:
        cell.check()
    failures: list[str] = []
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
