"""Run the whole job on the embedded corpus: generate it, prepare, train, score, translate.

Takes some minutes, and works below the current folder, in data/demo, data/demo-text and runs/demo.
Finished steps are skipped, and a training that was stopped goes on.
"""

import argparse

from rim_nmt.cli.shared import add_verbosity

EXAMPLES = """\
examples:
  rim-nmt demo
  rim-nmt demo --compare
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    parser.add_argument("--compare", action="store_true", help="train and score the LSTM twin too")
    parser.add_argument("--clean", action="store_true", help="remove what the demo made, and end")
    add_verbosity(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the demo, or clean up after it.

    Raises:
        InputError: as for `run_demo` and `clean`.
    """
    from rim_nmt.experiments import demo

    if arguments.clean:
        demo.clean()
    else:
        demo.run_demo(arguments.compare)
