"""Drawing places."""

from __future__ import annotations

from dataclasses import replace

from rim_nmt.toy.grammar import Adverbial, NounPhrase, Place, Prepositional
from rim_nmt.toy.lexicon import CITIES, PLACES, noun
from rim_nmt.toy.sampling.dice import Dice
from rim_nmt.toy.sampling.fitting import adjectives_for, fitting
from rim_nmt.toy.table import read_table

_SITES = {
    "location": tuple(PLACES),
    "dwelling": tuple(name for name in PLACES if "home" in noun(name).tags),
    "goal": tuple(PLACES),
    "journey": tuple(name for name, site in PLACES.items() if site.english_to == "to"),
}
PLACE_KINDS = tuple(_SITES)
_SURFACES = tuple(read_table("surfaces"))
_HOME, _AT_HOME = Adverbial("home", "nach Hause"), Adverbial("at home", "zu Hause")


class PlaceSampler:
    """Draws places.

    Args:
        dice: makes the choices.
    """

    def __init__(self, dice: Dice) -> None:
        self.dice = dice

    def place(self, kind: str, person: bool = True) -> Place:
        """Pick where something happens, or leads to, by the kind of a verb's slot."""
        if person and kind != "goal" and self.dice.chance(0.4 if kind == "dwelling" else 0.15):
            return self._town(kind == "journey")
        if person and kind != "dwelling" and self.dice.chance(0.1):
            return _AT_HOME if kind == "location" else _HOME
        name = self.dice.pick(_SITES[kind])
        site = PLACES[name]
        phrase = NounPhrase(noun(name))
        if self.dice.chance(0.2):
            phrase = replace(phrase, adjective=self.dice.pick(adjectives_for(phrase.noun)))
        if kind in ("location", "dwelling"):
            return Prepositional(site.english_at, site.german_at, "dat", phrase)
        return Prepositional(site.english_to, site.german_to, site.german_to_case, phrase)

    def surface(self) -> Prepositional:
        """Pick a piece of furniture to put something on, under or next to."""
        surface = self.dice.pick(_SURFACES)
        head = self.dice.pick(fitting(("furniture",)))
        return Prepositional(surface["english"], surface["german"], "acc", NounPhrase(head))

    def _town(self, goal: bool) -> Prepositional | Adverbial:
        english, german = self.dice.pick(tuple(CITIES.items()))
        if goal:
            return Adverbial(f"to {english}", f"nach {german}")
        return Adverbial(f"in {english}", f"in {german}")
