"""Drawing sentences, of the common domain or of the other one."""

from __future__ import annotations

import random
from typing import NamedTuple

from rim_nmt.toy.grammar import Clause, Compound, Question, Sentence
from rim_nmt.toy.sampling.apart import APART
from rim_nmt.toy.sampling.clauses import ClauseSampler
from rim_nmt.toy.sampling.coordination import CoordinationSampler
from rim_nmt.toy.sampling.dice import DeadEnd, Dice
from rim_nmt.toy.sampling.nominals import NominalSampler
from rim_nmt.toy.sampling.predicates import PredicateSampler
from rim_nmt.toy.sampling.questions import QuestionSampler
from rim_nmt.toy.sampling.reference import it_is_clear

_COMMON_WORDS = (4, 16)  # fewest and most English words of a sentence
_TRANSFER_WORDS = (13, 32)


class Example(NamedTuple):
    """A sentence of the corpus in both languages, with its tree."""

    english: str
    german: str
    sentence: Sentence


class Sampler:
    """Draws random sentences.

    Args:
        rng: the source of chance.
        transfer: draw long sentences that contain held-apart pairs instead of common ones.
    """

    def __init__(self, rng: random.Random, transfer: bool = False) -> None:
        self.transfer = transfer
        self.dice = dice = Dice(rng)
        nominals = NominalSampler(dice, transfer)
        predicates = PredicateSampler(dice, nominals)
        self.clauses = ClauseSampler(dice, nominals, predicates)
        self.coordination = CoordinationSampler(dice, predicates, self.clauses)
        self.questions = QuestionSampler(dice, nominals, predicates, self.clauses)

    def example(self) -> Example:
        """Return the next sentence in both languages."""
        while True:
            try:
                sentence = Sentence(self._long() if self.transfer else self._short())
            except DeadEnd:
                continue
            english = sentence.english()
            if self._in_domain(sentence, english) and it_is_clear(sentence, english):
                return Example(english, sentence.german(), sentence)

    def _in_domain(self, sentence: Sentence, english: str) -> bool:
        """Check the length, and the pairs that are settled after their words."""
        shortest, longest = _TRANSFER_WORDS if self.transfer else _COMMON_WORDS
        if not shortest <= len(english.split()) <= longest:
            return False
        apart = any(pair in APART for pair in sentence.noun_verb_pairs())
        return apart == self.transfer

    def _short(self) -> Clause | Compound | Question:
        kind = self.dice.roll()
        if kind < 0.12:
            return self.questions.question()
        if kind < 0.20:
            return self.coordination.compound(0, 0)
        if kind < 0.27:
            return self.coordination.two_predicates(0)
        return self.clauses.root(0 if kind < 0.60 else 1)

    def _long(self) -> Clause | Compound:
        kind = self.dice.roll()
        if kind < 0.35:
            return self.coordination.compound(1, self.dice.between(1, 2))
        if kind < 0.45:
            return self.coordination.two_predicates(2)
        return self.clauses.root(self.dice.between(2, 3))
