"""Programs in processes of their own that need not import fairseq, which takes six seconds.

They are forked from one process that has done so. All else is as in a new process: a program runs
from its first line, with its own arguments, environment, streams and exit status. That it starts in
a new process too is for other tests to say: see `run_command`.
"""

import logging
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.fairseq_loaded"])
STREAMS = ("stdin", "stdout", "stderr")


class Forked:
    """A Python program that was started.

    Args:
        command: a script with its arguments, with or without this Python before it; or this Python,
            -m, and a module with its arguments.
        input: what it reads from its standard input.
    """

    def __init__(self, command: list, input: str = ""):
        self.command = [str(part) for part in command]
        self.folder = tempfile.TemporaryDirectory()
        (Path(self.folder.name) / "stdin").write_text(input, encoding="utf-8")
        program = self.command[os.path.abspath(self.command[0]) == sys.executable :]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
        self.process = FORKS.Process(target=_run, args=(program, environment, self.folder.name))
        self.process.start()

    def finish(self) -> subprocess.CompletedProcess:
        """Wait for its end; returns what it printed."""
        self.process.join(timeout=600)
        if self.process.exitcode is None:
            self.process.kill()
            raise subprocess.TimeoutExpired(self.command, 600)
        printed = [(Path(self.folder.name) / name).read_text("utf-8") for name in STREAMS[1:]]
        self.folder.cleanup()
        return subprocess.CompletedProcess(self.command, self.process.exitcode, *printed)


def _run(program: list[str], environment: dict[str, str], folder: str) -> None:
    """Become a program."""
    import torch  # which takes seconds where fairseq has not been imported

    for number, name in enumerate(STREAMS):
        flags = os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY
        os.dup2(os.open(os.path.join(folder, name), flags), number)
        stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
    os.environ.clear()
    os.environ.update(environment)
    multiprocessing.set_start_method(None, force=True)  # for its own workers, as anywhere else
    logging.root.handlers.clear()  # which fairseq's modules leave, and its commands set up
    torch.set_num_threads(1)  # it has read the environment before
    if program[0] == "-m":
        sys.argv = program[1:]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = program
        runpy.run_path(program[0], run_name="__main__")
