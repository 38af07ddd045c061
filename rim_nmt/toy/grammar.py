"""A synchronous grammar of English and German: one tree, read out in both languages.

Every constituent is a small frozen dataclass that can say itself in English and in German.
Constituents return lists of tokens; the token "," asks for a comma, and
:meth:`Sentence.english` and :meth:`Sentence.german` join the tokens, merge commas, and add the
capital letter and the final mark. German order is always the same for the same English:

    front, finite verb, subject, pronouns, time, definite objects, frequency, nicht,
    manner, place, prepositional complement, infinite verbs, clauses

Indefinite objects stand behind the place; "nicht" and "ein" become "kein". Among objects the
dative precedes the accusative, but a pronoun in the accusative precedes the dative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Protocol

from rim_nmt.toy.lexicon import (
    FEMALE_JOBS,
    NAMES,
    Adjective,
    Noun,
    Slot,
    Verb,
    english_verb,
    german_present,
    german_preterite,
)

Tokens = list[str]

# ---------------------------------------------------------------- determiners and numbers

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
_RELATIVE = _ARTICLE | {"dat": ("dem", "der", "dem", "denen")}


@dataclass(frozen=True, eq=False)
class Determiner:
    """A determiner: its words and its German declension.

    ``kind`` is article, der (dieser), ein (mein), or bare (no ending: none, or a number).
    """

    english: str
    german: str
    kind: str


DETERMINERS: dict[str, Determiner] = {
    name: Determiner(name, german, kind)
    for name, german, kind in (
        ("the", "", "article"),
        ("a", "ein", "ein"),
        ("no", "kein", "ein"),
        ("", "", "bare"),
        ("this", "dies", "der"),
        ("every", "jed", "der"),
        ("which", "welch", "der"),
        ("all", "all", "der"),
        ("many", "viel", "der"),
        ("some", "einig", "der"),
        ("how many", "wie viel", "der"),
        ("my", "mein", "ein"),
        ("your", "dein", "ein"),
        ("his", "sein", "ein"),
        ("her", "ihr", "ein"),
        ("our", "unser", "ein"),
        ("their", "ihr", "ein"),
    )
}
POSSESSIVES = ("my", "your", "his", "her", "our", "their")
INDEFINITE = ("a", "")  # turned into "kein" under negation
_STRONG_AFTER = ("many", "some", "how many")

_ONES = (
    ("one", "ein"),
    ("two", "zwei"),
    ("three", "drei"),
    ("four", "vier"),
    ("five", "fünf"),
    ("six", "sechs"),
    ("seven", "sieben"),
    ("eight", "acht"),
    ("nine", "neun"),
    ("ten", "zehn"),
    ("eleven", "elf"),
    ("twelve", "zwölf"),
    ("thirteen", "dreizehn"),
    ("fourteen", "vierzehn"),
    ("fifteen", "fünfzehn"),
    ("sixteen", "sechzehn"),
    ("seventeen", "siebzehn"),
    ("eighteen", "achtzehn"),
    ("nineteen", "neunzehn"),
)
_TENS = (
    ("twenty", "zwanzig"),
    ("thirty", "dreißig"),
    ("forty", "vierzig"),
    ("fifty", "fünfzig"),
    ("sixty", "sechzig"),
    ("seventy", "siebzig"),
    ("eighty", "achtzig"),
    ("ninety", "neunzig"),
)


def number_words(number: int) -> tuple[str, str]:
    """Return the English and German words for a number from 2 to 99.

    Raises:
        ValueError: if ``number`` is outside that range; give one inside it.
    """
    if not 2 <= number <= 99:
        raise ValueError(f"cannot spell {number}: expected a number from 2 to 99")
    if number < 20:
        return _ONES[number - 1]
    tens, ones = _TENS[number // 10 - 2], number % 10
    if not ones:
        return tens
    english, german = _ONES[ones - 1]
    return f"{tens[0]}-{english}", f"{german}und{tens[1]}"


def _column(gender: str, plural: bool) -> int:
    return 3 if plural else "mfn".index(gender)


@cache
def determiner_form(determiner: Determiner, case: str, gender: str, plural: bool) -> str:
    """Return the German form of a determiner (der, einem, deine)."""
    column = _column(gender, plural)
    if determiner.kind == "article":
        return _ARTICLE[case][column]
    if determiner.kind == "bare":
        return determiner.german
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


# --------------------------------------------------------------------------- nominals


class Nominal(Protocol):
    """Whatever can be a subject or an object."""

    @property
    def person(self) -> int:
        """Grammatical person, 1 to 3."""

    @property
    def plural(self) -> bool:
        """Whether the verb agrees in the plural."""

    def english(self, case: str) -> Tokens:
        """Say it in English; ``case`` matters to pronouns."""

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say it in German, with its relative clause unless ``clauses`` is false."""


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """A noun with determiner, number, adjective, owner, origin and relative clause.

    ``owner`` is a name or a noun phrase in the genitive and takes the determiner's place;
    ``origin`` is a pair of English and German city names; ``very`` strengthens the adjective.
    """

    noun: Noun
    determiner: Determiner = DETERMINERS["the"]
    plural: bool = False
    number: int = 0
    adjective: Adjective | None = None
    very: bool = False
    owner: Name | NounPhrase | None = None
    origin: tuple[str, str] | None = None
    relative: Relative | None = None

    @property
    def person(self) -> int:
        """Always the third person."""
        return 3

    def english(self, case: str) -> Tokens:
        """Say it in English."""
        rest = [number_words(self.number)[0]] if self.number else []
        if self.adjective:
            rest += ["very"] * self.very + [self.adjective.english]
        rest.append(self.noun.english_form(self.plural))
        if self.owner:
            *words, last = self.owner.english("nom")
            first = [*words, last + "'s"]
        else:
            first = [self._english_determiner(rest[0])] if self.determiner.english else []
        tokens = first + rest
        if self.origin:
            tokens += ["from", self.origin[0]]
        return tokens + (self.relative.english() if self.relative else [])

    def _english_determiner(self, following: str) -> str:
        if self.determiner.english == "a":
            return "an" if following[0] in "aeiou" else "a"
        if self.determiner.english == "this" and self.plural:
            return "these"
        return self.determiner.english

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say it in German, in ``case``."""
        gender, determiner = self.noun.gender, self.determiner
        tokens: Tokens = []
        if isinstance(self.owner, Name):
            determiner = DETERMINERS[""]
            tokens += self.owner.german("gen")
        word = determiner_form(determiner, case, gender, self.plural)
        tokens += word.split()
        if self.number:
            tokens.append(number_words(self.number)[1])
        if self.adjective:
            tokens += ["sehr"] * self.very
            tokens.append(adjective_form(self.adjective, determiner, case, gender, self.plural))
        tokens.append(self.noun.german_form(case, self.plural))
        if isinstance(self.owner, NounPhrase):
            tokens += self.owner.german("gen")
        if self.origin:
            tokens += ["aus", self.origin[1]]
        return tokens + (self.relative.german() if self.relative and clauses else [])


@dataclass(frozen=True, slots=True)
class Name:
    """A person's given name."""

    name: str

    person = 3
    plural = False

    @property
    def sex(self) -> str:
        """``male`` or ``female``."""
        return NAMES[self.name]

    def english(self, case: str) -> Tokens:
        """Say it in English."""
        return [self.name]

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say it in German."""
        return [self.name + "s"] if case == "gen" else [self.name]


# English subject -> English object, person, plural, German nom, acc, dat, reflexive.
_PRONOUNS = {
    "I": ("me", 1, False, "ich", "mich", "mir", "mich"),
    "you": ("you", 2, False, "du", "dich", "dir", "dich"),
    "he": ("him", 3, False, "er", "ihn", "ihm", "sich"),
    "she": ("her", 3, False, "sie", "sie", "ihr", "sich"),
    "it": ("it", 3, False, "es", "es", "ihm", "sich"),
    "we": ("us", 1, True, "wir", "uns", "uns", "uns"),
    "they": ("them", 3, True, "sie", "sie", "ihnen", "sich"),
}


@dataclass(frozen=True, slots=True)
class Pronoun:
    """A personal pronoun; "it" takes the German gender of its ``antecedent``.

    Without an antecedent "it" is the "es" of the weather. "You" is always one friend (du).
    """

    word: str
    antecedent: Noun | None = None

    @property
    def person(self) -> int:
        """Grammatical person."""
        return _PRONOUNS[self.word][1]

    @property
    def plural(self) -> bool:
        """Whether it is plural."""
        return _PRONOUNS[self.word][2]

    def english(self, case: str) -> Tokens:
        """Say it in English."""
        return [self.word if case == "nom" else _PRONOUNS[self.word][0]]

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say it in German."""
        word = self.word
        if self.antecedent:
            word = {"m": "he", "f": "she", "n": "it"}[self.antecedent.gender]
        return [_PRONOUNS[word][("nom", "acc", "dat").index(case) + 3]]


