"""The whole job on the embedded corpus: generate, prepare, train, score, translate."""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from rim_nmt.commands import (
    USER_DIR,
    console,
    fairseq_command,
    show,
    train,
    training_progress,
)
from rim_nmt.data import corpus
from rim_nmt.data.preparation import Options, prepare
from rim_nmt.data.textfiles import files_corpus

TEXT = Path("data/demo-text")
DATA = Path("data/demo")
RUNS = Path("runs/demo")
VOCAB_SIZE = 1400
MAX_UPDATE = 750
TEST_SETS = ("test", "transfer")
EXAMPLES = (
    "The old teacher does not read the book.",
    "Tomorrow the girl will call her brother.",
    "The dog that the woman sees is sleeping because it is tired.",
)


@dataclass(frozen=True)
class Result:
    """What one model reached."""

    arch: str
    scores: dict[str, dict]
    train_seconds: float


def run_demo(compare: bool = False) -> None:
    """Run every step that has not been run yet, below the current folder.

    Args:
        compare: train and score the LSTM twin as well.

    Raises:
        InputError: a fairseq command failed.
    """
    started = time.perf_counter()
    console.print(
        f"One thread per process: OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']} "
        "(set it to choose otherwise)"
    )
    _title(1, "generate the embedded English-German corpus")
    _once(TEXT / "generated.json", {"seed": 1}, lambda: corpus.write(TEXT, seed=1))
    _title(2, "prepare it: one subword vocabulary, then fairseq's binary format")
    _prepare()

    results = []
    for arch in ("rim_tiny", "rnn_lstm_tiny") if compare else ("rim_tiny",):
        _title(3, f"train {arch}: {MAX_UPDATE:,} updates on the CPU")
        seconds = _train(arch)
        _title(4, f"score {arch} on test (like the training text) and transfer (unlike it)")
        results.append(Result(arch, _score(arch), seconds))
    _title(5, "translate")
    _translate(results[0].arch)
    _summary(results, time.perf_counter() - started)


def training_command(arch: str, data: Path, save_dir: Path, max_update: int) -> list[str]:
    """The fairseq-train command of the demo for one architecture."""
    return fairseq_command(
        "train",
        data,
        *("--user-dir", USER_DIR, "--arch", arch, "--share-all-embeddings"),
        *("--source-lang", "en", "--target-lang", "de"),
        *("--optimizer", "adam", "--lr", "0.004", "--clip-norm", "1.0"),
        *("--lr-scheduler", "polynomial_decay", "--warmup-updates", 100),
        *("--total-num-update", max_update, "--dropout", 0),
        *("--criterion", "label_smoothed_cross_entropy", "--label-smoothing", "0.1"),
        *("--max-tokens", 1500, "--max-update", max_update, "--seed", 1),
        *("--save-dir", save_dir, "--no-epoch-checkpoints"),
        *("--log-format", "json", "--log-interval", 20),
        *("--tensorboard-logdir", save_dir / "tensorboard", "--cpu"),
    )


def _prepare() -> None:
    tests = {name: TEXT / name for name in TEST_SETS}
    prepare(
        DATA,
        {"recipe": "the embedded corpus"},
        lambda: files_corpus(["en-de"], [TEXT / "train"], TEXT / "valid", tests, filtered=False),
        Options(vocab_size=VOCAB_SIZE),
    )


def _train(arch: str) -> float:
    """Train unless it is done; returns the seconds that it took."""
    save_dir = RUNS / arch
    command = training_command(arch, DATA / "bin", save_dir, MAX_UPDATE)
    begun = save_dir / "command.json"
    if begun.exists() and json.loads(begun.read_text()) != command:
        shutil.rmtree(save_dir)  # made by another command: it cannot be continued
    save_dir.mkdir(parents=True, exist_ok=True)
    begun.write_text(json.dumps(command))
    if (save_dir / "checkpoint_last.pt").exists() and not (save_dir / "trained.json").exists():
        console.print("  an interrupted training goes on from its last checkpoint")
    return _once(
        save_dir / "trained.json",
        command,
        lambda: _run_training(command, save_dir / "train.log"),
    )


def _run_training(command: list[str], log: Path) -> None:
    show(command)
    with training_progress() as progress:
        train(command, log, MAX_UPDATE, progress)


def _score(arch: str) -> dict[str, dict]:
    from rim_nmt.scoring import raw_test_set, score_test_set

    scores = {}
    for name in TEST_SETS:
        report = RUNS / arch / "scores" / f"{name}.json"
        _once(
            RUNS / arch / f"scored-{name}.json",
            (RUNS / arch / "trained.json").read_text(),
            lambda name=name, report=report: score_test_set(
                _translator(arch),
                *raw_test_set(DATA, name, "en", "de"),
                report.with_suffix(""),
            ),
        )
        scores[name] = json.loads(report.read_text())
        for metric in ("BLEU", "chrF"):
            figure = scores[name][metric]
            console.print(f"  {name}: {metric} {figure['score']:.1f}  ({figure['signature']})")
    return scores


def _translate(arch: str) -> None:
    translations = _translator(arch).translate(EXAMPLES)
    for source, (best,) in zip(EXAMPLES, translations, strict=True):
        console.print(f"  {source}\n    [bold]{best.text}[/bold]")


def _translator(arch: str):
    from rim_nmt.cli import quiet_fairseq
    from rim_nmt.translator import Translator

    quiet_fairseq()
    return Translator(
        RUNS / arch / "checkpoint_best.pt", DATA / "bin", DATA / "sentencepiece.model"
    )


def _summary(results: list[Result], seconds: float) -> None:
    table = Table(title="BLEU, detokenised and cased", title_justify="left")
    table.add_column("architecture")
    for name in TEST_SETS:
        table.add_column(name, justify="right")
    table.add_column("training", justify="right")
    for result in results:
        table.add_row(
            result.arch,
            *(f"{result.scores[name]['BLEU']['score']:.1f}" for name in TEST_SETS),
            f"{result.train_seconds:.0f} s",
        )
    console.print("\n", table)
    console.print(
        f"[bold]Done[/bold] in {seconds:.0f} s. Models and logs are in {RUNS}, data in {DATA}.\n"
        "Translate interactively:\n"
        f"  .venv/bin/python scripts/translate.py "
        f"--checkpoint {RUNS}/{results[0].arch}/checkpoint_best.pt --data {DATA}"
    )


def _title(number: int, text: str) -> None:
    console.print(f"\n[bold]{number}. {text}[/bold]")


def _once(stamp: Path, what: object, work: Callable[[], object]) -> float:
    """Do `work` unless the file `stamp` says that exactly this was done already.

    Returns:
        The seconds that it took, now or then.
    """
    if stamp.exists():
        done = json.loads(stamp.read_text())
        if done["what"] == what:
            console.print("  done already")
            return done["seconds"]
    started = time.perf_counter()
    work()
    seconds = round(time.perf_counter() - started, 1)
    stamp.write_text(json.dumps({"what": what, "seconds": seconds}))
    return seconds
