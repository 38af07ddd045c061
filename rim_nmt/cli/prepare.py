"""Prepare parallel text for training: clean it, train subwords, binarise it for fairseq."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rim_nmt.cli.shared import add_jobs, add_verbosity, available_cores
from rim_nmt.data.cleaning import Cleaner
from rim_nmt.errors import InputError

GOES_ON = "A run that was stopped goes on where it was when the same command is given again."
EXAMPLES = f"""\
examples:
  rim-nmt prepare files --train my/train --valid my/valid --test news=my/news \\
      --pairs en-de --out data/mine
  rim-nmt prepare wmt14 --pairs en-de,en-fr --out data/wmt14
  rim-nmt prepare iwslt14 --subwords-from data/wmt14 --only-test --out data/talks

{GOES_ON}
`rim-nmt prepare RECIPE --help` lists the options of a recipe.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    recipes = parser.add_subparsers(title="recipes", dest="recipe", required=True, metavar="RECIPE")

    style: dict[str, Any] = {"epilog": GOES_ON, "allow_abbrev": False}
    wmt14 = recipes.add_parser(
        "wmt14",
        help="WMT14 from the Hugging Face hub: train, newstest2013, newstest2014",
        description="WMT14 (wmt/wmt14 on the Hugging Face hub); validation newstest2013, test "
        "newstest2014. With two pairs both go into one folder with one subword model.",
        **style,
    )
    _add_pairs(wmt14, "en-de or en-fr, or both, separated by a comma (%(default)s)")
    _add_source_folder(wmt14, "data/downloads/wmt14", "parquet files as the hub lays them out")

    iwslt14 = recipes.add_parser(
        "iwslt14",
        help="IWSLT14 English-German (TED talks), fairseq's split",
        description="IWSLT14 English-German from its archive, in fairseq's split, cased and not "
        "tokenised. To test a model that was trained on WMT, prepare the test set with its "
        "subwords: --subwords-from data/wmt14 --only-test.",
        **style,
    )
    iwslt14.add_argument(
        "--lowercase", action="store_true", help="lowercase all text, as in published tables"
    )
    iwslt14.add_argument(
        "--only-test", action="store_true", help="the test set only (with --subwords-from)"
    )
    _add_source_folder(iwslt14, "data/downloads/iwslt14", "de-en.tgz")

    files = recipes.add_parser(
        "files",
        help="your own text",
        description="Your own text. PREFIX stands for PREFIX.en and PREFIX.de, or "
        "PREFIX.en-de.en and PREFIX.en-de.de, plain or with .gz, or it is a file with two "
        "columns, PREFIX.tsv or PREFIX.tsv.gz.",
        **style,
    )
    files.add_argument(
        "--train",
        type=Path,
        action="append",
        default=[],
        metavar="PREFIX",
        help="training text; may be given several times",
    )
    files.add_argument("--valid", type=Path, metavar="PREFIX", help="validation text")
    files.add_argument(
        "--test",
        action="append",
        default=[],
        metavar="NAME=PREFIX",
        help="a test set; may be given several times",
    )
    _add_pairs(files, "language pairs, separated by commas (%(default)s)")
    files.add_argument(
        "--no-filter", action="store_true", help="train on every pair: the text is clean"
    )

    _add_common(wmt14, vocab_size=32_000, character_coverage=0.9999)
    _add_common(iwslt14, vocab_size=10_000, character_coverage=1.0)
    _add_common(files, vocab_size=8_000, character_coverage=1.0)


def _add_pairs(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--pairs", default="en-de", help=text)


def _add_source_folder(parser: argparse.ArgumentParser, default: str, what: str) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--local", type=Path, metavar="DIR", help=f"take the {what} in DIR instead of the network"
    )
    where.add_argument(
        "--downloads",
        type=Path,
        default=Path(default),
        metavar="DIR",
        help="where downloads go and are found again (%(default)s)",
    )


def _add_common(
    parser: argparse.ArgumentParser, vocab_size: int, character_coverage: float
) -> None:
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="the prepared folder"
    )
    subwords = parser.add_argument_group("subwords")
    subwords.add_argument(
        "--vocab-size", type=int, default=vocab_size, help="joint subwords (%(default)s)"
    )
    subwords.add_argument(
        "--character-coverage",
        type=float,
        default=character_coverage,
        help="share of the text's characters that the subwords cover (%(default)s)",
    )
    subwords.add_argument(
        "--subword-sample",
        type=int,
        default=500_000,
        metavar="LINES",
        help="train them on at most so many sentences, spread evenly, 4 KB of memory each "
        "(%(default)s)",
    )
    subwords.add_argument(
        "--subwords-from",
        type=Path,
        metavar="FOLDER",
        help="use the subwords and the dictionary of this prepared folder",
    )
    filters = parser.add_argument_group("filters of training text")
    filters.add_argument(
        "--max-words", type=int, default=Cleaner.max_words, help="longest side (%(default)s)"
    )
    filters.add_argument(
        "--max-ratio",
        type=float,
        default=Cleaner.max_ratio,
        help="largest ratio of the sides' lengths (%(default)s)",
    )
    add_jobs(
        parser, available_cores(), "processes, no more than there are cores", former="--workers"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="prepare anew what other options made"
    )
    add_verbosity(parser)


