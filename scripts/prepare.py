#!/usr/bin/env python3
"""Prepare parallel text for training: subwords, then fairseq-preprocess."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rim_nmt.cli import run_main
from rim_nmt.data.preparation import prepare
from rim_nmt.files import InputError


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--train",
        type=Path,
        required=True,
        metavar="PREFIX",
        help="training text: PREFIX.en and PREFIX.de, plain or with .gz",
    )
    parser.add_argument("--valid", type=Path, required=True, metavar="PREFIX")
    parser.add_argument(
        "--test",
        action="append",
        default=[],
        metavar="NAME=PREFIX",
        help="a test set, may be given several times",
    )
    parser.add_argument("--source-lang", default="en")
    parser.add_argument("--target-lang", default="de")
    parser.add_argument("--vocab-size", type=int, default=8000, help="joint subwords (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="the prepared folder")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    tests = {}
    for test in arguments.test:
        name, _, prefix = test.partition("=")
        if not prefix or "/" in name or name in ("", "train", "valid") or name in tests:
            raise InputError(f"--test {test}: expected NAME=PREFIX with a new NAME")
        tests[name] = Path(prefix)
    prepare(
        arguments.out,
        arguments.source_lang,
        arguments.target_lang,
        arguments.train,
        arguments.valid,
        tests,
        arguments.vocab_size,
    )


if __name__ == "__main__":
    run_main(main)
