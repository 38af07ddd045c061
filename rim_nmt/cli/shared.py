"""What the commands share: arguments that several have, and errors as one line."""

import argparse
import contextlib
import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rim_nmt.errors import InputError


def add_model_arguments(parser: argparse.ArgumentParser, searches: bool = True) -> None:
    """--model, or --checkpoint and --data; --source-lang, --target-lang, --device, --disable; and
    --beam, where the command searches."""
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="a folder from `rim-nmt pack`, or the model that comes with the program, everyday, "
        "from English to German (default: everyday)",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="instead of --model: a trained model, or the folder of its training; several files, "
        "separated by ':', vote",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="the prepared folder that it was trained on (sentencepiece.model and bin/dict.*.txt)",
    )
    parser.add_argument(
        "--target-lang", metavar="LANG", help="which one, if it was trained on several languages"
    )
    parser.add_argument(
        "--source-lang", metavar="LANG", help="likewise, if several have this target language"
    )
    if searches:
        parser.add_argument(
            "--beam", type=int, default=5, metavar="N", help="beam size (%(default)s)"
        )
    add_device(parser)
    parser.add_argument(
        "--disable",
        action="append",
        default=[],
        metavar="LAYER:NUMBER",
        help="keep a mechanism of a RIM asleep, such as decoder.1:3; may be given several times. "
        "`rim-nmt inspect` shows the names of layers; mechanisms are counted from 0",
    )


def add_device(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """--device."""
    shown = default or "a GPU where there is one"
    parser.add_argument("--device", default=default, help=f"cpu or cuda (default: {shown})")


def add_jobs(
    parser: argparse.ArgumentParser, default: int, what: str, former: str | None = None
) -> None:
    """--jobs.

    Args:
        parser: gets it.
        default: how many, unless told.
        what: they are.
        former: a name that it had before, which works still.
    """
    parser.add_argument(
        "--jobs", type=int, default=default, metavar="N", help=f"{what} (%(default)s)"
    )
    if former:
        parser.add_argument(
            former, type=int, dest="jobs", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """--quiet and --verbose, of which one may be given."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--quiet", action="store_true", help="print only errors and the result")
    either.add_argument(
        "--verbose", action="store_true", help="show fairseq's log instead of progress bars"
    )


def load_translator(arguments: argparse.Namespace):
    """The `Translator` that `add_model_arguments` describes.

    Raises:
        InputError: a file or a language is missing or wrong, or the beam is below 1.
    """
    if "beam" in arguments and arguments.beam < 1:
        raise InputError(f"--beam must be 1 or more, got {arguments.beam}")
    checkpoint, model, data = arguments.checkpoint, arguments.model, arguments.data
    if (checkpoint and (model or not data)) or (data and not (checkpoint or model)):
        raise InputError("which model? Give --model MODEL, or --checkpoint FILE and --data FOLDER")
    from rim_nmt.plugin.startup import deferring

    with deferring():  # takes seconds even so, which --help should not
        from rim_nmt.plugin.fixes import quiet_fairseq
        from rim_nmt.plugin.processor import one_thread_unless_told
        from rim_nmt.translation.translator import Translator
    from rim_nmt.runtime.console import show_warnings

    one_thread_unless_told()
    if arguments.verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s | %(name)s | %(message)s")
    else:
        quiet_fairseq()
        show_warnings()
    languages = arguments.source_lang, arguments.target_lang
    if arguments.checkpoint:
        translator = Translator.from_folder(
            arguments.checkpoint, arguments.data, arguments.device, *languages
        )
    else:
        from rim_nmt.translation.model_folder import DEFAULT, open_model

        translator = open_model(arguments.model or DEFAULT, arguments.device)
        has = translator.source_lang, translator.target_lang
        if any(given not in (None, there) for given, there in zip(languages, has, strict=True)):
            raise InputError(
                f"the model {arguments.model or DEFAULT} translates from {has[0]} to {has[1]}: "
                "leave out --source-lang and --target-lang, or give another --model"
            )
    translator.keep_asleep(arguments.disable)
    return translator


def run_main(main: Callable[[], None]) -> None:
    """Run a command's `main`, and end with one clear message where it fails.

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
