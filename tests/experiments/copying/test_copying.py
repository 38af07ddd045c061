"""The copying experiment: the task, its models, training that can be killed, the report."""

import argparse
import json
import math
import random
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from rim_nmt.errors import InputError
from rim_nmt.experiments.copying import options as copying
from rim_nmt.experiments.copying.report import write_report
from rim_nmt.experiments.copying.task import (
    BLANK,
    MARKER,
    NUM_DIGITS,
    CopyingModel,
    build_rim,
    random_digits,
    sequences,
)
from rim_nmt.experiments.copying.training import Settings, Training, train_cell
from rim_nmt.mechanism.communication import GatedProjection
from rim_nmt.mechanism.grouped import GroupedLinear
from rim_nmt.runtime.files import folder_lock, write_json, write_lines
from tests.conftest import run_script
from tests.mechanism.reference import Config
from tests.mechanism.reference import communication as reference

TINY = Settings(
    model="rim",
    width=24,
    seed=1,
    digits=2,
    span=2,
    test_span=4,
    curve_spans=(6,),
    batch_size=32,
    lr=0.01,
    eval_interval=10,
)
# TINY as options of the command
OPTIONS = (
    *("--width", "24", "--digits", "2", "--span", "2", "--test-span", "4", "--curve-spans", "6"),
    *("--batch-size", "32", "--lr", "0.01", "--eval-interval", "10"),
)


# The task


@pytest.mark.parametrize("span", [0, 1, 50])
def test_digits_come_first_and_are_due_last(span):
    digits = random_digits(10, 64)
    inputs, targets = sequences(digits, span)
    assert inputs.shape == targets.shape == (10 + span + 1 + 10, 64)
    assert torch.equal(inputs[:10], digits) and torch.equal(targets[-10:], digits)
    assert (inputs[10 : 10 + span] == BLANK).all()
    assert (inputs[10 + span] == MARKER).all() and (inputs == MARKER).sum() == 64
    assert (inputs[-10:] == BLANK).all() and (targets[:-10] == BLANK).all()


def test_digits_are_all_eight_and_neither_blank_nor_marker():
    drawn = random_digits(10, 1000, torch.Generator().manual_seed(3))
    assert sorted(set(drawn.flatten().tolist())) == list(range(1, 9))
    assert torch.equal(drawn, random_digits(10, 1000, torch.Generator().manual_seed(3)))


# The models


def test_the_papers_rim():
    """One head that reads 4 * d, else Table 3."""
    rim = build_rim("rim", 600)
    assert (rim.num_mechanisms, rim.num_active) == (6, 4)
    attention, communication = rim.input_attention, rim.communication
    assert (attention.num_heads, attention.key_size, attention.value_size) == (1, 64, 400)
    assert (communication.num_heads, communication.sizes) == (4, (4 * 32, 4 * 32))
    assert (attention.dropout.p, communication.dropout.p) == (0.0, 0.1)


def test_variants_change_what_their_names_say():
    assert build_rim("rim-no-communication", 24).communication is None
    assert isinstance(build_rim("rim", 24).communication.projection, GatedProjection)
    assert isinstance(build_rim("rim-linear", 24).communication.projection, GroupedLinear)
    assert build_rim("rim-all-active", 24).num_active == 6
    inputs, _ = sequences(random_digits(3, 5), 4)
    for name in ("rim-all-active", "rim-no-input-attention"):
        assert CopyingModel(name, 24).activity(inputs).all()
    assert (CopyingModel("rim", 24).activity(inputs).sum(-1) == 4).all()
    assert CopyingModel("lstm", 24).activity(inputs) is None


def test_without_input_attention_every_mechanism_reads_the_whole_input():
    """Against torch's LSTM cells, one for each mechanism, and the reference's communication."""
    torch.manual_seed(random.randrange(2**31))
    rim = build_rim("rim-no-input-attention", 24).double().eval()
    x = torch.randn(5, 3, 24, dtype=torch.float64)
    u = x @ rim.input_attention.value.weight.T
    h = [torch.zeros(3, 4, dtype=torch.float64) for _ in range(6)]
    c = list(h)
    cells = []
    for weight, bias in zip(rim.dynamics.weight, rim.dynamics.bias, strict=True):
        cell = nn.LSTMCell(16, 4, dtype=torch.float64)
        with torch.no_grad():
            cell.weight_ih.copy_(weight[:16].T)
            cell.weight_hh.copy_(weight[16:].T)
            cell.bias_ih.copy_(bias[0])
            cell.bias_hh.zero_()
        cells.append(cell)
    for t in range(5):
        for k in range(6):
            h[k], c[k] = cells[k](u[t], (h[k], c[k]))
        update = slow_communication(rim.communication, h)
        h = [h[k] + update[k] for k in range(6)]
        torch.testing.assert_close(rim(x)[0][t], torch.cat(h, dim=-1))


