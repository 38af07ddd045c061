#!/usr/bin/env python3
"""Translate raw text: at a prompt, or line by line from standard input.

scripts/translate.py --checkpoint MODEL.pt --data DATA
scripts/translate.py --checkpoint MODEL.pt --data DATA < text.en > text.de
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rim_nmt.cli.shared import add_model_arguments, load_translator, run_main
from rim_nmt.errors import InputError


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    parser.add_argument(
        "--nbest",
        type=int,
        default=1,
        help="translations of each sentence (%(default)s); with "
        "more than one, each comes with its score on a line of its own",
    )
    return parser.parse_args()


def answer(translator, line: str, arguments: argparse.Namespace) -> None:
    """Translate one line and print the result."""
    (translations,) = translator.translate([line], beam=arguments.beam, nbest=arguments.nbest)
    for translation in translations:
        score = f"{translation.score:.3f}\t" if arguments.nbest > 1 else ""
        print(f"{score}{translation.text}", flush=True)


def prompt(translator, arguments: argparse.Namespace) -> None:
    """Answer at a prompt until Ctrl-D."""
    import readline  # noqa: F401  (editing and history at the prompt)

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
                answer(translator, line, arguments)
        except InputError as error:
            print(error)


def main() -> None:
    arguments = parse_arguments()
    if not 1 <= arguments.nbest <= max(arguments.beam, 1):
        raise InputError(f"--nbest {arguments.nbest} must be from 1 to --beam {arguments.beam}")
    if sys.stdin is None:
        raise InputError("standard input is closed: give the text, as in translate.py < text.en")
    translator = load_translator(arguments)
    if sys.stdin.isatty():
        prompt(translator, arguments)
        return
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            answer(translator, line.decode("utf-8").rstrip("\r\n"), arguments)
        except UnicodeDecodeError as error:
            raise InputError(f"line {number} of the input is not UTF-8 ({error.reason})") from None
        except InputError as error:
            raise InputError(f"line {number} of the input: {error}") from None


if __name__ == "__main__":
    run_main(main)
