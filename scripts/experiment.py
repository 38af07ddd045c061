#!/usr/bin/env python3
"""Run one of the paper's experiments: train, score, and write a table with plots."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rim_nmt.cli.shared import run_main
from rim_nmt.experiments.copying import options as copying
from rim_nmt.experiments.table8 import options as table8


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="A run that was stopped goes on where it was when the same command is given again.",
    )
    experiments = parser.add_subparsers(dest="experiment", required=True, metavar="EXPERIMENT")
    for module, name, summary, description in (
        (
            table8,
            "table8",
            "translation out of domain, with one language pair and with two (Table 8)",
            "RIM, its LSTM twin and a Transformer of equal size, trained on the same text with one "
            "language pair and with two, tested in and out of domain.",
        ),
        (
            copying,
            "copying",
            "remember ten digits over a dormant span (section 4.1, Table 1, Figure 2)",
            "The copying task: trained with one dormant span, tested with longer ones; RIM, LSTM, "
            "and RIM without communication or without input attention.",
        ),
    ):
        experiment = experiments.add_parser(name, help=summary, description=description)
        module.add_arguments(experiment)
        experiment.set_defaults(run=module.run)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    run_main(main)
