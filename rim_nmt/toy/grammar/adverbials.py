"""Adverbials: fixed words, and phrases with a preposition."""

from __future__ import annotations

from dataclasses import dataclass

from rim_nmt.toy.grammar.constituent import Nominal, Tokens
from rim_nmt.toy.grammar.nominals import NounPhrase


@dataclass(frozen=True, slots=True)
class Adverbial:
    """A fixed adverb or phrase in both languages."""

    english_words: str
    german_words: str

    def english(self) -> Tokens:
        """Say it in English."""
        return self.english_words.split()

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German."""
        return self.german_words.split()


_CONTRACTED = {
    ("in", "dem"): "im",
    ("an", "dem"): "am",
    ("zu", "dem"): "zum",
    ("zu", "der"): "zur",
    ("von", "dem"): "vom",
    ("in", "das"): "ins",
}


def prepositional(preposition: str, phrase: Nominal, case: str, clauses: bool = True) -> Tokens:
    """Say a German preposition with its nominal, contracted where German does (im, zum).

    A noun phrase with a relative clause keeps its full article (in dem Haus, das ...).
    """
    first, *rest = phrase.german(case, clauses)
    contracts = (
        isinstance(phrase, NounPhrase)
        and phrase.determiner.english == "the"
        and not phrase.relative
    )
    short = _CONTRACTED.get((preposition, first)) if contracts else None
    return [short, *rest] if short else [preposition, first, *rest]


@dataclass(frozen=True, slots=True)
class Prepositional:
    """A prepositional phrase of place, such as in the garden or into the garden."""

    preposition: str
    german_preposition: str
    case: str
    phrase: NounPhrase

    def english(self) -> Tokens:
        """Say it in English."""
        return [self.preposition, *self.phrase.english("acc")]

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German."""
        return prepositional(self.german_preposition, self.phrase, self.case, clauses)


Place = Adverbial | Prepositional
