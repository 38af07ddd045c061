"""Determiners, and the endings that they and adjectives take in German."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from rim_nmt.toy.lexicon import Adjective
from rim_nmt.toy.table import read_table

# German endings of der-words and ein-words by case: masculine, feminine, neuter, plural.
_DER_ENDINGS = {
    "nom": ("er", "e", "es", "e"),
    "acc": ("en", "e", "es", "e"),
    "dat": ("em", "er", "em", "en"),
    "gen": ("es", "er", "es", "er"),
}
_ARTICLE = {
    "nom": ("der", "die", "das", "die"),
    "acc": ("den", "die", "das", "die"),
    "dat": ("dem", "der", "dem", "den"),
    "gen": ("des", "der", "des", "der"),
}


@dataclass(frozen=True, eq=False)
class Determiner:
    """A determiner: its English, and its German without ending.

    ``kind`` says how German declines it: as article, der (dieser), ein (mein), or bare (no
    ending: none, or a number).
    """

    english: str
    german: str
    kind: str


DETERMINERS: dict[str, Determiner] = {
    row["english"]: Determiner(**row) for row in read_table("determiners")
}
POSSESSIVES = ("my", "your", "his", "her", "our", "their")
INDEFINITE = ("a", "")  # turned into "kein" under negation
_STRONG_AFTER = ("many", "some", "how many")


def _column(gender: str, plural: bool) -> int:
    return 3 if plural else "mfn".index(gender)


def article(case: str, gender: str, plural: bool) -> str:
    """Return the German definite article."""
    return _ARTICLE[case][_column(gender, plural)]


@cache
def determiner_form(determiner: Determiner, case: str, gender: str, plural: bool) -> str:
    """Return the German form of a determiner (der, einem, deine)."""
    if determiner.kind == "article":
        return article(case, gender, plural)
    if determiner.kind == "bare":
        return determiner.german
    column = _column(gender, plural)
    ending = _DER_ENDINGS[case][column]
    bare_ein = column in (0, 2) if case == "nom" else column == 2 and case == "acc"
    return determiner.german + ("" if determiner.kind == "ein" and bare_ein else ending)


@cache
def adjective_form(
    adjective: Adjective, determiner: Determiner, case: str, gender: str, plural: bool
) -> str:
    """Return a German attributive adjective with its weak, mixed or strong ending."""
    column = _column(gender, plural)
    strong = determiner.kind == "bare" or determiner.english in _STRONG_AFTER
    if (
        determiner.kind == "ein"
        and determiner_form(determiner, case, gender, plural) == determiner.german
    ):
        strong = True  # ein großer Hund, ein großes Haus
    if strong:
        ending = _DER_ENDINGS[case][column]
        if case == "gen" and column in (0, 2):
            ending = "en"
    elif case in ("nom", "acc") and not plural and (case, gender) != ("acc", "m"):
        ending = "e"
    else:
        ending = "en"
    return adjective.german_stem + ending