@dataclass(frozen=True, slots=True)
class Both:
    """Two coordinated nominals: the man and Anna."""

    first: Nominal
    second: Nominal

    person = 3
    plural = True

    def english(self, case: str) -> Tokens:
        """Say it in English."""
        return [*self.first.english(case), "and", *self.second.english(case)]

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say it in German."""
        return [*self.first.german(case), "und", *self.second.german(case)]


@dataclass(frozen=True, slots=True)
class Gap:
    """The silent place a relative or question word has moved from."""

    noun: Noun | None = None
    plural: bool = False

    person = 3

    def english(self, case: str) -> Tokens:
        """Say nothing."""
        return []

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say nothing."""
        return []


# ------------------------------------------------------------- adverbials and qualities


@dataclass(frozen=True, slots=True)
class Adverbial:
    """A fixed adverb or phrase in both languages."""

    english_words: str
    german_words: str

    def english(self) -> Tokens:
        """Say it in English."""
        return self.english_words.split()

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German."""
        return self.german_words.split()


_CONTRACTED = {
    ("in", "dem"): "im",
    ("an", "dem"): "am",
    ("zu", "dem"): "zum",
    ("zu", "der"): "zur",
    ("von", "dem"): "vom",
    ("in", "das"): "ins",
}


def prepositional(preposition: str, phrase: Nominal, case: str, clauses: bool = True) -> Tokens:
    """Say a German preposition with its nominal, contracted where German does (im, zum).

    A noun phrase with a relative clause keeps its full article (in dem Haus, das ...).
    """
    first, *rest = phrase.german(case, clauses)
    contracts = (
        isinstance(phrase, NounPhrase)
        and phrase.determiner.english == "the"
        and not phrase.relative
    )
    short = _CONTRACTED.get((preposition, first)) if contracts else None
    return [short, *rest] if short else [preposition, first, *rest]


@dataclass(frozen=True, slots=True)
class Prepositional:
    """A prepositional phrase of place, such as in the garden or into the garden."""

    preposition: str
    german_preposition: str
    case: str
    phrase: NounPhrase

    def english(self) -> Tokens:
        """Say it in English."""
        return [self.preposition, *self.phrase.english("acc")]

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German."""
        return prepositional(self.german_preposition, self.phrase, self.case, clauses)


