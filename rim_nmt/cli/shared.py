"""What the scripts share: the arguments that name a model, and errors as one line."""

import argparse
import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rim_nmt.errors import InputError


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """--checkpoint, --data, --source-lang, --target-lang, --beam, --device."""
    parser.add_argument(
        "--checkpoint", required=True, help="a trained model; several, separated by ':', vote"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="the prepared folder that it was trained on (sentencepiece.model and bin/dict.*.txt)",
    )
    parser.add_argument(
        "--target-lang", metavar="LANG", help="which one, if it was trained on several languages"
    )
    parser.add_argument(
        "--source-lang", metavar="LANG", help="likewise, if several have this target language"
    )
    parser.add_argument("--beam", type=int, default=5, help="beam size (%(default)s)")
    parser.add_argument("--device", help="cpu or cuda (default: a GPU where there is one)")


def load_translator(arguments: argparse.Namespace):
    """The `Translator` that `add_model_arguments` describes.

    Raises:
        InputError: a file or a language is missing or wrong, or the beam is below 1.
    """
    if arguments.beam < 1:
        raise InputError(f"--beam must be 1 or more, got {arguments.beam}")
    from rim_nmt.plugin.fixes import quiet_fairseq
    from rim_nmt.plugin.processor import one_thread_unless_told  # takes seconds: --help should not
    from rim_nmt.translation.translator import Translator

    one_thread_unless_told()
    quiet_fairseq()
    return Translator(
        arguments.checkpoint,
        arguments.data / "bin",
        arguments.data / "sentencepiece.model",
        arguments.device,
        arguments.source_lang,
        arguments.target_lang,
    )


def run_main(main: Callable[[], None]) -> None:
    """Run a script's `main`, and end with one clear message where it fails.

    The exit status is 2 for bad input and for files that cannot be read or written, 130 after
    Ctrl-C, 143 after SIGTERM, and 141 where nobody reads the output any more. Text that is read or
    printed is UTF-8 whatever the locale says.
    """
    for stream, errors in (
        (sys.stdin, "replace"),
        (sys.stdout, "surrogateescape"),  # as in file names
        (sys.stderr, "surrogateescape"),
    ):
        if isinstance(stream, io.TextIOWrapper):  # None where it is closed
            stream.reconfigure(encoding="utf-8", errors=errors)
    with _stop_signals() as received:
        try:
            main()
            _flush()
            message, status = "", 0
        except InputError as error:
            message, status = f"error: {error}", 2
        except BrokenPipeError:
            message, status = "", 128 + signal.SIGPIPE
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            message, status = f"error: {where}{error.strerror or error}", 2
        except KeyboardInterrupt:
            message, status = "interrupted", 128 + signal.SIGINT
        except Exception:
            if not received:
                raise
        if received:  # libraries make other errors of it
            names: dict[int, str] = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
            message, status = names[received[0]], 128 + received[0]
    if message:
        with contextlib.suppress(OSError):
            print(message, file=sys.stderr)
    if status:
        _give_up_output()
        sys.exit(status)


@contextlib.contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt; which of them came is in the list."""
    received: list[int] = []

    def stop(number: int, _) -> None:
        received.append(number)
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as in the background of a shell script
            signal.signal(number, stop)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _give_up_output() -> None:
    """What cannot be written any more is not to be tried again when Python ends."""
    try:
        _flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def available_cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
