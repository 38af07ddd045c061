"""Damaged source text: a part of its words is changed, drawn from a fixed seed."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

SEED = 1


@dataclass(frozen=True)
class Damage:
    """A kind of damage.

    Args:
        change: a word, a source of chance, the text's words -> what stands in the word's place.
        percents: of all words that are changed; each makes a text of its own.
    """

    change: Callable[[str, random.Random, Sequence[str]], list[str]]
    percents: tuple[int, ...] = (5, 10, 20)


def damage(lines: Sequence[str], kind: str, percent: int, seed: int = SEED) -> list[str]:
    """The lines, with so many per cent of all their words changed; fewer where fewer can be.

    The same arguments give the same lines. Each line keeps at least one word.

    Args:
        lines: sentences, with white space between words.
        kind: a key of `DAMAGES`.
        percent: from 0 to 100.
        seed: another one chooses other words.
    """
    chance = random.Random(f"{seed} {kind} {percent}")
    sentences = [line.split() for line in lines]
    words = [word for sentence in sentences for word in sentence]
    # found before the draw, so that the share is of all words and no line loses its last one
    changes: dict[tuple[int, int], list[str]] = {}
    for number, sentence in enumerate(sentences):
        spared = chance.randrange(len(sentence)) if sentence else None
        for place, word in enumerate(sentence):
            changed = DAMAGES[kind].change(word, chance, words)
            if changed != [word] and (changed or place != spared):
                changes[number, place] = changed
    count = min(round(percent * len(words) / 100), len(changes))
    drawn = set(chance.sample(list(changes), count))
    return [
        " ".join(
            part
            for place, word in enumerate(sentence)
            for part in (changes[number, place] if (number, place) in drawn else [word])
        )
        for number, sentence in enumerate(sentences)
    ]


def damaged_texts(lines: Sequence[str]) -> dict[str, list[str]]:
    """Every kind of damage to some lines, by name: "drop-5" has 5 % of the words dropped."""
    return {
        f"{kind}-{percent}": damage(lines, kind, percent)
        for kind, how in DAMAGES.items()
        for percent in how.percents
    }


def _insert(word: str, chance: random.Random, words: Sequence[str]) -> list[str]:
    return [chance.choice(words), word]


def _drop(word: str, chance: random.Random, words: Sequence[str]) -> list[str]:
    return []


def _typo(word: str, chance: random.Random, words: Sequence[str]) -> list[str]:
    """Two neighbouring letters that differ, swapped."""
    pairs = [
        place
        for place, (one, other) in enumerate(pairwise(word))
        if one.isalpha() and other.isalpha() and one != other
    ]
    if not pairs:
        return [word]
    place = chance.choice(pairs)
    return [word[:place] + word[place + 1] + word[place] + word[place + 2 :]]


def _upper(word: str, chance: random.Random, words: Sequence[str]) -> list[str]:
    return [word.upper()]


def _lower(word: str, chance: random.Random, words: Sequence[str]) -> list[str]:
    return [word.lower()]


DAMAGES = {
    "insert": Damage(_insert),
    "drop": Damage(_drop),
    "typo": Damage(_typo),
    "upper": Damage(_upper),
    "lower": Damage(_lower, percents=(100,)),  # few words have a capital to lose
}
