"""Tests of the generated corpus: its grammar by hand-written pairs, its splits by property."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rim_nmt.toy.corpus import SPLITS, generate, sample, write
from rim_nmt.toy.english import english_verb
from rim_nmt.toy.german import german_preterite, umlaut
from rim_nmt.toy.grammar import (
    DETERMINERS,
    MODALS,
    Adverbial,
    Both,
    Clause,
    Compound,
    Gap,
    Infinitive,
    Job,
    Name,
    NounPhrase,
    Predicate,
    Prepositional,
    Pronoun,
    Purpose,
    Quality,
    Question,
    Relative,
    Sentence,
    Subordinate,
    number_words,
)
from rim_nmt.toy.lexicon import (
    ADJECTIVES,
    NOUNS,
    VERBS,
    adjective,
    noun,
    verb,
)
from rim_nmt.toy.sampling import Sampler, held_apart
from rim_nmt.toy.sampling.dice import Dice

SMALL = {"train_size": 300, "valid_size": 20, "test_size": 20, "transfer_size": 20}


# --------------------------------------------------------------- hand-written gold pairs


def np(words: str, **more) -> NounPhrase:
    """Build a noun phrase from "determiner [adjective] noun"; "-" is no determiner."""
    determiner, *between, head = words.split()
    quality = adjective(between[0]) if between else None
    return NounPhrase(noun(head), DETERMINERS[determiner.strip("-")], adjective=quality, **more)


def do(word: str, *arguments, by: str = "", **more) -> Predicate:
    """Build a predicate; ``by`` tells verbs of one English form apart."""
    return Predicate(verb(word, by), arguments, **more)


ME, YOU, HE, SHE, WE, THEY, IT = (
    Pronoun(word) for word in ("I", "you", "he", "she", "we", "they", "it")
)
MAN, WOMAN, CHILD, BOY = np("the man"), np("the woman"), np("the child"), np("the boy")
DOG, BOOK, CAR = np("the dog"), np("the book"), np("the car")
TOMORROW, YESTERDAY = Adverbial("tomorrow", "morgen"), Adverbial("yesterday", "gestern")
IN_GARDEN = Prepositional("in", "in", "dat", np("the garden"))


def after(conjunction: str, subject, predicate: Predicate) -> Subordinate:
    return Subordinate(conjunction, Clause(subject, predicate))


def who(head: NounPhrase, predicate: Predicate, subject=None) -> NounPhrase:
    """Attach a relative clause to ``head``; its own role is the :class:`Gap` inside."""
    subject = subject or Gap(head.noun, head.plural)
    return replace(head, relative=Relative(Clause(subject, predicate), head.noun, head.plural))


RAINS = after("because", IT, do("rain"))

GOLD = {
    "accusative and present": (
        Clause(MAN, do("read", np("a old newspaper"))),
        "The man reads an old newspaper.",
        "Der Mann liest eine alte Zeitung.",
    ),
    "weak masculine noun": (
        Clause(WOMAN, do("see", np("the young student"), tense="past")),
        "The woman saw the young student.",
        "Die Frau hat den jungen Studenten gesehen.",
    ),
    "mixed and strong declension": (
        Clause(np("my old dog"), do("eat", np("- fresh bread"))),
        "My old dog eats fresh bread.",
        "Mein alter Hund isst frisches Brot.",
    ),
    "this, strengthened": (
        Clause(np("this old house", very=True), do("be", Quality(adjective("beautiful")))),
        "This very old house is beautiful.",
        "Dieses sehr alte Haus ist schön.",
    ),
    "dative plural with a number": (
        Clause(ME, do("help", np("- small child", plural=True, number=21), tense="past")),
        "I helped twenty-one small children.",
        "Ich habe einundzwanzig kleinen Kindern geholfen.",
    ),
    "genitive noun": (
        Clause(np("the dog", owner=MAN), do("sleep")),
        "The man's dog sleeps.",
        "Der Hund des Mannes schläft.",
    ),
    "genitive name": (
        Clause(WE, do("wash", np("the black car", owner=Name("Anna")), tense="perfect")),
        "We have washed Anna's black car.",
        "Wir haben Annas schwarzes Auto gewaschen.",
    ),
    "inversion and future": (
        Clause(WOMAN, do("buy", BOOK, tense="future"), front=TOMORROW),
        "Tomorrow the woman will buy the book.",
        "Morgen wird die Frau das Buch kaufen.",
    ),
    "fronted place and progressive": (
        Clause(CHILD, do("eat", np("a apple"), progressive=True), front=IN_GARDEN),
        "In the garden the child is eating an apple.",
        "Im Garten isst das Kind gerade einen Apfel.",
    ),
    "separable verb": (
        Clause(MAN, do("call", np("my mother"))),
        "The man calls my mother.",
        "Der Mann ruft meine Mutter an.",
    ),
    "separable participle": (
        Clause(MAN, do("call", np("my mother"), tense="past", time=YESTERDAY)),
        "The man called my mother yesterday.",
        "Der Mann hat gestern meine Mutter angerufen.",
    ),
    "separable verb, verb-final": (
        Clause(ME, do("laugh"), adjunct=after("because", MAN, do("open", np("the door")))),
        "I laugh because the man opens the door.",
        "Ich lache, weil der Mann die Tür aufmacht.",
    ),
    "separable zu-infinitive": (
        Clause(MAN, do("try", tense="past", clause=Infinitive(do("open", np("a window")), MAN))),
        "The man tried to open a window.",
        "Der Mann hat versucht, ein Fenster aufzumachen.",
    ),
    "bare infinitive without comma": (
        Clause(HE, do("begin", clause=Infinitive(do("work"), HE))),
        "He begins to work.",
        "Er fängt an zu arbeiten.",
    ),
    "gerund": (
        Clause(
            SHE,
            do(
                "stop",
                tense="past",
                clause=Infinitive(do("write", np("- letter", plural=True)), SHE, True),
            ),
        ),
        "She stopped writing letters.",
        "Sie hat aufgehört, Briefe zu schreiben.",
    ),
    "purpose": (
        Clause(
            SHE,
            do("stay", Adverbial("at home", "zu Hause")),
            adjunct=Purpose(do("prepare", np("the soup")), SHE),
        ),
        "She stays at home in order to prepare the soup.",
        "Sie bleibt zu Hause, um die Suppe vorzubereiten.",
    ),
    "modal and its prohibition": (
        Compound(
            Clause(YOU, do("read", BOOK, modal=MODALS["may"])),
            "but",
            Clause(
                YOU, do("sell", Pronoun("it", noun("book")), modal=MODALS["must"], negated=True)
            ),
        ),
        "You may read the book, but you must not sell it.",
        "Du darfst das Buch lesen, aber du darfst es nicht verkaufen.",
    ),
    "modal preterite, verb-final": (
        Clause(
            SHE,
            do(
                "say",
                tense="past",
                clause=after(
                    "that", CHILD, do("fall asleep", tense="past", modal=MODALS["have to"])
                ),
            ),
        ),
        "She said that the child had to fall asleep.",
        "Sie hat gesagt, dass das Kind einschlafen musste.",
    ),
    "want to, negated": (
        Clause(THEY, do("invite", YOU, modal=MODALS["want to"], negated=True)),
        "They do not want to invite you.",
        "Sie wollen dich nicht einladen.",
    ),
    "perfect with sein": (
        Clause(np("my sister"), do("go", Adverbial("home", "nach Hause"), tense="past")),
        "My sister went home.",
        "Meine Schwester ist nach Hause gegangen.",
    ),
    "preterite of haben and sein": (
        Compound(
            Clause(HE, do("have", np("a plan"), tense="past")),
            "and",
            Clause(HE, do("be", Quality(adjective("happy")), tense="past")),
        ),
        "He had a plan, and he was happy.",
        "Er hatte einen Plan und er war glücklich.",
    ),
    "nicht after a definite object": (
        Clause(BOY, do("see", DOG, negated=True, tense="past")),
        "The boy did not see the dog.",
        "Der Junge hat den Hund nicht gesehen.",
    ),
    "kein for an indefinite object": (
        Clause(BOY, do("have", np("a dog"), negated=True)),
        "The boy does not have a dog.",
        "Der Junge hat keinen Hund.",
    ),
    "nicht before a prepositional object": (
        Clause(ME, do("wait", np("the bus"), negated=True)),
        "I do not wait for the bus.",
        "Ich warte nicht auf den Bus.",
    ),
    "nicht before a predicate": (
        Clause(np("the soup"), do("be", Quality(adjective("warm")), negated=True)),
        "The soup is not warm.",
        "Die Suppe ist nicht warm.",
    ),
    "subject relative": (
        Clause(who(WOMAN, do("help", np("the boy"))), do("be", Quality(adjective("friendly")))),
        "The woman who helps the boy is friendly.",
        "Die Frau, die dem Jungen hilft, ist freundlich.",
    ),
    "object relative behind the participle": (
        Clause(
            MAN,
            do(
                "read",
                who(BOOK, do("buy", Gap(noun("book")), tense="past"), WOMAN),
                tense="perfect",
            ),
        ),
        "The man has read the book that the woman bought.",
        "Der Mann hat das Buch gelesen, das die Frau gekauft hat.",
    ),
    "relative clause before nicht": (
        Clause(ME, do("know", who(MAN, do("call", Gap(noun("man"))), WOMAN), negated=True)),
        "I do not know the man whom the woman calls.",
        "Ich kenne den Mann, den die Frau anruft, nicht.",
    ),
    "dative relative, plural": (
        Clause(
            who(np("the child", plural=True), do("thank", Gap(noun("child"), True)), MAN),
            do("laugh"),
        ),
        "The children whom the man thanks laugh.",
        "Die Kinder, denen der Mann dankt, lachen.",
    ),
    "prepositional relative": (
        Clause(who(np("the train"), do("wait", Gap(noun("train"))), WE), do("arrive")),
        "The train for which we wait arrives.",
        "Der Zug, auf den wir warten, kommt an.",
    ),
    "two-way preposition, accusative": (
        Clause(ME, do("put", np("the key"), Prepositional("on", "auf", "acc", np("the table")))),
        "I put the key on the table.",
        "Ich lege den Schlüssel auf den Tisch.",
    ),
    "contractions": (
        Clause(
            SHE,
            do("go", Prepositional("to", "zu", "dat", np("the school"))),
            front=Prepositional("at", "an", "dat", np("the lake")),
        ),
        "At the lake she goes to the school.",
        "Am See geht sie zur Schule.",
    ),
    "ditransitive": (
        Clause(WOMAN, do("give", CHILD, np("a bicycle"), tense="past")),
        "The woman gave the child a bicycle.",
        "Die Frau hat dem Kind ein Fahrrad gegeben.",
    ),
    "explain something to somebody": (
        Clause(WOMAN, do("explain", np("the problem"), CHILD)),
        "The woman explains the problem to the child.",
        "Die Frau erklärt dem Kind das Problem.",
    ),
    "two predicates; it takes the German gender": (
        Clause(
            MAN,
            do("buy", np("a table"), tense="past"),
            second=do("give", WOMAN, Pronoun("it", noun("table")), tense="past"),
        ),
        "The man bought a table and gave it to the woman.",
        "Der Mann hat einen Tisch gekauft und ihn der Frau gegeben.",
    ),
    "two auxiliaries": (
        Clause(HE, do("get up", tense="past"), second=do("open", np("the door"), tense="past")),
        "He got up and opened the door.",
        "Er ist aufgestanden und hat die Tür aufgemacht.",
    ),
    "two predicates under a modal": (
        Clause(
            WE,
            do("work", modal=MODALS["want to"]),
            second=do("sing", np("a song"), modal=MODALS["want to"]),
        ),
        "We want to work and sing a song.",
        "Wir wollen arbeiten und ein Lied singen.",
    ),
    "coordinated subject": (
        Clause(Both(MAN, Name("Anna")), do("fall asleep")),
        "The man and Anna fall asleep.",
        "Der Mann und Anna schlafen ein.",
    ),
    "fronted subordinate clause": (
        Clause(SHE, do("close", np("the window")), front=after("when", IT, do("rain"))),
        "When it rains, she closes the window.",
        "Wenn es regnet, macht sie das Fenster zu.",
    ),
    "when of the past": (
        Clause(
            ME,
            do("sleep", tense="past"),
            adjunct=after("when", np("the train"), do("arrive", tense="past")),
        ),
        "I slept when the train arrived.",
        "Ich habe geschlafen, als der Zug angekommen ist.",
    ),
    "although and before": (
        Compound(
            Clause(
                HE, do("work"), adjunct=after("although", HE, do("be", Quality(adjective("sick"))))
            ),
            "but",
            Clause(
                SHE,
                do("eat", np("a egg")),
                adjunct=after("before", SHE, do("go", Adverbial("home", "nach Hause"))),
            ),
        ),
        "He works although he is sick, but she eats an egg before she goes home.",
        "Er arbeitet, obwohl er krank ist, aber sie isst ein Ei, bevor sie nach Hause geht.",
    ),
    "comma before und closes a clause": (
        Compound(
            Clause(MAN, do("sleep"), adjunct=RAINS), "and", Clause(DOG, do("eat", np("the egg")))
        ),
        "The man sleeps because it rains, and the dog eats the egg.",
        "Der Mann schläft, weil es regnet, und der Hund isst das Ei.",
    ),
    "reflexive verb": (
        Clause(WOMAN, do("remember", np("the story"), tense="past"), front=YESTERDAY),
        "Yesterday the woman remembered the story.",
        "Gestern hat sich die Frau an die Geschichte erinnert.",
    ),
    "reflexive verb with a pronoun": (
        Clause(
            HE, do("say", clause=after("that", ME, do("look forward", np("the film"), by="to")))
        ),
        "He says that I look forward to the film.",
        "Er sagt, dass ich mich auf den Film freue.",
    ),
    "like to is gern": (
        Clause(CHILD, do("read", np("- book", plural=True), fond=True)),
        "The child likes to read books.",
        "Das Kind liest gern Bücher.",
    ),
    "comparison": (
        Clause(
            CAR, do("be", Quality(adjective("expensive"), than=np("the bicycle")), tense="future")
        ),
        "The car will be more expensive than the bicycle.",
        "Das Auto wird teurer sein als das Fahrrad.",
    ),
    "job": (
        Clause(np("my sister"), do("be", Job(noun("doctor"), "female"))),
        "My sister is a doctor.",
        "Meine Schwester ist Ärztin.",
    ),
    "yes-no question": (
        Question(Clause(WOMAN, do("read", BOOK, tense="past"))),
        "Did the woman read the book?",
        "Hat die Frau das Buch gelesen?",
    ),
    "whom in the dative": (
        Question(Clause(MAN, do("help", Gap())), "whom"),
        "Whom does the man help?",
        "Wem hilft der Mann?",
    ),
    "what": (
        Question(Clause(MAN, do("prepare", Gap(), tense="future")), "what"),
        "What will the man prepare?",
        "Was wird der Mann vorbereiten?",
    ),
    "who as subject": (
        Question(Clause(Gap(), do("be", Quality(adjective("tired")))), "who"),
        "Who is tired?",
        "Wer ist müde?",
    ),
    "for whom": (
        Question(Clause(np("the child", plural=True), do("wait", Gap(), tense="past")), "whom"),
        "For whom did the children wait?",
        "Auf wen haben die Kinder gewartet?",
    ),
    "how many": (
        Question(
            Clause(YOU, do("have", Gap(noun("book"), True))),
            NounPhrase(noun("book"), DETERMINERS["how many"], plural=True),
        ),
        "How many books do you have?",
        "Wie viele Bücher hast du?",
    ),
    "when": (
        Question(Clause(WOMAN, do("go", Adverbial("home", "nach Hause"), tense="past")), "when"),
        "When did the woman go home?",
        "Wann ist die Frau nach Hause gegangen?",
    ),
    "where to": (
        Question(Clause(WOMAN, do("drive", Gap())), "where"),
        "Where does the woman drive?",
        "Wohin fährt die Frau?",
    ),
    "whether, and a second level": (
        Clause(
            ME,
            do(
                "ask",
                clause=after(
                    "whether",
                    np("the teacher"),
                    do(
                        "know",
                        clause=after(
                            "that",
                            who(MAN, do("look", Gap(noun("man")), by="for"), SHE),
                            do("sleep"),
                        ),
                        by="that",
                    ),
                ),
            ),
        ),
        "I ask whether the teacher knows that the man for whom she looks sleeps.",
        "Ich frage, ob der Lehrer weiß, dass der Mann, den sie sucht, schläft.",
    ),
}


@pytest.mark.parametrize(("body", "english", "german"), GOLD.values(), ids=GOLD.keys())
def test_gold_pair(body, english, german):
    sentence = Sentence(body)
    assert sentence.english() == english
    assert sentence.german() == german


# ----------------------------------------------------------------------------- inflection


@pytest.mark.parametrize(
    ("head", "forms"),
    [
        ("man", "Mann Mann Mann Mannes Männer Männern"),
        ("boy", "Junge Jungen Jungen Jungen Jungen Jungen"),
        ("neighbour", "Nachbar Nachbarn Nachbarn Nachbarn Nachbarn Nachbarn"),
        ("student", "Student Studenten Studenten Studenten Studenten Studenten"),
        ("daughter", "Tochter Tochter Tochter Tochter Töchter Töchtern"),
        ("house", "Haus Haus Haus Hauses Häuser Häusern"),
        ("car", "Auto Auto Auto Autos Autos Autos"),
    ],
)
def test_noun_paradigm(head, forms):
    entry = noun(head)
    singular = [entry.german_form(case, False) for case in ("nom", "acc", "dat", "gen")]
    plural = [entry.german_form(case, True) for case in ("nom", "dat")]
    assert [*singular, *plural] == forms.split()


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("read", "lese liest liest lesen gelesen"),
        ("sleep", "schlafe schläfst schläft schlafen geschlafen"),
        ("invite", "lade lädst lädt laden eingeladen"),
        ("work", "arbeite arbeitest arbeitet arbeiten gearbeitet"),
        ("repair", "repariere reparierst repariert reparieren repariert"),
        ("prepare", "bereite bereitest bereitet bereiten vorbereitet"),
        ("forget", "vergesse vergisst vergisst vergessen vergessen"),
    ],
)
def test_verb_forms(word, forms):
    entry = verb(word)
    present = [entry.german_present(*who) for who in ((1, 0), (2, 0), (3, 0), (3, 1))]
    assert [*present, entry.participle] == forms.split()


def test_adjective_declension():
    hund = {
        "the": ("der alte Hund", "den alten Hund", "dem alten Hund", "des alten Hundes"),
        "a": ("ein alter Hund", "einen alten Hund", "einem alten Hund", "eines alten Hundes"),
        "our": (
            "unser alter Hund",
            "unseren alten Hund",
            "unserem alten Hund",
            "unseres alten Hundes",
        ),
    }
    for determiner, forms in hund.items():
        phrase = np(f"{determiner} old dog")
        for case, form in zip(("nom", "acc", "dat", "gen"), forms, strict=True):
            assert " ".join(phrase.german(case)) == form
    plural = {"the": "den alten Hunden", "many": "vielen alten Hunden", "all": "allen alten Hunden"}
    for determiner, form in plural.items():
        assert " ".join(np(f"{determiner} old dog", plural=True).german("dat")) == form
    assert np("some old dog", plural=True).german("nom") == ["einige", "alte", "Hunde"]
    assert np("all old dog", plural=True).german("nom") == ["alle", "alten", "Hunde"]


def test_numbers_are_spelt_by_rule():
    spelt = {
        2: ("two", "zwei"),
        16: ("sixteen", "sechzehn"),
        30: ("thirty", "dreißig"),
        21: ("twenty-one", "einundzwanzig"),
        98: ("ninety-eight", "achtundneunzig"),
    }
    assert {number: number_words(number) for number in spelt} == spelt
    with pytest.raises(ValueError, match="expected a number from 2 to 99"):
        number_words(1)


def test_lookups_refuse_unknown_words():
    for look_up in (noun, verb, adjective):
        with pytest.raises(KeyError, match="lexicon"):
            look_up("unheard-of")
    with pytest.raises(ValueError, match="expected base"):
        english_verb("go", "subjunctive")
    with pytest.raises(KeyError):
        german_preterite("lesen", 3, False)


def test_lexicon_gives_one_german_word_for_each_use():
    assert len({entry.english for entry in NOUNS}) == len(NOUNS)
    assert len({entry.english for entry in ADJECTIVES}) == len(ADJECTIVES)
    uses = {(entry.key, entry.clause) for entry in VERBS}
    assert len(uses) == len(VERBS)
    assert umlaut("Haus") == "Häus"


# ------------------------------------------------------------------------------ the corpus


@pytest.fixture(scope="module")
def examples():
    return sample()


@pytest.fixture(scope="module")
def corpus(examples):
    return {name: [(e.english, e.german) for e in drawn] for name, drawn in examples.items()}


def words(sentence: str) -> list[str]:
    return re.findall(r"[\w-]+|[^\w\s]", sentence)


def mean_length(pairs, side: int) -> float:
    return sum(len(pair[side].split()) for pair in pairs) / len(pairs)


def test_sizes_and_order(corpus):
    assert tuple(corpus) == SPLITS
    assert [len(pairs) for pairs in corpus.values()] == [24_000, 500, 500, 500]


def test_no_english_sentence_occurs_twice(corpus):
    english = [pair[0] for pairs in corpus.values() for pair in pairs]
    assert len(set(english)) == len(english)


def test_no_sentence_has_two_translations(monkeypatch):
    """Few words make the same English arise from many trees; its German must be the same."""
    pick = Dice.pick
    monkeypatch.setattr(
        Dice, "pick", lambda self, all_: pick(self, all_[:: max(1, (len(all_) + 1) // 2)])
    )
    monkeypatch.setattr(Sampler, "_in_domain", lambda self, sentence, english: True)
    for transfer, draws, fewest in ((False, 2_000, 100), (True, 300, 0)):
        sampler, german = Sampler(random.Random(11), transfer), {}
        for _ in range(draws):
            example = sampler.example()
            assert german.setdefault(example.english, example.german) == example.german
        assert len(german) <= draws - fewest


def test_every_word_occurs_in_train(corpus):
    for side in (0, 1):
        known = {word for pair in corpus["train"] for word in words(pair[side])}
        for name in SPLITS[1:]:
            assert known.issuperset(w for pair in corpus[name] for w in words(pair[side]))


def test_lengths(corpus):
    lengths = [len(pair[0].split()) for pair in corpus["train"]]
    assert min(lengths) >= 4
    assert max(lengths) <= 16
    assert 8 <= mean_length(corpus["train"], 0) <= 10
    for side in (0, 1):
        assert mean_length(corpus["transfer"], side) >= 1.6 * mean_length(corpus["train"], side)


def test_held_apart_pairs_occur_in_transfer_only(examples):
    for name, drawn in examples.items():
        for example in drawn:
            apart = [held_apart(*pair) for pair in example.sentence.noun_verb_pairs()]
            assert any(apart) == (name == "transfer")


def test_held_apart_subjects_and_objects_are_absent_from_the_text(corpus):
    """Check "The NOUN VERBs" and "VERBs the NOUN." in the text, without trusting the trees."""
    for name in SPLITS[:3]:
        english = [pair[0] for pair in corpus[name]]
        for sentence in english:
            opening = re.match(r"The (\w+) (\w+)", sentence)
            closing = re.search(r"(\w+) the (\w+)\.$", sentence)
            for head, word in (opening.groups(),) if opening else ():
                assert not _surely_apart(head, word), sentence
            for word, head in (closing.groups(),) if closing else ():
                assert not _surely_apart(head, word), sentence


def _surely_apart(head: str, word: str) -> bool:
    """Whether a noun and a third person or past, whatever its complements, are held apart."""
    keys = _KEYS_OF_FORM.get(word, ())
    return head in _HEADS and bool(keys) and all(held_apart(head, key) for key in keys)


_HEADS = {entry.english for entry in NOUNS}
_KEYS_OF_FORM = {
    form: [v.key for v in VERBS if v.english == entry.english and v.slots]
    for entry in VERBS
    if entry.english not in ("be", "have")  # auxiliaries too
    for form in (english_verb(entry.english, "third"), english_verb(entry.english, "past"))
}


def test_text_is_well_formed(corpus):
    for pairs in corpus.values():
        for pair in pairs:
            for sentence in pair:
                assert re.fullmatch(r"[A-ZÄÖÜ][\wäöüß', -]*[.?]", sentence), sentence
                assert not re.search(r"  | ,|,,|,[.?]", sentence), sentence


def test_another_seed_gives_another_corpus():
    first = generate(1, **SMALL)
    assert generate(1, **SMALL) == first
    assert generate(2, **SMALL)["train"] != first["train"]


def test_write_gives_the_same_bytes_under_any_hash_seed(tmp_path):
    write(tmp_path / "here", 3, **SMALL)
    code = (
        "from pathlib import Path; from rim_nmt.toy.corpus import write; import sys; "
        f"write(Path(sys.argv[1]), 3, **{SMALL})"
    )
    for hash_seed in ("0", "77"):
        folder = tmp_path / hash_seed
        subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            check=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        names = sorted(path.name for path in folder.iterdir())
        assert names == sorted(f"{split}.{side}" for split in SPLITS for side in ("en", "de"))
        for name in names:
            assert (folder / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_write_is_one_sentence_a_line(tmp_path):
    write(tmp_path, 1, **SMALL)
    pairs = generate(1, **SMALL)["valid"]
    for side, language in enumerate(("en", "de")):
        lines = (tmp_path / f"valid.{language}").read_text(encoding="utf-8").splitlines()
        assert lines == [pair[side] for pair in pairs]


@pytest.mark.parametrize("name", ["train_size", "valid_size", "test_size", "transfer_size"])
@pytest.mark.parametrize("size", [0, -5, 2.5, True])
def test_bad_sizes_are_refused(name, size):
    with pytest.raises(ValueError, match=rf"{name} is {size}: expected .* give a positive"):
        generate(**{**SMALL, name: size})


def test_a_size_beyond_the_grammar_is_refused(monkeypatch):
    monkeypatch.setattr("rim_nmt.toy.corpus._TRIES_PER_SENTENCE", 1)
    example = Sampler(random.Random(1)).example()
    monkeypatch.setattr(Sampler, "example", lambda self: example)
    with pytest.raises(ValueError, match=r"train_size asks for 300 .* give a smaller train_size"):
        generate(**SMALL)
