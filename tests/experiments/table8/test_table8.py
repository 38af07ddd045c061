"""The experiment of Table 8: its cells, its text, and the command from beginning to end."""

import argparse
import json
import logging
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from rim_nmt.data.textfiles import find
from rim_nmt.errors import InputError
from rim_nmt.experiments.table8 import options as table8
from rim_nmt.experiments.table8.cells import build_cells
from rim_nmt.experiments.table8.recipes import DEFAULT_MODELS, RECIPES
from rim_nmt.experiments.table8.texts import Text, find_text, prepared_text, tiny_text
from rim_nmt.toy import corpus
from tests.conftest import ROOT, forked_commands, run_forked

TEXT = Text(ROOT / "data/some", ("en-de", "en-fr"), {"news": "news", "ted": "ted=elsewhere/ted"})


def cells_of(recipe=RECIPES["small"], models=None, seeds=(1, 2), tmp_path=ROOT):
    models = models or {name: [] for name in DEFAULT_MODELS}
    return build_cells(TEXT, recipe, models, TEXT.settings, seeds, tmp_path / "runs/some")


def flags_of(command: list[str]) -> dict[str, str]:
    """--flag -> what follows it; several values are joined."""
    flags = {}
    for part in command:
        if part.startswith("--"):
            flag = part
            flags[flag] = ""
        elif flags:
            flags[flag] = f"{flags[flag]} {part}".strip()
    return flags


def run_table8(*arguments) -> None:
    """`rim-nmt experiment table8` in this process."""
    parser = argparse.ArgumentParser()
    table8.add_arguments(parser)
    table8.run(parser.parse_args([str(argument) for argument in arguments]))


def test_every_cell_differs_in_what_it_is_about_and_in_nothing_else():
    cells = cells_of()
    assert len(cells) == len({cell.name for cell in cells}) == 3 * 2 * 2
    twin = {"--arch", "--save-dir", "--share-encoders"}
    twin |= {
        f"--{side}-{what}"
        for side in ("encoder", "decoder")
        for what in ("layers", "embed-dim", "ffn-embed-dim", "attention-heads", "normalize-before")
    }
    first = cells[0]
    for cell in cells:
        flags, same = flags_of(cell.train), flags_of(first.train)
        differing = {flag for flag in {*flags, *same} if flags.get(flag) != same.get(flag)}
        allowed = set(twin)
        if cell.about["seed"] != first.about["seed"]:
            allowed.add("--seed")
        if cell.about["pairs"] != first.about["pairs"]:
            allowed |= {"--task", "--lang-pairs", "--source-lang", "--target-lang"}
        assert differing <= allowed
        assert flags["--seed"] == str(cell.about["seed"])


def test_screening_translates_nothing():
    (cell, *_) = cells_of(RECIPES["screening"])
    assert cell.commands == [cell.train]
    assert not cell.score


def test_fairseq_lstm_has_one_pair():
    text = Text(TEXT.folder, ("en-de",), TEXT.tests)
    models = {"rim": [], "fairseq-lstm": []}
    rim, lstm = build_cells(text, RECIPES["converged"], models, text.settings, [1], ROOT / "runs")
    assert flags_of(lstm.train)["--arch"] == "lstm"
    assert flags_of(rim.train)["--total-num-update"] == "16000"
    with pytest.raises(InputError, match=r"fairseq-lstm .* one language pair.*--pairs en-de"):
        cells_of(models=models)


def test_tuned_values_and_variants_reach_their_model_only():
    recipe = RECIPES["small"].adapted(lr={"lstm": 0.5}, dropout={"rim": 0.25}, max_update=800)
    models = {"rim": [], "lstm": [], "silent": ["--comm-heads", "0"]}
    by_name = {cell.about["model"]: flags_of(cell.train) for cell in cells_of(recipe, models)}
    small = RECIPES["small"]
    assert by_name["lstm"]["--lr"] == "0.5"
    assert by_name["rim"]["--lr"] == by_name["silent"]["--lr"] == str(small.lr["rim"])
    assert by_name["rim"]["--dropout"] == by_name["silent"]["--dropout"] == "0.25"
    assert by_name["silent"]["--arch"] == by_name["rim"]["--arch"]
    assert by_name["silent"]["--comm-heads"] == "0" and "--comm-heads" not in by_name["rim"]
    share = 800 / small.max_update
    assert by_name["rim"]["--warmup-updates"] == str(round(share * small.warmup_updates))
    assert by_name["rim"]["--total-num-update"] == by_name["rim"]["--max-update"] == "800"


@pytest.mark.parametrize("amp", [True, False])
def test_bfloat16_is_for_training_alone(amp):
    recipe = RECIPES["small"].adapted(lr={}, dropout={}, max_update=None, amp=amp)
    for cell in cells_of(recipe):
        assert ("--amp" in cell.train) == amp
        assert all("--amp" not in command for command in (cell.average, *cell.score.values()))


def test_several_pairs_are_scored_on_the_first():
    *_, cell = cells_of()
    assert cell.about["pairs"] == ["en-de", "en-fr"]
    assert cell.score.keys() == {"news.en-de", "ted.en-de"}
    *_, score = cell.commands
    assert flags_of(score)["--target-lang"] == "de"
    assert flags_of(score)["--test"] == "news ted=elsewhere/ted"


