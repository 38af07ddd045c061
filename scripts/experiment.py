#!/usr/bin/env python3
"""Run one of the paper's experiments: finished cells are skipped, trainings go on."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rim_nmt.cli import run_main
from rim_nmt.experiments import copying


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="A run that was stopped goes on where it was when the same command is given again.",
    )
    experiments = parser.add_subparsers(dest="experiment", required=True, metavar="EXPERIMENT")
    add = experiments.add_parser(
        "copying",
        help="remember ten digits over a dormant span (section 4.1, Table 1, Figure 2)",
        description="The copying task: trained with one dormant span, tested with longer ones; "
        "RIM, LSTM, and RIM without communication or without input attention.",
    )
    copying.add_arguments(add)
    add.set_defaults(run=copying.run)

    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    run_main(main)
