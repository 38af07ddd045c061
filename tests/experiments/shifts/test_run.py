"""The command from beginning to end, on a small text."""

import json

import pytest

from rim_nmt.experiments.shifts import damage, lengths
from rim_nmt.runtime.files import read_json, read_lines
from tests.conftest import ROOT


@pytest.fixture
def little(monkeypatch):
    """Few and small test sets."""
    monkeypatch.chdir(ROOT)  # commands are relative to it
    monkeypatch.setattr(lengths, "LEAST", 4)
    drop = damage.Damage(damage.DAMAGES["drop"].change, (20,))
    monkeypatch.setattr(damage, "DAMAGES", {"drop": drop})


def files_of(folder) -> dict:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def command(prepared, tmp_path) -> list:
    """One short training, below tmp_path / "shifts"."""
    places = ("--data", prepared, "--out", tmp_path / "shifts")
    sizes = ("--scale", "tiny", "--models", "rim", "--max-update", 30)
    return ["experiment", "shifts", *places, *sizes]


@pytest.mark.usefixtures("little")
def test_a_dry_run_prints_the_commands_and_writes_nothing(call_script, command, tmp_path):
    domain = call_script(*command, "--ways", "domain", "--dry-run").splitlines()
    train, average, score = domain  # of one cell
    assert "fairseq-train" in train and " average " in average
    assert score.endswith("--test test transfer")
    ways = call_script(*command, "--ways", "domain", "length", "--dry-run").splitlines()
    assert len(ways) == 7 and " prepare files " in ways[0]  # the short pairs, and a cell for them
    assert ways[1:3] == domain[:2]
    assert not (tmp_path / "shifts").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("little")
def test_ways_are_added_to_a_run_that_goes_on(call_script, command, prepared, tmp_path):
    arguments, out = command, tmp_path / "shifts"
    call_script(*arguments, "--ways", "domain")
    cell = out / "everything/cells/rim.en-de.seed1"
    log = (cell / "train.log").read_bytes()
    assert read_json(cell / "result.json")["scores"].keys() == {"test", "transfer"}

    ways = ("--ways", "domain", "noise", "length")
    shown = call_script(*arguments, *ways)
    assert (cell / "train.log").read_bytes() == log  # trained once
    made = {"noise.drop-20", "length.1-12", "length.13-16"}
    assert read_json(cell / "result.json")["scores"].keys() == {"test", "transfer", *made}
    short = out / "short"
    for name in ("sentencepiece.model", "bin/dict.en.txt", "bin/dict.de.txt"):
        assert (short / "data" / name).read_bytes() == (prepared / name).read_bytes()
    whole, kept = (
        list(
            zip(*(read_lines(data / f"pieces/train.en-de.{x}") for x in ("en", "de")), strict=True)
        )
        for data in (prepared, short / "data")
    )
    is_short = [max(side.count("▁") for side in pair) <= 12 for pair in whole]
    assert kept == [pair for pair, fits in zip(whole, is_short, strict=True) if fits]
    result = read_json(short / "cells/rim.en-de.seed1/result.json")
    assert result["scores"].keys() == {"length.1-12", "length.13-16"}

    table = json.loads((out / "report/table.json").read_text(encoding="utf-8"))
    assert [(row["way"], row["shift"], row["training"]) for row in table["rows"]] == [
        ("domain", "transfer", "everything"),
        ("noise", "drop-20", "everything"),
        ("length", "13-16", "short"),
        ("length", "13-16", "everything"),
    ]
    assert "| domain | transfer |" in shown

    report = files_of(out / "report")
    (cell / "result.json").unlink()  # as of a run that was stopped right before
    call_script(*arguments, *ways)
    assert (cell / "train.log").read_bytes() == log
    call_script(*arguments, *ways, "--report", "--report-to", tmp_path / "copy")
    assert files_of(out / "report") == files_of(tmp_path / "copy") == report


def test_wrong_arguments_are_named(refused, prepared, tmp_path):
    command: tuple = ("experiment", "shifts", "--dry-run")
    assert "--data" in refused(*command)
    assert "manifest.json does not exist" in refused(*command, "--data", tmp_path)
    command = (*command, "--data", prepared)
    assert "invalid choice: 'weather'" in refused(*command, "--ways", "weather")
    assert "--ways length: test in" in refused(*command, "--ways", "length")
    assert "--seeds must be 1 or more" in refused(*command, "--seeds", 0)
    assert "--models gru" in refused(*command, "--models", "gru")
    assert "no cell in" in refused(*command, "--report", "--out", tmp_path / "none")
