#!/usr/bin/env python3
"""Run the whole job on the embedded corpus; finished steps are skipped, training resumes."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rim_nmt.cli.shared import run_main


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compare", action="store_true", help="train and score the LSTM twin too")
    parser.add_argument("--clean", action="store_true", help="remove what the demo made")
    arguments = parser.parse_args()
    from rim_nmt.experiments import demo

    if arguments.clean:
        demo.clean()
    else:
        demo.run_demo(arguments.compare)


if __name__ == "__main__":
    run_main(main)
