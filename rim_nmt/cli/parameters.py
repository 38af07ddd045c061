"""Count the parameters of every size: RIM, its LSTM twin and fairseq's Transformer in matching
dimensions, for one language pair and for two (one encoder, two decoders), with shared embeddings.
"""

import argparse
from pathlib import Path

from rim_nmt.errors import InputError

EXAMPLES = """\
examples:
  rim-nmt parameters --vocab-size 8000
  rim-nmt parameters --data data/mine --flags
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    vocabulary = parser.add_mutually_exclusive_group()
    vocabulary.add_argument(
        "--vocab-size",
        type=int,
        default=6000,
        metavar="N",
        help="entries of the joint dictionary (%(default)s)",
    )
    vocabulary.add_argument(
        "--data", type=Path, metavar="FOLDER", help="a prepared folder: take its dictionary"
    )
    parser.add_argument("--flags", action="store_true", help="also print the flags of each model")


def run(arguments: argparse.Namespace) -> None:
    """Print the table.

    Raises:
        InputError: the vocabulary is too small, or the folder has no dictionary.
    """
    vocab_size = _dictionary_size(arguments.data) if arguments.data else arguments.vocab_size
    if vocab_size < 4:
        raise InputError(f"--vocab-size must be 4 or more, got {vocab_size}")
    from rim_nmt.models.matched_sizes import SIZES, matched_models
    from rim_nmt.models.parameters import build_without_memory, count_parameters
    from rim_nmt.plugin.fixes import quiet_fairseq

    quiet_fairseq()
    print(f"vocabulary of {vocab_size:,}")
    print(f"{'size':6} {'pairs':>5} {'model':12} {'parameters':>12} {'to RIM':>7}")
    for pairs in (("en-de",), ("en-de", "en-fr")):
        for size in SIZES:
            counts = {}
            for model, flags in matched_models(size, len(pairs) > 1).items():
                counts[model] = count_parameters(build_without_memory(flags, vocab_size, pairs))
                ratio = counts[model] / counts["rim"]
                row = f"{size:6} {len(pairs):5} {model:12} {counts[model]:12,} {ratio:7.4f}"
                print(row, *(flags if arguments.flags else ()))


def _dictionary_size(data: Path) -> int:
    """Entries of a prepared folder's dictionary, fairseq's own four included."""
    found = sorted((data / "bin").glob("dict.*.txt"))
    if not found:
        raise InputError(f"no dictionary in {data / 'bin'}: expected a prepared folder")
    from fairseq.data import Dictionary

    return len(Dictionary.load(str(found[0])))
