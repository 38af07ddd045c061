"""A user's own text, nice and nasty."""

import gzip
from pathlib import Path

import pytest

from rim_nmt.data.textfiles import files_corpus, find
from rim_nmt.errors import InputError


def write(path: Path, content: str | bytes) -> Path:
    content = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def corpus(folder: Path, english: str | bytes, german: str | bytes):
    write(folder / "text.en", english)
    write(folder / "text.de", german)
    return files_corpus(["en-de"], [folder / "text"], folder / "text", {})


@pytest.mark.parametrize("names", ["t.en t.de", "t.en.gz t.de", "t.en-de.en t.en-de.de.gz"])
def test_two_files(tmp_path, names):
    english, german = names.split()
    write(tmp_path / english, "a\nb\n")
    write(tmp_path / german, "A\nB\n")
    assert list(find(tmp_path / "t", "en-de").pairs()) == [("a", "A"), ("b", "B")]


@pytest.mark.parametrize("name", ["t.tsv", "t.tsv.gz"])
def test_two_columns(tmp_path, name):
    write(tmp_path / name, "a\tA\r\nb\tB")
    assert list(find(tmp_path / name, "en-de").pairs()) == [("a", "A"), ("b", "B")]


@pytest.mark.parametrize("line", ["no tab", "one\ttwo\tthree", ""])
def test_a_line_without_two_columns_is_named(tmp_path, line):
    write(tmp_path / "t.tsv", f"a\tA\n{line}\n")
    with pytest.raises(InputError, match=r"t\.tsv, line 2: expected source, one tab, target"):
        files_corpus(["en-de"], [tmp_path / "t.tsv"], None, {})


def test_strange_separators_do_not_shift_lines(tmp_path):
    english = "\ufeffone\u2028still\x85one\r\nt\two\x0b\x1c\n\nthr\ree"
    text = corpus(tmp_path, english, "eins\nzwei\r\ndrei\nvier\n").pairs["en-de"]
    assert text.valid == (
        ["one\u2028still\x85one", "t\two\x0b\x1c", "", "thr\ree"],
        ["eins", "zwei", "drei", "vier"],
    )
    train = text.train(tmp_path / "work")
    assert (train["source"][:], train["target"][:]) == text.valid


@pytest.mark.parametrize(
    ("english", "german", "message"),
    [
        ("a\nb\n", "A\n", r"text\.en has 2 lines and .*text\.de has 1:"),
        ("a\n", "A\nB\nC\n", r"text\.en has 1 lines and .*text\.de has 3:"),
        ("", "A\n", r"text\.en has 0 lines and .*text\.de has 1:"),
        ("", "", "no text"),
        ("a\nb\n", b"A\n\xe4\n", r"text\.de, line 2: not UTF-8"),
        ("a\nb\n", "A\rB\r", "has 2 lines and .* has 1:"),
    ],
)
def test_broken_text_is_named(tmp_path, english, german, message):
    with pytest.raises(InputError, match=message):
        corpus(tmp_path, english, german)


def test_a_missing_side_is_named(tmp_path):
    write(tmp_path / "t.en", "a\n")
    with pytest.raises(InputError, match=r"t\.en is there, but neither .*t\.de nor \.gz"):
        files_corpus(["en-de"], [tmp_path / "t"], None, {})


def test_missing_text_is_named(tmp_path):
    write(tmp_path / "t.en", "a\n")
    write(tmp_path / "t.de", "A\n")
    text = tmp_path / "t"
    with pytest.raises(InputError, match=r"no training text for en-fr: expected .*none.en and"):
        files_corpus(["en-fr"], [tmp_path / "none"], None, {})
    with pytest.raises(InputError, match=r"no validation text for en-de: expected .*none"):
        files_corpus(["en-de"], [text], tmp_path / "none", {})
    with pytest.raises(InputError, match=r"no text at .*none"):
        files_corpus(["en-de"], [text], text, {"news": tmp_path / "none"})
    with pytest.raises(InputError, match=r"no text at .*none"):
        files_corpus(["en-de"], [text, tmp_path / "none"], text, {})


def test_several_pairs_take_their_own_files(tmp_path):
    for name in (
        "a.en-de.en",
        "a.en-de.de",
        "b.en-fr.en",
        "b.en-fr.fr",
        "b.en-de.en",
        "b.en-de.de",
    ):
        write(tmp_path / name, f"{name}\n")
    prefixes = [tmp_path / "a", tmp_path / "b"]
    text = files_corpus(["en-de", "en-fr"], prefixes, tmp_path / "b", {"t": tmp_path / "a"}).pairs
    german, french = (text[pair].train(tmp_path / pair) for pair in ("en-de", "en-fr"))
    assert german["target"][:] == ["a.en-de.de", "b.en-de.de"]
    assert french["target"][:] == ["b.en-fr.fr"]
    assert list(text["en-de"].tests) == ["t"]
    assert not text["en-fr"].tests


def test_very_long_lines_are_read(tmp_path):
    text = corpus(tmp_path, "word " * 2_000_000 + "\n", "Wort " * 2_000_000).pairs["en-de"]
    assert len(text.train(tmp_path / "work")["source"][0]) == 10_000_000
