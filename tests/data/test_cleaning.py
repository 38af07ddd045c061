"""Normalising sentences and judging pairs."""

import pytest

from rim_nmt.data.cleaning import VERDICTS, Cleaner, normalise

CLEANER = Cleaner("en", "de", max_words=20, max_ratio=2.0)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plain text", "plain text"),
        ("  two\t\tspaces \u00a0and\u2009thin\u3000wide ", "two spaces and thin wide"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg", "a b c d e f g"),
        ("carriage\rreturn", "carriage return"),
        ("\ufeffmark zero\u200bwidth so\u00adft \u202eto left", "mark zerowidth soft to left"),
        ("bell\x07 null\x00 escape\x1b[0m delete\x7f", "bell null escape[0m delete"),
        ("u\u0308ber", "über"),
        ("\u212b", "\u00c5"),
        ("½ ﬁ … „so“", "½ ﬁ … „so“"),
        ("\u200b \u00ad", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_normalised(line, expected):
    assert normalise(line) == expected
    assert normalise(expected) == expected


def test_normalised_text_is_always_one_line():
    for code in range(0x3100):
        line = normalise(f"a{chr(code)}b")
        assert line.splitlines() == [line]
        assert line.split() == line.split(" ")


@pytest.mark.parametrize(
    ("source", "target", "verdict"),
    [
        ("The house is old.", "Das Haus ist alt.", "kept"),
        ("", "Das Haus ist alt.", "empty side"),
        ("The house is old.", "", "empty side"),
        ("The h\ufffduse is old.", "Das Haus ist alt.", "broken characters"),
        ("We go. " * 10 + "Yes.", "Wir gehen. " * 7, "too long"),
        ("x" * 201, "y" * 201, "too long"),
        ("We went home on Monday because of the rain.", "Wir gingen.", "length ratio"),
        ("Yes.", "Ja, das stimmt.", "kept"),
        ("EUR 1999", "eur 1999", "identical sides"),
        (
            "Die Sitzung wird um drei Uhr eröffnet.",
            "Die Sitzung wurde um drei Uhr eröffnet.",
            "wrong language",
        ),
        (
            "The committee will meet again on Monday.",
            "Le comité se réunira de nouveau lundi.",
            "wrong language",
        ),
        ("Anna Maria Rossi", "Frau Anna Maria Rossi", "kept"),
    ],
)
def test_pairs_are_judged(source, target, verdict):
    assert VERDICTS[CLEANER.verdict(source, target)] == verdict


def test_languages_that_were_not_measured_are_not_judged():
    cleaner = Cleaner("xx", "yy")
    assert cleaner.verdict("The committee will meet.", "Le comité se réunira.") == 0


def test_a_pair_is_counted_under_the_first_reason():
    assert VERDICTS[CLEANER.verdict("", "\ufffd")] == "empty side"
    assert VERDICTS[CLEANER.verdict("\ufffd " * 30, "a")] == "broken characters"
