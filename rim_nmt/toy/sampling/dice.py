"""The dice: random choices, and the dead ends they may lead to."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class DeadEnd(Exception):
    """The choices made so far cannot be completed; the sampler starts the sentence anew."""


class Dice:
    """Makes random choices.

    Args:
        rng: the source of chance.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def roll(self) -> float:
        """Return a number from 0 to 1, without 1."""
        return self._rng.random()

    def chance(self, probability: float) -> bool:
        """Return true with this probability."""
        return self._rng.random() < probability

    def between(self, least: int, most: int) -> int:
        """Return a whole number within these bounds, which are included."""
        return self._rng.randint(least, most)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, all of them equally likely.

        Raises:
            DeadEnd: if there are none.
        """
        if not options:
            raise DeadEnd
        return options[int(self._rng.random() * len(options))]