def slow_communication(communication: nn.Module, h: list) -> list:
    """P(o_k) of the reference for every mechanism, sentence by sentence."""
    weights = {f"communication.{name}": p for name, p in communication.named_parameters()}
    config = Config(num_mechanisms=6, comm_heads=4, comm_key_size=32, comm_value_size=32)
    return [
        torch.stack([reference(weights, config, [x[b] for x in h], k) for b in range(len(h[k]))])
        for k in range(6)
    ]


# Training


@pytest.mark.parametrize("model", ["rim", "lstm"])
def test_a_tiny_model_learns_and_stops(tmp_path, model):
    """With any seed: whoever knows one of the two digits and guesses the other is above 1.

    Of 107 seeds the slowest LSTM took 360 updates, of 40 the slowest RIM 400. Half as wide, one
    LSTM of 21 took 1,720.
    """
    seed = random.randrange(10**6)
    settings = replace(TINY, model=model, width=48, seed=seed, eval_interval=20, stop_below=0.9)
    result = train_cell(tmp_path, settings, max_update=1500)
    assert result["learned"] and result["updates"] < 1500, settings
    assert result["loss"]["2"] < 1 < math.log(NUM_DIGITS) / 2, settings


@pytest.mark.parametrize("model", ["rim", "rim-no-input-attention", "lstm"])
def test_interrupted_anywhere_is_as_never_interrupted(tmp_path, monkeypatch, model):
    settings = replace(TINY, model=model)
    train_cell(tmp_path / "whole", settings, max_update=25)
    update = Training.update
    for stop in (7, 13):  # before there is a checkpoint, and between two

        def interrupt(training, stop=stop):
            if training.updates == stop:
                raise KeyboardInterrupt
            update(training)

        monkeypatch.setattr(Training, "update", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_cell(tmp_path / "parts", settings, max_update=25)
    monkeypatch.setattr(Training, "update", update)
    train_cell(tmp_path / "parts", settings, max_update=25)
    assert_same_cell(tmp_path / "whole" / settings.cell, tmp_path / "parts" / settings.cell)


def test_a_higher_max_update_goes_on(tmp_path):
    train_cell(tmp_path / "whole", TINY, max_update=30)
    assert train_cell(tmp_path / "parts", TINY, max_update=13)["updates"] == 13
    assert train_cell(tmp_path / "parts", TINY, max_update=30)["updates"] == 30
    assert_same_cell(tmp_path / "whole" / TINY.cell, tmp_path / "parts" / TINY.cell)


def assert_same_cell(one: Path, other: Path) -> None:
    """Weights, optimiser, random state, log and result; only the seconds may differ."""
    contents = []
    for folder in (one, other):
        state = torch.load(folder / "checkpoint.pt", weights_only=True)
        log = [
            json.loads(line)
            for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        contents.append(
            [state, log, json.loads((folder / "result.json").read_text(encoding="utf-8"))]
        )
    assert contents[0][1], "nothing was logged"
    assert same_but_seconds(*contents)


def same_but_seconds(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        a, b = ({k: v for k, v in x.items() if k != "cpu_seconds"} for x in (a, b))
        return a.keys() == b.keys() and all(same_but_seconds(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same_but_seconds, a, b))
    return a == b


def test_a_cell_that_somebody_is_at_work_on_is_left_alone(tmp_path):
    with folder_lock(tmp_path / TINY.cell):
        assert train_cell(tmp_path, TINY, 1) is None
        assert not (tmp_path / TINY.cell / "settings.json").exists()
    assert train_cell(tmp_path, TINY, 1)["updates"] == 1


def test_a_finished_cell_is_not_touched(tmp_path, monkeypatch):
    result = train_cell(tmp_path, TINY, max_update=5)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / TINY.cell).iterdir()}
    monkeypatch.setattr(Training, "update", None)
    assert train_cell(tmp_path, TINY, max_update=5) == result
    assert train_cell(tmp_path, TINY, max_update=4) == result
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / TINY.cell).iterdir()} == before


