"""scripts/ run the code of the clone that they are in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rim_nmt.cli.main import COMMANDS
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """Another clone, of another version, at a path that must be quoted."""
    folder = tmp_path_factory.mktemp("clones") / os.fsdecode("Ein Ordner für Klone".encode())
    for name in ("scripts", "rim_nmt"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "rim_nmt/__init__.py").write_text('__version__ = "the clone"', encoding="utf-8")
    return folder


@pytest.mark.parametrize("where", ["here", "in the other clone", "elsewhere"])
def test_the_code_is_that_of_the_clone(clone, tmp_path, where):
    """PYTHONPATH, as an environment, has this clone."""
    (clone / "scripts/version.py").write_text(
        (clone / "scripts/score.py").read_text(encoding="utf-8").replace('"score"', '"--version"'),
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, clone / "scripts/version.py"],
        cwd={"here": ROOT, "in the other clone": clone, "elsewhere": tmp_path}[where],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "rim-nmt the clone\n"), done.stderr


def test_each_runs_the_command_of_its_name():
    names = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    # the others would take inspect.py for Python's own
    assert names - {"checkout", "test_machines"} <= set(COMMANDS) - {"inspect"}
    for name in names & set(COMMANDS):
        text = (ROOT / "scripts" / f"{name}.py").read_text(encoding="utf-8")
        assert f'run("{name}")' in text


def test_arguments_and_status_are_passed_on(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/average.py", "a b", "--last", "0", "--out", "c"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and done.stderr.startswith("error: --last N takes")
