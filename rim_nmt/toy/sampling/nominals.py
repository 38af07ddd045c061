"""Drawing nominals: subjects, objects, and noun phrases with what belongs to them."""

from __future__ import annotations

from dataclasses import replace

from rim_nmt.toy.grammar import DETERMINERS, POSSESSIVES, Both, Name, Nominal, NounPhrase, Pronoun
from rim_nmt.toy.lexicon import CITIES, NAMES, Noun, Slot, Verb
from rim_nmt.toy.sampling.apart import APART
from rim_nmt.toy.sampling.dice import DeadEnd, Dice
from rim_nmt.toy.sampling.fitting import COLOURS, PLAIN, adjectives_for, fitting, partners

_NUMBERS = (*range(2, 11), 12, 20, 21, 34, 50, 76, 98)
_PLURAL_DETERMINERS = ("the", "the", "", "#", "the#", "this", "many", "some", "all")  # # = number
_OWNED = {"thing", "pet", "kin", "home", "idea"}
_GIVING = {entry.key for entry in PLAIN if len(entry.slots) == 2}


class NominalSampler:
    """Draws nominals.

    Args:
        dice: makes the choices.
        transfer: often choose nouns held apart from their verb, instead of never.
    """

    def __init__(self, dice: Dice, transfer: bool) -> None:
        self.dice = dice
        self.transfer = transfer

    def noun(self, entry: Verb, tags: tuple[str, ...]) -> Noun:
        """Pick a noun for a verb; in ``transfer`` often one held apart from it."""
        common, apart = partners(entry.key, tags)
        if apart and self.transfer and self.dice.chance(0.4):
            return self.dice.pick(apart)
        return self.dice.pick(common)

    def allowed(self, head: Noun, entry: Verb) -> bool:
        """Whether a noun and a verb may meet."""
        return self.transfer or (head.english, entry.key) not in APART

    def subject(self, entry: Verb, negated: bool = False) -> Nominal:
        """Pick a subject for a verb."""
        kind = self.dice.roll()
        if {"person", "any"} & set(entry.subjects):
            if kind < 0.22:
                return Pronoun(self.dice.pick(("I", "you", "he", "she", "we", "they")))
            if kind < 0.32:
                return Name(self.dice.pick(tuple(NAMES)))
            if kind < 0.39:
                return self._two_persons(entry)
        head = self.noun(entry, entry.subjects)
        definite = negated or "transport" in head.tags
        return self.noun_phrase(head, definite=definite, subject=True)

    def object(self, entry: Verb, slot: Slot, subject: Nominal, negated: bool) -> Nominal:
        """Pick a nominal complement of a verb."""
        kind = self.dice.roll()
        if "person" in slot.tags and kind < 0.3:
            if kind < 0.1:
                name = self.dice.pick(tuple(NAMES))
                if subject == Name(name):
                    raise DeadEnd
                return Name(name)
            if subject.person == 1:
                return Pronoun(self.dice.pick(("you", "he", "she", "they")))
            if subject.person == 2:
                return Pronoun(self.dice.pick(("I", "he", "she", "we")))
            pronoun = isinstance(subject, Pronoun)
            words = ("I", "you", "we") if pronoun else ("I", "you", "we", "he", "she", "they")
            return Pronoun(self.dice.pick(words))
        head = self.noun(entry, slot.tags)
        if isinstance(subject, NounPhrase) and subject.noun == head:
            raise DeadEnd
        giving = entry.key in _GIVING and slot.case == "dat"
        return self.noun_phrase(head, negated, definite=negated and giving)

    def noun_phrase(
        self, head: Noun, negated: bool = False, definite: bool = False, subject: bool = False
    ) -> NounPhrase:
        """Dress a noun with determiner, adjective and more."""
        plural = self._plural(head)
        number = 0
        owned = 0.7 if "kin" in head.tags else 0.12 if _OWNED & set(head.tags) else 0
        if self.dice.chance(owned):
            determiner = self.dice.pick(POSSESSIVES)
        elif definite or "unique" in head.tags:
            third = "the" if "unique" in head.tags else "this"
            determiner = self.dice.pick(("the", "the", third))
        elif head.mass:
            determiner = self.dice.pick(("", "", "the", "this"))
        elif negated:
            determiner = self.dice.pick(("the", "the", "" if plural else "a"))
        elif plural:
            determiner = self.dice.pick(_PLURAL_DETERMINERS)
            number = self.dice.pick(_NUMBERS) if "#" in determiner else 0
            determiner = determiner.strip("#")
        else:
            last = "every" if subject else "a"
            determiner = self.dice.pick(("the", "the", "the", "the", "a", "a", "a", "this", last))
        adjective = self.dice.pick(adjectives_for(head)) if self.dice.chance(0.25) else None
        gradable = adjective and adjective.english not in COLOURS and determiner != "every"
        very = bool(gradable) and self.dice.chance(0.2)
        phrase = NounPhrase(head, DETERMINERS[determiner], plural, number, adjective, very)
        if determiner != "the" or number:
            return phrase
        if "person" in head.tags and self.dice.chance(0.06):
            return replace(phrase, origin=self.dice.pick(tuple(CITIES.items())))
        if _OWNED & set(head.tags) and self.dice.chance(0.15):
            return replace(phrase, owner=self._owner(head))
        return phrase

    def head_phrase(self, head: Noun, role: str) -> NounPhrase:
        """Make the phrase a relative clause will be attached to."""
        plural = self._plural(head)
        alone = plural or {"mass", "unique"} & set(head.tags)
        indefinite = role == "object" and not alone and self.dice.chance(0.3)
        adjective = self.dice.pick(adjectives_for(head)) if self.dice.chance(0.15) else None
        return NounPhrase(head, DETERMINERS["a" if indefinite else "the"], plural, 0, adjective)

    def _two_persons(self, entry: Verb) -> Both:
        first = self.noun_phrase(self.noun(entry, ("person",)), definite=True)
        second = self.noun_phrase(self.noun(entry, ("person",)), definite=True)
        if self.dice.chance(0.3):
            return Both(Name(self.dice.pick(tuple(NAMES))), _without_adjective(second))
        if first.noun == second.noun:
            raise DeadEnd
        return Both(_without_adjective(first), _without_adjective(second))

    def _plural(self, head: Noun) -> bool:
        return not {"mass", "transport", "unique"} & set(head.tags) and self.dice.chance(0.25)

    def _owner(self, owned: Noun) -> Name | NounPhrase:
        if self.dice.chance(0.4):
            return Name(self.dice.pick(tuple(NAMES)))
        head = self.dice.pick([n for n in fitting(("person",)) if n != owned])
        determiner = self.dice.pick(POSSESSIVES if "kin" in head.tags else ("the",))
        return NounPhrase(head, DETERMINERS[determiner])


def _without_adjective(phrase: NounPhrase) -> NounPhrase:
    return replace(phrase, adjective=None, very=False, owner=None, origin=None, plural=False)
