"""Damage changes the share of words that it says, the same ones every time, and nothing else."""

from collections import Counter

import pytest

from rim_nmt.experiments.shifts.damage import DAMAGES, damage, damaged_texts

LINES = ["The old man walks home .", "Two dogs play", "Go"] * 20
WORDS = 20 * 10


def changed_words(lines: list[str]) -> list[tuple[str, str]]:
    """The words before and after, where no word came or went."""
    pairs = (
        pair
        for before, after in zip(LINES, lines, strict=True)
        for pair in zip(before.split(), after.split(), strict=True)
    )
    return [(before, after) for before, after in pairs if before != after]


@pytest.mark.parametrize("percent", [5, 10, 20])
def test_so_many_words_are_changed(percent):
    changes = WORDS * percent // 100
    known = {word for line in LINES for word in line.split()}
    inserted = [line.split() for line in damage(LINES, "insert", percent)]
    assert sum(map(len, inserted)) == WORDS + changes
    assert {word for line in inserted for word in line} == known
    for before, after in zip(LINES, inserted, strict=True):
        assert not Counter(before.split()) - Counter(after)
    dropped = [line.split() for line in damage(LINES, "drop", percent)]
    assert sum(map(len, dropped)) == WORDS - changes
    assert all(dropped)
    for kind in ("typo", "upper"):
        assert len(changed_words(damage(LINES, kind, percent))) == changes


def test_a_typo_swaps_two_neighbouring_letters():
    for before, after in changed_words(damage(LINES, "typo", 20)):
        places = [
            i for i, (one, other) in enumerate(zip(before, after, strict=True)) if one != other
        ]
        first, second = places
        assert second == first + 1
        assert (before[first], before[second]) == (after[second], after[first])


def test_case():
    assert all(
        after == before.upper() for before, after in changed_words(damage(LINES, "upper", 20))
    )
    assert damage(LINES, "lower", 100) == [line.lower() for line in LINES]


def test_no_more_is_changed_than_can_be():
    assert damage(["A b", "42 ..", "", "Go"], "typo", 100) == ["A b", "42 ..", "", "oG"]
    for line in damage(LINES, "drop", 100):
        assert len(line.split()) == 1


@pytest.mark.parametrize("kind", ["insert", "drop", "typo", "upper"])
def test_a_seed_gives_the_same_words_and_another_one_others(kind):
    assert damage(LINES, kind, 10) == damage(LINES, kind, 10)
    assert damage(LINES, kind, 10, seed=2) != damage(LINES, kind, 10)


def test_what_is_drawn_stays_what_it_was():
    """Figures of different days are of the same text."""
    line = ["The old man walks home with two dogs today"]
    drawn = {name: text for name, (text,) in damaged_texts(line).items() if name.endswith("-20")}
    assert drawn == {
        "insert-20": "The old man walks home with two old dogs dogs today",
        "drop-20": "The old man walks home with today",
        "typo-20": "The old man walks home wiht two dogs toady",
        "upper-20": "The old man WALKS home with two DOGS today",
    }


def test_every_kind_has_its_texts():
    texts = damaged_texts(LINES)
    assert len(texts) == 4 * 3 + 1
    assert {name.partition("-")[0] for name in texts} == DAMAGES.keys()
    assert all(len(text) == len(LINES) for text in texts.values())
