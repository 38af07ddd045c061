#!/usr/bin/env python3
"""Run one of the paper's experiments: train, score, and write a table with plots."""

import argparse
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rim_nmt.cli import run_main
from rim_nmt.files import InputError


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="A run that was stopped goes on where it was when the same command is given again.",
    )
    experiments = parser.add_subparsers(dest="experiment", required=True, metavar="EXPERIMENT")
    table8 = experiments.add_parser(
        "table8",
        help="translation out of domain, with one language pair and with two (Table 8)",
        description="RIM, its LSTM twin and a Transformer of equal size, trained on the same text "
        "with one language pair and with two, tested in and out of domain.",
    )
    table8.set_defaults(run=_run_table8)
    table8.add_argument(
        "--scale",
        choices=("tiny", "small", "paper"),
        required=True,
        help="tiny: the embedded corpus, minutes a training; small: text of your own, an hour; "
        "paper: WMT14 and IWSLT14 on GPUs, days",
    )
    table8.add_argument(
        "--prepared",
        type=Path,
        metavar="FOLDER",
        help="train on this folder of scripts/prepare.py; its first pair is tested",
    )
    table8.add_argument(
        "--out", type=Path, help="folder of the experiment (default: runs/table8/SCALE)"
    )
    table8.add_argument(
        "--models", nargs="+", default=["rim", "lstm", "transformer"], metavar="MODEL",
        help="rim, lstm, transformer, and what --variant names (default: these three)",
    )  # fmt: skip
    table8.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="NAME=FLAGS",
        help='another RIM, such as --variant "silent=--comm-heads 0"; may be given several times',
    )
    table8.add_argument(
        "--data",
        nargs="+",
        metavar="PAIRS",
        help="what to train on, such as en-de en-de+en-fr (default: the first pair, and all)",
    )
    table8.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="trainings with seeds 1 to N (%(default)s)",
    )
    table8.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="trainings at a time (%(default)s)"
    )
    tuned = table8.add_argument_group(
        "instead of the scale's own", "VALUE is for every model, MODEL=VALUE for one of them."
    )
    tuned.add_argument("--lr", nargs="+", default=[], metavar="VALUE", help="learning rate")
    tuned.add_argument("--dropout", nargs="+", default=[], metavar="VALUE", help="dropout")
    tuned.add_argument("--max-update", type=int, metavar="N", help="updates of a training")
    table8.add_argument("--dry-run", action="store_true", help="print the commands and do nothing")
    table8.add_argument(
        "--report", action="store_true", help="train nothing: only a table of what is finished"
    )
    table8.add_argument(
        "--report-to",
        type=Path,
        metavar="FOLDER",
        help="where table and plots go (default: report/ in --out)",
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    arguments.run(arguments)


def _run_table8(arguments: argparse.Namespace) -> None:
    from rim_nmt.commands import console
    from rim_nmt.experiments import table, table8  # takes seconds: --help should not

    for name in ("seeds", "jobs", "max_update"):
        if getattr(arguments, name) is not None and getattr(arguments, name) < 1:
            raise InputError(f"--{name.replace('_', '-')} must be 1 or more")
    out = arguments.out or Path("runs/table8") / arguments.scale
    report = arguments.report_to or out / "report"
    if arguments.report:
        table.write_report(out / "cells", report)
        console.print((report / "table.md").read_text(), markup=False)
        return
    text = table8.find_text(arguments.scale, arguments.prepared, out)
    recipe = table8.RECIPES[arguments.scale].adapted(
        lr=_values("--lr", arguments.lr, table8.MODELS),
        dropout=_values("--dropout", arguments.dropout, table8.MODELS),
        max_update=arguments.max_update,
    )
    cells = table8.build_cells(
        text,
        recipe,
        _models(arguments, table8.MODELS),
        _settings(arguments.data, text),
        range(1, arguments.seeds + 1),
        out,
    )
    if arguments.dry_run:
        for command in (*text.commands, *(c for cell in cells for c in cell.commands)):
            print(shlex.join(command))
        return
    text.prepare(out / "prepare.log")
    table8.run_cells(cells, arguments.jobs)
    table.write_report(out / "cells", report)
    console.print((report / "table.md").read_text(), markup=False)
    console.print(f"table and plots are in {report}")


def _models(arguments: argparse.Namespace, kinds: tuple[str, ...]) -> dict[str, list[str]]:
    variants = {}
    for variant in arguments.variant:
        name, given, flags = variant.partition("=")
        if not given or not name.replace("-", "").isalnum() or name in kinds:
            raise InputError(f"--variant {variant!r}: expected NAME=FLAGS with a new NAME")
        variants[name] = shlex.split(flags)
    known = {**{kind: [] for kind in kinds}, **variants}
    unknown = [name for name in arguments.models if name not in known]
    if unknown:
        raise InputError(f"--models {unknown[0]}: known are {', '.join(known)}")
    return {name: known[name] for name in dict.fromkeys([*arguments.models, *variants])}


def _settings(given: list[str] | None, text) -> list[tuple[str, ...]]:
    known = {"+".join(pairs): pairs for pairs in text.settings}
    for name in given or known:
        if name not in known:
            raise InputError(f"--data {name}: {text.folder} can serve {' and '.join(known)}")
    return [known[name] for name in given or known]


def _values(flag: str, given: list[str], models: tuple[str, ...]) -> dict[str, float]:
    """ "0.002 rim=0.004" by model."""
    values = {}
    for text in given:
        model, named, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            raise InputError(f"{flag} {text}: expected VALUE or MODEL=VALUE") from None
        if named and model not in models:
            raise InputError(f"{flag} {text}: the models are {', '.join(models)}")
        values |= dict.fromkeys([model] if named else models, value)
    return values


if __name__ == "__main__":
    run_main(main)
