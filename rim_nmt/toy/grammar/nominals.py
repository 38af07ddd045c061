"""Nominals: noun phrases, names, two of them together, and the gap that a moved one leaves."""

from __future__ import annotations

from dataclasses import dataclass

from rim_nmt.toy.grammar.constituent import Nominal, Spoken, Tokens
from rim_nmt.toy.grammar.determiners import (
    DETERMINERS,
    Determiner,
    adjective_form,
    determiner_form,
)
from rim_nmt.toy.grammar.numbers import number_words
from rim_nmt.toy.lexicon import NAMES, Adjective, Noun


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """A noun with determiner, number, adjective, owner, origin and relative clause.

    ``owner`` is a name or a noun phrase in the genitive and takes the determiner's place;
    ``origin`` is a pair of English and German city names; ``very`` strengthens the adjective.
    """

    noun: Noun
    determiner: Determiner = DETERMINERS["the"]
    plural: bool = False
    number: int = 0
    adjective: Adjective | None = None
    very: bool = False
    owner: Name | NounPhrase | None = None
    origin: tuple[str, str] | None = None
    relative: Spoken | None = None

    @property
    def person(self) -> int:
        """Always the third person."""
        return 3

    def english(self, case: str) -> Tokens:
        """Say it in English."""
        rest = [number_words(self.number)[0]] if self.number else []
        if self.adjective:
            rest += ["very"] * self.very + [self.adjective.english]
        rest.append(self.noun.english_form(self.plural))
        if self.owner:
            *words, last = self.owner.english("nom")
            first = [*words, last + "'s"]
        else:
            first = [self._english_determiner(rest[0])] if self.determiner.english else []
        tokens = first + rest
        if self.origin:
            tokens += ["from", self.origin[0]]
        return tokens + (self.relative.english() if self.relative else [])

    def _english_determiner(self, following: str) -> str:
        if self.determiner.english == "a":
            return "an" if following[0] in "aeiou" else "a"
        if self.determiner.english == "this" and self.plural:
            return "these"
        return self.determiner.english

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say it in German, in ``case``."""
        gender, determiner = self.noun.gender, self.determiner
        tokens: Tokens = []
        if isinstance(self.owner, Name):
            determiner = DETERMINERS[""]
            tokens += self.owner.german("gen")
        word = determiner_form(determiner, case, gender, self.plural)
        tokens += word.split()
        if self.number:
            tokens.append(number_words(self.number)[1])
        if self.adjective:
            tokens += ["sehr"] * self.very
            tokens.append(adjective_form(self.adjective, determiner, case, gender, self.plural))
        tokens.append(self.noun.german_form(case, self.plural))
        if isinstance(self.owner, NounPhrase):
            tokens += self.owner.german("gen")
        if self.origin:
            tokens += ["aus", self.origin[1]]
        return tokens + (self.relative.german() if self.relative and clauses else [])


@dataclass(frozen=True, slots=True)
class Name:
    """A person's given name."""

    name: str

    person = 3
    plural = False

    @property
    def sex(self) -> str:
        """``male`` or ``female``."""
        return NAMES[self.name]

    def english(self, case: str) -> Tokens:
        """Say it in English."""
        return [self.name]

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say it in German."""
        return [self.name + "s"] if case == "gen" else [self.name]


@dataclass(frozen=True, slots=True)
class Both:
    """Two coordinated nominals: the man and Anna."""

    first: Nominal
    second: Nominal

    person = 3
    plural = True

    def english(self, case: str) -> Tokens:
        """Say it in English."""
        return [*self.first.english(case), "and", *self.second.english(case)]

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say it in German."""
        return [*self.first.german(case), "und", *self.second.german(case)]


@dataclass(frozen=True, slots=True)
class Gap:
    """The silent place a relative or question word has moved from."""

    noun: Noun | None = None
    plural: bool = False

    person = 3

    def english(self, case: str) -> Tokens:
        """Say nothing."""
        return []

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say nothing."""
        return []
