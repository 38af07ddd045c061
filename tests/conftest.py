"""A small corpus, prepared and trained once through the real commands."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rim_nmt.cli.main import main
from rim_nmt.runtime import fairseq_commands
from rim_nmt.runtime.fairseq_commands import USER_DIR, fairseq_command
from rim_nmt.runtime.files import write_lines
from rim_nmt.toy import corpus
from tests.forked import Forked

if TYPE_CHECKING:
    from rim_nmt.translation.translator import Translator

ROOT = Path(__file__).resolve().parent.parent
# A small RIM that is there without a training: by fairseq-train with version 0.1.0 (commit 56e7088,
# before the modules moved), as `train_command` has it, for 300 updates
OLD_CHECKPOINT = ROOT / "tests/plugin/before_rooms/checkpoint.pt"
SMALL = (
    *("--encoder-embed-dim", 32, "--decoder-embed-dim", 32),
    *("--encoder-hidden-size", 36, "--decoder-hidden-size", 36),
    *("--encoder-layers", 2, "--decoder-layers", 2),
    *("--num-mechanisms", 3, "--num-active", 2),
)


def pytest_collection(session: pytest.Session) -> None:
    """Where tests run, fairseq is imported before them. The process that only hands them out to
    others does without: what takes seconds to import is imported by the fixtures."""
    if not session.config.pluginmanager.hasplugin("dsession"):  # which hands them out
        import tests.fairseq_loaded  # noqa: F401


@dataclass(frozen=True)
class Trained:
    """A prepared corpus and a model that was trained on it."""

    data: Path
    checkpoint: Path
    log: str


def run_command(command: list, check: bool = True, **more) -> subprocess.CompletedProcess:
    """Run a command and return what it printed; fail with that text where it fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if Path(command[0]).name.startswith("fairseq-"):
        # fairseq's commands print in the locale's encoding, and fail where that lacks a character;
        # ours print UTF-8
        environment["PYTHONIOENCODING"] = "utf-8"
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        cwd=ROOT,
        env=environment,
        **more,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def run_forked(command: list, check: bool = True, **more) -> subprocess.CompletedProcess:
    """`run_command` in a process that was forked from one that knows fairseq: see `Forked`."""
    done = Forked(command, **more).finish()
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@contextlib.contextmanager
def forked_commands() -> Iterator[None]:
    """The commands that the package runs are meanwhile forked too."""

    def running(command: list[str], log: Path) -> Iterator[str]:
        done = Forked(command).finish()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(done.stdout + done.stderr)
        yield done.stdout + done.stderr
        fairseq_commands._check(command, done.returncode, log)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fairseq_commands, "_running", running)
        yield


def run_script(name: str, *arguments, **more) -> subprocess.CompletedProcess:
    """Run `rim-nmt NAME` in a process that was forked from one that knows fairseq."""
    return run_forked([sys.executable, "-m", "rim_nmt", name, *arguments], **more)


@pytest.fixture
def call_script(monkeypatch, capsys) -> Callable[..., str]:
    """`run_script` without a process of its own, which needs seconds to start; returns what was
    printed."""

    def call(name: str, *arguments, input: str = "") -> str:
        monkeypatch.setattr(
            "sys.stdin", io.TextIOWrapper(io.BytesIO(input.encode()), encoding="utf-8")
        )
        monkeypatch.setattr(
            "rim_nmt.plugin.fixes.quiet_fairseq", lambda: None
        )  # other tests may listen
        capsys.readouterr()
        main([name, *(str(part) for part in arguments)])
        return capsys.readouterr().out

    return call


@pytest.fixture
def refused(capsys) -> Callable[..., str]:
    """Calls a command that must end with status 2 and one line on the error stream, which is
    returned; argparse puts the usage before it."""

    def call(*arguments) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        lines = capsys.readouterr().err.splitlines()
        assert stop.value.code == 2
        assert len(lines) == 1 or lines[0].startswith("usage: rim-nmt")
        return lines[-1]

    return call


