"""Groups of verbs: auxiliaries, modals, and the order of German verbs."""

from __future__ import annotations

from dataclasses import dataclass

from rim_nmt.toy.english import english_verb
from rim_nmt.toy.grammar.constituent import Nominal, Tokens
from rim_nmt.toy.table import read_table


@dataclass(frozen=True, slots=True)
class Modal:
    """A modal verb. ``plain`` modals invert and are negated without "do".

    ``present``, ``past`` and ``negative`` are English; ``german`` and ``german_negative`` are
    German infinitives ("must not" is "nicht dürfen").
    """

    present: str
    past: str
    negative: str
    german: str
    german_negative: str
    plain: bool


MODALS: dict[str, Modal] = {
    row["present"]: Modal(**{**row, "plain": bool(row["plain"])}) for row in read_table("modals")
}

_BE = {
    "present": ("am", "are", "is", "are", "are", "are"),
    "past": ("was", "were", "was", "were", "were", "were"),
}


def english_group(
    words: str, tense: str, subject: Nominal, negated: bool, progressive: bool, support: bool
) -> tuple[str, Tokens]:
    """Return the English auxiliary (empty if there is none) and the verbs after it.

    ``support`` asks for "do" where a question or "not" needs an auxiliary.
    """
    third = subject.person == 3 and not subject.plural
    cell = subject.person - 1 + 3 * subject.plural
    if words == "be":
        if tense in _BE:
            return _BE[tense][cell], ["not"] * negated
    elif progressive:
        return _BE[tense][cell], ["not"] * negated + [english_verb(words, "gerund")]
    if tense == "future":
        return "will", ["not"] * negated + [words]
    if tense == "perfect":
        verb = english_verb(words, "participle")
        return ("has" if third else "have"), ["not"] * negated + [verb]
    if negated or support:
        do = "did" if tense == "past" else "does" if third else "do"
        return do, ["not"] * negated + [words]
    if tense == "past":
        return "", [english_verb(words, "past")]
    return "", [english_verb(words, "third" if third else "base")]


@dataclass(frozen=True, slots=True)
class GermanVerbs:
    """The pieces of a German verb complex: finite verb, prefix, and infinite verbs."""

    finite: str
    prefix: str
    infinite: Tokens

    @property
    def last(self) -> Tokens:
        """The verbs of a verb-final clause."""
        return [*self.infinite, self.prefix + self.finite]

    @property
    def bracket(self) -> Tokens:
        """What closes a main clause."""
        return [*self.infinite, self.prefix] if self.prefix else self.infinite
