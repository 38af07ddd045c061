"""The inflection of English words: what a rule derives, and the irregular forms of a table."""

from __future__ import annotations

from functools import cache

from rim_nmt.toy.table import read_table

# An empty cell is a form that follows the rule.
_IRREGULAR_VERBS = {row["base"]: row for row in read_table("english_irregular_verbs")}


def english_s(word: str) -> str:
    """Add the -s of plurals and of the third person (box -> boxes, try -> tries)."""
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if _ends_in_consonant_y(word) else word + "s"


@cache
def english_verb(verb: str, form: str) -> str:
    """Return a form of an English verb: base, third, past, participle or gerund.

    A particle stays behind the verb: ``english_verb("get up", "third")`` is "gets up".

    Raises:
        ValueError: if ``form`` is none of these; give one of them.
    """
    if form not in _RULES:
        raise ValueError(
            f"unknown verb form {form!r}: expected base, third, past, participle or gerund"
        )
    base, *particle = verb.split()
    irregular = _IRREGULAR_VERBS[base][form] if base in _IRREGULAR_VERBS else ""
    return " ".join([irregular or _RULES[form](base), *particle])


def _ends_in_consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2] not in "aeiou"


def _english_ed(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    return base[:-1] + "ied" if _ends_in_consonant_y(base) else base + "ed"


def _english_ing(base: str) -> str:
    silent_e = base.endswith("e") and not base.endswith(("ee", "be"))
    return (base[:-1] if silent_e else base) + "ing"


_RULES = {
    "base": str,
    "third": english_s,
    "past": _english_ed,
    "participle": _english_ed,
    "gerund": _english_ing,
}
