"""Drawing questions."""

from __future__ import annotations

from dataclasses import replace

from rim_nmt.toy.grammar import DETERMINERS, Argument, Clause, Gap, NounPhrase, Question
from rim_nmt.toy.sampling.clauses import ClauseSampler
from rim_nmt.toy.sampling.dice import Dice
from rim_nmt.toy.sampling.fitting import BE, PLAIN, TRANSITIVE
from rim_nmt.toy.sampling.nominals import NominalSampler
from rim_nmt.toy.sampling.places import PLACE_KINDS
from rim_nmt.toy.sampling.predicates import PredicateSampler

_KINDS = ("yes", "yes", "when", "why", "where", "who", "what", "whom", "which")


class QuestionSampler:
    """Draws questions.

    Args:
        dice: makes the choices.
        nominals: draws their subjects.
        predicates: draws their predicates.
        clauses: draws the clauses of yes-no questions.
    """

    def __init__(
        self,
        dice: Dice,
        nominals: NominalSampler,
        predicates: PredicateSampler,
        clauses: ClauseSampler,
    ) -> None:
        self.dice = dice
        self.nominals = nominals
        self.predicates = predicates
        self.clauses = clauses

    def question(self) -> Question:
        """Build a yes-no question or one with a question word."""
        tense = self.predicates.tense()
        kind = self.dice.pick(_KINDS)
        if kind == "yes":
            clause = self.clauses.core(int(self.dice.chance(0.25)), tense, None, False, False)
            return Question(replace(clause, predicate=replace(clause.predicate, negated=False)))
        if kind in ("who", "which"):
            return self._subject_question(kind, tense)
        if kind in ("what", "whom"):
            return self._object_question(kind, tense)
        aspect = {"when": "t", "why": "t", "where": "l"}[kind]
        verbs = [v for v in PLAIN if aspect in v.aspects and v is not BE]
        if kind == "where":
            verbs += [v for v in PLAIN if v.slots and v.slots[0].kind in PLACE_KINDS]
        entry = self.dice.pick(verbs)
        subject = self.nominals.subject(entry)

        def arguments(negated: bool) -> tuple[Argument, ...]:
            if kind == "where" and entry.slots and entry.slots[0].kind != "nominal":
                return (Gap(),)
            return self.predicates.arguments(entry, subject, negated)

        predicate = self.predicates.build(
            entry, subject, tense, positive=True, closed=True, arguments=arguments
        )
        return Question(Clause(subject, replace(predicate, frequency=None)), kind)

    def _subject_question(self, kind: str, tense: str) -> Question:
        entry = self.dice.pick([v for v in PLAIN if "person" in v.subjects and v is not BE])
        if kind == "who":
            gap = Gap()
            predicate = self.predicates.build(entry, gap, tense, positive=True)
            return Question(Clause(gap, predicate), "who")
        head = self.nominals.noun(entry, ("person",))
        plural = self.dice.chance(0.5)
        word = NounPhrase(head, DETERMINERS["how many" if plural else "which"], plural)
        gap = Gap(head, plural)
        predicate = self.predicates.build(entry, gap, tense, positive=True)
        return Question(Clause(gap, predicate), word)

    def _object_question(self, kind: str, tense: str) -> Question:
        if kind == "whom":
            entry = self.dice.pick([v for v in TRANSITIVE if "person" in v.slots[-1].tags])
            word, gap = "whom", Gap()
        else:
            entry = self.dice.pick(
                [
                    v
                    for v in TRANSITIVE
                    if not {"person", "pet"} & set(v.slots[-1].tags)
                    and not v.slots[-1].english
                    and not v.slots[-1].german
                ]
            )
            word, gap = "what", Gap()
            head = self.nominals.noun(entry, entry.slots[-1].tags)
            if not head.mass and self.dice.chance(0.4):
                plural = self.dice.chance(0.5)
                determiner = DETERMINERS["how many" if plural else "which"]
                word, gap = NounPhrase(head, determiner, plural), Gap(head, plural)
        subject = self.nominals.subject(entry)

        def arguments(negated: bool) -> tuple[Argument, ...]:
            return (*self.predicates.all_but_last(entry, subject, True), gap)

        predicate = self.predicates.build(entry, subject, tense, positive=True, arguments=arguments)
        return Question(Clause(subject, predicate), word)
