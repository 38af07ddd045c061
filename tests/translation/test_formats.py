import json

import pytest

from rim_nmt.translation.formats import TSV_COLUMNS, heading, written
from rim_nmt.translation.stream import TranslatedLine
from rim_nmt.translation.translator import Translation

LINE = TranslatedLine(
    3, "A\tdog – „so“.", [Translation("Ein\tHund.", -0.12345, 4), Translation("Hund", -2.0, 2)]
)
ALIGNED = TranslatedLine(1, "A dog.", [Translation("Ein Hund.", -0.1, 4)], [(0, 0), (1, 1)])


def test_text_is_the_translation():
    assert written(LINE, "text", 1) == ["Ein\tHund."]
    assert written(ALIGNED, "text", 1) == ["Ein Hund. ||| 0-0 1-1"]
    assert heading("text") == heading("jsonl") == []


def test_n_best_lines_carry_number_and_score():
    assert written(LINE, "text", 2) == ["3\t-0.123\tEin\tHund.", "3\t-2.000\tHund"]


@pytest.mark.parametrize("line", [LINE, ALIGNED])
def test_every_row_of_tsv_has_every_column(line):
    (header,) = heading("tsv")
    rows = written(line, "tsv", len(line.translations))
    assert len(rows) == len(line.translations)
    for row in (header, *rows):
        assert len(row.split("\t")) == len(TSV_COLUMNS)
    assert rows[0].split("\t")[:2] == [str(line.number), "1"]


def test_json_lines_hold_what_there_is_as_it_is():
    (text,) = written(LINE, "jsonl", 2)
    about = json.loads(text)
    assert (about["line"], about["source"]) == (3, LINE.source)
    assert about["translation"] == "Ein\tHund."
    assert about["score"] == pytest.approx(-0.1235, abs=1e-4)
    assert [best["translation"] for best in about["nbest"]] == ["Ein\tHund.", "Hund"]
    assert "–" in text and "\n" not in text
    assert json.loads(written(ALIGNED, "jsonl", 1)[0])["alignment"] == [[0, 0], [1, 1]]
    assert "nbest" not in json.loads(written(ALIGNED, "jsonl", 1)[0])
