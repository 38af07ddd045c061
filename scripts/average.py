#!/usr/bin/env python3
"""Average the weights of several checkpoints into one."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rim_nmt.cli import run_main


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+", type=Path, help="checkpoints of one training")
    parser.add_argument("--out", type=Path, required=True, help="the averaged checkpoint")
    arguments = parser.parse_args()
    from rim_nmt.averaging import average_checkpoints

    average_checkpoints(arguments.checkpoints, arguments.out)
    print(f"{arguments.out}: the mean of {len(arguments.checkpoints)} checkpoints")


if __name__ == "__main__":
    run_main(main)
