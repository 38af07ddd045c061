"""The bilingual lexicon of the made-up corpus: its nouns, adjectives and verbs.

The tables are written like a pocket dictionary: one word a line, regular forms left out.
Whatever a rule can derive is derived; what it cannot is listed as an exception. One English
word has one German word for each use, so a translation never has to guess.

Tags say what a noun is, and so which verbs and adjectives it fits. Every noun also has the tag
"any".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property

from rim_nmt.toy.english import english_s
from rim_nmt.toy.german import german_participle, german_present, has_preterite, umlaut
from rim_nmt.toy.table import Row, read_table

# ------------------------------------------------------------------------------- nouns


@dataclass(frozen=True, eq=False)
class Noun:
    """A noun of both languages.

    ``gender`` is m, f or n; ``weak`` marks the German n-declension; ``tags`` say what it is.
    """

    english: str
    english_plural: str
    german: str
    gender: str
    german_plural: str
    weak: bool
    tags: tuple[str, ...]

    @property
    def mass(self) -> bool:
        """Whether the noun is not counted (water, bread)."""
        return "mass" in self.tags

    @property
    def sex(self) -> str | None:
        """``male`` or ``female`` where English "he" or "she" is certain, else ``None``."""
        return next((tag for tag in self.tags if tag in ("male", "female")), None)

    @property
    def person(self) -> bool:
        """Whether the noun names a person, so that English says "who"."""
        return "person" in self.tags

    def english_form(self, plural: bool) -> str:
        """Return the English singular or plural."""
        return self.english_plural if plural else self.english

    @cache  # noqa: B019 - the lexicon lives as long as the program
    def german_form(self, case: str, plural: bool) -> str:
        """Return the German form for ``case`` (nom, acc, dat or gen)."""
        if plural:
            ends_bare = self.german_plural.endswith(("n", "s"))
            return self.german_plural + ("n" if case == "dat" and not ends_bare else "")
        if self.weak and case != "nom":
            return self.german + ("n" if self.german.endswith(("e", "r")) else "en")
        if case == "gen" and self.gender != "f":
            if self.german_plural == self.german + "se":
                return self.german + "ses"  # Bus, Busses
            one_syllable = len(re.findall("[aeiouyäöü]+", self.german.lower())) == 1
            closed = self.german[-1] not in "aeiou"
            return self.german + ("es" if one_syllable and closed else "s")
        return self.german


def _read_noun(row: Row) -> Noun:
    """Read a row of the noun table.

    The German plural is an ending, with "¨" before it if the stem takes an umlaut; or, with a
    capital letter, the whole word.
    """
    singular, ending = row["german"], row["german_plural"]
    if ending[:1].isupper():
        plural = ending
    else:
        stem = umlaut(singular) if ending.startswith("¨") else singular
        plural = stem + ending.removeprefix("¨")
    return Noun(
        english=row["english"],
        english_plural=row["english_plural"] or english_s(row["english"]),
        german=singular,
        gender=row["gender"],
        german_plural=plural,
        weak=row["declension"] == "weak",
        tags=(*row["tags"].split(), "any"),
    )


# -------------------------------------------------------------------------- adjectives


@dataclass(frozen=True, eq=False)
class Adjective:
    """An adjective with its comparatives (empty where unused) and the nouns it fits."""

    english: str
    german: str
    english_comparative: str
    german_comparative: str
    tags: tuple[str, ...]

    @property
    def german_stem(self) -> str:
        """The stem that takes endings (teuer -> teur-, müde -> müd-)."""
        if self.german.endswith(("el", "auer", "euer")):
            return self.german[:-2] + self.german[-1]
        return self.german.removesuffix("e")


def _read_adjective(row: Row) -> Adjective:
    return Adjective(**{**row, "tags": tuple(row["tags"].split())})


# ------------------------------------------------------------------------------- verbs


@dataclass(frozen=True)
class Slot:
    """One complement of a verb.

    ``kind`` is ``nominal`` for noun phrases with one of ``tags``, else goal, journey (a goal
    outdoors or far away), location, dwelling (a location to live in), surface (a goal on or
    under a piece of furniture) or quality.
    ``english`` and ``german`` are the prepositions, empty where there is none.
    """

    kind: str
    english: str = ""
    german: str = ""
    case: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Verb:
    """A verb of both languages with its complements.

    ``german`` has no separable ``prefix``; ``reflexive`` German verbs take "sich"; ``auxiliary``
    is that of the German perfect; ``subjects`` are the tags of its subjects; ``clause`` names
    the clause it governs (that, whether, infinitive, gerund) or is empty.

    ``aspects`` is a string of letters: t takes a time (verbs without it are states), l a place,
    p the progressive; m, v, c a manner of moving, of voice, of care; w is done willingly, so one
    can promise to do it.
    """

    english: str
    german: str
    prefix: str = ""
    reflexive: bool = False
    subjects: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()
    clause: str = ""
    aspects: str = ""
    auxiliary: str = "haben"

    @cached_property
    def key(self) -> str:
        """The English verb with its preposition, which tells verbs apart in a lexicon."""
        return " ".join([self.english, *(s.english for s in self.slots[:1] if s.english)])

    @property
    def infinitive(self) -> str:
        """The German infinitive without "sich" (anrufen)."""
        return self.prefix + self.german

    @property
    def zu_infinitive(self) -> str:
        """The German infinitive with "zu" (anzurufen, zu lesen)."""
        return f"{self.prefix}zu{self.german}" if self.prefix else f"zu {self.german}"

    @property
    def participle(self) -> str:
        """The German past participle (angerufen)."""
        return self.prefix + german_participle(self.german)

    @property
    def in_preterite(self) -> bool:
        """Whether German tells the past of this verb in the preterite (war, hatte)."""
        return has_preterite(self.german)

    def german_present(self, person: int, plural: bool) -> str:
        """Return the finite present without the separable prefix."""
        return german_present(self.german, person, plural)


def _read_slot(text: str) -> Slot:
    """Read [English preposition=][German preposition+]case:tags, or another kind's name."""
    if ":" not in text:
        return Slot(text)
    head, tags = text.split(":")
    english, _, rest = head.rpartition("=")
    german, _, case = rest.rpartition("+")
    return Slot("nominal", english, german, case, tuple(tags.split(",")))