Place = Adverbial | Prepositional


@dataclass(frozen=True, slots=True)
class Quality:
    """What "be" ascribes: an adjective, or a comparison when ``than`` is given."""

    adjective: Adjective
    very: bool = False
    than: Nominal | None = None

    def english(self) -> Tokens:
        """Say it in English."""
        if self.than:
            words = self.adjective.english_comparative.split()
            return [*words, "than", *self.than.english("nom")]
        return ["very"] * self.very + [self.adjective.english]

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German."""
        if self.than:
            return [self.adjective.german_comparative]
        return ["sehr"] * self.very + [self.adjective.german]

    def german_than(self) -> Tokens:
        """Say in German what it is compared with; that stands behind the closing verbs."""
        return ["als", *self.than.german("nom")] if self.than else []


@dataclass(frozen=True, slots=True)
class Job:
    """What "be" calls somebody: a doctor; German has no article and a form for each sex."""

    noun: Noun
    sex: str

    def english(self) -> Tokens:
        """Say it in English."""
        return NounPhrase(self.noun, DETERMINERS["a"]).english("nom")

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German."""
        female = self.sex == "female"
        return [FEMALE_JOBS[self.noun.english] if female else self.noun.german]


Argument = Nominal | Adverbial | Prepositional | Quality | Job

# --------------------------------------------------------------------------- verb groups


@dataclass(frozen=True, slots=True)
class Modal:
    """A modal verb. ``plain`` modals invert and are negated without "do".

    ``present``, ``past`` and ``negative`` are English; ``german`` and ``german_negative`` are
    German infinitives ("must not" is "nicht dürfen").
    """

    present: str
    past: str
    negative: str
    german: str
    german_negative: str
    plain: bool


