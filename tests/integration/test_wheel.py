"""The wheel works without a clone, from any folder."""

import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rim_nmt.runtime.files import write_json
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory) -> Path:
    """What the wheel holds."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(unpacked: Path, where: Path, *command) -> str:
    """Run Python with the unpacked wheel before everything else; returns what it prints."""
    done = subprocess.run(
        [sys.executable, *(str(part) for part in command)],
        cwd=where,
        env={**os.environ, "PYTHONPATH": str(unpacked), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_the_package_and_nothing_else(unpacked):
    (about,) = unpacked.glob("*.dist-info")
    assert {path.name for path in unpacked.iterdir()} == {"rim_nmt", about.name}
    entry_points = (about / "entry_points.txt").read_text(encoding="utf-8")
    assert "rim-nmt = rim_nmt.cli.main:main" in entry_points
    for path in (ROOT / "rim_nmt").rglob("*"):  # tables and C++ too
        if path.is_file() and "__pycache__" not in path.parts:
            assert (unpacked / path.relative_to(ROOT)).is_file()


def test_its_commands_work_in_another_folder(unpacked, tmp_path):
    assert run(unpacked, tmp_path, "-m", "rim_nmt", "--help").startswith("usage: rim-nmt")
    (tmp_path / "data/bin").mkdir(parents=True)
    (tmp_path / "data/bin/train.en-de.en.idx").touch()
    write_json(tmp_path / "data/manifest.json", {"pairs": {"en-de": {}}})
    line = run(unpacked, tmp_path, "-m", "rim_nmt", "train", "data", "--dry-run", "--device", "cpu")
    command = shlex.split(line)
    user_dir = command[command.index("--user-dir") + 1]
    assert user_dir == str(unpacked / "rim_nmt/plugin/entry/rim_user_dir")
    code = (  # what fairseq-train does first
        "import argparse, sys; from fairseq import utils; from fairseq.models import MODEL_REGISTRY"
        "\nutils.import_user_module(argparse.Namespace(user_dir=sys.argv[1]))"
        "\nimport rim_nmt; print('rim' in MODEL_REGISTRY, rim_nmt.__file__)"
        "\nfrom rim_nmt.cli.main import main; main(['parameters', '--vocab-size', '1404'])"
    )
    first, table = run(unpacked, tmp_path, "-c", code, user_dir).split("\n", 1)
    assert first == f"True {unpacked / 'rim_nmt/__init__.py'}"
    assert "934,016" in table
