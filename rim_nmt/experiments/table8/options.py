"""Table 8 as a command: which cells there are, running them, and the report."""

import argparse
import math
import re
import shlex
from collections.abc import Callable
from pathlib import Path

from rim_nmt.errors import InputError
from rim_nmt.experiments.table8.recipes import DEFAULT_MODELS, MODELS, RECIPES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    parser.add_argument(
        "--scale",
        choices=("tiny", "screening", "small", "converged", "paper"),
        required=True,
        help="tiny: the embedded corpus, minutes a training; screening: text of your own, 1,000 "
        "updates, validation loss alone; small: half an hour; converged: until nothing is gained, "
        "hours; paper: WMT14 and IWSLT14 on GPUs, days",
    )
    parser.add_argument(
        "--data",
        nargs="+",
        metavar="FOLDER",
        help="train on this folder of `rim-nmt prepare`; its first pair is tested",
    )
    parser.add_argument("--prepared", type=Path, help=argparse.SUPPRESS)  # --data in old commands
    parser.add_argument(
        "--pairs",
        nargs="+",
        metavar="PAIRS",
        help="what to train on, such as en-de en-de+en-fr (default: the first pair, and all)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="folder of the experiment (default: runs/table8/SCALE)",
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
        help="train in bfloat16, which takes a third less time on processors that multiply it",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the commands and do nothing")
    parser.add_argument(
        "--report", action="store_true", help="train nothing: only a table of what is finished"
    )
    parser.add_argument(
        "--report-to", type=Path, metavar="DIR", help="copy the table and the plots there"
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the cells that are not finished, and write the report.

    Raises:
        InputError: an option is wrong, --out holds cells that other commands made, there is
            nothing to report, or a command failed (what does not need it is done all the same).
    """
    _understand_old_spelling(arguments)
    for name in ("seeds", "jobs", "max_update"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise InputError(f"--{name.replace('_', '-')} must be 1 or more, got {value}")
    # takes seconds: --help should not
    from rim_nmt.experiments.table8.cells import build_cells, check_variants, run_cells
    from rim_nmt.experiments.table8.texts import find_text

    out = arguments.out or Path("runs/table8") / arguments.scale
    if not arguments.report:
        text = find_text(arguments.scale, arguments.data, out)
        recipe = RECIPES[arguments.scale].adapted(
            _values("--lr", arguments.lr, lambda value: 0 < value < math.inf),
            _values("--dropout", arguments.dropout, lambda value: 0 <= value < 1),
            arguments.max_update,
            arguments.amp,
        )
        models, settings = _models(arguments), _settings(arguments.pairs, text)
        check_variants(recipe, models, settings)
        seeds = range(1, arguments.seeds + 1)
        cells = build_cells(text, recipe, models, settings, seeds, out)
        if arguments.dry_run:
            for command in (*text.commands, *(c for cell in cells for c in cell.commands)):
                print(shlex.join(command))
            return
        text.prepare(out / "prepare.log")
        run_cells(cells, arguments.jobs)
    _report(out, arguments.report_to)


def _understand_old_spelling(arguments: argparse.Namespace) -> None:
    """Before, --prepared named the folder and --data the pairs. Now it is as for all commands."""
    given = arguments.data or []
    pairs = r"[a-z]{2,3}-[a-z]{2,3}"
    if given and all(
        re.fullmatch(rf"{pairs}(\+{pairs})*", name) and not Path(name).exists() for name in given
    ):
        arguments.pairs, given = given, []
    if len(given) > 1:
        raise InputError(f"--data {' '.join(given)}: expected one folder")
    arguments.data = Path(given[0]) if given else arguments.prepared


def _report(out: Path, copy: Path | None) -> None:
    from rim_nmt.experiments.table8.report import write_report
    from rim_nmt.runtime.console import console
    from rim_nmt.runtime.files import copy_file

    report = out / "report"
    write_report(out / "cells", report)
    print((report / "table.md").read_text(encoding="utf-8"))
    console.print(f"table and plots are in {report}")
    if copy:
        for path in report.iterdir():
            copy_file(path, copy / path.name)
        console.print(f"and in {copy}")


def _models(arguments: argparse.Namespace) -> dict[str, list[str]]:
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


def _settings(given: list[str] | None, text) -> list[tuple[str, ...]]:
    known = {"+".join(pairs): pairs for pairs in text.settings}
    for name in given or known:
        if name not in known:
            raise InputError(f"--pairs {name}: {text.folder} can serve {' and '.join(known)}")
    return [known[name] for name in given or known]


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
