"""Processes end with the one that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux does it")

# Starts a command and a pool of workers, as the preparation does, writes their numbers and sleeps.
STARTER = """
import multiprocessing, os, sys, time
from pathlib import Path
from rim_nmt.runtime.fairseq_commands import _running
from rim_nmt.runtime.processes import forks_end_with_this

def work(_):
    time.sleep(0.2)
    return os.getpid()

folder = Path(sys.argv[1])
with forks_end_with_this(), multiprocessing.get_context("fork").Pool(2) as pool:
    numbers = {os.getpid(), *pool.map(work, range(4), chunksize=1)}
    command = [sys.executable, str(folder / "command.py"), str(folder / "command")]
    for _ in _running(command, folder / "log"):
        if (folder / "command").exists() and not (folder / "numbers").exists():
            text = " ".join(map(str, numbers)) + " " + (folder / "command").read_text("utf-8")
            (folder / "new").write_text(text, "utf-8")
            (folder / "new").rename(folder / "numbers")
"""
COMMAND = """
import multiprocessing, os, pathlib, sys, time

def work(_):
    time.sleep(0.2)
    return os.getpid()

pool = multiprocessing.get_context("fork").Pool(2)
numbers = {os.getpid(), *pool.map(work, range(4), chunksize=1)}
path = pathlib.Path(sys.argv[1])
path.with_name("a").write_text(" ".join(map(str, numbers)), "utf-8")
path.with_name("a").rename(path)
time.sleep(300)
"""


def is_running(number: int) -> bool:
    """Whether there is such a process, which has not ended."""
    try:
        state = Path(f"/proc/{number}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] not in ("Z", "X")


def wait_for(condition) -> None:
    """Fail after a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_commands_and_workers_end_with_the_process(tmp_path, number):
    """Two workers and a command with two workers of its own."""
    (tmp_path / "starter.py").write_text(STARTER, encoding="utf-8")
    (tmp_path / "command.py").write_text(COMMAND, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, tmp_path / "starter.py", tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.PIPE,  # which the workers inherit
    )
    wait_for((tmp_path / "numbers").exists)
    text = (tmp_path / "numbers").read_text(encoding="utf-8")
    numbers = [int(word) for word in text.split()]
    assert len(numbers) >= 4 and all(is_running(each) for each in numbers)
    process.send_signal(number)
    process.communicate(timeout=60)  # ends when nobody holds its output any more
    wait_for(lambda: not any(is_running(each) for each in numbers))
