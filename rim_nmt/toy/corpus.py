"""The project's own English-German corpus: random sentences of the grammar, split in four.

``train``, ``valid`` and ``test`` come from one distribution: sentences with at most one
embedded clause. ``transfer`` is another domain made of the same words and constructions:
deeper nesting, longer sentences, and noun-verb pairs (see :func:`held_apart`) that the other
splits never show.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from rim_nmt.runtime.files import write_lines
from rim_nmt.toy.grammar import (
    DETERMINERS,
    MODALS,
    POSSESSIVES,
    Adverbial,
    Argument,
    Both,
    Clause,
    Compound,
    Gap,
    Infinitive,
    Job,
    Modal,
    Name,
    Nominal,
    NounPhrase,
    Place,
    Predicate,
    Prepositional,
    Pronoun,
    Purpose,
    Quality,
    Question,
    Relative,
    Sentence,
    Subordinate,
    walk,
)
from rim_nmt.toy.lexicon import (
    ADJECTIVES,
    CITIES,
    FEMALE_JOBS,
    NAMES,
    NOUNS,
    PLACES,
    VERBS,
    Adjective,
    Noun,
    Slot,
    Verb,
    noun,
    verb,
)

SPLITS = ("train", "valid", "test", "transfer")
Pair = tuple[str, str]
T = TypeVar("T")

_TRIES_PER_SENTENCE = 60
_COMMON_WORDS = (4, 16)  # fewest and most English words of a sentence
_TRANSFER_WORDS = (13, 32)
_APART_EVERY = 6
_APART_TAGS = ("person", "animal", "thing", "food")
_NOUN_NUMBER = {entry.english: index for index, entry in enumerate(NOUNS)}
_VERB_NUMBER = {key: i for i, key in enumerate(dict.fromkeys(entry.key for entry in VERBS))}

_NUMBERS = (*range(2, 11), 12, 20, 21, 34, 50, 76, 98)
_MALE_OR_FEMALE = {"male": "he", "female": "she"}
_TIMES = {  # when, with the tenses it goes with
    Adverbial("today", "heute"): ("present", "past", "future"),
    Adverbial("yesterday", "gestern"): ("past",),
    Adverbial("tomorrow", "morgen"): ("future",),
    Adverbial("every day", "jeden Tag"): ("present", "past"),
    Adverbial("in the evening", "am Abend"): ("present", "past", "future"),
    Adverbial("in the summer", "im Sommer"): ("present", "past", "future"),
    Adverbial("on Monday", "am Montag"): ("past", "future"),
    Adverbial("last week", "letzte Woche"): ("past",),
    Adverbial("next year", "nächstes Jahr"): ("future",),
}
_FREQUENCIES = {
    Adverbial("often", "oft"): ("present", "past", "perfect"),
    Adverbial("always", "immer"): ("present", "past"),
    Adverbial("sometimes", "manchmal"): ("present", "past"),
    Adverbial("rarely", "selten"): ("present", "past"),
    Adverbial("never", "nie"): ("present", "past", "perfect"),
    Adverbial("already", "schon"): ("perfect",),
}
_MANNERS = {
    "m": (Adverbial("quickly", "schnell"), Adverbial("slowly", "langsam")),
    "v": (Adverbial("loudly", "laut"), Adverbial("quietly", "leise")),
    "c": (Adverbial("carefully", "vorsichtig"), Adverbial("quickly", "schnell")),
}
_SURFACES = (("on", "auf"), ("under", "unter"), ("next to", "neben"))
_PLACES_FOR = {
    "location": tuple(PLACES),
    "dwelling": tuple(name for name in PLACES if "home" in noun(name).tags),
    "goal": tuple(PLACES),
    "journey": tuple(name for name, site in PLACES.items() if site.english_to == "to"),
}
_TENSES = ("present",) * 6 + ("past",) * 4 + ("perfect", "future", "future")
_OWNED = {"thing", "pet", "kin", "home", "idea"}
_HOME, _AT_HOME = Adverbial("home", "nach Hause"), Adverbial("at home", "zu Hause")


def held_apart(noun_english: str, verb_key: str) -> bool:
    """Tell whether a noun and a verb meet in ``transfer`` only.

    One pair in six of the persons, animals, things and foods with any verb is held apart, by
    the position of both words in the lexicon.

    Args:
        noun_english: the noun's English singular.
        verb_key: the verb's key, see :attr:`rim_nmt.toy.lexicon.Verb.key`.

    Raises:
        KeyError: if the lexicon has no such noun or verb.
    """
    if not set(_APART_TAGS) & set(noun(noun_english).tags):
        return False
    return (_NOUN_NUMBER[noun_english] + _VERB_NUMBER[verb_key]) % _APART_EVERY == 0


_APART = {(n.english, v.key) for n in NOUNS for v in VERBS if held_apart(n.english, v.key)}


@cache
def _fitting(tags: tuple[str, ...]) -> tuple[Noun, ...]:
    return tuple(entry for entry in NOUNS if set(tags) & set(entry.tags))


@cache
def _partners(key: str, tags: tuple[str, ...]) -> tuple[tuple[Noun, ...], tuple[Noun, ...]]:
    """Return the nouns with one of ``tags`` that meet a verb, and those held apart from it."""
    nouns = _fitting(tags)
    common = tuple(n for n in nouns if (n.english, key) not in _APART)
    return common, tuple(n for n in nouns if (n.english, key) in _APART)


@cache
def _adjectives_for(entry: Noun) -> tuple[Adjective, ...]:
    return tuple(a for a in ADJECTIVES if set(a.tags) & set(entry.tags))


def _governs(*clauses: str) -> tuple[Verb, ...]:
    weatherless = (entry for entry in VERBS if entry.subjects != ("weather",))
    return tuple(entry for entry in weatherless if entry.clause in clauses)


_PLAIN = _governs("")
_CLAUSAL = _governs("that", "whether", "infinitive", "gerund")
_TRANSITIVE = tuple(entry for entry in _PLAIN if entry.slots and entry.slots[-1].kind == "nominal")
_WILLED = tuple(entry for entry in _PLAIN if "w" in entry.aspects)
_LASTING = tuple(entry for entry in _WILLED if "p" in entry.aspects)
_GIVING = {entry.key for entry in _PLAIN if len(entry.slots) == 2}
_WEATHER = tuple(entry for entry in VERBS if entry.subjects == ("weather",))
_BE = verb("be")
_COLOURS = ("red", "green", "black", "white")
_MOODS = ("tired", "hungry", "sick", "happy", "sad")
_WEATHER_QUALITIES = ("cold", "dark", "warm")


@cache
def _suiting(verbs: tuple[Verb, ...], tags: tuple[str, ...]) -> tuple[Verb, ...]:
    """Return those verbs that take subjects with one of ``tags``."""
    return tuple(v for v in verbs if set(tags) & set(v.subjects))


@cache
def _deeds_of(head: Noun) -> tuple[Verb, ...]:
    """Return the verbs a noun can be the subject of."""
    return tuple(v for v in _suiting(_PLAIN, head.tags) if v is not _BE)


@cache
def _done_to(head: Noun) -> tuple[Verb, ...]:
    """Return the verbs a noun can be the last object of."""
    return tuple(v for v in _TRANSITIVE if set(v.slots[-1].tags) & set(head.tags))


class Example(NamedTuple):
    """A sentence of the corpus in both languages, with its tree."""

    english: str
    german: str
    sentence: Sentence


class _DeadEnd(Exception):
    """The choices made so far cannot be completed; the sampler starts the sentence anew."""


class Sampler:
    """Draws random sentences.

    Args:
        rng: the source of chance.
        transfer: draw long sentences that contain held-apart pairs instead of common ones.
    """

    def __init__(self, rng: random.Random, transfer: bool = False) -> None:
        self._rng = rng
        self._transfer = transfer

    def example(self) -> Example:
        """Return the next sentence in both languages."""
        while True:
            try:
                sentence = Sentence(self._long() if self._transfer else self._short())
            except _DeadEnd:
                continue
            english = sentence.english()
            if self._in_domain(sentence, english) and _it_is_clear(sentence, english):
                return Example(english, sentence.german(), sentence)

    def _in_domain(self, sentence: Sentence, english: str) -> bool:
        """Check the length, and the pairs that are settled after their words."""
        shortest, longest = _TRANSFER_WORDS if self._transfer else _COMMON_WORDS
        if not shortest <= len(english.split()) <= longest:
            return False
        apart = any(pair in _APART for pair in sentence.noun_verb_pairs())
        return apart == self._transfer

    def _short(self) -> Clause | Compound | Question:
        kind = self._rng.random()
        if kind < 0.12:
            return self._question()
        if kind < 0.20:
            return self._compound(0, 0)
        if kind < 0.27:
            return self._two_predicates(0)
        return self._root(0 if kind < 0.60 else 1)

    def _long(self) -> Clause | Compound:
        kind = self._rng.random()
        if kind < 0.35:
            return self._compound(1, self._rng.randint(1, 2))
        if kind < 0.45:
            return self._two_predicates(2)
        return self._root(self._rng.randint(2, 3))

    # ------------------------------------------------------------------- small choices

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _pick(self, options: Sequence[T]) -> T:
        if not options:
            raise _DeadEnd
        return options[int(self._rng.random() * len(options))]

    def _noun(self, entry: Verb, tags: tuple[str, ...]) -> Noun:
        """Pick a noun for a verb; in ``transfer`` often one held apart from it."""
        common, apart = _partners(entry.key, tags)
        if apart and self._transfer and self._chance(0.4):
            return self._pick(apart)
        return self._pick(common)

    def _allowed(self, head: Noun, entry: Verb) -> bool:
        return self._transfer or (head.english, entry.key) not in _APART

    def _tense(self) -> str:
        return self._pick(_TENSES)

    # ------------------------------------------------------------------------ nominals

    def _noun_phrase(
        self, head: Noun, negated: bool = False, definite: bool = False, subject: bool = False
    ) -> NounPhrase:
        """Dress a noun with determiner, adjective and more."""
        plural = self._plural(head)
        number = 0
        owned = 0.7 if "kin" in head.tags else 0.12 if _OWNED & set(head.tags) else 0
        if self._chance(owned):
            determiner = self._pick(POSSESSIVES)
        elif definite or "unique" in head.tags:
            determiner = self._pick(("the", "the", "this" if "unique" not in head.tags else "the"))
        elif head.mass:
            determiner = self._pick(("", "", "the", "this"))
        elif negated:
            determiner = self._pick(("the", "the", "" if plural else "a"))
        elif plural:
            determiner = self._pick(("the", "the", "", "#", "the#", "this", "many", "some", "all"))
            number = self._pick(_NUMBERS) if "#" in determiner else 0
            determiner = determiner.strip("#")
        else:
            last = "every" if subject else "a"
            determiner = self._pick(("the", "the", "the", "the", "a", "a", "a", "this", last))
        adjective = self._pick(_adjectives_for(head)) if self._chance(0.25) else None
        gradable = adjective and adjective.english not in _COLOURS and determiner != "every"
        very = bool(gradable) and self._chance(0.2)
        phrase = NounPhrase(head, DETERMINERS[determiner], plural, number, adjective, very)
        if determiner != "the" or number:
            return phrase
        if "person" in head.tags and self._chance(0.06):
            return replace(phrase, origin=self._pick(tuple(CITIES.items())))
        if _OWNED & set(head.tags) and self._chance(0.15):
            return replace(phrase, owner=self._owner(head))
        return phrase

    def _plural(self, head: Noun) -> bool:
        return not {"mass", "transport", "unique"} & set(head.tags) and self._chance(0.25)

    def _owner(self, owned: Noun) -> Name | NounPhrase:
        if self._chance(0.4):
            return Name(self._pick(tuple(NAMES)))
        head = self._pick([n for n in _fitting(("person",)) if n != owned])
        determiner = self._pick(POSSESSIVES if "kin" in head.tags else ("the",))
        return NounPhrase(head, DETERMINERS[determiner])

    def _subject(self, entry: Verb, negated: bool = False) -> Nominal:
        """Pick a subject for a verb."""
        kind = self._rng.random()
        if {"person", "any"} & set(entry.subjects):
            if kind < 0.22:
                return Pronoun(self._pick(("I", "you", "he", "she", "we", "they")))
            if kind < 0.32:
                return Name(self._pick(tuple(NAMES)))
            if kind < 0.39:
                return self._two_persons(entry)
        head = self._noun(entry, entry.subjects)
        definite = negated or "transport" in head.tags
        return self._noun_phrase(head, definite=definite, subject=True)

    def _two_persons(self, entry: Verb) -> Both:
        first = self._noun_phrase(self._noun(entry, ("person",)), definite=True)
        second = self._noun_phrase(self._noun(entry, ("person",)), definite=True)
        if self._chance(0.3):
            return Both(Name(self._pick(tuple(NAMES))), _without_adjective(second))
        if first.noun == second.noun:
            raise _DeadEnd
        return Both(_without_adjective(first), _without_adjective(second))

    def _object(self, entry: Verb, slot: Slot, subject: Nominal, negated: bool) -> Nominal:
        """Pick a nominal complement of a verb."""
        kind = self._rng.random()
        if "person" in slot.tags and kind < 0.3:
            if kind < 0.1:
                name = self._pick(tuple(NAMES))
                if subject == Name(name):
                    raise _DeadEnd
                return Name(name)
            if subject.person == 1:
                return Pronoun(self._pick(("you", "he", "she", "they")))
            if subject.person == 2:
                return Pronoun(self._pick(("I", "he", "she", "we")))
            pronoun = isinstance(subject, Pronoun)
            words = ("I", "you", "we") if pronoun else ("I", "you", "we", "he", "she", "they")
            return Pronoun(self._pick(words))
        head = self._noun(entry, slot.tags)
        if isinstance(subject, NounPhrase) and subject.noun == head:
            raise _DeadEnd
        giving = entry.key in _GIVING and slot.case == "dat"
        return self._noun_phrase(head, negated, definite=negated and giving)

    def _town(self, goal: bool) -> Prepositional | Adverbial:
        english, german = self._pick(tuple(CITIES.items()))
        if goal:
            return Adverbial(f"to {english}", f"nach {german}")
        return Adverbial(f"in {english}", f"in {german}")

    def _place(self, kind: str, person: bool = True) -> Place:
        """Pick where something happens, or leads to, by the kind of a verb's slot."""
        if person and kind != "goal" and self._chance(0.4 if kind == "dwelling" else 0.15):
            return self._town(kind == "journey")
        if person and kind != "dwelling" and self._chance(0.1):
            return _AT_HOME if kind == "location" else _HOME
        name = self._pick(_PLACES_FOR[kind])
        site = PLACES[name]
        phrase = NounPhrase(noun(name))
        if self._chance(0.2):
            phrase = replace(phrase, adjective=self._pick(_adjectives_for(phrase.noun)))
        if kind in ("location", "dwelling"):
            return Prepositional(site.english_at, site.german_at, "dat", phrase)
        return Prepositional(site.english_to, site.german_to, site.german_to_case, phrase)

    def _surface(self) -> Prepositional:
        english, german = self._pick(_SURFACES)
        head = self._pick(_fitting(("furniture",)))
        return Prepositional(english, german, "acc", NounPhrase(head))

    # ---------------------------------------------------------------------- predicates

    def _quality(self, subject: Nominal) -> Quality | Job:
        """Pick what a subject is said to be."""
        if isinstance(subject, NounPhrase):
            if subject.adjective:
                raise _DeadEnd  # "the small dog is big"
            options = _adjectives_for(subject.noun)
            sex, head = subject.noun.sex, subject.noun
        else:
            head = subject.antecedent if isinstance(subject, Pronoun) else None
            options = _adjectives_for(head or noun("child"))
            sex = _sex(subject)
        jobless = head and (subject.plural or {"king", "queen", "father"} & {head.english})
        if sex and not jobless and self._chance(0.2):
            return Job(noun(self._pick(tuple(FEMALE_JOBS))), sex)
        adjective = self._pick(options)
        if adjective.english_comparative and self._chance(0.35):
            other = self._pick([n for n in NOUNS if _alike(n, head) and n != head])
            if set(adjective.tags) & set(other.tags):
                return Quality(adjective, than=NounPhrase(other))
        return Quality(adjective, adjective.english not in _COLOURS and self._chance(0.25))

    def _arguments(self, entry: Verb, subject: Nominal, negated: bool) -> tuple[Argument, ...]:
        arguments: list[Argument] = []
        for slot in entry.slots:
            if slot.kind == "nominal":
                arguments.append(self._object(entry, slot, subject, negated))
            elif slot.kind == "quality":
                arguments.append(self._quality(subject))
            elif slot.kind == "surface":
                arguments.append(self._surface())
            else:
                arguments.append(self._place(slot.kind, _is_person(subject)))
        return tuple(arguments)

    def _predicate(
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
        negated = not (plain or positive or quantified) and self._chance(0.15)
        if not entry.aspects and (tense in ("perfect", "future") or plain):
            raise _DeadEnd  # a state
        modal, fond, progressive = None, False, False
        if not plain and tense in ("present", "past"):
            modal, fond, progressive = self._mood(entry, tense, subject, negated)
        filled = (arguments or (lambda no: self._arguments(entry, subject, no)))(negated)
        predicate = Predicate(entry, filled, tense, negated, progressive, modal, fond)
        if entry is _BE and (tense == "perfect" or plain) and not _is_mood(predicate):
            raise _DeadEnd  # "the bus has been new", "when the bus is new"
        third = subject.person == 3 and not subject.plural
        told = not (third or negated or modal or fond)
        if told and tense == "past" and entry.english in ("read", "put"):
            raise _DeadEnd  # "they read" is present or past
        return self._with_adverbials(predicate, closed, timeless)

    def _mood(
        self, entry: Verb, tense: str, subject: Nominal, negated: bool
    ) -> tuple[Modal | None, bool, bool]:
        """Pick a modal, or "like to", or the progressive, or none of them."""
        lively = isinstance(subject, (Name, Pronoun, Both)) or _living(subject)
        if lively and "w" in entry.aspects and self._chance(0.25):
            modals = [m for m in MODALS.values() if tense == "present" or m.past]
            return self._pick(modals), False, False
        if lively and entry.english in ("see", "find", "understand") and self._chance(0.25):
            return MODALS["can"], False, False
        if lively and not negated and "p" in entry.aspects:
            if "w" in entry.aspects and self._chance(0.06):
                return None, True, False
            if tense == "present" and self._chance(0.15):
                return None, False, True
        return None, False, False

    def _with_adverbials(self, predicate: Predicate, closed: bool, timeless: bool) -> Predicate:
        aspects, tense = predicate.verb.aspects, predicate.tense
        plain = not (predicate.progressive or predicate.fond)
        if "t" in aspects and not (predicate.negated or timeless) and plain and self._chance(0.12):
            often = [a for a, tenses in _FREQUENCIES.items() if tense in tenses]
            quantified = any(
                isinstance(a, NounPhrase) and a.determiner.english == "all"
                for a in predicate.arguments
            )
            lasting = predicate.verb is _BE and not _is_mood(predicate)
            if often and not (predicate.modal or quantified or lasting):
                predicate = replace(predicate, frequency=self._pick(often))
        if closed:
            return predicate
        manners = _MANNERS.get(next((a for a in aspects if a in _MANNERS), ""))
        if manners and self._chance(0.3):
            predicate = replace(predicate, manner=self._pick(manners))
        elif "l" in aspects and self._chance(0.2):
            predicate = replace(predicate, place=self._place("location"))
        if not timeless and plain and not predicate.frequency and self._chance(0.22):
            predicate = replace(predicate, time=self._time(predicate))
        return predicate

    def _time(self, predicate: Predicate) -> Adverbial | None:
        if "t" not in predicate.verb.aspects:
            return None
        tenses = (predicate.tense,)
        if predicate.modal and predicate.tense == "present":
            tenses = ("present", "future")
        if predicate.verb is _BE and not _is_mood(predicate):
            return None
        times = [t for t, when in _TIMES.items() if set(tenses) & set(when)]
        if predicate.negated:
            times = [t for t in times if t.english_words != "every day"]
        return self._pick(times) if times else None

    # ------------------------------------------------------------------------- clauses

    def _root(self, budget: int) -> Clause:
        """Build a main clause with ``budget`` embedded clauses, perhaps with inversion."""
        if budget and self._chance(0.2):
            return self._fronted_clause(budget)
        clause = self._clause(budget)
        predicate = clause.predicate
        for name in ("time", "place"):
            adverbial = getattr(predicate, name)
            if adverbial and self._chance(0.5):
                predicate = replace(predicate, **{name: None})
                return replace(clause, front=adverbial, predicate=predicate)
        used = (predicate.time, predicate.frequency, predicate.progressive, predicate.fond)
        inner = isinstance(predicate.clause, Infinitive)  # which may have a time of its own
        if not (inner or any(used)) and self._chance(0.3):
            return replace(clause, front=self._time(predicate))
        return clause

    def _fronted_clause(self, budget: int) -> Clause:
        """Build a main clause that opens with a subordinate clause."""
        tense = self._pick(("present", "past", "future"))
        conjunction = self._conjunction(tense, ("because", "although", "when", "if"))
        inner = self._rng.randint(0, budget - 1)
        embedded = "past" if tense == "past" else "present"
        plain = conjunction in ("when", "if")
        if budget == 1 and self._chance(0.15):
            first = self._weather(embedded)
        else:
            first = self._clause(inner, tense=embedded, plain=plain, adjunct=False, timeless=True)
        rest = budget - 1 - inner
        pronoun = _coreferent(first.subject) if self._chance(0.5) else None
        main = self._clause(rest, tense=tense, subject=pronoun, timeless=True, adjunct=False)
        if plain and not _happens(main.predicate):
            raise _DeadEnd
        return replace(main, front=Subordinate(conjunction, first))

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
        return self._pick([word for word in options if fitting[word]])

    def _embedded_tense(self, tense: str) -> str:
        return tense if tense == "past" else self._pick(("present", "present", "past", "perfect"))

    def _clause(
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
        subordinate clause at the end; for ``plain`` and ``timeless`` see :meth:`_predicate`.
        """
        tense = tense or self._tense()
        behind = self._rng.randint(1, budget) if adjunct and budget and self._chance(0.45) else 0
        clause = self._core(budget - behind, tense, subject, plain, timeless)
        if behind:
            clause = replace(clause, adjunct=self._adjunct(clause, behind))
        return clause

    def _core(
        self, budget: int, tense: str, subject: Nominal | None, plain: bool, timeless: bool
    ) -> Clause:
        """Build a clause whose embedded clauses all belong to its verb or its nouns."""
        devices = ["clause", "clause", "object"]
        if subject is None and not plain:
            devices.append("subject")
        device = self._pick(devices) if budget else ""
        if device == "clause":
            return self._clausal(budget, tense, subject, plain, timeless)
        entry = self._verb(_TRANSITIVE if device == "object" else _PLAIN, subject)
        negatable = self._chance(0.2)
        if device == "subject":
            head = self._noun(entry, entry.subjects)
            subject = self._head_phrase(head, "subject")
            subject = self._with_relative(subject, budget - 1, tense)
        subject = subject or self._subject(entry, negated=negatable)
        options = {"plain": plain, "positive": not negatable, "timeless": timeless}
        if device != "object":
            return Clause(subject, self._predicate(entry, subject, tense, **options))

        return Clause(subject, self._with_object_clause(entry, subject, tense, budget, **options))

    def _with_object_clause(
        self, entry: Verb, subject: Nominal, tense: str, budget: int, **options: bool
    ) -> Predicate:
        """Build a predicate whose last object has a relative clause."""

        def arguments(negated: bool) -> tuple[Argument, ...]:
            head = self._noun(entry, entry.slots[-1].tags)
            if isinstance(subject, NounPhrase) and subject.noun == head:
                raise _DeadEnd
            phrase = self._with_relative(self._head_phrase(head, "object"), budget - 1, tense)
            return (*self._all_but_last(entry, subject, negated), phrase)

        return self._predicate(entry, subject, tense, closed=True, arguments=arguments, **options)

    def _all_but_last(self, entry: Verb, subject: Nominal, negated: bool) -> tuple[Argument, ...]:
        shorter = replace(entry, slots=entry.slots[:-1])
        return self._arguments(shorter, subject, negated) if shorter.slots else ()

    def _verb(self, verbs: Sequence[Verb], subject: Nominal | None) -> Verb:
        """Pick a verb, one that suits ``subject`` if that is given."""
        if subject is None:
            return self._pick((*verbs, *(_BE,) * 4) if verbs is _PLAIN else verbs)
        if isinstance(subject, NounPhrase):
            head: Noun | None = subject.noun
        else:
            head = subject.antecedent if isinstance(subject, Pronoun) else None
        fitting = _suiting(tuple(verbs), head.tags if head else ("person", "any"))
        return self._pick([v for v in fitting if head is None or self._allowed(head, v)])

    def _head_phrase(self, head: Noun, role: str) -> NounPhrase:
        """Make the phrase a relative clause will be attached to."""
        plural = self._plural(head)
        alone = plural or {"mass", "unique"} & set(head.tags)
        indefinite = role == "object" and not alone and self._chance(0.3)
        adjective = self._pick(_adjectives_for(head)) if self._chance(0.15) else None
        return NounPhrase(head, DETERMINERS["a" if indefinite else "the"], plural, 0, adjective)

    def _with_relative(self, phrase: NounPhrase, budget: int, tense: str) -> NounPhrase:
        """Attach a relative clause that itself embeds ``budget`` clauses."""
        head, plural = phrase.noun, phrase.plural
        gap, tense = Gap(head, plural), self._embedded_tense(tense)
        deeds = [v for v in _deeds_of(head) if self._allowed(head, v)]
        if budget:
            clause = self._core(budget, tense, self._gap_subject(gap), False, False)
            clause = _with_gap(clause, gap)
        elif deeds and self._chance(0.5):
            entry = self._pick(deeds)
            clause = Clause(gap, self._predicate(entry, gap, tense))
        else:
            entry = self._pick([v for v in _done_to(head) if self._allowed(head, v)])
            subject = self._subject(entry)

            def arguments(negated: bool) -> tuple[Argument, ...]:
                return (*self._all_but_last(entry, subject, True), gap)

            if isinstance(subject, NounPhrase) and subject.noun == head:
                raise _DeadEnd
            clause = Clause(subject, self._predicate(entry, subject, tense, arguments=arguments))
        return replace(phrase, relative=Relative(clause, head, plural))

    def _gap_subject(self, gap: Gap) -> NounPhrase:
        """Return a stand-in for ``gap`` that verbs can be chosen for."""
        if not gap.noun.person:
            raise _DeadEnd
        return NounPhrase(gap.noun, DETERMINERS["the"], gap.plural)

    def _clausal(
        self, budget: int, tense: str, subject: Nominal | None, plain: bool, timeless: bool
    ) -> Clause:
        """Build a clause whose verb governs a clause (dass, ob, zu)."""
        entry = self._verb(_CLAUSAL, subject)
        subject = subject or self._subject(entry, negated=True)
        if entry.clause in ("infinitive", "gerund"):
            lasting = entry.english in ("begin", "stop")
            governed = self._infinitive(budget - 1, subject, lasting, entry.clause == "gerund")
        else:
            same = entry.clause == "that" and self._chance(0.3)
            pronoun = _coreferent(subject) if same else None
            embedded = self._embedded_tense(tense)
            clause = self._clause(
                budget - 1,
                tense=embedded,
                subject=pronoun,
                adjunct=False,
            )
            governed = Subordinate(entry.clause, clause)
        predicate = self._predicate(
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
        willed = _LASTING if lasting else _WILLED
        if budget:
            willed = [v for v in willed if v in _TRANSITIVE]
        entry = self._verb(willed, subject)
        if budget:
            predicate = self._with_object_clause(
                entry, subject, "present", budget, plain=True, timeless=True
            )
        else:
            predicate = self._predicate(entry, subject, "present", plain=True, timeless=lasting)
        return Infinitive(replace(predicate, frequency=None), subject, gerund)

    def _weather(self, tense: str) -> Clause:
        if self._chance(0.5):
            return Clause(Pronoun("it"), Predicate(self._pick(_WEATHER), tense=tense))
        names = self._pick(_WEATHER_QUALITIES)
        quality = Quality(next(a for a in ADJECTIVES if a.english == names), self._chance(0.3))
        return Clause(Pronoun("it"), Predicate(_BE, (quality,), tense=tense))

    def _adjunct(self, host: Clause, budget: int) -> Subordinate | Purpose:
        """Build a subordinate clause that follows its main clause."""
        tense, subject = host.predicate.tense, host.subject
        person = _is_person(subject)
        lively = _happens(host.predicate)
        willed = host.predicate.verb in _WILLED and not host.predicate.fond
        if budget == 1 and person and willed and self._chance(0.15):
            infinitive = self._infinitive(0, subject, lasting=False)
            return Purpose(replace(infinitive.predicate, time=None), subject)
        temporal = ("when", "if", "before") if lively else ()
        if lively and budget == 1:
            temporal += ("while",)
        if lively and host.predicate.verb in _LASTING and not host.predicate.negated:
            temporal += ("until",)
        conjunction = self._conjunction(tense, ("because", "because", "although", *temporal))
        causal = conjunction in ("because", "although")
        embedded = tense if tense == "past" else "present"
        if causal and tense == "present":
            embedded = self._embedded_tense(tense)
        if budget == 1 and conjunction != "before" and self._chance(0.15):
            return Subordinate(conjunction, self._weather(embedded))
        pronoun = _coreferent(subject) if self._chance(0.45) else None
        if conjunction == "while":
            entry = self._verb(_LASTING, pronoun)
            doer = pronoun or self._subject(entry)
            predicate = self._predicate(entry, doer, embedded, plain=True, timeless=True)
            return Subordinate(conjunction, Clause(doer, predicate))
        clause = self._clause(
            budget - 1,
            tense=embedded,
            subject=pronoun,
            adjunct=False,
            plain=not causal,
            timeless=not causal,
        )
        return Subordinate(conjunction, clause)

    # ----------------------------------------------------- coordination and questions

    def _compound(self, first_budget: int, second_budget: int) -> Compound:
        tense = self._tense()
        first = self._clause(first_budget, tense=tense)
        pronoun = _coreferent(first.subject) if self._chance(0.3) else None
        second = self._clause(second_budget, tense=tense, subject=pronoun)
        return Compound(first, self._pick(("and", "but")), second)

    def _two_predicates(self, budget: int) -> Clause:
        """Build a clause with two predicates, the second perhaps about "it"."""
        clause = self._core(0, self._tense(), None, False, True)
        subject, first = clause.subject, clause.predicate
        if first.negated or first.fond or first.progressive or first.frequency:
            raise _DeadEnd
        if "t" not in first.verb.aspects or first.verb is _BE:
            raise _DeadEnd
        entry = self._verb(_WILLED, subject)
        thing = first.arguments[-1] if first.arguments else None
        arguments = None
        if isinstance(thing, NounPhrase) and not thing.noun.person and self._chance(0.7):
            slotted = [
                v
                for v in _done_to(thing.noun)
                if v.slots[-1].german == "" and v is not first.verb and v in _WILLED
            ]
            entry = self._verb(slotted, subject)
            it = Pronoun("they") if thing.plural else Pronoun("it", thing.noun)

            def arguments(negated: bool) -> tuple[Argument, ...]:
                return (*self._all_but_last(entry, subject, True), it)

        if entry == first.verb:
            raise _DeadEnd
        second = self._predicate(
            entry, subject, first.tense, plain=True, timeless=True, arguments=arguments
        )
        second = replace(second, modal=first.modal, frequency=None)
        clause = replace(clause, second=second)
        if budget:
            return replace(clause, adjunct=self._adjunct(clause, budget))
        return clause

    def _question(self) -> Question:
        """Build a yes-no question or one with a question word."""
        tense = self._tense()
        kind = self._pick(("yes", "yes", "when", "why", "where", "who", "what", "whom", "which"))
        if kind == "yes":
            clause = self._core(int(self._chance(0.25)), tense, None, False, False)
            return Question(replace(clause, predicate=replace(clause.predicate, negated=False)))
        if kind in ("who", "which"):
            return self._subject_question(kind, tense)
        if kind in ("what", "whom"):
            return self._object_question(kind, tense)
        aspect = {"when": "t", "why": "t", "where": "l"}[kind]
        verbs = [v for v in _PLAIN if aspect in v.aspects and v is not _BE]
        if kind == "where":
            verbs += [v for v in _PLAIN if v.slots and v.slots[0].kind in _PLACES_FOR]
        entry = self._pick(verbs)
        subject = self._subject(entry)

        def arguments(negated: bool) -> tuple[Argument, ...]:
            if kind == "where" and entry.slots and entry.slots[0].kind != "nominal":
                return (Gap(),)
            return self._arguments(entry, subject, negated)

        predicate = self._predicate(
            entry, subject, tense, positive=True, closed=True, arguments=arguments
        )
        return Question(Clause(subject, replace(predicate, frequency=None)), kind)

    def _subject_question(self, kind: str, tense: str) -> Question:
        entry = self._pick([v for v in _PLAIN if "person" in v.subjects and v is not _BE])
        if kind == "who":
            gap: Gap = Gap()
            return Question(Clause(gap, self._predicate(entry, gap, tense, positive=True)), "who")
        head = self._noun(entry, ("person",))
        plural = self._chance(0.5)
        word = NounPhrase(head, DETERMINERS["how many" if plural else "which"], plural)
        gap = Gap(head, plural)
        return Question(Clause(gap, self._predicate(entry, gap, tense, positive=True)), word)

    def _object_question(self, kind: str, tense: str) -> Question:
        if kind == "whom":
            entry = self._pick([v for v in _TRANSITIVE if "person" in v.slots[-1].tags])
            word, gap = "whom", Gap()
        else:
            entry = self._pick(
                [
                    v
                    for v in _TRANSITIVE
                    if not {"person", "pet"} & set(v.slots[-1].tags)
                    and not v.slots[-1].english
                    and not v.slots[-1].german
                ]
            )
            word, gap = "what", Gap()
            head = self._noun(entry, entry.slots[-1].tags)
            if not head.mass and self._chance(0.4):
                plural = self._chance(0.5)
                determiner = DETERMINERS["how many" if plural else "which"]
                word, gap = NounPhrase(head, determiner, plural), Gap(head, plural)
        subject = self._subject(entry)

        def arguments(negated: bool) -> tuple[Argument, ...]:
            return (*self._all_but_last(entry, subject, True), gap)

        predicate = self._predicate(entry, subject, tense, positive=True, arguments=arguments)
        return Question(Clause(subject, predicate), word)


def _without_adjective(phrase: NounPhrase) -> NounPhrase:
    return replace(phrase, adjective=None, very=False, owner=None, origin=None, plural=False)


def _sex(nominal: Nominal) -> str | None:
    if isinstance(nominal, Name):
        return nominal.sex
    if isinstance(nominal, NounPhrase) and not nominal.plural:
        return nominal.noun.sex
    return {"he": "male", "she": "female"}.get(getattr(nominal, "word", ""))


def _living(nominal: Nominal) -> bool:
    entry = getattr(nominal, "noun", None)
    return entry is None or bool({"person", "animal"} & set(entry.tags))


def _is_person(nominal: Nominal) -> bool:
    entry = getattr(nominal, "noun", None) or getattr(nominal, "antecedent", None)
    return entry.person if entry else True


def _is_mood(predicate: Predicate) -> bool:
    """Whether a predicate of "be" ascribes something that passes, such as being tired."""
    quality = predicate.arguments[0]
    return (
        isinstance(quality, Quality)
        and quality.adjective.english in _MOODS
        and quality.than is None
    )


def _happens(predicate: Predicate) -> bool:
    """Whether a predicate tells an event, which another can precede or follow."""
    event = "t" in predicate.verb.aspects and predicate.verb is not _BE
    return event and not predicate.progressive


def _alike(one: Noun, other: Noun | None) -> bool:
    """Whether two nouns may be compared: their first tags agree."""
    return one.tags[0] == (other.tags[0] if other else "person")


def _coreferent(nominal: Nominal) -> Pronoun | None:
    """Return the pronoun that takes up a subject, if English leaves no doubt about it."""
    if isinstance(nominal, Pronoun):
        return nominal if nominal.word != "it" or nominal.antecedent else None
    if nominal.plural:
        return Pronoun("they") if _is_person(nominal) else None
    sex = _sex(nominal)
    if sex:
        return Pronoun(_MALE_OR_FEMALE[sex])
    entry = getattr(nominal, "noun", None)
    return Pronoun("it", entry) if entry and not entry.person else None


def _with_gap(clause: Clause, gap: Gap) -> Clause:
    return replace(clause, subject=gap)


def _it_is_clear(sentence: Sentence, english: str) -> bool:
    """Whether each "it" that stands for a noun has just one noun it can stand for."""
    if not re.search(r"\b[Ii]t\b", english):
        return True
    nodes = walk(sentence.body)
    if not any(isinstance(n, Pronoun) and n.antecedent for n in nodes):
        return True
    phrases = [n for n in nodes if isinstance(n, NounPhrase)]
    return len({p.noun for p in phrases if not p.noun.person and not p.plural}) == 1


# ---------------------------------------------------------------------------- the corpus


def sample(
    seed: int = 1,
    train_size: int = 24_000,
    valid_size: int = 500,
    test_size: int = 500,
    transfer_size: int = 500,
) -> dict[str, list[Example]]:
    """Draw the corpus of :func:`generate` with its trees. Arguments and errors are the same."""
    sizes = dict(zip(SPLITS, (train_size, valid_size, test_size, transfer_size), strict=True))
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(
                f"{name}_size is {size!r}: expected a whole number of at least 1; "
                f"give a positive size for every split"
            )
    rng = random.Random(seed)
    seen: set[str] = set()
    common, rare = Sampler(rng), Sampler(rng, transfer=True)
    splits = {"train": _distinct(common, train_size, seen, "train")}
    known = _words(splits["train"])
    for name, sampler in (("valid", common), ("test", common), ("transfer", rare)):
        drawn = _distinct(sampler, 2 * sizes[name], seen, name)
        drawn.sort(key=lambda example: not _words([example]) <= known)
        splits[name] = drawn[: sizes[name]]
    return splits


def _words(examples: Sequence[Example]) -> set[str]:
    """Return all words and marks of some examples; those of German bear a sign."""
    english = " ".join(example.english for example in examples)
    german = " ".join(example.german for example in examples)
    words = set(re.findall(r"[\w-]+|[^\w\s]", english))
    return words | {f"de:{word}" for word in re.findall(r"[\w-]+|[^\w\s]", german)}


def _distinct(sampler: Sampler, size: int, seen: set[str], name: str) -> list[Example]:
    """Draw ``size`` examples whose English is not in ``seen`` yet, and add it there."""
    found: list[Example] = []
    for _ in range(_TRIES_PER_SENTENCE * size):
        example = sampler.example()
        if example.english not in seen:
            seen.add(example.english)
            found.append(example)
            if len(found) == size:
                return found
    raise ValueError(
        f"{name}_size asks for {size} distinct sentences, but only {len(found)} turned up in "
        f"{_TRIES_PER_SENTENCE * size} tries; give a smaller {name}_size"
    )


def generate(
    seed: int = 1,
    train_size: int = 24_000,
    valid_size: int = 500,
    test_size: int = 500,
    transfer_size: int = 500,
) -> dict[str, list[Pair]]:
    """Generate the corpus.

    No English sentence occurs twice, in one split or in two. The same arguments always give
    the same corpus. With the default sizes every word of the other splits occurs in
    ``train``; a small ``train`` (a few hundred sentences) cannot have every word, and then
    the other splits prefer sentences of known words but may hold unknown ones.

    Args:
        seed: selects the corpus.
        train_size: number of training pairs.
        valid_size: number of validation pairs, distributed like ``train``.
        test_size: number of test pairs, distributed like ``train``.
        transfer_size: number of pairs of the other domain.

    Returns:
        (English, German) pairs by split name: train, valid, test, transfer.

    Raises:
        ValueError: if a size is not a positive whole number, or is more than the grammar
            gives in a reasonable number of tries.
    """
    splits = sample(seed, train_size, valid_size, test_size, transfer_size)
    return {
        name: [(example.english, example.german) for example in examples]
        for name, examples in splits.items()
    }


def write(folder: Path, seed: int = 1, **sizes: int) -> None:
    """Write the corpus to ``folder`` as train.en, train.de, ..., one sentence a line.

    Each file is written beside its place and then renamed, so no reader finds half a file.

    Args:
        folder: where to write; it is created if it does not exist.
        seed: see :func:`generate`.
        **sizes: sizes of the splits, see :func:`generate`.

    Raises:
        ValueError: for the sizes that :func:`generate` refuses.
        OSError: if a file cannot be written.
    """
    splits = generate(seed, **sizes)
    for name, pairs in splits.items():
        for side, language in enumerate(("en", "de")):
            write_lines(folder / f"{name}.{language}", [pair[side] for pair in pairs])
