"""Clauses: main clauses, clauses behind a conjunction, infinitives and purposes."""

from __future__ import annotations

from dataclasses import dataclass

from rim_nmt.toy.grammar.adverbials import Place
from rim_nmt.toy.grammar.constituent import Nominal, Tokens
from rim_nmt.toy.grammar.nominals import Gap
from rim_nmt.toy.grammar.predicates import Predicate
from rim_nmt.toy.grammar.pronouns import Pronoun
from rim_nmt.toy.lexicon import Slot
from rim_nmt.toy.table import read_table

CONJUNCTIONS: dict[str, str] = {row["english"]: row["german"] for row in read_table("conjunctions")}


@dataclass(frozen=True, slots=True)
class Clause:
    """A subject with its predicate.

    ``front`` opens the sentence instead of the subject; ``second`` is another predicate of
    the same subject; ``adjunct`` is a subordinate clause at the end.
    """

    subject: Nominal
    predicate: Predicate
    front: Place | Subordinate | None = None
    second: Predicate | None = None
    adjunct: Subordinate | None = None

    @property
    def gap(self) -> Slot | None:
        """The slot whose argument is the :class:`Gap`; ``None`` if it is the subject or nowhere."""
        predicate = self.predicate
        for slot, argument in zip(predicate.verb.slots, predicate.arguments, strict=True):
            if isinstance(argument, Gap):
                return slot
        return None

    def english(self) -> Tokens:
        """Say it as an English statement."""
        tokens = self.front.english() if self.front else []
        if isinstance(self.front, Subordinate):
            tokens.append(",")
        auxiliary, verbs = self.predicate.english_verbs(self.subject)
        often = [auxiliary] if auxiliary else []
        tokens += self.subject.english("nom") + often + verbs + self.predicate.english_rest()
        if self.second:
            auxiliary, verbs = self.second.english_verbs(self.subject)
            shared = self._shares_verb(self.second)
            verbs = verbs[-1:] if shared else [auxiliary] * bool(auxiliary) + verbs
            tokens += ["and", *verbs, *self.second.english_rest()]
        return tokens + (self.adjunct.english() if self.adjunct else [])

    def english_question(self) -> Tokens:
        """Say it in English with the auxiliary before the subject."""
        auxiliary, verbs = self.predicate.english_verbs(self.subject, support=True)
        subject = self.subject.english("nom")
        return [auxiliary, *subject, *verbs, *self.predicate.english_rest()]

    def _shares_verb(self, second: Predicate) -> bool:
        """Whether both predicates have the same auxiliary in English and in German."""
        first_verbs = self.predicate.german_verbs(self.subject)
        second_verbs = second.german_verbs(self.subject)
        return (
            self.predicate.english_verbs(self.subject)[0] == second.english_verbs(self.subject)[0]
            and first_verbs.finite == second_verbs.finite
            and bool(first_verbs.infinite and second_verbs.infinite)
        )

    def german(self) -> Tokens:
        """Say it as a German main clause, the finite verb second."""
        if self.front:
            return self.front.german() + self.german_question()
        return self.subject.german("nom") + self._german_from_verb([])

    def german_question(self) -> Tokens:
        """Say it in German with the finite verb first."""
        return self._german_from_verb(self.subject.german("nom"))

    def _german_from_verb(self, subject: Tokens) -> Tokens:
        tokens = self._german_predicate(self.predicate, subject, shared=False)
        if self.second:
            shared = self._shares_verb(self.second)
            tokens += ["und", *self._german_predicate(self.second, [], shared)]
        return tokens + (self.adjunct.german() if self.adjunct else [])

    def _german_predicate(self, predicate: Predicate, subject: Tokens, shared: bool) -> Tokens:
        verbs = predicate.german_verbs(self.subject)
        middle, after = predicate.german_middle()
        finite = [] if shared else [verbs.finite]
        opening = self._with_reflexive(predicate, subject)
        return finite + opening + middle + verbs.bracket + after

    def _with_reflexive(self, predicate: Predicate, subject: Tokens) -> Tokens:
        """Put "sich" behind a pronoun and before any other subject."""
        sich = predicate.reflexive(self.subject)
        return subject + sich if isinstance(self.subject, Pronoun) else sich + subject

    def german_last(self) -> Tokens:
        """Say it as a German subordinate clause, the finite verb last."""
        verbs = self.predicate.german_verbs(self.subject)
        middle, after = self.predicate.german_middle()
        opening = self._with_reflexive(self.predicate, self.subject.german("nom"))
        tokens = opening + middle + verbs.last + after
        return tokens + (self.adjunct.german() if self.adjunct else [])


@dataclass(frozen=True, slots=True)
class Subordinate:
    """A clause behind a conjunction; ``conjunction`` is English ("when" of the past is "als")."""

    conjunction: str
    clause: Clause

    def english(self) -> Tokens:
        """Say it in English."""
        return [self.conjunction, *self.clause.english()]

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German between commas."""
        german = CONJUNCTIONS[self.conjunction]
        if self.conjunction == "when" and self.clause.predicate.tense == "past":
            german = "als"
        return [",", german, *self.clause.german_last(), ","]


@dataclass(frozen=True, slots=True)
class Infinitive:
    """An infinitive governed by a verb: to read ..., or reading ... if ``gerund``."""

    predicate: Predicate
    subject: Nominal
    gerund: bool = False

    def english(self) -> Tokens:
        """Say it in English."""
        if self.gerund:
            return self.predicate.english_infinitive("gerund")
        return ["to", *self.predicate.english_infinitive("base")]

    def german(self) -> Tokens:
        """Say it in German."""
        return self.predicate.german_infinitive(self.subject)


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose: in order to read ... (um ... zu lesen)."""

    predicate: Predicate
    subject: Nominal

    def english(self) -> Tokens:
        """Say it in English."""
        return ["in", "order", "to", *self.predicate.english_infinitive("base")]

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German."""
        infinitive = self.predicate.german_infinitive(self.subject)
        return [",", "um", *(infinitive[1:] if infinitive[0] == "," else infinitive), ","]
