"""scripts/install.sh with a program in Python's place that notes what it is asked for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

PYTHON = """#!/bin/sh
packages=lib/python3.11/site-packages
case "$*" in
"-m venv --clear "*)
    rm -rf "$4"
    mkdir -p "$4/bin" "$4/$packages/pip-1.dist-info"
    : >"$4/$packages/pip-1.dist-info/INSTALLER"
    echo "command = python -m venv --clear $(pwd -P)/$4" >"$4/pyvenv.cfg"
    cp "$0" "$4/bin/python"
    echo venv >>calls ;;
"-m pip cache dir") echo "${PIP_CACHE_DIR-$PWD/cache}" ;;
"-m pip "*)
    shift 2
    echo "pip $1 ${PIP_USER-} ${PIP_TARGET-} ${PYTHONPATH-} ${PIP_INDEX_URL-}" \\
        "${PIP_NO_CACHE_DIR-}" >>calls
    [ ! -e "stop-at-$1" ] || { rm "stop-at-$1"; kill -TERM $PPID; sleep 0.1; exit 1; }
    while [ $# -gt 0 ]; do
        [ "$1" != -w ] || : >"$2/fairseq-1.whl"
        shift
    done ;;
esac
"""


@pytest.fixture
def clone(tmp_path) -> Path:
    """What install.sh needs of a clone, at a path that must be quoted."""
    folder = tmp_path / os.fsdecode("Ein Ordner für Klone".encode())  # whatever the locale
    (folder / "scripts").mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "tmp").mkdir()
    shutil.copy(ROOT / "scripts/install.sh", folder / "scripts")
    pins = "torch==1\nnumpy==1\nfairseq-fixed==1\n"
    (folder / "constraints.txt").write_text(pins, encoding="utf-8")
    (folder / "pyproject.toml").touch()
    for name, text in (("python", PYTHON), ("g++", "#!/bin/sh\n")):
        (folder / "bin" / name).write_text(text, encoding="utf-8")
        (folder / "bin" / name).chmod(0o755)
    return folder


def install(clone: Path, **environment: str) -> tuple[int, list[str]]:
    """The exit status, and what the program was asked for."""
    (clone / "calls").write_text("", encoding="utf-8")
    path = f"{clone / 'bin'}{os.pathsep}{os.environ['PATH']}"
    others = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run(
        ["scripts/install.sh", clone / "bin/python", ".venv"],
        cwd=clone,
        env={**others, "PATH": path, "TMPDIR": str(clone / "tmp"), **environment},
        capture_output=True,
    )
    assert not list((clone / "tmp").iterdir())
    calls = (clone / "calls").read_text(encoding="utf-8").splitlines()
    return done.returncode, [" ".join(call.split()) for call in calls]


def works(calls: list[str]) -> list[str]:
    return [" ".join(call.split()[:2]) for call in calls]


STEPS = ["pip install", "pip install", "pip install", "pip install", "pip wheel"]
CLONE = "pip install"  # the last of them


def test_it_is_done_once_and_again_for_new_constraints(clone):
    status, calls = install(clone)
    assert status == 0
    assert calls[0] == "venv"
    assert sorted(works(calls[1:])) == STEPS
    assert install(clone) == (0, [])
    future = (clone / ".venv/.installed").stat().st_mtime + 1
    os.utime(clone / "constraints.txt", (future, future))
    status, calls = install(clone)
    assert status == 0
    assert sorted(works(calls)) == STEPS


def test_a_new_pyproject_installs_the_clone_alone(clone):
    install(clone)
    future = (clone / ".venv/.installed-clone").stat().st_mtime + 1
    os.utime(clone / "pyproject.toml", (future, future))
    status, calls = install(clone)
    assert (status, works(calls)) == (0, [CLONE])


def test_an_environment_without_the_clone_gets_it(clone):
    install(clone)
    (clone / ".venv/.installed-clone").unlink()
    assert works(install(clone)[1]) == [CLONE]
    assert install(clone) == (0, [])


@pytest.mark.parametrize("step", ["install", "wheel"])
def test_interrupted_it_goes_on(step, clone):
    (clone / f"stop-at-{step}").touch()
    status, _ = install(clone)
    assert status != 0
    assert not (clone / ".venv/.installed").exists()
    status, calls = install(clone)
    assert status == 0
    assert sorted(works(calls)) == STEPS  # in the same environment


def test_half_an_environment_is_made_anew(clone):
    install(clone)
    (clone / ".venv/.installed").unlink()
    (clone / ".venv/lib/python3.11/site-packages/pip-1.dist-info/INSTALLER").unlink()
    assert install(clone)[1][0] == "venv"


def test_half_a_package_is_installed_again(clone):
    install(clone)
    (clone / ".venv/.installed").unlink()
    half, whole = (clone / f".venv/lib/python3.11/site-packages/{n}-1.dist-info" for n in "ab")
    half.mkdir()
    whole.mkdir()
    (whole / "INSTALLER").touch()
    assert install(clone)[0] == 0
    assert not half.exists()
    assert whole.exists()


def test_a_clone_that_was_moved_gets_another_environment(clone):
    install(clone)
    moved = clone.rename(clone.with_name("moved"))
    assert install(moved)[1][0] == "venv"
    assert install(moved) == (0, [])


def test_of_the_users_settings_those_of_the_index_stay(clone):
    settings = {"PIP_TARGET": "/elsewhere", "PYTHONPATH": "/elsewhere", "PIP_INDEX_URL": "index"}
    _, calls = install(clone, **settings, PIP_USER="1")
    assert {call.partition(" ")[2].split(maxsplit=1)[1] for call in calls[1:]} == {"0 index"}


def test_without_a_cache_pip_goes_on(clone):
    (clone / "file").touch()
    _, calls = install(clone, PIP_CACHE_DIR=str(clone / "file/cache"))
    assert all(call.endswith("0 1") for call in calls[1:])
