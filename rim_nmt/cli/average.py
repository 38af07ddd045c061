"""Average the weights of several checkpoints into one."""

import argparse
from pathlib import Path

from rim_nmt.errors import InputError

EXAMPLES = """\
examples:
  rim-nmt average --last 5 runs/mine --out runs/mine/average.pt
  rim-nmt average runs/mine/checkpoint_best.pt runs/mine/checkpoint_last.pt --out mean.pt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    parser.add_argument(
        "checkpoints",
        nargs="+",
        type=Path,
        metavar="CHECKPOINT",
        help="checkpoints of one training, or with --last the folder that has them",
    )
    parser.add_argument(
        "--last",
        type=int,
        metavar="N",
        help="average the last N that --save-interval-updates wrote or, where it wrote none, those "
        "of the last N epochs (all, where there are fewer)",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the averaged checkpoint"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the averaged checkpoint.

    Raises:
        InputError: --last is wrong, or the checkpoints cannot be averaged.
    """
    checkpoints = arguments.checkpoints
    if arguments.last is not None and (arguments.last < 1 or len(checkpoints) > 1):
        raise InputError("--last N takes a number from 1 on and one folder")
    from rim_nmt.translation.averaging import average_checkpoints, last_checkpoints

    if arguments.last:
        checkpoints = last_checkpoints(checkpoints[0], arguments.last)
    average_checkpoints(checkpoints, arguments.out)
    print(f"{arguments.out}: the mean of {', '.join(path.name for path in checkpoints)}")
