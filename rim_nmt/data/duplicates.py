"""Finding duplicate pairs in a corpus of any size by 64-bit keys."""

from collections.abc import Sequence

import numpy as np
import xxhash

from rim_nmt.data.cleaning import DUPLICATE, KEPT

PART = 1 << 22  # keys that are sorted at a time


def pair_keys(sources: Sequence[str], targets: Sequence[str]) -> np.ndarray:
    """A 64-bit key for each pair, equal for equal pairs.

    Among forty million different pairs two have the same key with a probability of 4e-5.
    """
    return np.fromiter(
        (
            xxhash.xxh3_64_intdigest(f"{source}\n{target}".encode())
            for source, target in zip(sources, targets, strict=True)
        ),
        dtype=np.uint64,
        count=len(sources),
    )


def mark_duplicates(keys: np.ndarray, verdicts: np.ndarray) -> None:
    """Mark every kept pair that occurred before.

    Args:
        keys: N keys, from `pair_keys`.
        verdicts: N verdicts, changed in place.
    """
    parts = np.uint64(len(keys) // PART + 1)
    for part in range(int(parts)):
        of_part = np.flatnonzero((keys % parts == part) & (verdicts == KEPT))
        _, first = np.unique(keys[of_part], return_index=True)
        repeated = np.ones(len(of_part), dtype=bool)
        repeated[first] = False
        verdicts[of_part[repeated]] = DUPLICATE
