"""What the scripts share: the arguments that name a model, and errors as one line."""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from rim_nmt.files import InputError


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
    from rim_nmt.translator import Translator  # takes seconds: --help should not

    quiet_fairseq()
    return Translator(
        arguments.checkpoint,
        arguments.data / "bin",
        arguments.data / "sentencepiece.model",
        arguments.device,
        arguments.source_lang,
        arguments.target_lang,
    )


def quiet_fairseq() -> None:
    """Keep what belongs into the log of a training off the terminal; warnings stay."""
    for name in ("fairseq", "rim_nmt"):
        logging.getLogger(name).setLevel(logging.WARNING)


def run_main(main: Callable[[], None]) -> None:
    """Run a script's `main`: bad input ends with one clear message and exit status 2, Ctrl-C
    with 130."""
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def available_cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
