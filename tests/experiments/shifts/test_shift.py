"""The shifts that a prepared folder can serve, the test sets for them, and the bins of lengths."""

import shutil

import pytest

from rim_nmt.errors import InputError
from rim_nmt.experiments.shifts import lengths
from rim_nmt.experiments.shifts.folder import Folder, open_folder
from rim_nmt.experiments.shifts.lengths import binned, short_pairs
from rim_nmt.experiments.shifts.shift import find_shifts
from rim_nmt.experiments.shifts.texts import find_texts
from rim_nmt.runtime.files import read_json, read_lines, write_json


def sentence(words: int) -> str:
    return " ".join(["word"] * words)


def test_bins_hold_sentences_of_their_lengths():
    sources = [sentence(words) for words in (0, 1, 12, 13, 16, 17, 20, 21, 40, 41) * lengths.LEAST]
    targets = [f"{number}" for number in range(len(sources))]
    bins = binned((sources, targets))
    assert list(bins) == ["1-12", "13-16", "17-20", "21-40"]
    pairs = dict(zip(targets, sources, strict=True))
    for name, (inside, references) in bins.items():
        shortest, longest = map(int, name.split("-"))
        assert {len(source.split()) for source in inside} == {shortest, longest}
        assert [pairs[number] for number in references] == inside
        assert len(inside) == 2 * lengths.LEAST


def test_a_bin_with_too_few_sentences_is_left_out():
    sources = [sentence(5)] * lengths.LEAST + [sentence(14)] * (lengths.LEAST - 1)
    assert list(binned((sources, sources))) == ["1-12"]


def test_short_is_said_of_both_sides():
    short, long = sentence(12), sentence(13)
    assert list(short_pairs([(short, long), (long, short), (short, short)])) == [(short, short)]


TEXT = (["A dog ."], ["Ein Hund ."])


def folder_with(tests, bins, tmp_path) -> Folder:
    damaged = {"drop-5": TEXT}
    return Folder(tmp_path / "data", "en-de", tests, damaged, dict.fromkeys(bins, TEXT))


def test_every_way_compares_its_two_test_sets(tmp_path):
    folder = folder_with(("news", "talks"), ("1-12", "13-16"), tmp_path)
    found = [
        (shift.way, shift.training, shift.inside, shift.outside)
        for shift in find_shifts(folder, None)
    ]
    assert found == [
        ("domain", "everything", "news", "talks"),
        ("noise", "everything", "news", "noise.drop-5"),
        ("length", "short", "length.1-12", "length.13-16"),
        ("length", "everything", "length.1-12", "length.13-16"),
        ("combinations", "combinations", "test", "transfer"),
    ]
    texts = find_texts(folder, find_shifts(folder, None), tmp_path / "out")
    assert texts["everything"].tests.keys() == {
        *("news", "talks", "noise.drop-5", "length.1-12", "length.13-16")
    }
    assert texts["everything"].tests["talks"] == "talks"
    assert texts["short"].tests["length.1-12"] == f"length.1-12={tmp_path}/out/tests/length.1-12"
    assert texts["combinations"].tests.keys() == {"test", "transfer"}
    (noise,) = find_texts(folder, find_shifts(folder, ["noise"]), tmp_path).values()
    assert noise.tests.keys() == {"news", "noise.drop-5"}


def test_what_a_folder_cannot_serve_is_left_out_or_refused(tmp_path):
    folder = folder_with(("news",), ("13-16", "17-20"), tmp_path)
    assert {shift.way for shift in find_shifts(folder, None)} == {"noise", "combinations"}
    for way, reason in (("domain", "has one test set only"), ("length", "too few sentences")):
        with pytest.raises(InputError) as error:
            find_shifts(folder, ["noise", way])
        assert f"--ways {way}: " in str(error.value) and reason in str(error.value)


def test_a_prepared_folder_is_opened_and_its_test_sets_written(prepared, tmp_path):
    folder = open_folder(prepared)
    assert (folder.pair, folder.tests) == ("en-de", ("test", "transfer"))
    folder.write(tmp_path)
    assert folder.where("noise.drop-20", tmp_path) == f"noise.drop-20={tmp_path}/noise.drop-20"
    sources, references = (
        read_lines(tmp_path / f"noise.drop-20.en-de.{language}") for language in ("en", "de")
    )
    whole = read_lines(prepared / "raw/test.en-de.en")
    assert references == read_lines(prepared / "raw/test.en-de.de")
    words, left = (sum(len(line.split()) for line in lines) for lines in (whole, sources))
    assert words - left == round(0.2 * words)


def test_the_first_test_set_is_the_one_that_was_given_first(prepared, tmp_path):
    copy = tmp_path / "data"
    shutil.copytree(prepared, copy)
    manifest = read_json(copy / "manifest.json")
    tests = manifest["pairs"]["en-de"]["tests"]
    manifest["pairs"]["en-de"]["tests"] = dict(reversed(tests.items()))
    write_json(copy / "manifest.json", manifest)
    assert open_folder(copy).tests == ("transfer", "test")


def test_without_short_pairs_nothing_is_written(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(lengths, "SHORT", 1)
    monkeypatch.setattr(lengths, "LEAST", 1)
    folder = open_folder(prepared)
    text = find_texts(folder, find_shifts(folder, ["length"]), tmp_path)["short"]
    with pytest.raises(InputError) as error:
        text.generate()
    assert "no pair of the train text" in str(error.value)
    assert not list((tmp_path / "short/text").iterdir())
