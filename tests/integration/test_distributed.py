"""Two training processes on one machine (gloo) learn what one learns with the same batch."""

import re
import socket

import pytest

from rim_nmt.runtime.fairseq_commands import USER_DIR, fairseq_command
from tests.conftest import SMALL
from tests.forked import Forked

UPDATES = 12


def losses(log: str) -> list[float]:
    return [float(loss) for loss in re.findall(r'train_inner .*"loss": "([\d.]+)"', log)]


def train(data, save_dir, arguments: tuple, processes: int) -> str:
    """Train with batches of two parts, one part a process or both in one; returns the first
    process's log."""
    command = fairseq_command(
        "train",
        data / "bin",
        *("--user-dir", USER_DIR, *SMALL, *arguments, "--share-all-embeddings", "--cpu"),
        *("--optimizer", "adam", "--lr", "0.01", "--clip-norm", 1, "--max-tokens", 200),
        *("--dropout", 0, "--input-dropout", 0, "--comm-dropout", 0, "--seed", 1),
        *("--max-update", UPDATES, "--update-freq", 2 // processes, "--save-dir", save_dir),
        *("--log-format", "json", "--log-interval", 1, "--num-workers", 0, "--no-save"),
    )
    if processes > 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command += ["--distributed-world-size", str(processes), "--distributed-no-spawn"]
        command += ["--distributed-backend", "gloo", "--ddp-backend", "legacy_ddp"]
        command += ["--distributed-init-method", f"tcp://127.0.0.1:{port}", "--distributed-rank"]
    running = [Forked([*command, rank] if processes > 1 else command) for rank in range(processes)]
    ended = [process.finish() for process in running]
    logs = [done.stdout + done.stderr for done in ended]
    assert all(done.returncode == 0 for done in ended), "\n".join(logs)
    return logs[0]


@pytest.mark.parametrize("pairs", [1, 2])
def test_two_processes_learn_what_one_does(pairs, request, tmp_path):
    if pairs == 1:
        data = request.getfixturevalue("prepared")
        arguments = ("--arch", "rim_tiny", "--source-lang", "en", "--target-lang", "de")
    else:
        data = request.getfixturevalue("prepared_pairs")
        arguments = ("--arch", "multilingual_rim_tiny", "--task", "multilingual_translation")
        arguments += ("--lang-pairs", "en-de,en-fr")
    one, two = (
        losses(train(data, tmp_path / f"{processes}", arguments, processes)) for processes in (1, 2)
    )
    assert len(one) == len(two) == UPDATES
    assert one[-1] < 0.9 * one[0]
    # the sums over sentences differ in their order; rounding to three digits hides most of it
    assert two == pytest.approx(one, abs=0.005)
