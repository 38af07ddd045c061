"""The words and their forms."""

from __future__ import annotations

import pytest

from rim_nmt.toy.english import english_verb
from rim_nmt.toy.german import german_preterite, umlaut
from rim_nmt.toy.lexicon import ADJECTIVES, NOUNS, VERBS, adjective, noun, verb


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
