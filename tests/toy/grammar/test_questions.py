"""Questions."""

from __future__ import annotations

import pytest

from rim_nmt.toy.grammar import DETERMINERS, Adverbial, Clause, Gap, NounPhrase, Quality, Question
from rim_nmt.toy.lexicon import adjective, noun
from tests.toy.grammar.trees import BOOK, MAN, WOMAN, YOU, check, do, np

GOLD = {
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
}


@pytest.mark.parametrize(("body", "english", "german"), GOLD.values(), ids=GOLD.keys())
def test_gold_pair(body, english, german):
    check(body, english, german)
