"""The options that experiments with trainings of translation models have in common."""

import argparse
import math
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rim_nmt.errors import InputError
from rim_nmt.experiments.table8.recipes import BASELINE, DEFAULT_MODELS, MODELS, RECIPES, Recipe

if TYPE_CHECKING:  # they take seconds to import
    from rim_nmt.experiments.table8.texts import Text
    from rim_nmt.experiments.training_cell import Cell


def add_training_arguments(parser: argparse.ArgumentParser, experiment: str) -> None:
    """Where it goes, what is trained, how often and how, and what is done besides."""
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help=f"folder of the experiment (default: runs/{experiment}/SCALE)",
    )
    parser.add_argument(
        "--models", nargs="+", default=list(DEFAULT_MODELS), metavar="MODEL",
        help="rim, lstm, transformer (these three by default); fairseq-lstm, with one pair; and "
        "what --variant names",
    )  # fmt: skip
    parser.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="NAME=FLAGS",
        help='another RIM, such as --variant "silent=--comm-heads 0"; may be given several times',
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="trainings with seeds 1 to N (%(default)s)",
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="trainings at a time (%(default)s)"
    )
    tuned = parser.add_argument_group(
        "instead of the scale's own", "VALUE is for every model, MODEL=VALUE for one of them."
    )
    tuned.add_argument("--lr", nargs="+", default=[], metavar="VALUE", help="learning rate")
    tuned.add_argument("--dropout", nargs="+", default=[], metavar="VALUE", help="dropout")
    tuned.add_argument("--max-update", type=int, metavar="N", help="updates of a training")
    tuned.add_argument(
        "--amp",
        action="store_true",
        help="train in bfloat16: a third less time on some processors, more time on others",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the commands and do nothing")
    parser.add_argument(
        "--report", action="store_true", help="train nothing: only a table of what is finished"
    )
    parser.add_argument(
        "--baseline",
        default=BASELINE,
        metavar="MODEL",
        help="the report has the scores of this one less those of each other (%(default)s)",
    )
    parser.add_argument(
        "--report-to", type=Path, metavar="DIR", help="copy the table and the plots there"
    )


def check_counts(arguments: argparse.Namespace) -> None:
    """See that what is counted is one or more.

    Raises:
        InputError: it is not; the message names the option.
    """
    for name in ("seeds", "jobs", "max_update"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise InputError(f"--{name.replace('_', '-')} must be 1 or more, got {value}")


def chosen_recipe(arguments: argparse.Namespace) -> Recipe:
    """The scale's recipe, with the values that the user gives instead.

    Raises:
        InputError: a value is out of range, or names no model.
    """
    return RECIPES[arguments.scale].adapted(
        _values("--lr", arguments.lr, lambda value: 0 < value < math.inf),
        _values("--dropout", arguments.dropout, lambda value: 0 <= value < 1),
        arguments.max_update,
        arguments.amp,
    )


def chosen_models(arguments: argparse.Namespace) -> dict[str, list[str]]:
    """The models and their own flags, by name.

    Raises:
        InputError: a name is not known, or a variant is written in another way.
    """
    variants = {}
    for variant in arguments.variant:
        name, given, flags = variant.partition("=")
        if not given or not name.replace("-", "").isalnum() or name in MODELS:
            raise InputError(f"--variant {variant!r}: expected NAME=FLAGS with a new NAME")
        variants[name] = shlex.split(flags)
    known = {**{kind: [] for kind in MODELS}, **variants}
    unknown = [name for name in arguments.models if name not in known]
    if unknown:
        raise InputError(f"--models {unknown[0]}: known are {', '.join(known)}")
    return {name: known[name] for name in dict.fromkeys([*arguments.models, *variants])}


def chosen_out(arguments: argparse.Namespace, experiment: str) -> Path:
    """The folder of the experiment."""
    return arguments.out or Path("runs") / experiment / arguments.scale


def print_commands(steps: Iterable["Text | Cell"]) -> None:
    """Every command that texts and cells would run, which is what --dry-run does."""
    for step in steps:
        for command in step.commands:
            print(shlex.join(command))


def _values(flag: str, given: list[str], fits: Callable[[float], bool]) -> dict[str, float]:
    """ "0.002 rim=0.004" by model."""
    values: dict[str, float] = {}
    for text in given:
        model, named, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            raise InputError(f"{flag} {text}: expected VALUE or MODEL=VALUE") from None
        if not fits(value):
            raise InputError(f"{flag} {text}: {number} is out of range")
        if named and model not in MODELS:
            raise InputError(f"{flag} {text}: the models are {', '.join(MODELS)}")
        values |= dict.fromkeys([model] if named else MODELS, value)
    return values