def test_the_tiny_text_has_a_second_pair_that_is_english_backwards(tmp_path, monkeypatch):
    sizes = {"train_size": 20, "valid_size": 5, "test_size": 5, "transfer_size": 5}
    write = corpus.write
    monkeypatch.setattr(corpus, "write", lambda path, seed: write(path, seed=seed, **sizes))
    text = tiny_text(tmp_path)
    text.generate()
    for name in ("train", "valid", "test", "transfer"):
        english, backwards = find(tmp_path / "text" / name, "en-qaa").sentences()
        german_side, _ = find(tmp_path / "text" / name, "en-de").sentences()
        assert english == german_side
        assert [line.split() for line in backwards] == [line.split()[::-1] for line in english]


def test_a_prepared_folder_brings_its_pairs_and_tests(prepared):
    text = prepared_text(prepared)
    assert text.pairs == ("en-de",) and set(text.tests) == {"test", "transfer"}
    assert text.settings == [("en-de",)]


def test_what_cannot_be_trained_on_is_refused(tmp_path):
    with pytest.raises(InputError) as error:
        find_text("small", None, tmp_path)
    assert "--data" in str(error.value)
    with pytest.raises(InputError) as error:
        prepared_text(tmp_path)
    assert "manifest.json" in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--models", "rim", "gru"], "gru"),
        (["--variant", "silent"], "NAME=FLAGS"),
        (["--variant", "rim=--comm-heads 0"], "NAME=FLAGS"),
        (["--data", "en-nl"], "en-nl"),
        (["--lr", "fast"], "fast"),
        (["--lr", "gru=0.1"], "gru"),
        (["--lr", "-1"], "--lr -1: -1 is out of range"),
        (["--lr", "nan"], "--lr nan: nan is out of range"),
        (["--dropout", "rim=1"], "--dropout rim=1: 1 is out of range"),
        (["--variant", "x=--num-active 9"], "--variant x: num_active 9 is more than"),
        (["--variant", "x=--no-such-flag"], "--variant x: unrecognized arguments: --no-such-flag"),
        (["--variant", "x=--comm-heads two"], "invalid int value: 'two'"),
        (["--seeds", "0"], "--seeds"),
        (["--max-update", "0"], "--max-update"),
        (["--scale", "paper", "--amp"], "--amp"),
    ],
)
def test_wrong_arguments_are_named(arguments, named, prepared):
    with pytest.raises(InputError) as error:
        run_table8("--scale", "tiny", "--prepared", prepared, "--dry-run", *arguments)
    assert named in str(error.value)


def test_fairseqs_level_of_logging_ends_before_others_are_imported():
    """Where it does not, Matplotlib writes lines of DEBUG into a dry run."""
    code = (
        "import logging, fairseq; print(logging.root.level)\n"
        "import rim_nmt.experiments.table8.cells; print(logging.root.level)"
    )
    printed = run_forked([ROOT / "tests/execute.py", code]).stdout
    assert printed.split() == [str(logging.DEBUG), str(logging.INFO)]


def test_a_run_that_is_killed_goes_on_and_ends_in_a_table(prepared, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)  # commands are relative to it
    out = tmp_path / "experiment"
    arguments = ["--scale", "tiny", "--prepared", prepared, "--out", out]
    arguments += ["--models", "rim", "--max-update", 24]
    run_table8(*arguments, "--dry-run")
    printed = capsys.readouterr().out.splitlines()
    cell = out / "cells" / "rim.en-de.seed1"
    assert not out.exists()

    command = [sys.executable, "-m", "rim_nmt", "experiment", "table8", *arguments]
    process = subprocess.Popen(
        [str(part) for part in command], start_new_session=True, stdout=subprocess.DEVNULL
    )
    checkpoint = cell / "checkpoints" / "checkpoint_last.pt"
    deadline = time.monotonic() + 120
    while not checkpoint.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (cell / "result.json").exists()

    with forked_commands():
        run_table8(*arguments)
    shown = capsys.readouterr().out
    assert "goes on from its last checkpoint" in shown
    assert "Loaded checkpoint" in (cell / "train.log").read_text(encoding="utf-8")
    result = json.loads((cell / "result.json").read_text(encoding="utf-8"))
    assert result["updates"] == 24 and len(result["valid"]) == 12
    assert result["usage"].keys() >= {"enc_usage", "dec_usage"}
    table = (out / "report" / "table.md").read_text(encoding="utf-8")
    assert f"{result['scores']['transfer']['BLEU']['score']:.1f}" in table
    assert json.loads((cell / "cell.json").read_text(encoding="utf-8"))["commands"] == [
        shlex.split(line) for line in printed
    ]

    kept = {path.name: path.read_bytes() for path in (out / "report").iterdir()}
    assert set(kept) == {"table.md", "table.json", "scores.png", "learning.png"}
    run_table8(*arguments, "--report", "--report-to", tmp_path / "copy")
    assert table in capsys.readouterr().out
    for folder in (out / "report", tmp_path / "copy"):
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
