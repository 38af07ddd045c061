"""The shifts as a command: what is trained for them, running it, and the report."""

import argparse
from pathlib import Path

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
        "--data",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="train on this folder of `rim-nmt prepare`; its first pair is translated, and its "
        "first test set is in domain. `rim-nmt demo` makes one of the embedded corpus, data/demo",
    )
    parser.add_argument(
        "--scale",
        choices=("tiny", "small", "converged"),
        default="small",
        help="how long: tiny: minutes a training; small: half an hour; converged: until more "
        "updates gain little, hours (%(default)s)",
    )
    parser.add_argument(
        "--ways",
        nargs="+",
        choices=("domain", "noise", "length", "combinations"),
        metavar="WAY",
        help="domain: the folder's other test sets; noise: damaged source; length: trained on "
        "short sentences, tested on longer ones; combinations: the made-up corpus, known words "
        "combined anew (default: all that the folder can serve)",
    )
    add_training_arguments(parser, "shifts")


def run(arguments: argparse.Namespace) -> None:
    """Run the cells that are not finished, and write the report.

    Raises:
        InputError: an option is wrong, the folder cannot serve a way that is asked for, --out
            holds cells that other commands made, there is nothing to report, or a command failed
            (what does not need it is done all the same).
    """
    check_counts(arguments)
    # takes seconds: --help should not
    from rim_nmt.experiments.reports import show_report
    from rim_nmt.experiments.shifts.folder import open_folder
    from rim_nmt.experiments.shifts.report import write_report
    from rim_nmt.experiments.shifts.shift import find_shifts
    from rim_nmt.experiments.shifts.texts import find_texts
    from rim_nmt.experiments.table8.cells import build_cells, check_variants, run_cells

    out = chosen_out(arguments, "shifts")
    folder = open_folder(arguments.data)
    shifts = find_shifts(folder, arguments.ways)
    if not arguments.report:
        texts = find_texts(folder, shifts, out)
        recipe, models = chosen_recipe(arguments), chosen_models(arguments)
        check_variants(recipe, models, [(folder.pair,)])
        cells = [
            cell
            for seed in range(1, arguments.seeds + 1)
            for training, text in texts.items()
            for cell in build_cells(text, recipe, models, [text.pairs[:1]], [seed], out / training)
        ]
        if arguments.dry_run:
            print_commands([*texts.values(), *cells])
            return
        folder.write(out / "tests")
        for text in texts.values():
            text.prepare(out / "prepare.log")
        run_cells(cells, arguments.jobs)
    write_report(shifts, out, arguments.baseline)
    show_report(out / "report", arguments.report_to)
