"""Numbers in words."""

from __future__ import annotations

from rim_nmt.toy.table import read_table

# One to nineteen, and the tens.
_WORDS = {int(row["number"]): (row["english"], row["german"]) for row in read_table("numbers")}


def number_words(number: int) -> tuple[str, str]:
    """Return the English and German words for a number from 2 to 99.

    Raises:
        ValueError: if ``number`` is outside that range; give one inside it.
    """
    if not 2 <= number <= 99:
        raise ValueError(f"cannot spell {number}: expected a number from 2 to 99")
    if number in _WORDS:
        return _WORDS[number]
    english, german = _WORDS[number % 10]
    english_tens, german_tens = _WORDS[number // 10 * 10]
    return f"{english_tens}-{english}", f"{german}und{german_tens}"
