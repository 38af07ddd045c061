"""Which words of the lexicon fit each other."""

from __future__ import annotations

from functools import cache

from rim_nmt.toy.lexicon import ADJECTIVES, NOUNS, VERBS, Adjective, Noun, Verb, verb
from rim_nmt.toy.sampling.apart import APART


def _governs(*clauses: str) -> tuple[Verb, ...]:
    weatherless = (entry for entry in VERBS if entry.subjects != ("weather",))
    return tuple(entry for entry in weatherless if entry.clause in clauses)


# Verbs by what they govern; by what they tell: deeds that are done willingly, deeds that last.
PLAIN = _governs("")
CLAUSAL = _governs("that", "whether", "infinitive", "gerund")
TRANSITIVE = tuple(entry for entry in PLAIN if entry.slots and entry.slots[-1].kind == "nominal")
WILLED = tuple(entry for entry in PLAIN if "w" in entry.aspects)
LASTING = tuple(entry for entry in WILLED if "p" in entry.aspects)
WEATHER = tuple(entry for entry in VERBS if entry.subjects == ("weather",))
BE = verb("be")
COLOURS = ("red", "green", "black", "white")


@cache
def fitting(tags: tuple[str, ...]) -> tuple[Noun, ...]:
    """Return the nouns with one of ``tags``."""
    return tuple(entry for entry in NOUNS if set(tags) & set(entry.tags))


@cache
def partners(key: str, tags: tuple[str, ...]) -> tuple[tuple[Noun, ...], tuple[Noun, ...]]:
    """Return the nouns with one of ``tags`` that meet a verb, and those held apart from it."""
    nouns = fitting(tags)
    common = tuple(n for n in nouns if (n.english, key) not in APART)
    return common, tuple(n for n in nouns if (n.english, key) in APART)


@cache
def adjectives_for(entry: Noun) -> tuple[Adjective, ...]:
    """Return the adjectives a noun can have."""
    return tuple(a for a in ADJECTIVES if set(a.tags) & set(entry.tags))


@cache
def suiting(verbs: tuple[Verb, ...], tags: tuple[str, ...]) -> tuple[Verb, ...]:
    """Return those verbs that take subjects with one of ``tags``."""
    return tuple(v for v in verbs if set(tags) & set(v.subjects))


@cache
def deeds_of(head: Noun) -> tuple[Verb, ...]:
    """Return the verbs a noun can be the subject of."""
    return tuple(v for v in suiting(PLAIN, head.tags) if v is not BE)


@cache
def done_to(head: Noun) -> tuple[Verb, ...]:
    """Return the verbs a noun can be the last object of."""
    return tuple(v for v in TRANSITIVE if set(v.slots[-1].tags) & set(head.tags))
