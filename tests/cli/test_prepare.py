"""`rim-nmt prepare`: its arguments. tests/data/ has what it does with text."""

import pytest

from rim_nmt.cli import prepare
from rim_nmt.cli.main import main

FILES = ("files", "--train", "t", "--valid", "v", "--out", "out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*FILES, "--jobs", 0), "--jobs must be 1 or more, got 0"),
        ((*FILES, "--workers", 0), "--jobs must be 1 or more, got 0"),
        ((*FILES, "--pairs", "en-de,en-de"), "the same pair twice"),
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
