"""Whether mechanisms specialise, on made-up activity where the answer is known."""

import io
import math

import numpy as np
import pytest
from rich.console import Console

from rim_nmt.errors import InputError
from rim_nmt.translation.explanation import Explanation, LayerActivity
from rim_nmt.translation.specialisation import (
    Tagger,
    first_pieces,
    mutual_information,
    statistics,
)
from rim_nmt.translation.terminal import statistics_in_terminal


class ByLength(Tagger):
    """Words of one letter are of class "short"."""

    def __init__(self):
        pass

    def classes(self, tokens):
        return ["short" if len(token) == 1 else "long" for token in tokens]


TAGGERS = {"source": ByLength(), "target": ByLength()}


def explained(words: list[str], active: list[list[bool]]) -> Explanation:
    pieces = [f"▁{word}" for word in words] + ["</s>"]
    layer = LayerActivity("encoder.forward", [*active, [True, False]], [[0.5, 0.5]] * len(pieces))
    return Explanation(pieces, ["</s>"], [0.0], [[1.0]], [layer], [])


def sentences(rule, count: int = 60) -> list[Explanation]:
    """Sentences of four words whose lengths are drawn; `rule` tells from a word which of two
    mechanisms is active."""
    generator = np.random.default_rng(3)
    made = []
    for _ in range(count):
        words = [("a", "bcd")[int(n)] for n in generator.integers(0, 2, 4)]
        made.append(explained(words, [rule(word, generator) for word in words]))
    return made


def test_mechanisms_that_follow_the_class_are_told_so():
    follow = sentences(lambda word, _: [word == "a", word != "a"])
    (layer,) = statistics(follow, TAGGERS, permutations=200)
    assert layer.tokens == 240
    assert layer.information == pytest.approx(layer.entropy) == pytest.approx(1, abs=0.05)
    assert layer.p_value == pytest.approx(1 / 201)
    assert layer.by_class["short"][1] == [1.0, 0.0]
    assert layer.by_class["long"][1] == [0.0, 1.0]
    assert sum(count for count, _ in layer.by_word.values()) == 240
    assert list(layer.by_position) == ["00 %", "20 %", "50 %", "70 %"]
    assert layer.as_dict()["name"] == "encoder.forward"


def test_the_table_in_a_terminal_has_classes_words_and_positions():
    follow = sentences(lambda word, _: [word == "a", word != "a"])
    output = io.StringIO()
    Console(file=output, width=200).print(
        statistics_in_terminal(*statistics(follow, TAGGERS, permutations=20))
    )
    rows = [line.split("│")[1:-1] for line in output.getvalue().splitlines() if "│" in line]
    cells = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}
    assert cells["short"][1:] == cells["a"][1:] == ["100%", "0%"]
    assert {"long", "bcd", "00 %", "70 %"} <= cells.keys()
    assert "p = 0.048" in output.getvalue()


def test_a_layer_that_is_always_awake_takes_one_line():
    awake = sentences(lambda *_: [True, True])
    output = io.StringIO()
    (layer,) = statistics(awake, TAGGERS, permutations=20)
    Console(file=output, width=200).print(statistics_in_terminal(layer))
    assert str(layer.entropy) == "0.0"
    assert output.getvalue().strip() == (
        "encoder.forward: the same mechanisms are active at every token"
    )


def test_mechanisms_that_do_not_are_not():
    def at_random(_, generator) -> list[bool]:
        first = bool(generator.integers(0, 2))
        return [first, not first]

    (layer,) = statistics(sentences(at_random), TAGGERS, permutations=200)
    assert layer.p_value > 0.05
    assert layer.information < 0.03 and 0 < layer.chance < 0.03
    assert layer.entropy == pytest.approx(1, abs=0.05)


def test_mutual_information_is_that_of_the_textbook():
    classes = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    sets = np.array([0, 0, 1, 1, 1, 1, 0, 1])
    expected = sum(
        p * math.log2(p / (a * b))
        for p, a, b in [
            (2 / 8, 3 / 8, 3 / 8),
            (1 / 8, 3 / 8, 5 / 8),
            (1 / 8, 5 / 8, 3 / 8),
            (4 / 8, 5 / 8, 5 / 8),
        ]
    )
    assert mutual_information(classes, sets) == pytest.approx(expected)


def test_words_and_marks_start_at_their_pieces():
    pieces = ["▁The", "▁mother", "-in", "-law", "▁does", "n", "'", "t", "▁sleep", "...", "</s>"]
    assert first_pieces(pieces) == [
        ("The", 0),
        ("mother-in-law", 1),
        ("doesn't", 4),
        ("sleep", 8),
        (".", 9),
    ]


def test_nothing_to_look_at_is_said():
    with pytest.raises(InputError, match="no mechanisms"):
        statistics([], TAGGERS)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "The old dog can sleep ."), ("de", "Der alte Hund kann schlafen .")],
)
def test_word_classes(language, sentence):
    pytest.importorskip("HanTa", reason="the tagger is an extra")
    classes = Tagger(language).classes(sentence.split())
    assert classes == "determiner adjective noun auxiliary verb punctuation".split()


def test_other_languages_have_no_classes():
    with pytest.raises(InputError, match="en and de, not fr"):
        Tagger("fr")
