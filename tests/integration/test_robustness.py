"""Whole after every kill, and one line out for each line in: counts are printed."""

import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import torch

from rim_nmt.cli import translate
from rim_nmt.cli.main import main
from rim_nmt.data.preparation import Options, prepare
from rim_nmt.data.textfiles import files_corpus
from rim_nmt.errors import InputError
from rim_nmt.runtime.files import read_lines, write_lines
from rim_nmt.toy import corpus
from rim_nmt.translation.translator import Translator
from tests.conftest import ROOT, train_command
from tests.data.test_preparation import content, fake_preprocess
from tests.runtime.test_processes import is_running, wait_for

KILLS = 20
CHAIN = 4  # kills before a run may end
SIZES = {"train_size": 300, "valid_size": 20, "test_size": 20, "transfer_size": 10}
UPDATES = 24  # within the first epoch: what is stopped later ends with other weights

PREPARE = """
import sys; from pathlib import Path
from rim_nmt.cli.shared import run_main
from rim_nmt.data.preparation import Options, prepare
from rim_nmt.data.textfiles import files_corpus
text = Path("../text")
load = lambda: files_corpus(["en-de"], [text / "train"], text / "valid", {"test": text / "test"})
if __name__ == "__main__":
    run_main(lambda: prepare(Path("out"), {}, load, Options(vocab_size=300)))
"""
TRAIN = f"""
import json; from pathlib import Path
from rim_nmt.cli.shared import run_main
from rim_nmt.runtime.console import training_progress
from rim_nmt.runtime.fairseq_commands import is_trained, train
command = json.loads(Path("../command.json").read_text("utf-8"))
def main():
    log = Path("out/train.log")
    if not is_trained(log):
        with training_progress() as progress:
            train(command, log, {UPDATES}, progress)
run_main(main)
"""
DEMO = f"""
import functools
from rim_nmt.experiments import demo
from rim_nmt.cli.shared import run_main
from rim_nmt.toy import corpus
if __name__ == "__main__":
    corpus.write = functools.partial(corpus.write, **{SIZES | {"train_size": 1500}})
    demo.MAX_UPDATE, demo.VOCAB_SIZE = {UPDATES}, 300
    run_main(demo.run_demo)
"""


def weights(checkpoint: Path) -> dict:
    """The weights of a checkpoint, as bytes."""
    state = torch.load(checkpoint, weights_only=True)
    return {name: weight.numpy().tobytes() for name, weight in state["model"].items()}


def training_left(folder: Path) -> dict:
    """What a training leaves."""
    names = {path.name: b"" for path in (folder / "out").rglob("*")}
    return names | weights(folder / "out" / "checkpoint_last.pt")


def demo_left(folder: Path) -> dict:
    """What the demo leaves, but for times."""
    found = content(folder)
    for name in found:
        if name.endswith((".pt", ".json", ".log")) or "tensorboard" in name:
            found[name] = b""
    found = {name: value for name, value in found.items() if "tensorboard" not in name}
    return found | weights(folder / "runs/demo/rim_tiny/checkpoint_last.pt")


def descendants(number: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    try:
        tasks = list(Path(f"/proc/{number}/task").glob("*/children"))
        children = [int(c) for task in tasks for c in task.read_text(encoding="utf-8").split()]
    except OSError:
        return []
    return [each for child in children for each in (child, *descendants(child))]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["prepare", "train", "demo"])
def test_killed_at_random_moments_and_started_again(tmp_path, prepared, what, monkeypatch, capsys):
    """SIGKILL for the process alone; whatever it has started has to end by itself."""
    program, left = {
        "prepare": (PREPARE, content),
        "train": (TRAIN, training_left),
        "demo": (DEMO, demo_left),
    }[what]
    corpus.write(tmp_path / "text", **SIZES)
    often = ("--max-tokens", 200, "--max-update", UPDATES, "--save-interval-updates", 5)
    monkeypatch.chdir(tmp_path)  # which is above none of the paths
    command = [str(part) for part in train_command(prepared, Path("out"), *often)]
    (tmp_path / "command.json").write_text(json.dumps(command), encoding="utf-8")
    script = tmp_path / "program.py"
    script.write_text(program, encoding="utf-8")

    def start(folder: Path) -> subprocess.Popen:
        folder.mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, script],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def finish(folder: Path) -> tuple[dict, list[str]]:
        process = start(folder)
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors.decode()
        return left(folder), sorted(str(path.relative_to(folder)) for path in folder.iterdir())

    finish(tmp_path / "first")  # when the system has read no file yet, it takes much longer
    started = time.monotonic()
    expected = finish(tmp_path / "undisturbed")
    seconds = time.monotonic() - started
    rng = random.Random(1)
    killed = ended = orphans = 0
    while killed < KILLS:
        folder = tmp_path / f"killed{ended}"
        for _ in range(CHAIN):
            process = start(folder)
            try:
                process.communicate(timeout=rng.uniform(0, seconds))
                assert process.returncode == 0
                break
            except subprocess.TimeoutExpired:
                family = descendants(process.pid)
                process.send_signal(signal.SIGKILL)
                process.communicate(timeout=60)
                wait_for(lambda family=family: not any(is_running(each) for each in family))
                killed += 1
                orphans += len(family)
        found = finish(folder)
        assert found[1] == expected[1]
        different = {
            n for n in {**found[0], **expected[0]} if found[0].get(n) != expected[0].get(n)
        }
        assert different == set()
        ended += 1
    with capsys.disabled():
        print(
            f"\n{what}: killed {killed} times at random moments of {seconds:.0f} s, with {orphans} "
            f"processes of its own, which all ended; {ended} results, all as without kills"
        )