def run(arguments: argparse.Namespace) -> None:
    """Prepare the text.

    Raises:
        InputError: an option or a file is missing or wrong, or --out holds something else.
    """
    for name in ("vocab_size", "subword_sample", "max_words", "jobs"):
        if getattr(arguments, name) < 1:
            flag = name.replace("_", "-")
            raise InputError(f"--{flag} must be 1 or more, got {getattr(arguments, name)}")
    if not 0.98 <= arguments.character_coverage <= 1:  # SentencePiece takes nothing else
        raise InputError(
            f"--character-coverage must be from 0.98 to 1, got {arguments.character_coverage}"
        )
    if not 1 <= arguments.max_ratio < math.inf:
        raise InputError(f"--max-ratio must be 1 or more, got {arguments.max_ratio}")
    if not arguments.out.name:
        raise InputError(f"--out {arguments.out}: expected the name of a folder")
    given = arguments.subwords_from
    if given and not ((given / "sentencepiece.model").is_file() and (given / "bin").is_dir()):
        raise InputError(f"--subwords-from {given}: expected a prepared folder")
    recipe, load = RECIPES[arguments.recipe](arguments)

    from rim_nmt.data.preparation import Options, prepare  # takes seconds: --help should not

    options = Options(
        arguments.vocab_size,
        arguments.character_coverage,
        arguments.subword_sample,
        arguments.subwords_from,
        arguments.max_words,
        arguments.max_ratio,
    )
    recipe = {"recipe": arguments.recipe, **recipe}
    jobs = min(arguments.jobs, available_cores())
    prepare(arguments.out, recipe, load, options, jobs, arguments.overwrite)


def _wmt14(arguments: argparse.Namespace) -> tuple[dict, Callable]:
    pairs = arguments.pairs.split(",")

    def load():
        from rim_nmt.data.wmt14 import wmt14_corpus

        return wmt14_corpus(pairs, arguments.local or arguments.downloads, bool(arguments.local))

    return {"pairs": pairs, "local": arguments.local}, load


def _iwslt14(arguments: argparse.Namespace) -> tuple[dict, Callable]:
    if arguments.only_test and not arguments.subwords_from:
        raise InputError("--only-test needs --subwords-from: nothing is trained on the test set")

    def load():
        from rim_nmt.data.iwslt14 import iwslt14_corpus

        folder = arguments.local or arguments.downloads
        return iwslt14_corpus(
            folder, bool(arguments.local), arguments.lowercase, arguments.only_test
        )

    own = {name: getattr(arguments, name) for name in ("local", "lowercase", "only_test")}
    return own, load


def _files(arguments: argparse.Namespace) -> tuple[dict, Callable]:
    from rim_nmt.data.parallel import languages
    from rim_nmt.runtime.files import is_name

    pairs = arguments.pairs.split(",")
    for pair in pairs:
        languages(pair)
    if len(set(pairs)) != len(pairs):
        raise InputError(f"--pairs {arguments.pairs}: the same pair twice")
    tests = {}
    for test in arguments.test:
        name, _, prefix = test.partition("=")
        if not (prefix and is_name(name)) or name in ("train", "valid") or name in tests:
            raise InputError(
                f"--test {test}: expected NAME=PREFIX with a new NAME of letters, digits, . - and _"
            )
        tests[name] = Path(prefix)
    if not (arguments.train or arguments.subwords_from):
        raise InputError("--train is missing: without it, --subwords-from is needed")
    if arguments.train and not arguments.valid:
        raise InputError("--valid is missing: training needs validation text")
    if not (arguments.train or tests):
        raise InputError("neither --train nor --test: there is nothing to prepare")

    def load():
        from rim_nmt.data.textfiles import files_corpus

        return files_corpus(
            pairs, arguments.train, arguments.valid, tests, filtered=not arguments.no_filter
        )

    own = {
        "pairs": pairs,
        "train": arguments.train,
        "valid": arguments.valid,
        "test": tests,
        "no_filter": arguments.no_filter,
    }
    return own, load


RECIPES = {"wmt14": _wmt14, "iwslt14": _iwslt14, "files": _files}
