"""Processes that end with the one that started them, even where that one is killed.

Run as a program, this runs another Python program in such a process:

    python processes.py PARENT PROGRAM ARGUMENT ...
    python processes.py PARENT -m MODULE ARGUMENT ...

PARENT is the number of the process that started it. Nothing of the package is imported here.
"""

import contextlib
import ctypes
import os
import runpy
import signal
import sys
import threading
from collections.abc import Iterator

PR_SET_PDEATHSIG = 1  # prctl(2)


def command_of_child(command: list[str]) -> list[str]:
    """The command that runs a Python program so that it ends when this process ends.

    Args:
        command: a Python script with its arguments, with or without this Python before it; or this
            Python, -m, and a module with its arguments.
    """
    is_python = os.path.abspath(command[0]) == os.path.abspath(sys.executable)
    program = command[1:] if is_python else command
    return [sys.executable, "-P", __file__, str(os.getpid()), *program]


def end_with(parent: int) -> None:
    """From now on, this process is killed when its parent ends, and so are the processes that it
    forks.

    Linux does it; on other systems nothing is changed.

    Args:
        parent: the number of the process that is to be its parent. Where that one has ended
            already, this process ends.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    _Forks.watch()


@contextlib.contextmanager
def forks_end_with_this() -> Iterator[None]:
    """The processes that this one forks meanwhile are killed when it ends. Signals that stop it
    are not for them: Ctrl-C does nothing to them, SIGTERM ends them at once.

    To Linux the thread that forks is the parent. Only forks of the main thread are meant here,
    which ends last.
    """
    before = _Forks.watched
    _Forks.watch()
    try:
        yield
    finally:
        _Forks.watched = before


class _Forks:
    """What is done when this process forks."""

    installed = False
    watched = False
    parent: int | None = None

    @classmethod
    def watch(cls) -> None:
        cls.watched = True
        if not cls.installed:  # which cannot be undone
            cls.installed = True
            os.register_at_fork(before=cls.before, after_in_child=cls.after_in_child)

    @classmethod
    def before(cls) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        cls.parent = os.getpid() if cls.watched and is_main else None

    @classmethod
    def after_in_child(cls) -> None:
        if cls.parent is not None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            end_with(cls.parent)


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    if sys.argv[2] == "-m":
        sys.argv = sys.argv[3:]
        if not os.environ.get("PYTHONSAFEPATH"):
            sys.path.insert(0, os.getcwd())  # as -m of Python itself does
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = sys.argv[2:]
        runpy.run_path(sys.argv[0], run_name="__main__")