def fuzzed(count: int, seed: int) -> list[str]:
    """Lines of every kind that UTF-8 can hold."""
    rng = random.Random(seed)
    words = [
        "the dog",
        "Straße",
        "שלום עולם",
        "مرحبا",
        "🙂👩‍👩‍👧",
        "e\u0301",
        "a" * 300,
        "<unk>",
        "▁",
    ]
    codes = (rng.randrange(11, 0x11_0000) for _ in range(300))
    characters = [chr(code) for code in codes if not 0xD800 <= code < 0xE000]  # no surrogates
    odd = ["\x00", "\x1b[31m", "\u202e", "\u2028", "\x85", "\r", "\t", "\ufeff", "\u200b", "\x0c"]

    def line() -> str:
        kind = rng.randrange(4)
        if kind == 0:
            return rng.choice(["", " ", "\u3000", "\x00", "\u200b\t"])
        if kind == 1:
            return "".join(rng.choice(characters) for _ in range(rng.randint(1, 12)))
        return "".join(rng.choice([*words, *odd]) + " " for _ in range(rng.randint(1, 6)))

    return [line() for _ in range(count)]


@pytest.fixture
def translate_lines(trained, monkeypatch, capfd, caplog) -> Callable[..., tuple[int, str, str]]:
    """`rim-nmt translate` on these bytes: exit status, output, errors."""
    caplog.set_level("WARNING", logger="fairseq")  # as the script has it
    translator = Translator(
        trained.checkpoint, trained.data / "bin", trained.data / "sentencepiece.model"
    )
    monkeypatch.setattr(translate, "load_translator", lambda _: translator)

    def run(text: bytes, *flags: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text), encoding="utf-8"))
        capfd.readouterr()
        status = 0
        try:
            main(["translate", "--checkpoint", "x", "--data", "x", "--beam", "1", *flags])
        except SystemExit as stop:
            status = stop.code
        return status, *capfd.readouterr()

    return run


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_every_line_is_translated_into_one(translate_lines, count, capfd):
    lines = fuzzed(count, seed=1)
    status, output, errors = translate_lines("".join(f"{line}\n" for line in lines).encode())
    assert (status, errors) == (0, "")
    assert output.count("\n") == count and output.endswith("\n")
    with capfd.disabled():
        print(f"\ntranslate: {count} fuzzed lines in, {output.count(chr(10))} lines out")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"a\xff\xfeb", "line 2 of the input is not UTF-8 (invalid start byte)"),
        (b"\xed\xa0\x80", "line 2 of the input is not UTF-8 (invalid continuation byte)"),
        (b"dog " * 10_000, "line 2 of the input has a sentence of "),
    ],
)
def test_a_line_that_cannot_be_translated_is_named(translate_lines, line, message, caplog):
    text = b"The dog sleeps.\n" + line + b"\nThe end.\n"
    status, output, errors = translate_lines(text)
    assert (status, errors) == (0, "") and output.count("\n") == 3
    assert [record.getMessage().startswith(message) for record in caplog.records] == [True]
    status, output, errors = translate_lines(text, "--strict")
    assert status == 2 and output.count("\n") == 1
    assert errors.startswith(f"error: {message}") and errors.count("\n") == 1


@pytest.mark.parametrize("count", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_fuzzed_text_is_prepared_line_by_line(tmp_path, monkeypatch, count, capsys):
    monkeypatch.setattr("rim_nmt.data.preparation.preprocess", fake_preprocess)
    corpus.write(tmp_path, **SIZES)
    english, german = (read_lines(tmp_path / f"train.{language}") for language in ("en", "de"))
    write_lines(tmp_path / "fuzzed.en", english + fuzzed(count, seed=2) + ["dog " * 10_000])
    write_lines(tmp_path / "fuzzed.de", german + fuzzed(count, seed=3) + ["Hund " * 10_000])
    load = functools.partial(
        files_corpus, ["en-de"], [tmp_path / "fuzzed"], tmp_path / "valid",
        {"fuzzed": tmp_path / "fuzzed"},
    )  # fmt: skip
    prepare(tmp_path / "out", {}, load, Options(vocab_size=700, character_coverage=0.98))
    manifest = json.loads((tmp_path / "out/manifest.json").read_text(encoding="utf-8"))
    about = manifest["pairs"]["en-de"]
    kept, read = about["train"]["kept"], about["train"]["read"]
    assert read == 300 + count + 1 and 300 <= kept < read
    for language in ("en", "de"):
        for name, number in (("train", kept), ("fuzzed", read)):
            pieces = read_lines(tmp_path / f"out/pieces/{name}.en-de.{language}")
            assert len(pieces) == number
            assert all(len(f"{line}x".splitlines()) == 1 for line in pieces)
    with capsys.disabled():
        print(f"\nprepare: {count} fuzzed pairs, {kept - 300} kept, all aligned")


@pytest.mark.parametrize("broken", [b"a\xff\n", b"\xed\xa0\x80\n"])
def test_text_that_is_not_utf8_is_named(tmp_path, broken):
    corpus.write(tmp_path, **SIZES)
    with (tmp_path / "train.de").open("ab") as stream:
        stream.write(broken)
    load = functools.partial(files_corpus, ["en-de"], [tmp_path / "train"], tmp_path / "valid", {})
    with pytest.raises(InputError, match=r"train\.de, line 301: not UTF-8"):
        prepare(tmp_path / "out", {}, load, Options())
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]