MODALS: dict[str, Modal] = {
    modal.present: modal
    for modal in (
        Modal("can", "could", "cannot", "können", "können", True),
        Modal("must", "", "must not", "müssen", "dürfen", True),
        Modal("may", "", "may not", "dürfen", "dürfen", True),
        Modal("should", "", "should not", "sollen", "sollen", True),
        Modal("want to", "wanted to", "want to", "wollen", "wollen", False),
        Modal("have to", "had to", "have to", "müssen", "müssen", False),
    )
}

_BE = {
    "present": ("am", "are", "is", "are", "are", "are"),
    "past": ("was", "were", "was", "were", "were", "were"),
}
TENSES = ("present", "past", "perfect", "future")


def _english_group(
    words: str, tense: str, subject: Nominal, negated: bool, progressive: bool, support: bool
) -> tuple[str, Tokens]:
    """Return the English auxiliary (empty if there is none) and the verbs after it.

    ``support`` asks for "do" where a question or "not" needs an auxiliary.
    """
    third = subject.person == 3 and not subject.plural
    cell = subject.person - 1 + 3 * subject.plural
    if words == "be":
        if tense in _BE:
            return _BE[tense][cell], ["not"] * negated
    elif progressive:
        return _BE[tense][cell], ["not"] * negated + [english_verb(words, "gerund")]
    if tense == "future":
        return "will", ["not"] * negated + [words]
    if tense == "perfect":
        verb = english_verb(words, "participle")
        return ("has" if third else "have"), ["not"] * negated + [verb]
    if negated or support:
        do = "did" if tense == "past" else "does" if third else "do"
        return do, ["not"] * negated + [words]
    if tense == "past":
        return "", [english_verb(words, "past")]
    return "", [english_verb(words, "third" if third else "base")]


@dataclass(frozen=True, slots=True)
class _GermanVerbs:
    """The pieces of a German verb complex: finite verb, prefix, and infinite verbs."""

    finite: str
    prefix: str
    infinite: Tokens

    @property
    def last(self) -> Tokens:
        """The verbs of a verb-final clause."""
        return [*self.infinite, self.prefix + self.finite]

    @property
    def bracket(self) -> Tokens:
        """What closes a main clause."""
        return [*self.infinite, self.prefix] if self.prefix else self.infinite


