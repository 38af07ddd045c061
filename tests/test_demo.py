"""The demo's own logic: steps are done once."""

import json

from rim_nmt.demo import _once, training_command


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


def test_the_training_command_survives_its_record(tmp_path):
    """It is compared with the recorded one to decide whether a training can go on."""
    command = training_command("rim_tiny", tmp_path, tmp_path, 10)
    assert json.loads(json.dumps(command)) == command
