"""Translate raw text: at a prompt, or line by line from standard input."""

import argparse
import sys

from rim_nmt.cli.shared import add_model_arguments, add_verbosity, load_translator
from rim_nmt.errors import InputError

EXAMPLES = """\
examples:
  rim-nmt translate --checkpoint runs/mine/checkpoint_best.pt --data data/mine
  rim-nmt translate --checkpoint runs/mine/checkpoint_best.pt --data data/mine \\
      < text.en > text.de
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    add_model_arguments(parser)
    parser.add_argument(
        "--nbest",
        type=int,
        default=1,
        metavar="N",
        help="translations of each sentence (%(default)s); with "
        "more than one, each comes with its score on a line of its own",
    )
    add_verbosity(parser)


def run(arguments: argparse.Namespace) -> None:
    """Translate what comes in.

    Raises:
        InputError: the model cannot be loaded, or a line cannot be translated.
    """
    if not 1 <= arguments.nbest <= max(arguments.beam, 1):
        raise InputError(f"--nbest {arguments.nbest} must be from 1 to --beam {arguments.beam}")
    if sys.stdin is None:
        raise InputError("standard input is closed: give the text, as in rim-nmt translate < text")
    translator = load_translator(arguments)
    if sys.stdin.isatty():
        _prompt(translator, arguments)
        return
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            _answer(translator, line.decode("utf-8").rstrip("\r\n"), arguments)
        except UnicodeDecodeError as error:
            raise InputError(f"line {number} of the input is not UTF-8 ({error.reason})") from None
        except InputError as error:
            raise InputError(f"line {number} of the input: {error}") from None


def _answer(translator, line: str, arguments: argparse.Namespace) -> None:
    """Translate one line and print the result."""
    (translations,) = translator.translate([line], beam=arguments.beam, nbest=arguments.nbest)
    for translation in translations:
        score = f"{translation.score:.3f}\t" if arguments.nbest > 1 else ""
        print(f"{score}{translation.text}", flush=True)


def _prompt(translator, arguments: argparse.Namespace) -> None:
    """Answer at a prompt until Ctrl-D."""
    import readline  # noqa: F401  (editing and history at the prompt)

    if not arguments.quiet:
        print(
            f"Type a sentence to translate it ({translator.source_lang} to "
            f"{translator.target_lang}); Ctrl-D ends."
        )
    while True:
        try:
            line = input("> ")
        except EOFError:
            print()
            return
        try:
            if line.strip():
                _answer(translator, line, arguments)
        except InputError as error:
            print(error)