@pytest.mark.parametrize("changes", [{"lr": 0.02}, {"curve_spans": ()}, {"lr": 0.02, "seed": 2}])
def test_cells_of_one_folder_share_their_settings(tmp_path, changes):
    train_cell(tmp_path, TINY, max_update=1)
    with pytest.raises(InputError) as error:
        train_cell(tmp_path, replace(TINY, **changes), max_update=1)
    message = str(error.value)
    assert str(tmp_path / TINY.cell) in message
    assert ("lr 0.01, now 0.02" in message) == ("lr" in changes)
    assert ("curve_spans [6], now []" in message) == ("curve_spans" in changes)
    assert "seed" not in message.split("settings", 1)[1]


def test_seeds_differ(tmp_path):
    losses = [
        train_cell(tmp_path, replace(TINY, seed=seed), max_update=1)["loss"] for seed in (1, 2)
    ]
    assert losses[0] != losses[1]


def test_evaluating_changes_nothing():
    trained = []
    for often in (True, False):
        training = Training(TINY, "cpu")
        for _ in range(3):
            training.update()
            if often:
                assert training.evaluate() == training.evaluate()
        trained.append(training.model.state_dict())
    assert same_but_seconds(*map(dict, trained))


def test_the_result_of_a_rim_says_who_was_active(tmp_path):
    lines = train_cell(tmp_path, TINY, max_update=1)["activity"]
    steps = 2 + 2 + 1 + 2
    assert len(lines) == 6 and {len(line) for line in lines} == {steps}
    assert all(sum(line[t] == "1" for line in lines) == 4 for t in range(steps))
    assert "activity" not in train_cell(tmp_path, replace(TINY, model="lstm"), max_update=1)


# The report


def write_cell(out: Path, settings: Settings, losses: list[float], **more) -> None:
    """A trained cell that was not trained."""
    folder = out / settings.cell
    write_json(folder / "settings.json", asdict(settings))
    log = [{"updates": 10 * i, "loss": 2 / i, "test_span_loss": 3 / i} for i in range(1, 5)]
    write_lines(folder / "log.jsonl", [json.dumps(line) for line in log])
    result = {
        "learned": losses[0] < 0.1,
        "updates": 40,
        "cpu_seconds": 3600.0,
        "device": "cpu",
        "parameters": 12345,
        "loss": dict(zip(map(str, settings.spans), losses, strict=True)),
    }
    write_json(folder / "result.json", {**result, **more})


@pytest.fixture
def cells(tmp_path) -> Path:
    """Two seeds of an LSTM, a RIM, and a cell without a result."""
    lstm = replace(TINY, model="lstm")
    write_cell(tmp_path, lstm, [0.25, 1.5, 3.0])
    write_cell(tmp_path, replace(lstm, seed=2), [0.0, 2.0, 4.0])
    write_cell(tmp_path, TINY, [0.0, 0.125, 0.5], activity=["1111000", "0000111"] * 3)
    write_cell(tmp_path, replace(TINY, seed=2), [9.0, 9.0, 9.0])
    (tmp_path / replace(TINY, seed=2).cell / "result.json").unlink()
    return tmp_path


def test_the_table_says_what_the_cells_hold(cells):
    write_report(cells, cells / "report")
    table = (cells / "report" / "table.md").read_text(encoding="utf-8")
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert rows == [
        "| model | width | parameters | learned | updates | CPU hours | 2 | 4 | 6 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| rim | 24 | 12,345 | 1 of 1 | 40 | 1.00 | 0.000 | 0.125 | 0.500 |",
        "| lstm | 24 | 12,345 | 1 of 2 | 40 (40 to 40) | 1.00 (1.00 to 1.00) "
        "| 0.125 (0.000 to 0.250) | 1.750 (1.500 to 2.000) | 3.500 (3.000 to 4.000) |",
    ]
    rim, lstm = json.loads((cells / "report" / "table.json").read_text(encoding="utf-8"))["rows"]
    assert (rim["model"], rim["seeds"], rim["loss"]["4"]) == ("rim", [1], [0.125])
    assert (lstm["model"], lstm["seeds"], lstm["loss"]["4"]) == ("lstm", [1, 2], [1.5, 2.0])


