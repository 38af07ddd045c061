"""Noun phrases: declension, numbers, owners."""

from __future__ import annotations

import pytest

from rim_nmt.toy.grammar import Both, Clause, Name, Quality, number_words
from rim_nmt.toy.lexicon import adjective
from tests.toy.grammar.trees import MAN, ME, WE, WOMAN, check, do, np

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
    "coordinated subject": (
        Clause(Both(MAN, Name("Anna")), do("fall asleep")),
        "The man and Anna fall asleep.",
        "Der Mann und Anna schlafen ein.",
    ),
}


@pytest.mark.parametrize(("body", "english", "german"), GOLD.values(), ids=GOLD.keys())
def test_gold_pair(body, english, german):
    check(body, english, german)


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
