"""`rim-nmt prepare`: its arguments. tests/data/ has what it does."""

import pytest

from rim_nmt.cli import prepare
from rim_nmt.cli.main import main

FILES = ("files", "--train", "t", "--valid", "v", "--out", "out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*FILES, "--jobs", 0), "--jobs must be 1 or more, got 0"),
        ((*FILES, "--workers", 0), "--jobs must be 1 or more, got 0"),
        ((*FILES, "--vocab-size", 0), "--vocab-size must be 1 or more"),
        ((*FILES, "--character-coverage", 0.9), "--character-coverage must be from 0.98 to 1"),
        ((*FILES, "--max-ratio", 0.5), "--max-ratio must be 1 or more"),
        ((*FILES, "--subwords-from", "nowhere"), "nowhere: expected a prepared folder"),
        ((*FILES, "--test", "news"), "--test news: expected NAME=PREFIX"),
        ((*FILES, "--pairs", "en-de,en-de"), "the same pair twice"),
        (("files", "--out", "out"), "--train is missing"),
        (("files", "--train", "t", "--out", "out"), "--valid is missing"),
        (("iwslt14", "--only-test", "--out", "out"), "--only-test needs --subwords-from"),
        (("wmt14", "--out", "/"), "expected the name of a folder"),
        (("fly",), "invalid choice: 'fly'"),
    ],
)
def test_wrong_arguments_are_named(refused, arguments, message):
    assert message in refused("prepare", *arguments)


@pytest.mark.parametrize("flag", ["--jobs", "--workers"])
def test_what_is_given_reaches_the_preparation(monkeypatch, flag, tmp_path):
    calls = []
    monkeypatch.setattr(prepare, "available_cores", lambda: 8)
    monkeypatch.setattr("rim_nmt.data.preparation.prepare", lambda *given: calls.append(given))
    main(["prepare", *FILES, "--vocab-size", "99", flag, "3"])
    ((out, recipe, _, options, jobs, overwrite),) = calls
    assert (str(out), jobs, overwrite, options.vocab_size) == ("out", 3, False, 99)
    assert recipe["recipe"] == "files" and recipe["pairs"] == ["en-de"]
