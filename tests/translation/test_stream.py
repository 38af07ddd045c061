"""Streams of lines, through a stand-in for the model."""

import logging
import os
import threading
from collections.abc import Iterator

import pytest

from rim_nmt.errors import InputError
from rim_nmt.translation.stream import available, translate_stream
from rim_nmt.translation.translator import Translation


class Capitals:
    """Translates into capitals; a word is a piece."""

    source_lang = "en"
    max_pieces = 6

    def __init__(self):
        self.calls = []

    def encode(self, sentence: str) -> list[str]:
        return [*sentence.split(), "</s>"]

    def shorten(self, sentence: str) -> str:
        return " ".join(sentence.split()[: self.max_pieces - 1])

    def translate(self, sentences, beam, nbest) -> Iterator[list[Translation]]:
        assert all(len(self.encode(sentence)) <= self.max_pieces for sentence in sentences)
        self.calls.append(list(sentences))
        for sentence in sentences:
            pieces = len(sentence.split())
            yield [
                Translation(sentence.upper() + "!" * rank, -rank, pieces) for rank in range(nbest)
            ]


@pytest.fixture
def translator() -> Capitals:
    return Capitals()


def texts(translator: Capitals, *lines: bytes, **options) -> list[str]:
    return [line.translations[0].text for line in translate_stream(translator, lines, **options)]


def test_one_line_out_for_each_line_in_with_its_white_space(translator):
    lines = (b" One dog.  Two cats.\n", b"\n", b" \t\n", b"three\r\n", b"no end")
    assert texts(translator, *lines) == [" ONE DOG.  TWO CATS.", "", " \t", "THREE", "NO END"]


def test_without_splitting_a_line_is_one_sentence(translator):
    assert texts(translator, b"One. Two.\n", split=False) == ["ONE. TWO."]
    assert translator.calls == [["One. Two."]]


def test_lines_that_are_there_are_translated_together(translator):
    assert texts(translator, *[b"a dog\n"] * 450) == ["A DOG"] * 450
    assert sum(map(len, translator.calls)) == 450
    assert len(translator.calls) < 45 and max(map(len, translator.calls)) <= 200


def test_a_line_is_answered_before_the_next_one_comes(translator):
    reading, writing = os.pipe()
    with open(reading, "rb") as stream, open(writing, "wb", buffering=0) as writer:
        answers = translate_stream(translator, stream)
        for word in (b"one", b"two", b"three"):
            writer.write(word + b"\n")
            assert next(answers).translations[0].text == word.decode().upper()
        writer.close()
        assert list(answers) == []


def test_numbers_and_sources_go_with_the_lines(translator):
    lines = list(translate_stream(translator, [b"\xef\xbb\xbfone\n", b"\n", b"three. four.\n"]))
    assert [(line.number, line.source) for line in lines] == [
        (1, "one"),
        (2, ""),
        (3, "three. four."),
    ]


def test_the_score_of_several_sentences_is_their_mean_by_pieces(translator):
    translator.translate = lambda sentences, beam, nbest: iter(
        [[Translation("A", -1.0, 3)], [Translation("B", -2.0, 1)]]
    )
    (line,) = translate_stream(translator, [b"One two three. Four.\n"])
    assert line.translations == [Translation("A B", -1.25, 4)]


def test_n_best_of_a_line_is_made_of_the_n_best_of_its_sentences(translator):
    one, blank = translate_stream(translator, [b"One. Two.\n", b"\n"], nbest=2)
    assert [t.text for t in one.translations] == ["ONE. TWO.", "ONE.! TWO.!"]
    assert [t.text for t in blank.translations] == ["", ""]


def test_what_is_too_long_is_cut_with_a_warning_and_the_rest_goes_on(translator, caplog):
    with caplog.at_level(logging.WARNING):
        lines = texts(translator, b"one\n", b"Short. a b c d e f g\n", b"three\n")
    assert lines == ["ONE", "SHORT. A B C D E", "THREE"]
    (message,) = caplog.messages
    assert "line 2" in message and "8 pieces, more than the 6" in message


def test_what_is_not_utf8_is_replaced_with_a_warning_and_the_rest_goes_on(translator, caplog):
    with caplog.at_level(logging.WARNING):
        assert texts(translator, b"one\n", b"tw\xffo\n", b"three\n") == [
            "ONE",
            "TW\ufffdO",
            "THREE",
        ]
    assert "line 2 of the input is not UTF-8" in caplog.messages[0]


@pytest.mark.parametrize("line", [b"a b c d e f g\n", b"tw\xffo\n"])
def test_strict_refuses_both_and_names_the_line(translator, line):
    answers = translate_stream(translator, [b"one\n", line, b"three\n"], strict=True)
    assert next(answers).translations[0].text == "ONE"
    with pytest.raises(InputError, match="line 2"):
        next(answers)


def test_an_error_of_the_stream_comes_out():
    def broken():
        yield b"one\n"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(available(broken()))


def test_a_reader_that_stops_leaves_no_thread_that_keeps_the_process(translator):
    answers = translate_stream(translator, iter(lambda: b"one\n", None))  # without an end
    next(answers)
    answers.close()
    assert all(t.daemon for t in threading.enumerate() if t is not threading.main_thread())


def test_words_of_all_sentences_of_a_line_are_aligned(old_checkpoint):
    translator = old_checkpoint()
    text = b"The dog sleeps.  Our father begins to read a newspaper.\n"
    (line,) = translate_stream(translator, [text], align=True)
    sources, targets = line.source.split(), line.translations[0].text.split()
    assert [target for _, target in line.alignment] == list(range(len(targets)))
    assert all(source < len(sources) for source, _ in line.alignment)
    second = translator.explain("Our father begins to read a newspaper.")
    assert line.alignment[-1] == (
        second.alignment()[-1][0] + 3,
        second.alignment()[-1][1] + len(targets) - len(second.text.split()),
    )
