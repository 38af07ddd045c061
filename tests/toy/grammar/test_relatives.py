"""Relative clauses."""

from __future__ import annotations

import pytest

from rim_nmt.toy.grammar import Clause, Gap, Quality
from rim_nmt.toy.lexicon import adjective, noun
from tests.toy.grammar.trees import BOOK, MAN, ME, WE, WOMAN, check, do, np, who

GOLD = {
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
}


@pytest.mark.parametrize(("body", "english", "german"), GOLD.values(), ids=GOLD.keys())
def test_gold_pair(body, english, german):
    check(body, english, german)