def _read_verb(row: Row) -> Verb:
    """Read a row of the verb table; in its German, "|" follows a separable prefix."""
    prefix, _, base = row["german"].removeprefix("sich ").rpartition("|")
    words = row["complements"].split()
    clauses = [w for w in words if w in ("that", "whether", "infinitive", "gerund")]
    return Verb(
        english=row["english"],
        german=base,
        prefix=prefix,
        reflexive=row["german"].startswith("sich "),
        subjects=tuple(row["subjects"].split()),
        slots=tuple(_read_slot(w) for w in words if w not in clauses),
        clause=clauses[0] if clauses else "",
        aspects=row["aspects"],
        auxiliary=row["auxiliary"],
    )


# ------------------------------------------------------------------------------ places


@dataclass(frozen=True)
class Site:
    """A place by its noun, and the prepositions of being at it and of going to it.

    German says ``german_at`` with the dative and ``german_to`` with ``german_to_case``.
    """

    noun: str
    english_at: str
    german_at: str
    english_to: str
    german_to: str
    german_to_case: str


# ------------------------------------------------------------------------- the lexicon

NOUNS: tuple[Noun, ...] = tuple(_read_noun(row) for row in read_table("nouns"))
VERBS: tuple[Verb, ...] = tuple(_read_verb(row) for row in read_table("verbs"))
ADJECTIVES: tuple[Adjective, ...] = tuple(_read_adjective(row) for row in read_table("adjectives"))
PLACES: dict[str, Site] = {row["noun"]: Site(**row) for row in read_table("places")}
# The jobs' German nouns for women, the names' sexes, and the cities' German names.
FEMALE_JOBS: dict[str, str] = {row["english"]: row["german"] for row in read_table("female_jobs")}
NAMES: dict[str, str] = {row["name"]: row["sex"] for row in read_table("names")}
CITIES: dict[str, str] = {row["english"]: row["german"] for row in read_table("cities")}


@cache
def noun(english: str) -> Noun:
    """Look up a noun by its English singular.

    Raises:
        KeyError: if the lexicon has no such noun.
    """
    for entry in NOUNS:
        if entry.english == english:
            return entry
    raise KeyError(f"no noun {english!r} in the lexicon: add a line to its noun table")


@cache
def verb(english: str, complement: str = "") -> Verb:
    """Look up a verb by its English base; ``complement`` tells namesakes apart.

    It is the English preposition ("look", "for") or the clause governed ("know", "that").

    Raises:
        KeyError: if the lexicon has no such verb.
    """
    for entry in VERBS:
        marks = [entry.clause, *(slot.english for slot in entry.slots)]
        if entry.english == english and (complement in marks or not complement):
            return entry
    raise KeyError(f"no verb {english!r} {complement!r} in the lexicon: add it to its verb table")


@cache
def adjective(english: str) -> Adjective:
    """Look up an adjective by its English form.

    Raises:
        KeyError: if the lexicon has no such adjective.
    """
    for entry in ADJECTIVES:
        if entry.english == english:
            return entry
    raise KeyError(f"no adjective {english!r} in the lexicon: add it to its adjective table")
