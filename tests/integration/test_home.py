"""A run of the tests leaves the user's home alone."""

import os
import subprocess
import sys

from tests.conftest import ROOT

# the compiled kernel, Matplotlib, and datasets with fairseq
KEEPERS_OF_CACHES = (
    "tests/mechanism/kernels/test_cpu.py::test_the_log_says_once_which_path_is_in_use",
    "tests/experiments/table8/test_report.py::test_the_same_cells_give_the_same_bytes",
    "tests/data/test_preparation.py::test_nothing_kept_is_an_error",
)


def test_nothing_is_written_to_the_users_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    places = ("RIM_TEST_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", "MPLCONFIGDIR")
    theirs = {name: value for name, value in os.environ.items() if name not in places}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *KEEPERS_OF_CACHES],
        cwd=ROOT,
        env={**theirs, "HOME": str(home), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.relative_to(home) for path in home.rglob("*")] == []
