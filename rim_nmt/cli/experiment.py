"""Run an experiment: train, score, and write a table with plots."""

import argparse

from rim_nmt.cli.shared import add_verbosity
from rim_nmt.experiments.copying import options as copying
from rim_nmt.experiments.shifts import options as shifts
from rim_nmt.experiments.table8 import options as table8

GOES_ON = "A run that was stopped goes on where it was when the same command is given again."
EXAMPLES = f"""\
examples:
  rim-nmt experiment table8 --scale tiny --seeds 3
  rim-nmt experiment shifts --data data/mine --seeds 3
  rim-nmt experiment copying --dry-run

{GOES_ON}
`rim-nmt experiment EXPERIMENT --help` lists the options of an experiment.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    experiments = parser.add_subparsers(title="experiments", required=True, metavar="EXPERIMENT")
    for module, name, summary, description in (
        (
            table8,
            "table8",
            "translation out of domain, with one language pair and with two (Table 8)",
            "RIM, its LSTM twin and a Transformer of equal size, trained on the same text with one "
            "language pair and with two, tested in and out of domain.",
        ),
        (
            shifts,
            "shifts",
            "what is kept out of the domain: other text, noise, longer sentences, new combinations",
            "RIM, its LSTM twin and a Transformer of equal size, and what each keeps of its score "
            "out of domain, in four ways.",
        ),
        (
            copying,
            "copying",
            "remember ten digits over a dormant span (section 4.1, Table 1, Figure 2)",
            "The copying task: trained with one dormant span, tested with longer ones; RIM, LSTM, "
            "and RIM without communication or without input attention.",
        ),
    ):
        experiment = experiments.add_parser(
            name, help=summary, description=description, epilog=GOES_ON, allow_abbrev=False
        )
        module.add_arguments(experiment)
        add_verbosity(experiment)
        experiment.set_defaults(run=module.run)


def run(arguments: argparse.Namespace) -> None:
    """Run the chosen experiment.

    Raises:
        InputError: as for its `run`.
    """
    arguments.run(arguments)
