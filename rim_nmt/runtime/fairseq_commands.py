"""The commands that others start, fairseq's and our own: shown so that they can be copied, run with
a log, training with a progress bar."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from rich.progress import Progress

from rim_nmt.errors import InputError
from rim_nmt.runtime.console import ProgressBar, console
from rim_nmt.runtime.processes import command_of_child

ROOT = Path(__file__).resolve().parent.parent.parent  # the clone, if there is one
IS_CLONE = (ROOT / "pyproject.toml").is_file()
# what fairseq's --user-dir names: a short path in a clone, and one in the package elsewhere
USER_DIR = ROOT / "user_dir" if IS_CLONE else ROOT / "rim_nmt/plugin/entry/rim_user_dir"

# While it is set, commands that are running in any thread are ended.
interrupted = threading.Event()


def environment_of_children() -> dict[str, str]:
    """What the commands run in: text is UTF-8 whatever the locale says, and one thread computes
    unless OMP_NUM_THREADS says otherwise (see `rim_nmt.plugin.processor.threads`)."""
    return {
        "OMP_NUM_THREADS": "1",
        **os.environ,
        "PYTHONUTF8": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def fairseq_command(name: str, *arguments) -> list[str]:
    """The command line of `fairseq-<name>` from the Python environment that runs this.

    Paths below the current folder come out relative, so that the line is readable.
    """
    program = Path(sys.executable).with_name(f"fairseq-{name}")
    if program.exists():
        return _relative(program, *arguments)
    # its programs may be elsewhere, as after `pip install --user`
    return _relative(sys.executable, "-m", f"fairseq_cli.{name}", *arguments)


def rim_command(name: str, *arguments) -> list[str]:
    """The command line of `rim-nmt <name>`, as `fairseq_command`. It names this Python, so that
    it works where `rim-nmt` is not on the PATH."""
    return _relative(sys.executable, "-m", "rim_nmt", name, *arguments)


def _relative(*arguments) -> list[str]:
    here = os.getcwd() + os.sep
    return [str(argument).removeprefix(here) for argument in arguments]


def preprocess(command: list[str], log: Path, destination: Path, pieces: int | None) -> None:
    """Run fairseq-preprocess behind a progress bar, and keep what it prints in `log`.

    Args:
        command: from `fairseq_command`.
        log: what it prints is appended here.
        destination: its --destdir, whose growth is the progress.
        pieces: how many pieces the training text has; None for held-out text only.

    Raises:
        InputError: it failed; the message ends with the last lines of the log.
    """
    written_before = _written(destination)
    with ProgressBar(total=pieces, desc="binarising", unit=" pieces", unit_scale=True) as bar:
        for _ in _running(command, log):
            # 2 bytes a piece; parts that are being joined count twice for a moment
            done = (_written(destination) - written_before) // 2
            bar.update(min(done, pieces or done) - bar.n)


def _written(folder: Path) -> int:
    """Bytes of binarised text below a folder, in files that may come and go."""
    total = 0
    for path in folder.glob("*.bin"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def train(
    command: list[str],
    log: Path,
    max_update: int,
    progress: Progress,
    name: str = "",
) -> None:
    """Run a fairseq-train command (with `--log-format json`) behind a progress bar.

    Args:
        command: from `fairseq_command`.
        log: everything that it prints is appended here.
        max_update: where the bar ends.
        progress: from `training_progress`.
        name: of the training, where there are several.

    Raises:
        InputError: as for `preprocess`.
    """
    task = progress.add_task(name or "training", total=max_update, figures="")
    rest = ""
    try:
        for written in _running(command, log):
            *lines, rest = (rest + written).split("\n")
            for line in lines:
                figures = _figures(line)
                if "num_updates" in figures:  # a line of training
                    speed = f"loss {figures['loss']}  {float(figures['wps']):,.0f} tokens/s"
                    progress.update(task, completed=int(figures["num_updates"]), figures=speed)
                elif "valid_num_updates" in figures and not console.verbose:
                    start = f"{name}, " if name else ""
                    progress.console.print(f"  {start}{_validation(figures)}")
    finally:
        progress.remove_task(task)


def is_trained(log: Path) -> bool:
    """Whether the log of a training says that it is done: the process that would know may have been
    killed before, and fairseq-train makes one update more when it is called for a finished one."""
    if not log.exists():
        return False
    return says_done(log.read_text(encoding="utf-8", errors="replace"))


def says_done(log: str) -> bool:
    """Whether a training came to its end, by what it printed."""
    return "| done training in " in log


def run(command: list[str], log: Path) -> None:
    """Run a command that says nothing worth showing.

    Args:
        command: what to run.
        log: everything that it prints is appended here.

    Raises:
        InputError: as for `preprocess`.
    """
    for _ in _running(command, log):
        pass


def _running(command: list[str], log: Path) -> Iterator[str]:
    """Run a Python program and yield, some times a second, what it has added to `log`, which is
    shown too where the user wants to see it. It ends when this process ends, killed or not."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream, log.open(encoding="utf-8", errors="replace") as written:
        written.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            command_of_child(command),
            stdout=stream,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment_of_children(),
        )
        try:
            returncode = None
            while returncode is None:
                if interrupted.is_set():
                    raise InputError(f"{_name(command)} was interrupted")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    returncode = process.wait(timeout=0.2)
                text = written.read()
                if console.verbose:
                    print(text, end="", file=sys.stderr, flush=True)
                yield text
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    _check(command, returncode, log)


def show(command: list[str]) -> None:
    """Print a command so that it can be copied into a shell."""
    console.print(f"[dim]$ {_escape(shlex.join(command))}[/dim]")


def _figures(line: str) -> dict:
    """The figures in a line of fairseq's JSON log, {} for any other line."""
    start = line.find("{")
    if start < 0:
        return {}
    try:
        figures = json.loads(line[start:])
    except json.JSONDecodeError:
        return {}
    return figures if isinstance(figures, dict) else {}


def _validation(figures: dict) -> str:
    text = f"update {figures['valid_num_updates']}: valid perplexity {figures['valid_ppl']}"
    usage = {
        key.removeprefix("valid_").removesuffix("_usage"): value
        for key, value in figures.items()
        if key.endswith("_usage")
    }
    if usage:  # of "enc" and "dec", or "enc", "dec_de" and "dec_fr"
        names = {"enc": "encoder", "dec": "decoder"}
        text += ", use of mechanisms " + " ".join(
            f"{value} ({' '.join(names.get(word, word) for word in part.split('_'))})"
            for part, value in usage.items()
        )
    return text


def _check(command: list[str], returncode: int, log: Path) -> None:
    if returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        # the first of argparse, on its arguments; the second of a model that cannot be built
        if wrong := re.fullmatch(r"(?:\S+: error|ValueError): (.*)", lines[-1] if lines else ""):
            raise InputError(f"{_name(command)}: {wrong[1]}")
        tail = "\n".join(lines)
        raise InputError(
            f"{_name(command)} failed with exit status {returncode}; the end of {log}:\n{tail}"
        )


def _name(command: list[str]) -> str:
    """What a command is called in messages."""
    program, *arguments = command
    if arguments[:2] == ["-m", "rim_nmt"]:
        return f"rim-nmt {arguments[2]}"
    if arguments[:1] == ["-m"]:
        return arguments[1].replace("fairseq_cli.", "fairseq-")
    return Path(program).name


def _escape(text: str) -> str:
    return text.replace("[", "\\[")
