"""Sentences a second of `rim-nmt translate` on a pipe, against fairseq-interactive with the same
model, beam and batch, in turns, with the time that each takes to start apart.

python -m benchmarks.pipe TEXT --model everyday --rounds 3

Both translate the same sentences one by one; fairseq-interactive gets the subwords of the model and
a buffer as large as that of the pipe. Translations that differ are counted.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rim_nmt.data.cleaning import normalise
from rim_nmt.plugin.processor import processor_name
from rim_nmt.runtime.fairseq_commands import USER_DIR, fairseq_command, rim_command
from rim_nmt.translation.model_folder import PRETRAINED, SUBWORDS, WEIGHTS, pretrained_models
from rim_nmt.translation.stream import BUFFER


def ours(model: str) -> list[str]:
    return rim_command("translate", "--model", model, "--no-split", "--quiet", "--device", "cpu")


def fairseqs(folder: Path) -> list[str]:
    return fairseq_command(
        "interactive",
        folder,
        *("--path", folder / WEIGHTS, "--user-dir", USER_DIR, "--task", "translation"),
        *("--source-lang", "en", "--target-lang", "de", "--beam", 5, "--cpu"),
        *("--max-len-a", 1.2, "--max-len-b", 10),
        *("--buffer-size", BUFFER, "--max-tokens", 4000),
        *("--bpe", "sentencepiece", "--sentencepiece-model", folder / SUBWORDS),
    )


def timed(command: list[str], text: str) -> tuple[float, list[str]]:
    """Seconds and the lines that were printed."""
    started = time.perf_counter()
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
    )
    if done.returncode:
        sys.exit(done.stderr)
    return time.perf_counter() - started, done.stdout.splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("text", type=Path, help="sentences, one a line, English")
    parser.add_argument("--model", default="everyday", help="a model folder (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    arguments = parser.parse_args()
    packaged = arguments.model in pretrained_models()
    folder = PRETRAINED / arguments.model if packaged else Path(arguments.model)
    lines = [normalise(line) for line in arguments.text.read_text(encoding="utf-8").splitlines()]
    commands = {"rim-nmt translate": ours(arguments.model), "fairseq-interactive": fairseqs(folder)}
    starts: dict[str, list[float]] = {name: [] for name in commands}
    wholes: dict[str, list[float]] = {name: [] for name in commands}
    printed = {}
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            starts[name].append(timed(command, f"{lines[0]}\n")[0])
            seconds, printed[name] = timed(command, "".join(f"{line}\n" for line in lines))
            wholes[name].append(seconds)
    theirs = [line.split("\t")[2] for line in printed["fairseq-interactive"] if line[:2] == "D-"]
    different = sum(a != b for a, b in zip(printed["rim-nmt translate"], theirs, strict=True))
    print(f"{len(lines)} sentences, beam 5, buffer {BUFFER}, {processor_name()}, one thread")
    for name in commands:
        start, whole = statistics.median(starts[name]), statistics.median(wholes[name])
        speed = (len(lines) - 1) / (whole - start)
        print(f"{name:20} first answer after {start:5.1f} s, then {speed:6.1f} sentences/s")
    print(f"{different} translations differ")


if __name__ == "__main__":
    main()
