"""The program and its list of commands."""

import importlib
import os
import re
import subprocess
import sys

import pytest

from rim_nmt import __version__
from rim_nmt.cli.main import COMMANDS, build_parser, main
from tests.conftest import ROOT

HEAVY = ("torch", "fairseq", "datasets", "matplotlib", "rich", "numpy")
HELP = f"""
import contextlib, io, sys
from rim_nmt.cli.main import COMMANDS, main
experiments = [["experiment", name] for name in ("table8", "shifts", "copying")]
for words in [[], *([name] for name in COMMANDS), ["prepare", "files"], *experiments]:
    with contextlib.redirect_stdout(io.StringIO()) as text:
        try:
            main([*words, "--help"])
        except SystemExit as stop:
            assert not stop.code
    assert text.getvalue().startswith("usage: rim-nmt"), words
    print(*words, *(name for name in {HEAVY} if name in sys.modules))
"""


def test_help_imports_nothing_that_takes_time():
    done = subprocess.run(
        [sys.executable, "-c", HELP], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [line.split() for line in done.stdout.splitlines()]
    assert [words[0] for words in names[1 : len(COMMANDS) + 1]] == list(COMMANDS)
    assert len(names) == 1 + len(COMMANDS) + 4
    assert not [words for words in names if set(words) & set(HEAVY)]


def test_it_is_a_module_that_runs():
    done = subprocess.run(
        [sys.executable, "-m", "rim_nmt", "--version"], cwd="/", capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f"rim-nmt {__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, capsys):
    module = importlib.import_module(f"rim_nmt.cli.{name}")
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert module.__doc__.split("\n")[0] in text
    assert re.search(rf"^examples?:\n(.*\n)?  .*rim-nmt {name}", text, re.M)


def test_the_list_is_complete():
    files = {path.stem for path in (ROOT / "rim_nmt" / "cli").glob("*.py")}
    assert set(COMMANDS) == files - {"__init__", "main", "shared"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "rim-nmt: error: the following arguments are required: COMMAND"),
        (["fly"], "rim-nmt: error: argument COMMAND: invalid choice: 'fly'"),
        (["average", "a", "--out", "b", "--fly"], "average: error: unrecognized arguments: --fly"),
        # abbreviations would mean something else once there is another flag
        (["parameters", "--vocab", "9"], "unrecognized arguments: --vocab 9"),
    ],
)
def test_what_is_not_known_is_refused(refused, arguments, message):
    assert message in refused(*arguments)


def test_only_the_chosen_command_is_read():
    _, module = build_parser("average")
    assert module.__name__ == "rim_nmt.cli.average"
    assert build_parser("fly")[1] is None


def test_a_package_that_is_not_installed_is_named(refused, monkeypatch):
    monkeypatch.setattr("rim_nmt.cli.parameters._dictionary_size", lambda _: __import__("rouge"))
    assert refused("parameters", "--data", "x") == (
        "error: this needs rouge, which is not installed: pip install 'rim-nmt[experiments,page]'"
    )


def completions(line: str) -> list[str]:
    """What a shell shows for the Tab key at the end of a line."""
    code = (
        "import os, sys; os.dup2(1, 8); from rim_nmt.cli.main import main; "
        "sys.argv = ['rim-nmt']; main()"
    )
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "COMP_TYPE": "9",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rim-nmt tra", ["train", "translate"]),
        ("rim-nmt train data --si", ["--size"]),
        ("rim-nmt train data --size ", ["tiny", "iwslt", "base", "wmt"]),
        ("rim-nmt prepare files --subwords", ["--subwords-from"]),
    ],
)
def test_the_tab_key_completes(line, expected):
    pytest.importorskip("argcomplete")
    assert completions(line) == expected
