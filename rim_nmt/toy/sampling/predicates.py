"""Drawing predicates: a verb, its mood and tense, its complements and adverbials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rim_nmt.toy.grammar import (
    MODALS,
    Adverbial,
    Argument,
    Both,
    Job,
    Modal,
    Name,
    Nominal,
    NounPhrase,
    Predicate,
    Pronoun,
    Quality,
)
from rim_nmt.toy.lexicon import FEMALE_JOBS, NOUNS, Noun, Verb, noun
from rim_nmt.toy.sampling.adverbials import FREQUENCIES, MANNERS, TIMES
from rim_nmt.toy.sampling.dice import DeadEnd, Dice
from rim_nmt.toy.sampling.fitting import BE, COLOURS, PLAIN, adjectives_for, suiting
from rim_nmt.toy.sampling.nominals import NominalSampler
from rim_nmt.toy.sampling.places import PlaceSampler
from rim_nmt.toy.sampling.reference import is_living, is_person, sex_of

_TENSES = ("present",) * 6 + ("past",) * 4 + ("perfect", "future", "future")
_MOODS = ("tired", "hungry", "sick", "happy", "sad")


class PredicateSampler:
    """Draws predicates.

    Args:
        dice: makes the choices.
        nominals: draws their objects.
    """

    def __init__(self, dice: Dice, nominals: NominalSampler) -> None:
        self.dice = dice
        self.nominals = nominals
        self.places = PlaceSampler(dice)

    def tense(self) -> str:
        """Pick a tense."""
        return self.dice.pick(_TENSES)

    def verb(self, verbs: Sequence[Verb], subject: Nominal | None) -> Verb:
        """Pick a verb, one that suits ``subject`` if that is given."""
        if subject is None:
            return self.dice.pick((*verbs, *(BE,) * 4) if verbs is PLAIN else verbs)
        if isinstance(subject, NounPhrase):
            head: Noun | None = subject.noun
        else:
            head = subject.antecedent if isinstance(subject, Pronoun) else None
        fitting = suiting(tuple(verbs), head.tags if head else ("person", "any"))
        allowed = [v for v in fitting if head is None or self.nominals.allowed(head, v)]
        return self.dice.pick(allowed)

    def build(
        self,
        entry: Verb,
        subject: Nominal,
        tense: str,
        *,
        plain: bool = False,
        positive: bool = False,
        closed: bool = False,
        timeless: bool = False,
        arguments: Callable[[bool], tuple[Argument, ...]] | None = None,
    ) -> Predicate:
        """Build a predicate around a verb.

        ``plain`` keeps out modals, negation and the progressive; ``positive`` negation only;
        ``closed`` keeps out adverbials after the verb; ``timeless`` those of time;
        ``arguments`` makes the complements, given whether the predicate is negated.
        """
        quantified = isinstance(subject, NounPhrase) and subject.determiner.english in (
            "every",
            "all",
            "many",
            "some",
            "a",
        )
        negated = not (plain or positive or quantified) and self.dice.chance(0.15)
        if not entry.aspects and (tense in ("perfect", "future") or plain):
            raise DeadEnd  # a state
        modal, fond, progressive = None, False, False
        if not plain and tense in ("present", "past"):
            modal, fond, progressive = self._mood(entry, tense, subject, negated)
        filled = (arguments or (lambda no: self.arguments(entry, subject, no)))(negated)
        predicate = Predicate(entry, filled, tense, negated, progressive, modal, fond)
        if entry is BE and (tense == "perfect" or plain) and not _is_mood(predicate):
            raise DeadEnd  # "the bus has been new", "when the bus is new"
        third = subject.person == 3 and not subject.plural
        told = not (third or negated or modal or fond)
        if told and tense == "past" and entry.english in ("read", "put"):
            raise DeadEnd  # "they read" is present or past
        return self._with_adverbials(predicate, closed, timeless)

    def arguments(self, entry: Verb, subject: Nominal, negated: bool) -> tuple[Argument, ...]:
        """Draw the complements of a verb."""
        arguments: list[Argument] = []
        for slot in entry.slots:
            if slot.kind == "nominal":
                arguments.append(self.nominals.object(entry, slot, subject, negated))
            elif slot.kind == "quality":
                arguments.append(self._quality(subject))
            elif slot.kind == "surface":
                arguments.append(self.places.surface())
            else:
                arguments.append(self.places.place(slot.kind, is_person(subject)))
        return tuple(arguments)

    def all_but_last(self, entry: Verb, subject: Nominal, negated: bool) -> tuple[Argument, ...]:
        """Draw the complements of a verb but the last, which the caller has."""
        shorter = replace(entry, slots=entry.slots[:-1])
        return self.arguments(shorter, subject, negated) if shorter.slots else ()

    def time(self, predicate: Predicate) -> Adverbial | None:
        """Pick when a predicate happens, if that can be said of it."""
        if "t" not in predicate.verb.aspects:
            return None
        tenses = (predicate.tense,)
        if predicate.modal and predicate.tense == "present":
            tenses = ("present", "future")
        if predicate.verb is BE and not _is_mood(predicate):
            return None
        times = [t for t, when in TIMES.items() if set(tenses) & set(when)]
        if predicate.negated:
            times = [t for t in times if t.english_words != "every day"]
        return self.dice.pick(times) if times else None

    def _quality(self, subject: Nominal) -> Quality | Job:
        """Pick what a subject is said to be."""
        if isinstance(subject, NounPhrase):
            if subject.adjective:
                raise DeadEnd  # "the small dog is big"
            options = adjectives_for(subject.noun)
            sex, head = subject.noun.sex, subject.noun
        else:
            head = subject.antecedent if isinstance(subject, Pronoun) else None
            options = adjectives_for(head or noun("child"))
            sex = sex_of(subject)
        jobless = head and (subject.plural or {"king", "queen", "father"} & {head.english})
        if sex and not jobless and self.dice.chance(0.2):
            return Job(noun(self.dice.pick(tuple(FEMALE_JOBS))), sex)
        adjective = self.dice.pick(options)
        if adjective.english_comparative and self.dice.chance(0.35):
            other = self.dice.pick([n for n in NOUNS if _alike(n, head) and n != head])
            if set(adjective.tags) & set(other.tags):
                return Quality(adjective, than=NounPhrase(other))
        return Quality(adjective, adjective.english not in COLOURS and self.dice.chance(0.25))

    def _mood(
        self, entry: Verb, tense: str, subject: Nominal, negated: bool
    ) -> tuple[Modal | None, bool, bool]:
        """Pick a modal, or "like to", or the progressive, or none of them."""
        lively = isinstance(subject, (Name, Pronoun, Both)) or is_living(subject)
        if lively and "w" in entry.aspects and self.dice.chance(0.25):
            modals = [m for m in MODALS.values() if tense == "present" or m.past]
            return self.dice.pick(modals), False, False
        if lively and entry.english in ("see", "find", "understand") and self.dice.chance(0.25):
            return MODALS["can"], False, False
        if lively and not negated and "p" in entry.aspects:
            if "w" in entry.aspects and self.dice.chance(0.06):
                return None, True, False
            if tense == "present" and self.dice.chance(0.15):
                return None, False, True
        return None, False, False

    def _with_adverbials(self, predicate: Predicate, closed: bool, timeless: bool) -> Predicate:
        aspects, tense = predicate.verb.aspects, predicate.tense
        plain = not (predicate.progressive or predicate.fond)
        repeated = "t" in aspects and not (predicate.negated or timeless)
        if repeated and plain and self.dice.chance(0.12):
            often = [a for a, tenses in FREQUENCIES.items() if tense in tenses]
            quantified = any(
                isinstance(a, NounPhrase) and a.determiner.english == "all"
                for a in predicate.arguments
            )
            lasting = predicate.verb is BE and not _is_mood(predicate)
            if often and not (predicate.modal or quantified or lasting):
                predicate = replace(predicate, frequency=self.dice.pick(often))
        if closed:
            return predicate
        manners = MANNERS.get(next((a for a in aspects if a in MANNERS), ""))
        if manners and self.dice.chance(0.3):
            predicate = replace(predicate, manner=self.dice.pick(manners))
        elif "l" in aspects and self.dice.chance(0.2):
            predicate = replace(predicate, place=self.places.place("location"))
        if not timeless and plain and not predicate.frequency and self.dice.chance(0.22):
            predicate = replace(predicate, time=self.time(predicate))
        return predicate


def happens(predicate: Predicate) -> bool:
    """Whether a predicate tells an event, which another can precede or follow."""
    event = "t" in predicate.verb.aspects and predicate.verb is not BE
    return event and not predicate.progressive


def _is_mood(predicate: Predicate) -> bool:
    """Whether a predicate of "be" ascribes something that passes, such as being tired."""
    quality = predicate.arguments[0]
    return (
        isinstance(quality, Quality)
        and quality.adjective.english in _MOODS
        and quality.than is None
    )


def _alike(one: Noun, other: Noun | None) -> bool:
    """Whether two nouns may be compared: their first tags agree."""
    return one.tags[0] == (other.tags[0] if other else "person")