def test_a_report_is_made_of_the_cells_alone(cells):
    """Made again it is the same to the byte; every file changes when the cells do."""
    write_report(cells, cells / "one")
    write_report(cells, cells / "again")
    lstm = replace(TINY, model="lstm")
    write_cell(cells, lstm, [0.3, 1.5, 3.0])
    write_lines(cells / lstm.cell / "log.jsonl", ['{"updates": 1, "loss": 1, "test_span_loss": 1}'])
    write_cell(cells, TINY, [0.0, 0.125, 0.5], activity=["1111001", "0000110"] * 3)
    write_report(cells, cells / "changed")
    one, again, changed = (
        {path.name: path.read_bytes() for path in (cells / name).iterdir()}
        for name in ("one", "again", "changed")
    )
    assert sorted(one) == "activity.png learning.png span.png table.json table.md".split()
    assert one == again
    assert all(one[name] != changed[name] for name in one)
    assert not any(b"tEXt" in content for content in one.values())  # where a date would be


def test_nothing_trained_is_no_report(tmp_path):
    with pytest.raises(InputError, match="no trained cell"):
        write_report(tmp_path, tmp_path / "report")


# The command


def run_copying(*options: object) -> None:
    parser = argparse.ArgumentParser()
    copying.add_arguments(parser)
    copying.run(parser.parse_args([str(option) for option in options]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--width", 100], "width 100 .* multiple of 6"),
        (["--models", "rim", "gru"], "no model 'gru'"),
        (["--seeds", 0], "--seeds must be 1 or more, got 0"),
        (["--curve-spans", 5, -1], "--curve-spans must be 0 or more, got -1"),
        (["--lr", 0], "--lr must be a number above 0, got 0.0"),
        (["--device", "cuda"], "there is no GPU"),
    ],
)
def test_wrong_options_are_refused_before_any_training(tmp_path, monkeypatch, options, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=message):
        run_copying("--out", tmp_path / "out", *OPTIONS, "--max-update", 1, *options)
    assert not (tmp_path / "out").exists()


def test_a_dry_run_names_the_cells_and_trains_nothing(tmp_path, capsys):
    train_cell(tmp_path, TINY, max_update=20)
    write_lines(tmp_path / "lstm-12" / "seed1" / "log.jsonl", ['{"updates": 10}'])
    before = sorted(tmp_path.rglob("*"))
    run_copying("--out", tmp_path, *OPTIONS, "--max-update", 20, "--seeds", 2, "--dry-run")
    assert sorted(tmp_path.rglob("*")) == before
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "rim-24/seed1: finished after 20 updates"
    assert lines[3] == "lstm-12/seed1: goes on after 10 updates"
    assert lines[4] == "lstm-24/seed1: new"
    assert lines[5] == "rim-24/seed2: new" and len(lines) == 10
    with pytest.raises(InputError, match=r"lr 0\.01, now 0\.02"):
        run_copying("--out", tmp_path, *OPTIONS, "--lr", 0.02, "--dry-run")


def test_killed_and_called_again(tmp_path):
    """By the real command, which ends with a report, as if it had never been killed."""
    options = ["copying", "--models", "rim", *OPTIONS, "--max-update", "60"]
    options += ["--out", str(tmp_path / "killed"), "--report-to", str(tmp_path / "report")]
    log = tmp_path / "killed" / TINY.cell / "log.jsonl"
    process = subprocess.Popen([sys.executable, "-m", "rim_nmt", "experiment", *options])
    try:
        while not log.exists():
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    assert not (log.parent / "result.json").exists()
    done = run_script("experiment", *options)
    assert "rim-24/seed1: goes on after" in done.stdout and "learned after" in done.stdout
    train_cell(tmp_path / "whole", TINY, max_update=60)
    assert_same_cell(tmp_path / "whole" / TINY.cell, log.parent)
    assert "| rim | 24 |" in (tmp_path / "report" / "table.md").read_text(encoding="utf-8")
