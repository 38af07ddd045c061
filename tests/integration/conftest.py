"""The wheel, built once for all tests of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


def run(*command: object, **more) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, encoding="utf-8", **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Built from what git would commit, so that no build folder of this clone has a part in it."""
    source = tmp_path_factory.mktemp("source")
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in listed.splitlines():
        if (ROOT / name).is_file() and name.startswith(("rim_nmt/", "user_dir/", "pyproject")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    for name in ("README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
        "--disable-pip-version-check", "-w", out, source)  # fmt: skip
    (built,) = out.glob("*.whl")
    return built
