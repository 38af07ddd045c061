"""A cell does each step once, goes on where it stopped, and belongs to one process at a time."""

import json
import subprocess
import sys

import pytest

from rim_nmt.errors import InputError
from rim_nmt.experiments.training_cell import Cell, read_log
from rim_nmt.runtime.console import training_progress
from tests.conftest import ROOT
from tests.runtime.test_processes import is_running, wait_for

LOG = """\
2026-01-01 | INFO | fairseq_cli.train | num. shared model params: 1,234 (num. trained: 1,234)
2026-01-01 | INFO | train_inner | {"epoch": 1, "loss": "9.1", "num_updates": "10", "wps": "100", "ups": "1"}
2026-01-01 | INFO | train_inner | {"epoch": 1, "loss": "8.1", "num_updates": "20", "wps": "700", "ups": "7"}
2026-01-01 | INFO | valid | {"valid_nll_loss": "7.5", "valid_ppl": "180", "valid_num_updates": "20", "valid_enc_usage": "0.9", "valid_dec_usage": "0.6"}
Killed
2026-01-01 | INFO | train_inner | {"epoch": 1, "loss": "8.0", "num_updates": "20", "wps": "300", "ups": "4"}
2026-01-01 | INFO | valid | {"valid_nll_loss": "7.25", "valid_ppl": "180", "valid_num_updates": "20", "valid_enc_usage": "0.8", "valid_dec_usage": "0.5"}
2026-01-01 | INFO | train_inner | {"epoch": 1, "loss": "8.0", "num_updates": "30", "wps": "200", "ups": "2"}
2026-01-01 | INFO | valid | {"valid_nll_loss": "7.5", "valid_ppl": "181", "valid_num_updates": "30", "valid_dec_least": "0.1", "valid_enc_usage": "0.7", "valid_dec_usage": "0.4"}
2026-01-01 | INFO | fairseq_cli.train | done training in 3.0 seconds
"""  # noqa: E501


def test_the_log_is_read_as_the_last_run_left_it(tmp_path):
    log = tmp_path / "train.log"
    log.write_text(LOG, encoding="utf-8")
    assert read_log(log) == {
        "parameters": 1234,
        "updates": 30,
        "tokens_per_second": 200,
        "seconds_per_update": 0.5,
        "valid": [(20, 7.25), (30, 7.5)],
        "valid_loss": 7.25,
        "usage": {"dec_least": 0.1, "enc_usage": 0.7, "dec_usage": 0.4},
    }


def test_a_log_without_validation_is_refused(tmp_path):
    log = tmp_path / "train.log"
    log.write_text(LOG.splitlines()[0], encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_log(log)
    assert "no validation" in str(error.value) and str(log) in str(error.value)


def python(code: str) -> list[str]:
    return [sys.executable, str(ROOT / "tests" / "execute.py"), code]


def make_cell(folder, **commands) -> Cell:
    """A cell whose commands note in `done` that they ran and leave what is expected of them."""
    report = {"reference": "test.de", "sentences": 3}
    report |= {m: {"score": 12.5, "signature": f"{m} signature"} for m in ("BLEU", "chrF")}

    def step(name: str, product: str, content: str) -> list[str]:
        return python(
            f"from pathlib import Path; folder = Path({str(folder)!r})\n"
            f"(folder / 'done').open('a').write({name + ' '!r})\n"
            f"path = folder / {product!r}; path.parent.mkdir(exist_ok=True)\n"
            f'path.write_text({content!r}, encoding="utf-8")'
        )

    made = {
        "train": python(f"open({str(folder / 'done')!r}, 'a').write('train ')\nprint({LOG!r})"),
        "average": step("average", "checkpoints/average.pt", ""),
        "score": {"test": step("score", "scores/test.json", json.dumps(report))},
    }
    about = {"model": "rim", "pairs": ["en-de"], "seed": 1}
    return Cell(folder=folder, about=about, max_update=30, **{**made, **commands})


def run_cell(cell: Cell) -> bool:
    with training_progress() as progress:
        return cell.run(progress)


def test_a_cell_runs_its_steps_once(tmp_path):
    cell = make_cell(tmp_path / "cell")
    assert not cell.finished
    assert run_cell(cell) and run_cell(cell)
    assert (cell.folder / "done").read_text(encoding="utf-8").split() == [
        "train",
        "average",
        "score",
    ]
    result = json.loads((cell.folder / "result.json").read_text(encoding="utf-8"))
    assert cell.finished
    assert (result["model"], result["seed"], result["updates"]) == ("rim", 1, 30)
    assert result["scores"]["test"]["BLEU"]["score"] == 12.5


def test_a_cell_goes_on_with_the_step_that_failed(tmp_path):
    broken = make_cell(tmp_path / "cell", average=python("raise SystemExit('disk full')"))
    with pytest.raises(InputError) as error:
        run_cell(broken)
    assert "disk full" in str(error.value)
    assert not broken.finished
    (broken.folder / "cell.json").unlink()  # it was another command, which would be refused
    cell = make_cell(tmp_path / "cell")
    run_cell(cell)
    assert (cell.folder / "done").read_text(encoding="utf-8").split() == [
        "train",
        "average",
        "score",
    ]


def test_a_folder_made_by_other_commands_is_refused(tmp_path):
    cell = make_cell(tmp_path / "cell")
    run_cell(cell)
    other = make_cell(tmp_path / "cell", train=python("print('another learning rate')"))
    with pytest.raises(InputError) as error:
        run_cell(other)
    assert "another learning rate" in str(error.value)


def test_a_training_ends_with_its_starter_and_goes_on_with_the_next(tmp_path):
    """While it runs nobody may start a second one beside it."""
    folder = tmp_path / "cell"
    started = folder / "started"
    code = (
        f"import os, pathlib, time\nlog = open({str(folder / 'done')!r}, 'a')\n"
        f"path = pathlib.Path({str(started)!r})\n"
        "if not path.exists():\n    path.write_text(str(os.getpid())); time.sleep(300)\n"
        f"log.write('train ')\nprint({LOG!r})"
    )
    starter = (
        "import sys; from pathlib import Path; from tests.experiments.test_training_cell import *\n"
        f"run_cell(make_cell(Path({str(folder)!r}), train=python({code!r})))"
    )
    process = subprocess.Popen([sys.executable, "-c", starter], cwd=ROOT)
    wait_for(lambda: started.exists() and started.read_text(encoding="utf-8"))
    training = int(started.read_text(encoding="utf-8"))
    cell = make_cell(folder, train=python(code))
    assert not run_cell(cell)
    assert is_running(training)
    process.kill()
    process.wait()
    wait_for(lambda: not is_running(training))
    assert run_cell(cell) and cell.finished
    assert (folder / "done").read_text(encoding="utf-8").split() == ["train", "average", "score"]
