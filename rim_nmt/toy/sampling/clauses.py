"""Drawing clauses, and the clauses embedded in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rim_nmt.toy.grammar import (
    DETERMINERS,
    Argument,
    Clause,
    Gap,
    Infinitive,
    Nominal,
    NounPhrase,
    Predicate,
    Pronoun,
    Purpose,
    Quality,
    Relative,
    Subordinate,
)
from rim_nmt.toy.lexicon import Verb, adjective
from rim_nmt.toy.sampling.dice import DeadEnd, Dice
from rim_nmt.toy.sampling.fitting import (
    BE,
    CLAUSAL,
    LASTING,
    PLAIN,
    TRANSITIVE,
    WEATHER,
    WILLED,
    deeds_of,
    done_to,
)
from rim_nmt.toy.sampling.nominals import NominalSampler
from rim_nmt.toy.sampling.predicates import PredicateSampler, happens
from rim_nmt.toy.sampling.reference import coreferent, is_person

_WEATHER_QUALITIES = ("cold", "dark", "warm")


class ClauseSampler:
    """Draws clauses.

    Args:
        dice: makes the choices.
        nominals: draws their subjects.
        predicates: draws the rest of them.
    """

    def __init__(self, dice: Dice, nominals: NominalSampler, predicates: PredicateSampler) -> None:
        self.dice = dice
        self.nominals = nominals
        self.predicates = predicates

    def root(self, budget: int) -> Clause:
        """Build a main clause with ``budget`` embedded clauses, perhaps with inversion."""
        if budget and self.dice.chance(0.2):
            return self._fronted_clause(budget)
        clause = self.clause(budget)
        predicate = clause.predicate
        for name in ("time", "place"):
            adverbial = getattr(predicate, name)
            if adverbial and self.dice.chance(0.5):
                predicate = replace(predicate, **{name: None})
                return replace(clause, front=adverbial, predicate=predicate)
        used = (predicate.time, predicate.frequency, predicate.progressive, predicate.fond)
        inner = isinstance(predicate.clause, Infinitive)  # which may have a time of its own
        if not (inner or any(used)) and self.dice.chance(0.3):
            return replace(clause, front=self.predicates.time(predicate))
        return clause

    def clause(
        self,
        budget: int,
        *,
        tense: str = "",
        subject: Nominal | None = None,
        adjunct: bool = True,
        plain: bool = False,
        timeless: bool = False,
    ) -> Clause:
        """Build a clause with ``budget`` embedded clauses.

        The free choices can be fixed by ``tense`` and ``subject``; ``adjunct`` permits a
        subordinate clause at the end.
        ``plain`` and ``timeless`` mean the same as for :meth:`PredicateSampler.build`.
        """
        tense = tense or self.predicates.tense()
        behind = 0
        if adjunct and budget and self.dice.chance(0.45):
            behind = self.dice.between(1, budget)
        clause = self.core(budget - behind, tense, subject, plain, timeless)
        if behind:
            clause = replace(clause, adjunct=self.adjunct(clause, behind))
        return clause

    def core(
        self, budget: int, tense: str, subject: Nominal | None, plain: bool, timeless: bool
    ) -> Clause:
        """Build a clause whose embedded clauses all belong to its verb or its nouns."""
        devices = ["clause", "clause", "object"]
        if subject is None and not plain:
            devices.append("subject")
        device = self.dice.pick(devices) if budget else ""
        if device == "clause":
            return self._clausal(budget, tense, subject, plain, timeless)
        entry = self.predicates.verb(TRANSITIVE if device == "object" else PLAIN, subject)
        negatable = self.dice.chance(0.2)
        if device == "subject":
            head = self.nominals.noun(entry, entry.subjects)
            subject = self.nominals.head_phrase(head, "subject")
            subject = self._with_relative(subject, budget - 1, tense)
        subject = subject or self.nominals.subject(entry, negated=negatable)
        options = {"plain": plain, "positive": not negatable, "timeless": timeless}
        if device != "object":
            return Clause(subject, self.predicates.build(entry, subject, tense, **options))
        return Clause(subject, self._with_object_clause(entry, subject, tense, budget, **options))

    def adjunct(self, host: Clause, budget: int) -> Subordinate | Purpose:
        """Build a subordinate clause that follows its main clause."""
        tense, subject = host.predicate.tense, host.subject
        person = is_person(subject)
        lively = happens(host.predicate)
        willed = host.predicate.verb in WILLED and not host.predicate.fond
        if budget == 1 and person and willed and self.dice.chance(0.15):
            infinitive = self._infinitive(0, subject, lasting=False)
            return Purpose(replace(infinitive.predicate, time=None), subject)
        temporal = ("when", "if", "before") if lively else ()
        if lively and budget == 1:
            temporal += ("while",)
        if lively and host.predicate.verb in LASTING and not host.predicate.negated:
            temporal += ("until",)
        conjunction = self._conjunction(tense, ("because", "because", "although", *temporal))
        causal = conjunction in ("because", "although")
        embedded = tense if tense == "past" else "present"
        if causal and tense == "present":
            embedded = self._embedded_tense(tense)
        if budget == 1 and conjunction != "before" and self.dice.chance(0.15):
            return Subordinate(conjunction, self._weather(embedded))
        pronoun = coreferent(subject) if self.dice.chance(0.45) else None
        if conjunction == "while":
            entry = self.predicates.verb(LASTING, pronoun)
            doer = pronoun or self.nominals.subject(entry)
            predicate = self.predicates.build(entry, doer, embedded, plain=True, timeless=True)
            return Subordinate(conjunction, Clause(doer, predicate))
        clause = self.clause(
            budget - 1,
            tense=embedded,
            subject=pronoun,
            adjunct=False,
            plain=not causal,
            timeless=not causal,
        )
        return Subordinate(conjunction, clause)

    def _fronted_clause(self, budget: int) -> Clause:
        """Build a main clause that opens with a subordinate clause."""
        tense = self.dice.pick(("present", "past", "future"))
        conjunction = self._conjunction(tense, ("because", "although", "when", "if"))
        inner = self.dice.between(0, budget - 1)
        embedded = "past" if tense == "past" else "present"
        plain = conjunction in ("when", "if")
        if budget == 1 and self.dice.chance(0.15):
            first = self._weather(embedded)
        else:
            first = self.clause(inner, tense=embedded, plain=plain, adjunct=False, timeless=True)
        rest = budget - 1 - inner
        pronoun = coreferent(first.subject) if self.dice.chance(0.5) else None
        main = self.clause(rest, tense=tense, subject=pronoun, timeless=True, adjunct=False)
        if plain and not happens(main.predicate):
            raise DeadEnd
        return replace(main, front=Subordinate(conjunction, first))

    def _clausal(
        self, budget: int, tense: str, subject: Nominal | None, plain: bool, timeless: bool
    ) -> Clause:
        """Build a clause whose verb governs a clause (dass, ob, zu)."""
        entry = self.predicates.verb(CLAUSAL, subject)
        subject = subject or self.nominals.subject(entry, negated=True)
        if entry.clause in ("infinitive", "gerund"):
            lasting = entry.english in ("begin", "stop")
            governed = self._infinitive(budget - 1, subject, lasting, entry.clause == "gerund")
        else:
            same = entry.clause == "that" and self.dice.chance(0.3)
            pronoun = coreferent(subject) if same else None
            embedded = self._embedded_tense(tense)
            clause = self.clause(budget - 1, tense=embedded, subject=pronoun, adjunct=False)
            governed = Subordinate(entry.clause, clause)
        predicate = self.predicates.build(
            entry,
            subject,
            tense,
            plain=plain or entry.clause == "gerund",
            closed=True,
            timeless=timeless,
            positive=entry.english in ("hope", "promise"),
        )
        return Clause(subject, replace(predicate, clause=governed))

    def _infinitive(
        self, budget: int, subject: Nominal, lasting: bool, gerund: bool = False
    ) -> Infinitive:
        """Build a governed infinitive; one begins and stops ``lasting`` deeds only."""
        willed = LASTING if lasting else WILLED
        if budget:
            willed = [v for v in willed if v in TRANSITIVE]
        entry = self.predicates.verb(willed, subject)
        if budget:
            predicate = self._with_object_clause(
                entry, subject, "present", budget, plain=True, timeless=True
            )
        else:
            predicate = self.predicates.build(
                entry, subject, "present", plain=True, timeless=lasting
            )
        return Infinitive(replace(predicate, frequency=None), subject, gerund)

    def _with_object_clause(
        self, entry: Verb, subject: Nominal, tense: str, budget: int, **options: bool
    ) -> Predicate:
        """Build a predicate whose last object has a relative clause."""

        def arguments(negated: bool) -> tuple[Argument, ...]:
            head = self.nominals.noun(entry, entry.slots[-1].tags)
            if isinstance(subject, NounPhrase) and subject.noun == head:
                raise DeadEnd
            phrase = self.nominals.head_phrase(head, "object")
            phrase = self._with_relative(phrase, budget - 1, tense)
            return (*self.predicates.all_but_last(entry, subject, negated), phrase)

        return self.predicates.build(
            entry, subject, tense, closed=True, arguments=arguments, **options
        )

    def _with_relative(self, phrase: NounPhrase, budget: int, tense: str) -> NounPhrase:
        """Attach a relative clause that itself embeds ``budget`` clauses."""
        head, plural = phrase.noun, phrase.plural
        gap, tense = Gap(head, plural), self._embedded_tense(tense)
        deeds = [v for v in deeds_of(head) if self.nominals.allowed(head, v)]
        if budget:
            clause = self.core(budget, tense, self._gap_subject(gap), False, False)
            clause = replace(clause, subject=gap)
        elif deeds and self.dice.chance(0.5):
            entry = self.dice.pick(deeds)
            clause = Clause(gap, self.predicates.build(entry, gap, tense))
        else:
            entry = self.dice.pick([v for v in done_to(head) if self.nominals.allowed(head, v)])
            subject = self.nominals.subject(entry)

            def arguments(negated: bool) -> tuple[Argument, ...]:
                return (*self.predicates.all_but_last(entry, subject, True), gap)

            if isinstance(subject, NounPhrase) and subject.noun == head:
                raise DeadEnd
            predicate = self.predicates.build(entry, subject, tense, arguments=arguments)
            clause = Clause(subject, predicate)
        return replace(phrase, relative=Relative(clause, head, plural))

    def _gap_subject(self, gap: Gap) -> NounPhrase:
        """Return a stand-in for ``gap`` that verbs can be chosen for."""
        if not gap.noun.person:
            raise DeadEnd
        return NounPhrase(gap.noun, DETERMINERS["the"], gap.plural)

    def _weather(self, tense: str) -> Clause:
        if self.dice.chance(0.5):
            return Clause(Pronoun("it"), Predicate(self.dice.pick(WEATHER), tense=tense))
        quality = adjective(self.dice.pick(_WEATHER_QUALITIES))
        weather = Quality(quality, very=self.dice.chance(0.3))
        return Clause(Pronoun("it"), Predicate(BE, (weather,), tense=tense))

    def _conjunction(self, tense: str, options: Sequence[str]) -> str:
        fitting = {
            "because": True,
            "although": True,
            "when": tense != "perfect",
            "if": tense in ("present", "future"),
            "before": tense != "perfect",
            "while": tense in ("present", "past"),
            "until": tense != "perfect",
        }
        return self.dice.pick([word for word in options if fitting[word]])

    def _embedded_tense(self, tense: str) -> str:
        if tense == "past":
            return tense
        return self.dice.pick(("present", "present", "past", "perfect"))
