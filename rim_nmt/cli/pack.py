"""Pack a trained model into one folder, with all that translating needs: weights in float16,
subwords, dictionaries, each with its hash. `--model FOLDER` of the other commands takes it."""

import argparse
from pathlib import Path

EXAMPLES = """\
example:
  rim-nmt pack --checkpoint runs/mine/average.pt --data data/mine --out models/mine
  rim-nmt translate --model models/mine
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    parser.add_argument(
        "--checkpoint", type=Path, required=True, metavar="FILE", help="the trained model"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="the prepared folder that it was trained on",
    )
    parser.add_argument("--target-lang", metavar="LANG", help="which, if it has several")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="the model folder"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the folder.

    Raises:
        InputError: a file is missing or wrong, or --out is there already.
    """
    from rim_nmt.plugin.fixes import quiet_fairseq
    from rim_nmt.translation.model_folder import pack

    quiet_fairseq()
    pack(arguments.checkpoint, arguments.data, arguments.out, arguments.target_lang)
    size = sum(path.stat().st_size for path in arguments.out.iterdir())
    print(f"{arguments.out}: {size / 1e6:.1f} MB")
