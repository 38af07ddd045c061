"""What commands print: remarks and results, and progress bars that are quiet off a terminal."""

import logging
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from tqdm import tqdm


class _Console(Console):
    verbose = False  # the programs that are started show their own logs instead of progress bars

    def on_broken_pipe(self) -> None:
        raise  # what rich was handling when it called this: it is for `run_main`


console = _Console(highlight=False, soft_wrap=True)  # for remarks, which --quiet leaves out
result_console = _Console(highlight=False, soft_wrap=True)  # for what a command was called for


def set_verbosity(quiet: bool = False, verbose: bool = False) -> None:
    """Choose how much is printed from now on.

    Args:
        quiet: only errors and results.
        verbose: also the logs of the programs that are started, instead of progress bars.
    """
    console.quiet, console.verbose = quiet, verbose
    logging.disable(logging.WARNING if quiet else logging.NOTSET)


def show_warnings() -> None:
    """Have warnings that are logged look like the errors of commands: one line each."""
    logging.basicConfig()
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_OneLine())


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {record.getMessage()}"


class ProgressBar(tqdm):
    """A bar on a terminal; elsewhere a line a minute, from the second minute on."""

    def __init__(self, *arguments, **options):
        if not sys.stderr.isatty():
            options |= {"file": _Lines(), "mininterval": 60, "maxinterval": 60, "delay": 60}
        if console.quiet or console.verbose:
            options["disable"] = True
        super().__init__(*arguments, leave=False, **options)


class _Lines:
    """What tqdm writes to, with an end of the line in the place of its carriage returns."""

    def write(self, text: str) -> None:
        if text := text.strip():
            print(text, file=sys.stderr, flush=True)

    def flush(self) -> None:
        pass


def training_progress() -> Progress:
    """A progress display, for use in a `with` statement, for one or several calls of `train`. Off a
    terminal nothing of it is seen but the validations, a line each."""
    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("updates  {task.fields[figures]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        # rich itself takes a pipe for a terminal where FORCE_COLOR is set
        disable=console.quiet or console.verbose or not console.file.isatty(),
    )
