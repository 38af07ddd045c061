"""Whatever a checkpoint holds, it loads or ends with one clear line, and nothing in it runs."""

import json
import sys

import pytest

from tests.conftest import run_forked


@pytest.mark.parametrize(
    ("seed", "count"), [(1, 60), pytest.param(2, 1000, marks=pytest.mark.slow)]
)
def test_bad_checkpoints_load_or_end_with_one_clear_line(seed, count, tmp_path):
    """In a process of its own, since a crash is one of the possible outcomes."""
    done = run_forked(
        [sys.executable, "-m", "tests.plugin.checkpoint_fuzz", tmp_path, seed, count], check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    for kind, times in sorted(result["outcomes"].items()):
        print(f"{times:5} {kind}")
    assert result["failures"] == []
    assert not result["ran"]
    assert sum(result["outcomes"].values()) == count
    # loading is tried at all, and refusing too
    assert {kind.rpartition(": ")[2] for kind in result["outcomes"]} >= {"loaded", "refused"}
    assert result["grown_kb"] < 300_000