@dataclass(frozen=True, slots=True)
class Predicate:
    """A verb with its tense, complements and adverbials: a clause without its subject.

    ``arguments`` fill ``verb.slots`` in order; ``clause`` is the governed clause if any;
    ``fond`` adds "like to" (gern); ``place`` must be empty where the verb itself asks for one.
    """

    verb: Verb
    arguments: tuple[Argument, ...] = ()
    tense: str = "present"
    negated: bool = False
    progressive: bool = False
    modal: Modal | None = None
    fond: bool = False
    time: Adverbial | None = None
    frequency: Adverbial | None = None
    manner: Adverbial | None = None
    place: Place | None = None
    clause: Subordinate | Infinitive | None = None

    # ------------------------------------------------------------------------ English

    def english_verbs(self, subject: Nominal, support: bool = False) -> tuple[str, Tokens]:
        """Return the English auxiliary (or "") and the remaining verbs with the adverb."""
        negated, modal = self.negated, self.modal
        if modal and modal.plain:
            word = modal.past if self.tense == "past" else modal.present
            head, *rest = (modal.negative if negated else word).split()
            if negated and self.tense == "past":
                head, rest = word, ["not"]
            return head, [*rest, *self._often(), self.verb.english]
        if modal or self.fond:
            words = modal.present if modal else "like to"
            auxiliary, rest = _english_group(
                words.split()[0], self.tense, subject, negated, False, support
            )
            verbs = [*rest, "to", self.verb.english]
        else:
            auxiliary, verbs = _english_group(
                self.verb.english, self.tense, subject, negated, self.progressive, support
            )
        return auxiliary, [*self._often(), *verbs]

    def _often(self) -> Tokens:
        return self.frequency.english() if self.frequency else []

    def english_rest(self) -> Tokens:
        """Return the English complements, adverbials and governed clause."""
        tokens: Tokens = []
        for slot, argument in self._english_arguments():
            if isinstance(argument, Gap):
                continue
            tokens += [slot.english] if slot.english else []
            tokens += argument.english("acc") if slot.kind == "nominal" else argument.english()
        for adverbial in (self.manner, self.place, self.time):
            tokens += adverbial.english() if adverbial else []
        return tokens + (self.clause.english() if self.clause else [])

    def _english_arguments(self) -> list[tuple[Slot, Argument]]:
        """Pair slots and arguments; "gives it to him" if the thing given is a pronoun."""
        pairs = list(zip(self.verb.slots, self.arguments, strict=True))
        if len(pairs) == 2 and isinstance(pairs[1][1], Pronoun) and not pairs[1][0].english:
            (receiver, person), thing = pairs
            return [thing, (replace(receiver, english="to"), person)]
        return pairs

    def english_infinitive(self, form: str) -> Tokens:
        """Return the English infinitive or gerund phrase; ``form`` is base or gerund."""
        return [english_verb(self.verb.english, form), *self.english_rest()]

    # ------------------------------------------------------------------------- German

    def german_verbs(self, subject: Nominal) -> _GermanVerbs:
        """Return the German verb complex agreeing with ``subject``."""
        who = subject.person, subject.plural
        verb = self.verb
        if self.modal:
            base = self.modal.german_negative if self.negated else self.modal.german
            finite = german_preterite if self.tense == "past" else german_present
            return _GermanVerbs(finite(base, *who), "", [verb.infinitive])
        if self.tense == "future":
            return _GermanVerbs(german_present("werden", *who), "", [verb.infinitive])
        if self.tense == "past" and verb.in_preterite:
            return _GermanVerbs(german_preterite(verb.german, *who), "", [])
        if self.tense in ("past", "perfect"):
            auxiliary = german_present(verb.auxiliary, *who)
            return _GermanVerbs(auxiliary, "", [verb.participle])
        return _GermanVerbs(verb.german_present(*who), verb.prefix, [])

    def reflexive(self, subject: Nominal) -> Tokens:
        """Return the reflexive pronoun for ``subject`` if the German verb has one."""
        if not self.verb.reflexive:
            return []
        if isinstance(subject, Pronoun):
            return [_PRONOUNS[subject.word][6]]
        return ["sich"]

    def german_middle(self) -> tuple[Tokens, Tokens]:
        """Return the German middle field without the subject, and the clauses after it.

        The relative clause of the last phrase moves behind the closing verbs.
        """
        nominal = [
            (slot, argument)
            for slot, argument in zip(self.verb.slots, self.arguments, strict=True)
            if slot.kind == "nominal" and not slot.german and not isinstance(argument, Gap)
        ]
        nominal.sort(key=lambda pair: pair[0].case != "dat")
        pronouns = [pair for pair in nominal if isinstance(pair[1], Pronoun)]
        phrases = [pair for pair in nominal if not isinstance(pair[1], Pronoun)]
        definite = [pair for pair in phrases if _is_definite(pair[1])]
        if len(definite) < len(phrases):
            definite = definite[:1] if phrases[:1] == definite[:1] else []
        indefinite = phrases[len(definite) :]
        often = self.frequency.german() if self.frequency else ["gern"] * self.fond
        manner = self.manner.german() if self.manner else []
        place = self.place.german() if self.place else []
        no = self.negated and any(_is_indefinite(phrase) for _, phrase in indefinite)

        bare: list[Tokens] = [p.german(slot.case) for slot, p in reversed(pronouns)]
        bare += [self.time.german() if self.time else [], ["gerade"] * self.progressive]
        pieces = [(tokens, []) for tokens in bare]
        pieces += [_split(phrase, slot.case) for slot, phrase in definite]
        pieces += [(often, []), (["nicht"] * (self.negated and not no), [])]
        if indefinite:
            pieces += [([] if no else manner, []), (place, [])]
            manner, place = manner if no else [], []
        for slot, phrase in indefinite:
            if no and _is_indefinite(phrase):
                phrase, no = replace(phrase, determiner=DETERMINERS["no"]), False
            pieces.append(_split(phrase, slot.case))
        pieces += [(manner, []), (place, []), *self._prepositional_pieces()]
        pieces = [piece for piece in pieces if piece[0]]
        after = pieces[-1][1] if pieces else []
        middle = [token for body, tail in pieces[:-1] for token in body + tail]
        middle += pieces[-1][0] if pieces else []
        return middle, after + (self.clause.german() if self.clause else [])

    def _prepositional_pieces(self) -> list[tuple[Tokens, Tokens]]:
        pieces: list[tuple[Tokens, Tokens]] = []
        for slot, argument in zip(self.verb.slots, self.arguments, strict=True):
            if isinstance(argument, Gap):
                continue
            if isinstance(argument, Quality):
                pieces.append((argument.german(), argument.german_than()))
            elif slot.kind != "nominal":
                pieces.append((argument.german(), []))
            elif slot.german:
                body = prepositional(slot.german, argument, slot.case, clauses=False)
                pieces.append((body, _split(argument, slot.case)[1]))
        return pieces

    def german_infinitive(self, subject: Nominal) -> Tokens:
        """Return the German zu-infinitive phrase, with a comma before it if it is extended."""
        middle, after = self.german_middle()
        middle = self.reflexive(subject) + middle
        comma = [","] if middle or after else []
        return comma + middle + [self.verb.zu_infinitive] + after + comma


