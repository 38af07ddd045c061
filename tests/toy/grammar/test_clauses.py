"""Clauses within clauses, and clauses side by side."""

from __future__ import annotations

import pytest

from rim_nmt.toy.grammar import (
    MODALS,
    Adverbial,
    Clause,
    Compound,
    Gap,
    Infinitive,
    Pronoun,
    Purpose,
    Quality,
)
from rim_nmt.toy.lexicon import adjective, noun
from tests.toy.grammar.trees import (
    BOOK,
    CHILD,
    DOG,
    HE,
    IT,
    MAN,
    ME,
    RAINS,
    SHE,
    YOU,
    after,
    check,
    do,
    np,
    who,
)

GOLD = {
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
    "preterite of haben and sein": (
        Compound(
            Clause(HE, do("have", np("a plan"), tense="past")),
            "and",
            Clause(HE, do("be", Quality(adjective("happy")), tense="past")),
        ),
        "He had a plan, and he was happy.",
        "Er hatte einen Plan und er war glücklich.",
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
    "reflexive verb with a pronoun": (
        Clause(
            HE, do("say", clause=after("that", ME, do("look forward", np("the film"), by="to")))
        ),
        "He says that I look forward to the film.",
        "Er sagt, dass ich mich auf den Film freue.",
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
    check(body, english, german)
