"""The whole job on the embedded corpus: generate, prepare, train, score, translate."""

import contextlib
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from rim_nmt.data.preparation import Options, prepare
from rim_nmt.data.prepared_folder import remove_prepared
from rim_nmt.data.textfiles import files_corpus
from rim_nmt.errors import InputError
from rim_nmt.runtime.console import console, result_console, training_progress
from rim_nmt.runtime.fairseq_commands import (
    USER_DIR,
    fairseq_command,
    is_trained,
    rim_command,
    show,
    train,
)
from rim_nmt.runtime.files import (
    atomic_path,
    folder_lock,
    is_vacant,
    make_marked,
    read_json,
    remove_marked,
    write_json,
)
from rim_nmt.toy import corpus

TEXT = Path("data/demo-text")
DATA = Path("data/demo")
RUNS = Path("runs/demo")
ARCHITECTURES = ("rim_tiny", "rnn_lstm_tiny")
RECIPE = {"recipe": "the embedded corpus"}
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
        InputError: a fairseq command failed, another demo is running in this folder, or a training
            is there that was begun with other options.
    """
    with folder_lock(RUNS):
        _run(compare)


def _run(compare: bool) -> None:
    from rim_nmt.plugin.processor import one_thread_unless_told, threads

    started = time.perf_counter()
    one_thread_unless_told()
    console.print(f"Threads of a process: {threads()} (set OMP_NUM_THREADS to choose otherwise)")
    _title(1, "generate the embedded English-German corpus")
    _generate()
    _title(2, "prepare it: one subword vocabulary, then fairseq's binary format")
    _prepare()

    results = []
    for arch in ARCHITECTURES if compare else ARCHITECTURES[:1]:
        _title(3, f"train {arch}: {MAX_UPDATE:,} updates on the CPU")
        seconds = _train(arch)
        _title(4, f"score {arch} on test (like the training text) and transfer (unlike it)")
        results.append(Result(arch, _score(arch), seconds))
    _title(5, "translate")
    _translate(results[0].arch)
    _summary(results, time.perf_counter() - started)


def training_options(arch: str, max_update: int) -> list[str]:
    """The options of fairseq-train that the demo's result depends on, for one architecture."""
    options = (
        *("--arch", arch, "--share-all-embeddings"),
        *("--source-lang", "en", "--target-lang", "de"),
        *("--optimizer", "adam", "--lr", "0.004", "--clip-norm", "1.0"),
        *("--lr-scheduler", "polynomial_decay", "--warmup-updates", 100),
        *("--total-num-update", max_update, "--dropout", 0),
        *("--criterion", "label_smoothed_cross_entropy", "--label-smoothing", "0.1"),
        *("--max-tokens", 1500, "--max-update", max_update, "--seed", 1),
        *("--no-epoch-checkpoints", "--log-format", "json", "--log-interval", 20, "--cpu"),
    )
    return [str(option) for option in options]


def training_command(arch: str, data: Path, save_dir: Path, max_update: int) -> list[str]:
    """The fairseq-train command of the demo for one architecture."""
    return fairseq_command(
        "train",
        data,
        *("--user-dir", USER_DIR, *training_options(arch, max_update)),
        *("--save-dir", save_dir, "--tensorboard-logdir", save_dir / "tensorboard"),
    )


def _generate() -> None:
    if (TEXT / "generated.json").exists():
        console.print("  done already")
        return
    _check_vacant(TEXT)
    with atomic_path(TEXT) as temporary:
        corpus.write(temporary, seed=1)
        write_json(temporary / "generated.json", {"seed": 1})


def _check_vacant(folder: Path) -> None:
    if not is_vacant(folder):
        raise InputError(f"{folder} is there but was not made by this demo: move it away")


def _prepare() -> None:
    tests = {name: TEXT / name for name in TEST_SETS}
    prepare(
        DATA,
        RECIPE,
        lambda: files_corpus(["en-de"], [TEXT / "train"], TEXT / "valid", tests, filtered=False),
        Options(vocab_size=VOCAB_SIZE),
    )