def _is_indefinite(phrase: Nominal) -> bool:
    return (
        isinstance(phrase, NounPhrase)
        and phrase.determiner.english in INDEFINITE
        and not phrase.number
        and not phrase.owner
    )


def _is_definite(phrase: Nominal) -> bool:
    """Whether "oft" and "gern" follow the phrase (das Buch oft, but oft ein Buch)."""
    if not isinstance(phrase, NounPhrase):
        return not isinstance(phrase, Both) or _is_definite(phrase.first)
    return bool(phrase.owner) or phrase.determiner.english in ("the", "this", *POSSESSIVES)


def _split(phrase: Nominal, case: str) -> tuple[Tokens, Tokens]:
    """Return a German nominal and, apart, its relative clause."""
    body = phrase.german(case, clauses=False)
    relative = phrase.relative if isinstance(phrase, NounPhrase) else None
    return body, relative.german() if relative else []


# -------------------------------------------------------------------------------- clauses


@dataclass(frozen=True, slots=True)
class Clause:
    """A subject with its predicate.

    ``front`` opens the sentence instead of the subject; ``second`` is another predicate of
    the same subject; ``adjunct`` is a subordinate clause at the end.
    """

    subject: Nominal
    predicate: Predicate
    front: Place | Subordinate | None = None
    second: Predicate | None = None
    adjunct: Subordinate | None = None

    def english(self) -> Tokens:
        """Say it as an English statement."""
        tokens = self.front.english() if self.front else []
        if isinstance(self.front, Subordinate):
            tokens.append(",")
        auxiliary, verbs = self.predicate.english_verbs(self.subject)
        often = [auxiliary] if auxiliary else []
        tokens += self.subject.english("nom") + often + verbs + self.predicate.english_rest()
        if self.second:
            auxiliary, verbs = self.second.english_verbs(self.subject)
            shared = self._shares_verb(self.second)
            verbs = verbs[-1:] if shared else [auxiliary] * bool(auxiliary) + verbs
            tokens += ["and", *verbs, *self.second.english_rest()]
        return tokens + (self.adjunct.english() if self.adjunct else [])

    def english_question(self) -> Tokens:
        """Say it in English with the auxiliary before the subject."""
        auxiliary, verbs = self.predicate.english_verbs(self.subject, support=True)
        subject = self.subject.english("nom")
        return [auxiliary, *subject, *verbs, *self.predicate.english_rest()]

    def _shares_verb(self, second: Predicate) -> bool:
        """Whether both predicates have the same auxiliary in English and in German."""
        first_verbs = self.predicate.german_verbs(self.subject)
        second_verbs = second.german_verbs(self.subject)
        return (
            self.predicate.english_verbs(self.subject)[0] == second.english_verbs(self.subject)[0]
            and first_verbs.finite == second_verbs.finite
            and bool(first_verbs.infinite and second_verbs.infinite)
        )

    def german(self) -> Tokens:
        """Say it as a German main clause, the finite verb second."""
        if self.front:
            return self.front.german() + self.german_question()
        return self.subject.german("nom") + self._german_from_verb([])

    def german_question(self) -> Tokens:
        """Say it in German with the finite verb first."""
        return self._german_from_verb(self.subject.german("nom"))

    def _german_from_verb(self, subject: Tokens) -> Tokens:
        tokens = self._german_predicate(self.predicate, subject, shared=False)
        if self.second:
            shared = self._shares_verb(self.second)
            tokens += ["und", *self._german_predicate(self.second, [], shared)]
        return tokens + (self.adjunct.german() if self.adjunct else [])

    def _german_predicate(self, predicate: Predicate, subject: Tokens, shared: bool) -> Tokens:
        verbs = predicate.german_verbs(self.subject)
        middle, after = predicate.german_middle()
        finite = [] if shared else [verbs.finite]
        opening = self._with_reflexive(predicate, subject)
        return finite + opening + middle + verbs.bracket + after

    def _with_reflexive(self, predicate: Predicate, subject: Tokens) -> Tokens:
        """Put "sich" behind a pronoun and before any other subject."""
        sich = predicate.reflexive(self.subject)
        return subject + sich if isinstance(self.subject, Pronoun) else sich + subject

    def german_last(self) -> Tokens:
        """Say it as a German subordinate clause, the finite verb last."""
        verbs = self.predicate.german_verbs(self.subject)
        middle, after = self.predicate.german_middle()
        opening = self._with_reflexive(self.predicate, self.subject.german("nom"))
        tokens = opening + middle + verbs.last + after
        return tokens + (self.adjunct.german() if self.adjunct else [])


