"""The bilingual lexicon of the generated corpus and the inflection of its words.

The tables are written like a pocket dictionary: one word a line, regular forms left out.
Whatever a rule can derive is derived; what it cannot is listed as an exception. One English
word has one German word for each use, so a translation never has to guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, cached_property

# Columns: English | German, gender, plural ending (" = umlaut, - = none) [weak] | tags.
# A full plural stands for an irregular one. Tags steer which verbs and adjectives fit.
_NOUNS = """
man         | Mann m "er             | person male
woman       | Frau f en              | person female
boy         | Junge m n weak         | person male
girl        | Mädchen n -            | person female
child       | Kind n er              | person
teacher     | Lehrer m -             | person job
doctor      | Arzt m "e              | person job
student     | Student m en weak      | person job
farmer      | Bauer m n weak         | person job
neighbour   | Nachbar m n weak       | person kin
friend      | Freund m e             | person kin
king        | König m e              | person male unique
queen       | Königin f nen          | person female unique
mother      | Mutter f "             | person female kin unique
father      | Vater m "              | person male kin unique
sister      | Schwester f n          | person female kin
brother     | Bruder m "             | person male kin
daughter    | Tochter f "            | person female kin
son         | Sohn m "e              | person male kin
dog         | Hund m e               | animal pet
cat         | Katze f n              | animal pet
bird        | Vogel m "              | animal
book        | Buch n "er             | thing text written small gift
letter      | Brief m e              | thing text written small
newspaper   | Zeitung f en           | thing text small
story       | Geschichte f n         | text written tale
joke        | Witz m e               | tale
apple       | Apfel m "              | food
cake        | Kuchen m -             | food meal
egg         | Ei n er                | food meal
bread       | Brot n -               | food mass
soup        | Suppe f -              | food meal mass
water       | Wasser n -             | drink mass
coffee      | Kaffee m -             | drink mass
car         | Auto n s               | thing vehicle machine
bicycle     | Fahrrad n "er          | thing vehicle machine gift
train       | Zug m "e               | transport
bus         | Bus m Busse            | transport
door        | Tür f en               | door
window      | Fenster n -            | door
suitcase    | Koffer m -             | thing small door
key         | Schlüssel m -          | thing small
bag         | Tasche f n             | thing small gift
picture     | Bild n er              | thing art gift
flower      | Blume f n              | thing gift art
coat        | Mantel m "             | thing garment gift
dress       | Kleid n er             | thing garment gift
hat         | Hut m "e               | thing garment small gift
table       | Tisch m e              | thing furniture
chair       | Stuhl m "e             | thing furniture
house       | Haus n "er             | place home
garden      | Garten m "             | place
kitchen     | Küche f n              | place room
room        | Zimmer n -             | place room
school      | Schule f n             | place
church      | Kirche f n             | place sight
station     | Bahnhof m "e           | place
market      | Markt m "e             | place
town        | Stadt f "e             | place home sight
lake        | See m n                | place
song        | Lied n er              | song
guitar      | Gitarre f n            | thing instrument gift
piano       | Klavier n e            | thing instrument
film        | Film m e               | film
question    | Frage f n              | idea
problem     | Problem n e            | idea
plan        | Plan m "e              | idea
"""

# How one is at, and goes to, a place: English "at", German "at" (dative), English "to", and
# German "to" with its case.
_PLACES = """
house    in in    into in+acc
garden   in in    into in+acc
kitchen  in in    into in+acc
room     in in    into in+acc
school   in in    to   zu+dat
church   in in    to   in+acc
station  at an    to   zu+dat
market   at auf   to   zu+dat
town     in in    to   in+acc
lake     at an    to   zu+dat
"""

# Columns: English | German | subject tags | complements | aspects.
# German: "|" follows a separable prefix, "sich" marks a reflexive verb.
# Complements: [English preposition=][German preposition+]case:tags, or one of
# goal, journey (a goal outdoors or far away), location, dwelling (a location to live in), surface
# (a goal on or under a piece of furniture), quality, that, whether, infinitive, gerund.
# Aspects: t takes a time (verbs without it are states), l a place, p the progressive; m, v, c a
# manner of moving, of voice, of care; w is done willingly, so one can promise to do it.
_VERBS = """
sleep        | schlafen        | person animal  |                                | ptlw
work         | arbeiten        | person         |                                | ptlw
laugh        | lachen          | person         |                                | ptlv
arrive       | an|kommen       | person transport |                              | t
get up       | auf|stehen      | person         |                                | tmw
fall asleep  | ein|schlafen    | person animal  |                                | tl
see          | sehen           | person animal  | acc:person,animal,thing,sight  | tl
find         | finden          | person         | acc:thing,animal               | tl
read         | lesen           | person         | acc:text                       | ptlw
write        | schreiben       | person         | acc:written                    | ptw
sing         | singen          | person         | acc:song                       | ptlvw
buy          | kaufen          | person         | acc:thing,food,drink,pet       | tlw
sell         | verkaufen       | person         | acc:thing,food,drink,pet       | tlw
eat          | essen           | person         | acc:food                       | ptlw
drink        | trinken         | person         | acc:drink                      | ptlw
open         | auf|machen      | person         | acc:door                       | tcw
close        | zu|machen       | person         | acc:door                       | tcw
call         | an|rufen        | person         | acc:person                     | tw
invite       | ein|laden       | person         | acc:person                     | tw
visit        | besuchen        | person         | acc:person,sight               | tw
fetch        | ab|holen        | person         | acc:person,small               | tw
look         | an|sehen        | person         | at=acc:art,film,sight          | ptw
look         | suchen          | person animal  | for=acc:person,animal,small    | ptl
know         | kennen          | person         | acc:person,tale,song,sight     |
love         | lieben          | person         | acc:person,pet,tale,song       |
need         | brauchen        | person         | acc:thing,food                 |
have         | haben           | person         | acc:pet,thing,idea             |
understand   | verstehen       | person         | acc:idea,tale                  | t
repair       | reparieren      | person         | acc:machine                    | ptlcw
wash         | waschen         | person         | acc:garment,vehicle,pet        | ptlcw
prepare      | vor|bereiten    | person         | acc:meal                       | ptlcw
play         | spielen         | person         | acc:instrument                 | ptlvw
help         | helfen          | person         | dat:person,pet                 | tlw
thank        | danken          | person         | dat:person                     | tw
answer       | antworten       | person         | dat:person                     | tw
follow       | folgen          | person animal  | dat:person,animal              | tw
listen       | zu|hören        | person         | to=dat:person                  | ptlw
give         | geben           | person         | dat:person acc:gift            | tw
show         | zeigen          | person         | dat:person acc:thing,sight     | tw
send         | schicken        | person         | dat:person acc:small,gift      | tw
tell         | erzählen        | person         | dat:person acc:tale            | tlw
explain      | erklären        | person         | acc:idea to=dat:person         | tw
wait         | warten          | person         | for=auf+acc:person,transport,pet | ptlw
think        | denken          | person         | of=an+acc:person,idea          | tw
speak        | sprechen        | person         | with=mit+dat:person            | ptlvw
remember     | sich erinnern   | person         | an+acc:person,tale,film,home   | t
look forward | sich freuen     | person         | to=auf+acc:film,written        |
go           | gehen           | person animal  | goal                           | tmw
drive        | fahren          | person         | journey                        | tw
run          | laufen          | person animal  | goal                           | tw
live         | wohnen          | person         | dwelling                       |
stay         | bleiben         | person animal  | location                       | tw
sit          | sitzen          | person         | location                       | ptw
put          | legen           | person         | acc:small surface              | tw
be           | sein            | any            | quality                        | t
say          | sagen           | person         | that                           | t
believe      | glauben         | person         | that                           |
know         | wissen          | person         | that                           |
hope         | hoffen          | person         | that                           |
ask          | fragen          | person         | whether                        | t
try          | versuchen       | person         | infinitive                     | t
forget       | vergessen       | person         | infinitive                     | t
promise      | versprechen     | person         | infinitive                     | t
begin        | an|fangen       | person         | infinitive                     | t
stop         | auf|hören       | person         | gerund                         | t
rain         | regnen          | weather        |                                | t
"""

# Columns: English | German | comparatives | tags of the nouns it fits.
_ADJECTIVES = """
old         | alt         | older älter             | person animal thing text place song film
young       | jung        | younger jünger          | person animal
new         | neu         | -                       | thing text film plan song idea transport
big         | groß        | bigger größer           | animal furniture vehicle place door gift
small       | klein       | smaller kleiner         | animal thing place door
beautiful   | schön       | more~beautiful schöner  | garment art sight song text place female
expensive   | teuer       | more~expensive teurer   | thing
red         | rot         | -                       | garment vehicle furniture
green       | grün        | -                       | garment vehicle furniture door
black       | schwarz     | -                       | animal garment vehicle instrument
white       | weiß        | -                       | animal garment furniture door
tired       | müde        | -                       | person animal
hungry      | hungrig     | -                       | person animal
sick        | krank       | -                       | person animal
happy       | glücklich   | happier glücklicher     | person
sad         | traurig     | -                       | person tale song film
friendly    | freundlich  | friendlier freundlicher | person
clever      | klug        | cleverer klüger         | person pet
strong      | stark       | stronger stärker        | male animal
interesting | interessant | more~interesting interessanter | text film sight idea
long        | lang        | longer länger           | text film song
difficult   | schwierig   | more~difficult schwieriger | idea text
fresh       | frisch      | -                       | food
warm        | warm        | -                       | meal drink room
cold        | kalt        | -                       | drink meal room
dark        | dunkel      | -                       | room
"""

_FEMALE_JOBS = {
    "teacher": "Lehrerin",
    "doctor": "Ärztin",
    "student": "Studentin",
    "farmer": "Bäuerin",
}

NAMES = {  # given name -> sex
    "Anna": "female",
    "Maria": "female",
    "Clara": "female",
    "Julia": "female",
    "Paul": "male",
    "Peter": "male",
    "Martin": "male",
    "Karl": "male",
}

CITIES = {
    "Berlin": "Berlin",
    "Hamburg": "Hamburg",
    "Vienna": "Wien",
    "Munich": "München",
    "Cologne": "Köln",
    "Prague": "Prag",
    "Rome": "Rom",
}

# English past tense and participle (one form if both agree).
_ENGLISH_IRREGULAR = {
    "be": "was been",
    "begin": "began begun",
    "buy": "bought",
    "come": "came come",
    "do": "did done",
    "drink": "drank drunk",
    "drive": "drove driven",
    "eat": "ate eaten",
    "fall": "fell fallen",
    "find": "found",
    "forget": "forgot forgotten",
    "get": "got",
    "give": "gave given",
    "go": "went gone",
    "have": "had",
    "know": "knew known",
    "put": "put",
    "read": "read",
    "run": "ran run",
    "say": "said",
    "see": "saw seen",
    "sell": "sold",
    "send": "sent",
    "show": "showed shown",
    "sing": "sang sung",
    "sit": "sat",
    "sleep": "slept",
    "speak": "spoke spoken",
    "stop": "stopped",
    "tell": "told",
    "think": "thought",
    "understand": "understood",
    "write": "wrote written",
}
_ENGLISH_THIRD = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_ENGLISH_GERUND_DOUBLED = ("begin", "forget", "get", "put", "run", "sit", "stop")
_ENGLISH_PLURALS = {"man": "men", "woman": "women", "child": "children", "knife": "knives"}

# German verbs that are not weak: changed stem of "du" and "er" (- = none), participle.
_GERMAN_STRONG = {
    "schlafen": "schläf geschlafen",
    "kommen": "- gekommen",
    "stehen": "- gestanden",
    "sehen": "sieh gesehen",
    "finden": "- gefunden",
    "lesen": "lies gelesen",
    "schreiben": "- geschrieben",
    "singen": "- gesungen",
    "essen": "iss gegessen",
    "trinken": "- getrunken",
    "rufen": "- gerufen",
    "laden": "läd geladen",
    "kennen": "- gekannt",
    "verstehen": "- verstanden",
    "waschen": "wäsch gewaschen",
    "helfen": "hilf geholfen",
    "geben": "gib gegeben",
    "denken": "- gedacht",
    "sprechen": "sprich gesprochen",
    "gehen": "- gegangen",
    "fahren": "fähr gefahren",
    "laufen": "läuf gelaufen",
    "bleiben": "- geblieben",
    "sitzen": "- gesessen",
    "sein": "- gewesen",
    "haben": "- gehabt",
    "wissen": "- gewusst",
    "vergessen": "vergiss vergessen",
    "versprechen": "versprich versprochen",
    "fangen": "fäng gefangen",
}
_SEIN_VERBS = (
    "an|kommen",
    "auf|stehen",
    "ein|schlafen",
    "folgen",
    "gehen",
    "fahren",
    "laufen",
    "bleiben",
    "sein",
)
# ich, du, er, wir, ihr, sie
_GERMAN_PRESENT = {
    "sein": "bin bist ist sind seid sind",
    "haben": "habe hast hat haben habt haben",
    "werden": "werde wirst wird werden werdet werden",
    "wissen": "weiß weißt weiß wissen wisst wissen",
    "können": "kann kannst kann können könnt können",
    "müssen": "muss musst muss müssen müsst müssen",
    "wollen": "will willst will wollen wollt wollen",
    "dürfen": "darf darfst darf dürfen dürft dürfen",
    "sollen": "sollte solltest sollte sollten solltet sollten",
}
# Verbs whose English past is told in the German preterite rather than the perfect.
_GERMAN_PRETERITE = {
    "sein": "war warst war waren wart waren",
    "haben": "hatte",
    "wissen": "wusste",
    "können": "konnte",
    "müssen": "musste",
    "wollen": "wollte",
    "dürfen": "durfte",
}


def _ends_in_consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2] not in "aeiou"


def _english_s(word: str) -> str:
    """Add the -s of plurals and of the third person."""
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if _ends_in_consonant_y(word) else word + "s"


def umlaut(word: str) -> str:
    """Return ``word`` with its last a, o, u or au umlauted (Haus -> Häus)."""
    match = re.search(r"(au|[aouAOU])(?!.*[aouAOU])", word)
    if not match:
        return word
    changed = {"au": "äu", "a": "ä", "o": "ö", "u": "ü", "A": "Ä", "O": "Ö", "U": "Ü"}
    return word[: match.start()] + changed[match[0]] + word[match.end() :]


@dataclass(frozen=True, eq=False)
class Noun:
    """A noun of both languages.

    ``gender`` is m, f or n; ``weak`` marks the German n-declension; ``tags`` say what it is.
    """

    english: str
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

    @cache  # noqa: B019 - the lexicon lives as long as the program
    def english_form(self, plural: bool) -> str:
        """Return the English singular or plural."""
        if not plural:
            return self.english
        return _ENGLISH_PLURALS.get(self.english) or _english_s(self.english)

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


@dataclass(frozen=True)
class Slot:
    """One complement of a verb.

    ``kind`` is ``nominal`` for noun phrases, else goal, journey, location,
    dwelling, surface or quality.
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

    ``clause`` names the clause it governs (that, whether, infinitive, gerund) or is empty;
    ``aspects`` holds the letters explained above the verb table.
    """

    english: str
    german: str
    prefix: str = ""
    reflexive: bool = False
    subjects: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()
    clause: str = ""
    aspects: str = ""
    auxiliary: str = field(default="haben")

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
        return self.prefix + _german_participle(self.german)

    @property
    def in_preterite(self) -> bool:
        """Whether German tells the past of this verb in the preterite (war, hatte)."""
        return self.german in _GERMAN_PRETERITE

    def german_present(self, person: int, plural: bool) -> str:
        """Return the finite present without the separable prefix."""
        return german_present(self.german, person, plural)


@cache
def _german_participle(base: str) -> str:
    if base in _GERMAN_STRONG:
        return _GERMAN_STRONG[base].split()[1]
    stem = _german_stem(base)
    inseparable = base.startswith(("be", "ver", "er", "ent", "zer")) or base.endswith("ieren")
    return ("" if inseparable else "ge") + stem + _linking_e(stem) + "t"


def _german_stem(base: str) -> str:
    return base[:-2] if base.endswith("en") else base[:-1]


def _linking_e(stem: str) -> str:
    """Return the e of "arbeitet" and "regnet" where the stem needs it."""
    return "e" if re.search("[dt]$|[^aeiouäöülrmnh][mn]$", stem) else ""


@cache
def german_present(base: str, person: int, plural: bool) -> str:
    """Return the present of a German verb or auxiliary without separable prefix."""
    cell = person - 1 + 3 * plural
    if base in _GERMAN_PRESENT:
        return _GERMAN_PRESENT[base].split()[cell]
    stem = _german_stem(base)
    changed = _GERMAN_STRONG.get(base, "-").split()[0]
    if changed != "-" and cell in (1, 2):
        if cell == 1:
            return changed + ("t" if changed.endswith(("s", "ß", "z")) else "st")
        return changed if changed.endswith("t") else changed + "t"
    link = _linking_e(stem)
    second = "t" if stem.endswith(("s", "ß", "z")) else link + "st"
    if cell in (3, 5):
        return base
    return stem + ("e", second, link + "t", "", link + "t")[cell]


@cache
def german_preterite(base: str, person: int, plural: bool) -> str:
    """Return the preterite of an auxiliary, a modal or another verb that uses it.

    Raises:
        KeyError: if German tells the past of ``base`` in the perfect.
    """
    forms = _GERMAN_PRETERITE[base].split()
    cell = person - 1 + 3 * plural
    return forms[cell] if len(forms) > 1 else forms[0] + ("", "st", "", "n", "t", "n")[cell]


def _each_particle(phrase: str, form: str) -> str:
    """Put ``form`` in place of the first word of ``phrase`` (get up -> gets up)."""
    return " ".join([form, *phrase.split()[1:]])


@cache
def english_verb(verb: str, form: str) -> str:
    """Return a form of an English verb: base, third, past, participle or gerund.

    A particle stays behind the verb: ``english_verb("get up", "third")`` is "gets up".

    Raises:
        ValueError: if ``form`` is none of these; give one of them.
    """
    base = verb.split()[0]
    past, *rest = _ENGLISH_IRREGULAR.get(base, _english_ed(base)).split()
    if form == "base":
        return verb
    if form == "third":
        return _each_particle(verb, _ENGLISH_THIRD.get(base) or _english_s(base))
    if form == "past":
        return _each_particle(verb, past)
    if form == "participle":
        return _each_particle(verb, rest[0] if rest else past)
    if form == "gerund":
        if base in _ENGLISH_GERUND_DOUBLED:
            return _each_particle(verb, base + base[-1] + "ing")
        silent_e = base.endswith("e") and not base.endswith(("ee", "be"))
        return _each_particle(verb, (base[:-1] if silent_e else base) + "ing")
    raise ValueError(
        f"unknown verb form {form!r}: expected base, third, past, participle or gerund"
    )


def _english_ed(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    return base[:-1] + "ied" if _ends_in_consonant_y(base) else base + "ed"


def _rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in row.split("|")] for row in table.strip().splitlines()]


def _read_noun(english: str, german: str, tags: str) -> Noun:
    """Read a line of the noun table; every noun also has the tag "any"."""
    singular, gender, ending, *weak = german.split()
    if ending[0].isupper():
        plural = ending
    else:
        stem = umlaut(singular) if ending.startswith('"') else singular
        plural = stem + ending.strip('"-')
    return Noun(english, singular, gender, plural, bool(weak), (*tags.split(), "any"))


def _read_slot(text: str) -> Slot:
    if ":" not in text:
        return Slot(text)
    head, tags = text.split(":")
    english, _, rest = head.rpartition("=")
    german, _, case = rest.rpartition("+")
    return Slot("nominal", english, german, case, tuple(tags.split(",")))


def _read_verb(english: str, german: str, subjects: str, complements: str, aspects: str) -> Verb:
    prefix, _, base = german.removeprefix("sich ").rpartition("|")
    words = complements.split()
    clauses = [w for w in words if w in ("that", "whether", "infinitive", "gerund")]
    return Verb(
        english,
        base,
        prefix,
        german.startswith("sich "),
        tuple(subjects.split()),
        tuple(_read_slot(w) for w in words if w not in clauses),
        clauses[0] if clauses else "",
        aspects,
        "sein" if german in _SEIN_VERBS else "haben",
    )


def _read_verbs(table: str) -> tuple[Verb, ...]:
    verbs = []
    for row in table.strip().splitlines():
        cells = re.split(r"\s\|(?:\s|$)", row)  # a prefix bar has no space around it
        verbs.append(_read_verb(*(cell.strip() for cell in cells)))
    return tuple(verbs)


def _read_adjective(english: str, german: str, comparatives: str, tags: str) -> Adjective:
    en, de = comparatives.split() if comparatives != "-" else ("", "")
    return Adjective(english, german, en.replace("~", " "), de, tuple(tags.split()))


NOUNS: tuple[Noun, ...] = tuple(_read_noun(*row) for row in _rows(_NOUNS))
VERBS: tuple[Verb, ...] = _read_verbs(_VERBS)
ADJECTIVES: tuple[Adjective, ...] = tuple(_read_adjective(*row) for row in _rows(_ADJECTIVES))
FEMALE_JOBS: dict[str, str] = _FEMALE_JOBS
PLACES: dict[str, tuple[str, ...]] = {
    row.split()[0]: tuple(row.split()[1:]) for row in _PLACES.strip().splitlines()
}


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
