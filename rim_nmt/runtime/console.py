"""What commands print: the console, and progress bars that are quiet off a terminal."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from tqdm import tqdm


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise  # what rich was handling when it called this: it is for `run_main`


console = _Console(highlight=False, soft_wrap=True)


class ProgressBar(tqdm):
    """A bar on a terminal; elsewhere a line a minute, from the second minute on."""

    def __init__(self, *arguments, **options):
        if not sys.stderr.isatty():
            options |= {"file": _Lines(), "mininterval": 60, "maxinterval": 60, "delay": 60}
        super().__init__(*arguments, leave=False, **options)


class _Lines:
    """What tqdm writes to, with an end of the line in the place of its carriage returns."""

    def write(self, text: str) -> None:
        if text := text.strip():
            print(text, file=sys.stderr, flush=True)

    def flush(self) -> None:
        pass


def training_progress() -> Progress:
    """A progress display, for use in a `with` statement, for one or several calls of `train`."""
    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("updates  {task.fields[figures]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
