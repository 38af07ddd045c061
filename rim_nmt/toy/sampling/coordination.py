"""Drawing pairs of clauses, and clauses with two predicates."""

from __future__ import annotations

from dataclasses import replace

from rim_nmt.toy.grammar import Argument, Clause, Compound, NounPhrase, Pronoun
from rim_nmt.toy.sampling.clauses import ClauseSampler
from rim_nmt.toy.sampling.dice import DeadEnd, Dice
from rim_nmt.toy.sampling.fitting import BE, WILLED, done_to
from rim_nmt.toy.sampling.predicates import PredicateSampler
from rim_nmt.toy.sampling.reference import coreferent


class CoordinationSampler:
    """Draws coordinated clauses and predicates.

    Args:
        dice: makes the choices.
        predicates: draws the second of two predicates.
        clauses: draws the clauses.
    """

    def __init__(self, dice: Dice, predicates: PredicateSampler, clauses: ClauseSampler) -> None:
        self.dice = dice
        self.predicates = predicates
        self.clauses = clauses

    def compound(self, first_budget: int, second_budget: int) -> Compound:
        """Build two main clauses with as many embedded clauses as given."""
        tense = self.predicates.tense()
        first = self.clauses.clause(first_budget, tense=tense)
        pronoun = coreferent(first.subject) if self.dice.chance(0.3) else None
        second = self.clauses.clause(second_budget, tense=tense, subject=pronoun)
        return Compound(first, self.dice.pick(("and", "but")), second)

    def two_predicates(self, budget: int) -> Clause:
        """Build a clause with two predicates, the second perhaps about "it"."""
        clause = self.clauses.core(0, self.predicates.tense(), None, False, True)
        subject, first = clause.subject, clause.predicate
        if first.negated or first.fond or first.progressive or first.frequency:
            raise DeadEnd
        if "t" not in first.verb.aspects or first.verb is BE:
            raise DeadEnd
        entry = self.predicates.verb(WILLED, subject)
        thing = first.arguments[-1] if first.arguments else None
        arguments = None
        if isinstance(thing, NounPhrase) and not thing.noun.person and self.dice.chance(0.7):
            slotted = [
                v
                for v in done_to(thing.noun)
                if v.slots[-1].german == "" and v is not first.verb and v in WILLED
            ]
            entry = self.predicates.verb(slotted, subject)
            it = Pronoun("they") if thing.plural else Pronoun("it", thing.noun)

            def arguments(negated: bool) -> tuple[Argument, ...]:
                return (*self.predicates.all_but_last(entry, subject, True), it)

        if entry == first.verb:
            raise DeadEnd
        second = self.predicates.build(
            entry, subject, first.tense, plain=True, timeless=True, arguments=arguments
        )
        second = replace(second, modal=first.modal, frequency=None)
        clause = replace(clause, second=second)
        if budget:
            return replace(clause, adjunct=self.clauses.adjunct(clause, budget))
        return clause
