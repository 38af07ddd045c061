"""Predicates: verb forms and the order of the words around them."""

from __future__ import annotations

import pytest

from rim_nmt.toy.grammar import MODALS, Adverbial, Clause, Job, Prepositional, Pronoun, Quality
from rim_nmt.toy.lexicon import adjective, noun
from tests.toy.grammar.trees import (
    BOOK,
    BOY,
    CAR,
    CHILD,
    DOG,
    HE,
    IN_GARDEN,
    MAN,
    ME,
    SHE,
    THEY,
    TOMORROW,
    WE,
    WOMAN,
    YESTERDAY,
    YOU,
    check,
    do,
    np,
)

GOLD = {
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
    "reflexive verb": (
        Clause(WOMAN, do("remember", np("the story"), tense="past"), front=YESTERDAY),
        "Yesterday the woman remembered the story.",
        "Gestern hat sich die Frau an die Geschichte erinnert.",
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
}


@pytest.mark.parametrize(("body", "english", "german"), GOLD.values(), ids=GOLD.keys())
def test_gold_pair(body, english, german):
    check(body, english, german)