CONJUNCTIONS: dict[str, str] = {
    "because": "weil",
    "although": "obwohl",
    "when": "wenn",
    "if": "wenn",
    "before": "bevor",
    "while": "während",
    "until": "bis",
    "that": "dass",
    "whether": "ob",
}


@dataclass(frozen=True, slots=True)
class Subordinate:
    """A clause behind a conjunction; ``conjunction`` is English ("when" of the past is "als")."""

    conjunction: str
    clause: Clause

    def english(self) -> Tokens:
        """Say it in English."""
        return [self.conjunction, *self.clause.english()]

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German between commas."""
        german = CONJUNCTIONS[self.conjunction]
        if self.conjunction == "when" and self.clause.predicate.tense == "past":
            german = "als"
        return [",", german, *self.clause.german_last(), ","]


@dataclass(frozen=True, slots=True)
class Infinitive:
    """An infinitive governed by a verb: to read ..., or reading ... if ``gerund``."""

    predicate: Predicate
    subject: Nominal
    gerund: bool = False

    def english(self) -> Tokens:
        """Say it in English."""
        if self.gerund:
            return self.predicate.english_infinitive("gerund")
        return ["to", *self.predicate.english_infinitive("base")]

    def german(self) -> Tokens:
        """Say it in German."""
        return self.predicate.german_infinitive(self.subject)


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose: in order to read ... (um ... zu lesen)."""

    predicate: Predicate
    subject: Nominal

    def english(self) -> Tokens:
        """Say it in English."""
        return ["in", "order", "to", *self.predicate.english_infinitive("base")]

    def german(self, clauses: bool = True) -> Tokens:
        """Say it in German."""
        infinitive = self.predicate.german_infinitive(self.subject)
        return [",", "um", *(infinitive[1:] if infinitive[0] == "," else infinitive), ","]


def _extraction(clause: Clause) -> Slot | None:
    """Return the slot whose argument is the gap of ``clause``; ``None`` if it is the subject."""
    for slot, argument in zip(clause.predicate.verb.slots, clause.predicate.arguments, strict=True):
        if isinstance(argument, Gap):
            return slot
    return None


@dataclass(frozen=True, slots=True)
class Relative:
    """A relative clause. Its clause has one :class:`Gap`, which names the head noun."""

    clause: Clause
    head: Noun
    plural: bool = False

    def english(self) -> Tokens:
        """Say it in English: who, whom, that, or a preposition with whom or which."""
        slot = _extraction(self.clause)
        if slot is None:
            words = ["who" if self.head.person else "that"]
        elif slot.english:
            words = [slot.english, "whom" if self.head.person else "which"]
        else:
            words = ["whom" if self.head.person else "that"]
        return words + self.clause.english()

    def german(self) -> Tokens:
        """Say it in German between commas."""
        slot = _extraction(self.clause)
        column = _column(self.head.gender, self.plural)
        pronoun = _RELATIVE[slot.case if slot else "nom"][column]
        preposition = [slot.german] if slot and slot.german else []
        return [",", *preposition, pronoun, *self.clause.german_last(), ","]


# ------------------------------------------------------------------------------ sentences

_WHO = {"nom": "wer", "acc": "wen", "dat": "wem"}
ADVERBIAL_QUESTIONS = {"when": "wann", "why": "warum", "where": "wo"}


