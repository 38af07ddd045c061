"""Relative clauses."""

from __future__ import annotations

from dataclasses import dataclass

from rim_nmt.toy.grammar.clauses import Clause
from rim_nmt.toy.grammar.constituent import Tokens
from rim_nmt.toy.grammar.determiners import article
from rim_nmt.toy.lexicon import Noun


@dataclass(frozen=True, slots=True)
class Relative:
    """A relative clause. Its clause has one :class:`Gap`, which names the head noun."""

    clause: Clause
    head: Noun
    plural: bool = False

    def english(self) -> Tokens:
        """Say it in English: who, whom, that, or a preposition with whom or which."""
        slot = self.clause.gap
        if slot is None:
            words = ["who" if self.head.person else "that"]
        elif slot.english:
            words = [slot.english, "whom" if self.head.person else "which"]
        else:
            words = ["whom" if self.head.person else "that"]
        return words + self.clause.english()

    def german(self) -> Tokens:
        """Say it in German between commas."""
        slot = self.clause.gap
        pronoun = _relative_pronoun(slot.case if slot else "nom", self.head.gender, self.plural)
        preposition = [slot.german] if slot and slot.german else []
        return [",", *preposition, pronoun, *self.clause.german_last(), ","]


def _relative_pronoun(case: str, gender: str, plural: bool) -> str:
    return "denen" if plural and case == "dat" else article(case, gender, plural)
