"""What is shown of the commands that others start, and of fairseq's log."""

import os
import sys

import pytest

from rim_nmt.errors import InputError
from rim_nmt.runtime import fairseq_commands
from rim_nmt.runtime.console import set_verbosity
from rim_nmt.runtime.fairseq_commands import _validation, fairseq_command, rim_command, run
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("usage", "shown"),
    [
        ({}, ""),
        ({"enc": 0.99, "dec": 0.9}, ", use of mechanisms 0.99 (encoder) 0.9 (decoder)"),
        (
            {"enc": 1, "dec_de": 0.9, "dec_fr": 0.8},
            ", use of mechanisms 1 (encoder) 0.9 (decoder de) 0.8 (decoder fr)",
        ),
    ],
)
def test_a_validation_shows_the_use_of_mechanisms_in_every_part(usage, shown):
    figures = {"valid_num_updates": "20", "valid_ppl": "3.1"}
    for part, value in usage.items():
        figures |= {f"valid_{part}_usage": value, f"valid_{part}_least": 0.1}
    assert _validation(figures) == f"update 20: valid perplexity 3.1{shown}"


def python(code: str) -> list[str]:
    return [sys.executable, str(ROOT / "tests" / "execute.py"), code]


def test_wrong_arguments_are_told_in_the_programs_own_words(tmp_path):
    parse = "import argparse; argparse.ArgumentParser('fairseq-train').parse_args(['--no-such'])"
    with pytest.raises(InputError) as error:
        run(python(parse), tmp_path / "log")
    name = os.path.basename(sys.executable)
    assert str(error.value) == f"{name}: unrecognized arguments: --no-such"


def test_a_model_that_cannot_be_built_is_told_in_one_line(tmp_path):
    with pytest.raises(InputError) as error:
        run(python("raise ValueError('5 does not divide 96')"), tmp_path / "log")
    assert str(error.value).endswith(": 5 does not divide 96") and "\n" not in str(error.value)


def test_other_failures_show_the_end_of_the_log(tmp_path):
    with pytest.raises(InputError, match=r"exit status 3; the end of .*log:\nlast words"):
        run(python("print('last words'); raise SystemExit(3)"), tmp_path / "log")


@pytest.mark.parametrize("verbose", [True, False])
def test_the_log_is_shown_on_request(tmp_path, capsys, verbose):
    set_verbosity(verbose=verbose)
    try:
        run(python("print('a line')"), tmp_path / "log")
    finally:
        set_verbosity()
    assert (tmp_path / "log").read_text(encoding="utf-8") == "a line\n"
    assert capsys.readouterr().err == ("a line\n" if verbose else "")


def test_a_command_runs_whatever_folder_it_is_started_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(rim_command("average", "--help"), tmp_path / "log")
    assert "usage: rim-nmt average" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_command_that_is_not_beside_python_is_run_as_a_module(monkeypatch, tmp_path):
    assert fairseq_command("train", 1)[-1] == "1"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert fairseq_command("train", 1)[1:] == ["-m", "fairseq_cli.train", "1"]


def test_the_plugin_is_that_of_the_clone():
    assert fairseq_commands.IS_CLONE and fairseq_commands.USER_DIR == ROOT / "user_dir"


def test_where_there_is_no_clone_nothing_else_is_put_on_the_path():
    """fairseq puts the folder above --user-dir there."""
    above = ROOT / "rim_nmt/plugin/entry"
    names = [path.name for path in above.iterdir() if path.name != "__pycache__"]
    assert names == ["rim_user_dir"]
