"""Personal pronouns."""

from __future__ import annotations

from dataclasses import dataclass

from rim_nmt.toy.grammar.constituent import Tokens
from rim_nmt.toy.lexicon import Noun
from rim_nmt.toy.table import read_table

_PRONOUNS = {row["english"]: row for row in read_table("pronouns")}


@dataclass(frozen=True, slots=True)
class Pronoun:
    """A personal pronoun; "it" takes the German gender of its ``antecedent``.

    Without an antecedent "it" is the "es" of the weather. "You" is always one friend (du).
    """

    word: str
    antecedent: Noun | None = None

    @property
    def person(self) -> int:
        """Grammatical person."""
        return int(_PRONOUNS[self.word]["person"])

    @property
    def plural(self) -> bool:
        """Whether it is plural."""
        return _PRONOUNS[self.word]["number"] == "plural"

    @property
    def reflexive(self) -> str:
        """The German reflexive pronoun that goes with it (mich, sich)."""
        return _PRONOUNS[self.word]["reflexive"]

    def english(self, case: str) -> Tokens:
        """Say it in English."""
        return [self.word if case == "nom" else _PRONOUNS[self.word]["english_object"]]

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say it in German."""
        word = self.word
        if self.antecedent:
            word = {"m": "he", "f": "she", "n": "it"}[self.antecedent.gender]
        return [_PRONOUNS[word][case]]
