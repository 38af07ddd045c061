"""The inflection of German words: what a rule derives, and the irregular forms of the tables.

A finite form is asked for by person, 1 to 3, and number. Verbs come without separable prefix.
"""

from __future__ import annotations

import re
from functools import cache

from rim_nmt.toy.table import read_table

_PERSONS = ("ich", "du", "er", "wir", "ihr", "sie")
_UMLAUTS = {"au": "äu", "a": "ä", "o": "ö", "u": "ü", "A": "Ä", "O": "Ö", "U": "Ü"}

# Verbs that are not weak: their participle, and the stem of "du" and "er" where it changes.
_STRONG_VERBS = {row["infinitive"]: row for row in read_table("german_strong_verbs")}
_PRESENT = {row["infinitive"]: row for row in read_table("german_present")}
# Verbs whose English past is told in the German preterite rather than the perfect.
_PRETERITE = {row["infinitive"]: row for row in read_table("german_preterite")}


def umlaut(word: str) -> str:
    """Return ``word`` with its last a, o, u or au umlauted (Haus -> Häus)."""
    match = re.search(r"(au|[aouAOU])(?!.*[aouAOU])", word)
    if not match:
        return word
    return word[: match.start()] + _UMLAUTS[match[0]] + word[match.end() :]


@cache
def german_present(base: str, person: int, plural: bool) -> str:
    """Return the present of a verb or auxiliary."""
    who = _who(person, plural)
    if base in _PRESENT:
        return _PRESENT[base][who]
    if who in ("wir", "sie"):
        return base
    changed = _STRONG_VERBS[base]["changed_stem"] if base in _STRONG_VERBS else ""
    if changed and who == "du":
        return changed + ("t" if _ends_in_hiss(changed) else "st")
    if changed and who == "er":
        return changed if changed.endswith("t") else changed + "t"
    stem = _stem(base)
    link = _linking_e(stem)
    second = "t" if _ends_in_hiss(stem) else link + "st"
    return stem + {"ich": "e", "du": second, "er": link + "t", "ihr": link + "t"}[who]


@cache
def german_preterite(base: str, person: int, plural: bool) -> str:
    """Return the preterite of an auxiliary, a modal or another verb that uses it.

    Raises:
        KeyError: if German tells the past of ``base`` in the perfect.
    """
    return _PRETERITE[base][_who(person, plural)]


def has_preterite(base: str) -> bool:
    """Whether German tells the past of a verb in the preterite (war, hatte)."""
    return base in _PRETERITE


@cache
def german_participle(base: str) -> str:
    """Return the past participle of a verb (gerufen, besucht)."""
    if base in _STRONG_VERBS:
        return _STRONG_VERBS[base]["participle"]
    stem = _stem(base)
    inseparable = base.startswith(("be", "ver", "er", "ent", "zer")) or base.endswith("ieren")
    return ("" if inseparable else "ge") + stem + _linking_e(stem) + "t"


def _who(person: int, plural: bool) -> str:
    return _PERSONS[person - 1 + 3 * plural]


def _stem(base: str) -> str:
    return base[:-2] if base.endswith("en") else base[:-1]


def _ends_in_hiss(stem: str) -> bool:
    return stem.endswith(("s", "ß", "z"))


def _linking_e(stem: str) -> str:
    """Return the e of "arbeitet" and "regnet" where the stem needs it."""
    return "e" if re.search("[dt]$|[^aeiouäöülrmnh][mn]$", stem) else ""