def _train(arch: str) -> float:
    """Train unless it is done; returns the seconds that it took."""
    save_dir = RUNS / arch
    command = training_command(arch, DATA / "bin", save_dir, MAX_UPDATE)
    asked = {"options": training_options(arch, MAX_UPDATE)}
    begun = save_dir / "training.json"
    if begun.exists():
        if read_json(begun) != asked:
            raise InputError(
                f"{save_dir} was trained with other options than this demo's, see {begun}: move it "
                "away, or remove it with `make clean`"
            )
    else:
        _check_vacant(save_dir)
        make_marked(save_dir, begun.name, asked)
    if (save_dir / "checkpoint_last.pt").exists() and not (save_dir / "trained.json").exists():
        console.print("  an interrupted training goes on from its last checkpoint")
    return _once(
        save_dir / "trained.json",
        asked,
        lambda: _run_training(command, save_dir / "train.log"),
    )


def _run_training(command: list[str], log: Path) -> None:
    show(command)
    if is_trained(log):  # by a demo that was killed right after
        return
    with training_progress() as progress:
        train(command, log, MAX_UPDATE, progress)


def _score(arch: str) -> dict[str, dict]:
    from rim_nmt.translation.scoring import raw_test_set, score_test_set, write_scores

    def score(name: str, report: Path) -> None:
        test_set = raw_test_set(DATA, name, "en", "de")
        write_scores(report.with_suffix(""), *score_test_set(_translator(arch), *test_set))

    scores = {}
    for name in TEST_SETS:
        report = RUNS / arch / "scores" / f"{name}.json"
        _once(
            RUNS / arch / f"scored-{name}.json",
            read_json(RUNS / arch / "trained.json"),
            functools.partial(score, name, report),
        )
        scores[name] = read_json(report)
        for metric in ("BLEU", "chrF"):
            figure = scores[name][metric]
            console.print(f"  {name}: {metric} {figure['score']:.1f}  ({figure['signature']})")
    return scores


def _translate(arch: str) -> None:
    translations = _translator(arch).translate(EXAMPLES)
    for source, (best,) in zip(EXAMPLES, translations, strict=True):
        console.print(f"  {source}\n    [bold]{best.text}[/bold]")


def _translator(arch: str):
    from rim_nmt.plugin.fixes import quiet_fairseq
    from rim_nmt.translation.translator import Translator

    quiet_fairseq()
    return Translator.from_folder(RUNS / arch / "checkpoint_best.pt", DATA)


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
    result_console.print("\n", table)
    console.print(
        f"[bold]Done[/bold] in {seconds:.0f} s. Models and logs are in {RUNS}, data in {DATA}.\n"
        "Translate interactively:"
    )
    best = RUNS / results[0].arch / "checkpoint_best.pt"
    show(rim_command("translate", "--checkpoint", best, "--data", DATA))


def clean() -> None:
    """Remove what the demo made below the current folder, and nothing else.

    Raises:
        InputError: a demo is running.
    """
    with folder_lock(RUNS):
        for arch in ARCHITECTURES:
            if (RUNS / arch / "training.json").exists():
                remove_marked(RUNS / arch, "training.json")
        if (TEXT / "generated.json").exists():
            remove_marked(TEXT, "generated.json")
        remove_prepared(DATA, RECIPE)
    with contextlib.suppress(OSError):
        RUNS.rmdir()
    for folder in (TEXT, DATA, RUNS):
        if folder.exists():
            console.print(f"{folder} stays: it holds what the demo did not make")


def _title(number: int, text: str) -> None:
    console.print(f"\n[bold]{number}. {text}[/bold]")


def _once(stamp: Path, what: object, work: Callable[[], object]) -> float:
    """Do `work` unless the file `stamp` says that exactly this was done already.

    Returns:
        The seconds that it took, now or then.
    """
    if stamp.exists():
        done = read_json(stamp)
        if done["what"] == what:
            console.print("  done already")
            return done["seconds"]
    started = time.perf_counter()
    work()
    seconds = round(time.perf_counter() - started, 1)
    write_json(stamp, {"what": what, "seconds": seconds})
    return seconds
