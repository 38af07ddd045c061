"""The demo's own logic: steps are done once."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from rim_nmt.errors import InputError
from rim_nmt.experiments import demo
from rim_nmt.experiments.demo import _once
from rim_nmt.runtime.files import folder_lock
from rim_nmt.toy import corpus
from tests.data.test_preparation import content, fake_preprocess


def test_a_step_is_done_once_for_the_same_work(tmp_path, capsys):
    done = []
    seconds = _once(tmp_path / "stamp", {"size": 1}, lambda: done.append(1))
    assert _once(tmp_path / "stamp", {"size": 1}, lambda: done.append(2)) == seconds
    assert done == [1]
    _once(tmp_path / "stamp", {"size": 2}, lambda: done.append(3))
    assert done == [1, 3]


def test_a_step_that_fails_is_done_again(tmp_path):
    done = []

    def fail():
        done.append(1)
        raise RuntimeError

    for _ in range(2):
        try:
            _once(tmp_path / "stamp", {}, fail)
        except RuntimeError:
            continue
    assert done == [1, 1]


@pytest.fixture
def trained_demo(tmp_path, monkeypatch) -> Path:
    """The folder of a training as the demo leaves it, in an empty current folder."""
    monkeypatch.chdir(tmp_path)

    def train(command, log):
        (demo.RUNS / "rim_tiny" / "checkpoint_last.pt").write_bytes(b"weeks of work")

    monkeypatch.setattr(demo, "_run_training", train)
    demo._train("rim_tiny")
    return tmp_path / demo.RUNS / "rim_tiny"


def test_a_training_is_known_whatever_interpreter_is_asked(trained_demo, monkeypatch, capsys):
    before = content(trained_demo)
    monkeypatch.setattr(sys, "executable", "/another/path/to/python")
    monkeypatch.setattr(demo, "_run_training", lambda *_: pytest.fail("it was trained anew"))
    demo._train("rim_tiny")
    assert "done already" in capsys.readouterr().out
    assert content(trained_demo) == before


def test_a_training_with_other_options_is_not_destroyed(trained_demo, monkeypatch):
    before = content(trained_demo)
    monkeypatch.setattr(demo, "MAX_UPDATE", 9)
    with pytest.raises(InputError, match="other options than this demo's"):
        demo._train("rim_tiny")
    assert content(trained_demo) == before


def test_folders_of_the_user_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in (demo.TEXT, demo.RUNS / "rim_tiny"):
        folder.mkdir(parents=True)
        (folder / "train.en").write_text("mine", encoding="utf-8")
    for step in (demo._generate, lambda: demo._train("rim_tiny")):
        with pytest.raises(InputError, match="was not made by this demo"):
            step()
    assert set(content(tmp_path).values()) == {b"mine"}


def test_cleaning_removes_what_the_demo_made_and_nothing_else(trained_demo, monkeypatch, capsys):
    write = corpus.write
    sizes = {"train_size": 20, "valid_size": 5, "test_size": 5, "transfer_size": 5}
    monkeypatch.setattr(corpus, "write", lambda path, seed: write(path, seed=seed, **sizes))
    monkeypatch.setattr("rim_nmt.data.preparation.preprocess", fake_preprocess)
    monkeypatch.setattr(demo, "VOCAB_SIZE", 60)
    demo._generate()
    demo._prepare()
    mine = [demo.RUNS / "mine" / "model", Path("data/mine/text"), Path("data/demo.unfinished/text")]
    for path in mine:
        path.parent.mkdir(parents=True)
        path.write_text("mine", encoding="utf-8")
    demo.clean()
    assert sorted(path for path in Path().rglob("*") if path.is_file()) == sorted(mine)
    assert f"{demo.RUNS} stays" in capsys.readouterr().out
    shutil.rmtree("runs")
    demo.clean()
    assert sorted(path for path in Path().rglob("*") if path.is_file()) == sorted(mine[1:])


def test_two_demos_exclude_each_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rim_nmt.runtime.files.PATIENCE", 0.1)
    for run in (demo.run_demo, demo.clean):
        with folder_lock(demo.RUNS), pytest.raises(InputError, match="is at work on runs/demo"):
            run()


def test_the_training_options_survive_their_record():
    """They are compared with the recorded ones to decide whether a training can go on."""
    options = demo.training_options("rim_tiny", 10)
    assert json.loads(json.dumps(options)) == options
