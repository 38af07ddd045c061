"""The subword model."""

import pytest

from rim_nmt.data.subwords import encode_lines, train_subwords
from rim_nmt.errors import InputError
from rim_nmt.runtime.files import write_lines

TEXT = ["the cat sat on the mat", "die Katze saß auf der Matte", "a cat and a mat"] * 20


@pytest.fixture
def text(tmp_path):
    write_lines(tmp_path / "text", TEXT)
    return tmp_path / "text"


def test_pieces_give_the_text_back(text, tmp_path):
    train_subwords(text, tmp_path / "model", 27)
    pieces = encode_lines(tmp_path / "model", TEXT)
    assert [p.replace(" ", "").replace("▁", " ").strip() for p in pieces] == TEXT
    assert len({piece for line in pieces for piece in line.split()}) > 10


def test_a_size_that_does_not_fit_names_one_that_works(text, tmp_path):
    with pytest.raises(InputError, match=r"5000 is too high .* works is --vocab-size \d+") as error:
        train_subwords(text, tmp_path / "model", 5000)
    assert not (tmp_path / "model").exists()
    train_subwords(text, tmp_path / "model", int(str(error.value).split()[-1]))
    with pytest.raises(InputError, match=r"10 is too low .* works is --vocab-size \d+") as error:
        train_subwords(text, tmp_path / "small", 10)
    train_subwords(text, tmp_path / "small", int(str(error.value).split()[-1]))
