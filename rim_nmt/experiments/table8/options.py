"""Table 8 as a command: which cells there are, running them, and the report."""

import argparse
import re
from pathlib import Path

from rim_nmt.errors import InputError
from rim_nmt.experiments.training_options import (
    add_training_arguments,
    check_counts,
    chosen_models,
    chosen_out,
    chosen_recipe,
    print_commands,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    parser.add_argument(
        "--scale",
        choices=("tiny", "screening", "small", "converged", "paper"),
        required=True,
        help="tiny: the embedded corpus, minutes a training; screening: text of your own, 1,000 "
        "updates, validation loss alone; small: half an hour; converged: until more updates gain "
        "little, hours; paper: WMT14 and IWSLT14 on GPUs, days",
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
    add_training_arguments(parser, "table8")


def run(arguments: argparse.Namespace) -> None:
    """Run the cells that are not finished, and write the report.

    Raises:
        InputError: an option is wrong, --out holds cells that other commands made, there is
            nothing to report, or a command failed (what does not need it is done all the same).
    """
    _understand_old_spelling(arguments)
    check_counts(arguments)
    # takes seconds: --help should not
    from rim_nmt.experiments.reports import show_report
    from rim_nmt.experiments.table8.cells import build_cells, check_variants, run_cells
    from rim_nmt.experiments.table8.report import write_report
    from rim_nmt.experiments.table8.texts import find_text

    out = chosen_out(arguments, "table8")
    if not arguments.report:
        text = find_text(arguments.scale, arguments.data, out)
        recipe = chosen_recipe(arguments)
        models, settings = chosen_models(arguments), _settings(arguments.pairs, text)
        check_variants(recipe, models, settings)
        seeds = range(1, arguments.seeds + 1)
        cells = build_cells(text, recipe, models, settings, seeds, out)
        if arguments.dry_run:
            print_commands([text, *cells])
            return
        text.prepare(out / "prepare.log")
        run_cells(cells, arguments.jobs)
    write_report(out / "cells", out / "report", arguments.baseline)
    show_report(out / "report", arguments.report_to)


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


def _settings(given: list[str] | None, text) -> list[tuple[str, ...]]:
    known = {"+".join(pairs): pairs for pairs in text.settings}
    for name in given or known:
        if name not in known:
            raise InputError(f"--pairs {name}: {text.folder} can serve {' and '.join(known)}")
    return [known[name] for name in given or known]