@dataclass(frozen=True, slots=True)
class Question:
    """A question: yes or no without ``word``; else ``word`` is what stands in front.

    ``word`` is when, why or where; or who, whom or what; or a noun phrase with "which" or
    "how many". In the latter two cases the clause has a :class:`Gap`.
    """

    clause: Clause
    word: NounPhrase | str = ""

    def english(self) -> Tokens:
        """Say it in English."""
        slot = _extraction(self.clause)
        if not self.word or self.word in ADVERBIAL_QUESTIONS:
            return [*self.word.split(), *self.clause.english_question()]
        words = [self.word] if isinstance(self.word, str) else self.word.english("acc")
        if slot is None:
            return words + self.clause.english()
        return [slot.english] * bool(slot.english) + words + self.clause.english_question()

    def german(self) -> Tokens:
        """Say it in German."""
        if not self.word:
            return self.clause.german_question()
        slot = _extraction(self.clause)
        case = slot.case if slot else "nom"
        if isinstance(self.word, NounPhrase):
            words = self.word.german(case)
        elif self.word in ADVERBIAL_QUESTIONS:
            toward = slot and slot.kind in ("goal", "journey")
            words = ["wohin" if toward else ADVERBIAL_QUESTIONS[self.word]]
        else:
            words = ["was" if self.word == "what" else _WHO[case]]
        preposition = [slot.german] if slot and slot.german else []
        return preposition + words + self.clause.german_question()


@dataclass(frozen=True, slots=True)
class Compound:
    """Two main clauses joined by "and" or "but"."""

    first: Clause
    conjunction: str
    second: Clause

    def english(self) -> Tokens:
        """Say it in English."""
        return [*self.first.english(), ",", self.conjunction, *self.second.english()]

    def german(self) -> Tokens:
        """Say it in German; a comma stands before "aber", not before "und"."""
        link = [",", "aber"] if self.conjunction == "but" else ["und"]
        return self.first.german() + link + self.second.german()


def _join(tokens: Tokens, mark: str) -> str:
    """Join tokens into a sentence, merging commas, and add capital and final mark."""
    words: Tokens = []
    for token in tokens:
        if token == ",":
            if words and not words[-1].endswith(","):
                words[-1] += ","
        else:
            words.append(token)
    text = " ".join(words).rstrip(",")
    return text[0].upper() + text[1:] + mark


@dataclass(frozen=True, slots=True)
class Sentence:
    """A whole sentence: a statement, a compound or a question."""

    body: Clause | Compound | Question

    @property
    def _mark(self) -> str:
        return "?" if isinstance(self.body, Question) else "."

    def english(self) -> str:
        """Return the English sentence."""
        return _join(self.body.english(), self._mark)

    def german(self) -> str:
        """Return its German translation."""
        return _join(self.body.german(), self._mark)

    def noun_verb_pairs(self) -> Iterator[tuple[str, str]]:
        """Yield every noun with a verb it is subject or object of, both as English keys."""
        for node in walk(self.body):
            if isinstance(node, Clause):
                predicates = [p for p in (node.predicate, node.second) if p]
                for predicate in predicates:
                    yield from _pairs((node.subject, *predicate.arguments), predicate.verb)
            elif isinstance(node, (Infinitive, Purpose)):
                arguments = (node.subject, *node.predicate.arguments)
                yield from _pairs(arguments, node.predicate.verb)


def _pairs(arguments: tuple[Argument, ...], verb: Verb) -> Iterator[tuple[str, str]]:
    for argument in arguments:
        if isinstance(argument, Both):
            yield from _pairs((argument.first, argument.second), verb)
        elif isinstance(argument, (NounPhrase, Gap)) and argument.noun:
            yield argument.noun.english, verb.key


_ATOMS = ("str", "bool", "int", "Noun", "Verb", "Adjective", "Determiner", "Modal", "Adverbial")


@cache
def _part_names(kind: type) -> tuple[str, ...]:
    """Return the fields of a constituent that hold constituents, by their annotations."""
    parts = fields(kind) if is_dataclass(kind) else ()
    return tuple(part.name for part in parts if str(part.type).split(" |")[0] not in _ATOMS)


def walk(node: object) -> list[object]:
    """Return ``node`` and all constituents below it, outermost first."""
    found, waiting = [], [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting += reversed(node)
        elif node is not None:
            found.append(node)
            waiting += [getattr(node, name) for name in reversed(_part_names(type(node)))]
    return found
