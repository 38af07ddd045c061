"""Questions."""

from __future__ import annotations

from dataclasses import dataclass

from rim_nmt.toy.grammar.clauses import Clause
from rim_nmt.toy.grammar.constituent import Tokens
from rim_nmt.toy.grammar.nominals import NounPhrase

_WHO = {"nom": "wer", "acc": "wen", "dat": "wem"}
ADVERBIAL_QUESTIONS = {"when": "wann", "why": "warum", "where": "wo"}


@dataclass(frozen=True, slots=True)
class Question:
    """A question: yes or no without ``word``; else ``word`` is what stands in front.

    ``word`` is when, why or where; or who, whom or what; or a noun phrase with "which" or
    "how many". In the latter two cases the clause has a :class:`Gap`.
    """

    clause: Clause
    word: NounPhrase | str = ""

    def english(self) -> Tokens:
        """Say it in English."""
        slot = self.clause.gap
        if not self.word or self.word in ADVERBIAL_QUESTIONS:
            return [*self.word.split(), *self.clause.english_question()]
        words = [self.word] if isinstance(self.word, str) else self.word.english("acc")
        if slot is None:
            return words + self.clause.english()
        return [slot.english] * bool(slot.english) + words + self.clause.english_question()

    def german(self) -> Tokens:
        """Say it in German."""
        if not self.word:
            return self.clause.german_question()
        slot = self.clause.gap
        case = slot.case if slot else "nom"
        if isinstance(self.word, NounPhrase):
            words = self.word.german(case)
        elif self.word in ADVERBIAL_QUESTIONS:
            toward = slot and slot.kind in ("goal", "journey")
            words = ["wohin" if toward else ADVERBIAL_QUESTIONS[self.word]]
        else:
            words = ["was" if self.word == "what" else _WHO[case]]
        preposition = [slot.german] if slot and slot.german else []
        return preposition + words + self.clause.german_question()
