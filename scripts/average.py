#!/usr/bin/env python3
"""Average the weights of several checkpoints into one."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rim_nmt.cli.shared import run_main


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "checkpoints",
        nargs="+",
        type=Path,
        help="checkpoints of one training, or with --last the folder that has them",
    )
    parser.add_argument(
        "--last",
        type=int,
        metavar="N",
        help="average the last N that --save-interval-updates wrote (all, where there are fewer)",
    )
    parser.add_argument("--out", type=Path, required=True, help="the averaged checkpoint")
    arguments = parser.parse_args()
    if arguments.last is not None and (arguments.last < 1 or len(arguments.checkpoints) > 1):
        parser.error("--last N takes a number from 1 on and one folder")
    from rim_nmt.translation.averaging import average_checkpoints, last_checkpoints

    checkpoints = arguments.checkpoints
    if arguments.last:
        checkpoints = last_checkpoints(checkpoints[0], arguments.last)
    average_checkpoints(checkpoints, arguments.out)
    print(f"{arguments.out}: the mean of {', '.join(path.name for path in checkpoints)}")


if __name__ == "__main__":
    run_main(main)
