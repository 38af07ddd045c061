"""What "be" says of its subject: a quality or a job."""

from __future__ import annotations

from dataclasses import dataclass

from rim_nmt.toy.grammar.constituent import Nominal, Tokens
from rim_nmt.toy.grammar.determiners import DETERMINERS
from rim_nmt.toy.grammar.nominals import NounPhrase
from rim_nmt.toy.lexicon import FEMALE_JOBS, Adjective, Noun


@dataclass(frozen=True, slots=True)
class Quality:
    """What "be" ascribes: an adjective, or a comparison when ``than`` is given."""

    adjective: Adjective
    very: bool = False
    than: Nominal | None = None

    def english(self) -> Tokens:
        """Say it in English."""
        if self.than:
            words = self.adjective.english_comparative.split()
            return [*words, "than", *self.than.english("nom")]
        return ["very"] * self.very + [self.adjective.english]

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German."""
        if self.than:
            return [self.adjective.german_comparative]
        return ["sehr"] * self.very + [self.adjective.german]

    def german_than(self) -> Tokens:
        """Say in German what it is compared with; that stands behind the closing verbs."""
        return ["als", *self.than.german("nom")] if self.than else []


@dataclass(frozen=True, slots=True)
class Job:
    """What "be" calls somebody: a doctor; German has no article and a form for each sex."""

    noun: Noun
    sex: str

    def english(self) -> Tokens:
        """Say it in English."""
        return NounPhrase(self.noun, DETERMINERS["a"]).english("nom")

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German."""
        female = self.sex == "female"
        return [FEMALE_JOBS[self.noun.english] if female else self.noun.german]
