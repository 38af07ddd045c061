"""The pairs of a noun and a verb that are held apart from the common splits."""

from __future__ import annotations

from rim_nmt.toy.lexicon import NOUNS, VERBS, noun

_EVERY = 6
_TAGS = ("person", "animal", "thing", "food")
_NOUN_NUMBER = {entry.english: index for index, entry in enumerate(NOUNS)}
_VERB_NUMBER = {key: i for i, key in enumerate(dict.fromkeys(entry.key for entry in VERBS))}


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
    if not set(_TAGS) & set(noun(noun_english).tags):
        return False
    return (_NOUN_NUMBER[noun_english] + _VERB_NUMBER[verb_key]) % _EVERY == 0


APART = {(n.english, v.key) for n in NOUNS for v in VERBS if held_apart(n.english, v.key)}
