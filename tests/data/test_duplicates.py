"""Duplicates against the plain way with a set."""

import random

import numpy as np
import pytest

from rim_nmt.data import duplicates
from rim_nmt.data.cleaning import DUPLICATE, EMPTY, KEPT


@pytest.mark.parametrize("part", [7, 1 << 22])
def test_all_but_the_first_are_marked(monkeypatch, part):
    """Also when the keys are sorted in many small parts."""
    monkeypatch.setattr(duplicates, "PART", part)
    rng = random.Random(1)
    pairs = [(f"s{rng.randrange(9)}", f"t{rng.randrange(9)}") for _ in range(300)]
    verdicts = np.array([rng.choice([KEPT, KEPT, EMPTY]) for _ in pairs], dtype=np.uint8)
    expected, seen = [], set()
    for pair, verdict in zip(pairs, verdicts, strict=True):
        expected.append(DUPLICATE if verdict == KEPT and pair in seen else verdict)
        if verdict == KEPT:
            seen.add(pair)
    duplicates.mark_duplicates(duplicates.pair_keys(*zip(*pairs, strict=True)), verdicts)
    assert verdicts.tolist() == expected
    assert DUPLICATE in expected


def test_keys_tell_sides_apart():
    keys = duplicates.pair_keys(["a b", "a", "b", "a b"], ["c", "b c", "a", "c"])
    assert keys[0] == keys[3]
    assert len(set(keys.tolist())) == 3


def test_no_pairs_have_no_duplicates():
    duplicates.mark_duplicates(duplicates.pair_keys([], []), np.empty(0, dtype=np.uint8))