def train_command(data: Path, save_dir: Path, *more) -> list:
    """fairseq-train for a small RIM on the fixture's data."""
    return fairseq_command(
        "train",
        data / "bin",
        *("--user-dir", USER_DIR, "--arch", "rim_tiny", *SMALL, "--share-all-embeddings"),
        *("--optimizer", "adam", "--lr", "0.01", "--clip-norm", 1, "--dropout", 0),
        *("--max-tokens", 400, "--seed", 1, "--save-dir", save_dir, "--cpu"),
        *("--log-format", "json", "--log-interval", 10, "--num-workers", 0),
        *more,
    )


def prepare_small(out: Path, pairs: list[str], train: Path, valid: Path, tests: dict) -> None:
    """Prepare text with 300 subwords."""
    from rim_nmt.data.preparation import Options, prepare
    from rim_nmt.data.textfiles import files_corpus

    def text():
        return files_corpus(pairs, [train], valid, tests, filtered=False)

    with forked_commands():
        prepare(out, {}, text, Options(vocab_size=300), workers=1)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Path:
    """A prepared folder: 300 training pairs and two small test sets."""
    folder = tmp_path_factory.mktemp("prepared")
    sizes = {"train_size": 300, "valid_size": 20, "test_size": 21, "transfer_size": 10}
    text = folder / "text"
    data = folder / "data"
    corpus.write(text, seed=1, **sizes)
    tests = {name: text / name for name in ("test", "transfer")}
    prepare_small(data, ["en-de"], text / "train", text / "valid", tests)
    return data


def backwards(english: str) -> str:
    """A made-up language in French's place: the English words, last one first."""
    return " ".join(reversed(english.split()))


@pytest.fixture(scope="session")
def prepared_pairs(tmp_path_factory) -> Path:
    """A prepared folder with 200 training pairs of one language and 120 of the other."""
    folder = tmp_path_factory.mktemp("two-pairs")
    sizes = {"train_size": 200, "valid_size": 20, "test_size": 11, "transfer_size": 1}
    for name, pairs in corpus.generate(seed=1, **sizes).items():
        english = [source for source, _ in pairs]
        less = english[:120] if name == "train" else english
        for pair, source, target in (
            ("en-de", english, [target for _, target in pairs]),
            ("en-fr", less, [backwards(sentence) for sentence in less]),
        ):
            write_lines(folder / f"{name}.{pair}.en", source)
            write_lines(folder / f"{name}.{pair}.{pair[3:]}", target)
    pairs = ["en-de", "en-fr"]
    tests = {"test": folder / "test"}
    prepare_small(folder / "data", pairs, folder / "train", folder / "valid", tests)
    return folder / "data"


@pytest.fixture(scope="session")
def trained(prepared, tmp_path_factory) -> Trained:
    """A small RIM after 100 updates, as fairseq-train leaves it."""
    save_dir = tmp_path_factory.mktemp("trained")
    done = run_forked(train_command(prepared, save_dir, "--max-update", 100))
    return Trained(prepared, save_dir / "checkpoint_last.pt", done.stdout + done.stderr)


@pytest.fixture(scope="session")
def old_prepared(tmp_path_factory) -> Path:
    """The prepared folder of `OLD_CHECKPOINT`, as far as translating needs it."""
    folder = tmp_path_factory.mktemp("before-rooms")
    (folder / "bin").mkdir()
    for language in ("en", "de"):
        shutil.copy(OLD_CHECKPOINT.with_name("dict.txt"), folder / "bin" / f"dict.{language}.txt")
    (folder / "bin" / "test.en-de.en.bin").touch()  # its name says the languages
    shutil.copy(OLD_CHECKPOINT.with_name("sentencepiece.model"), folder)
    return folder


@pytest.fixture(scope="session")
def old_checkpoint(old_prepared) -> Callable[[], "Translator"]:
    """Loads the model of `OLD_CHECKPOINT`."""
    from rim_nmt.translation.translator import Translator

    return lambda: Translator.from_folder(OLD_CHECKPOINT, old_prepared)


@pytest.fixture(scope="session")
def model_folder(old_prepared, tmp_path_factory) -> Path:
    """The same model, packed."""
    from rim_nmt.translation.model_folder import pack

    folder = tmp_path_factory.mktemp("model-folder") / "model"
    pack(OLD_CHECKPOINT, old_prepared, folder)
    return folder
