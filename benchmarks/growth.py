"""How the time of a training step grows with T, B, K, A and D: a picture of RIM, plain and
compiled, beside torch.nn.LSTM of the same width."""

import argparse
import functools
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib
import torch

from benchmarks.layers import KINDS, train
from benchmarks.timing import interleaved
from rim_nmt.runtime.files import atomic_path

matplotlib.use("Agg")
from matplotlib import pyplot as plt

BASE = {"T": 30, "B": 64, "K": 6, "A": 4, "D": 600}
# D is K mechanisms of width 100 where K grows: as many active mechanisms, as much active width
RANGES = {
    "T": ("steps T", [{"T": T} for T in (1, 5, 15, 30, 60)]),
    "B": ("sentences B", [{"B": B} for B in (1, 8, 32, 64, 128, 256)]),
    "K": ("mechanisms K of width 100, 4 active", [{"K": K, "D": 100 * K} for K in (4, 6, 12, 24)]),
    "A": ("active mechanisms A of 12", [{"K": 12, "A": A} for A in (2, 4, 6, 8, 10, 12)]),
    "D": ("width D, 4 of 6 active", [{"D": D} for D in (150, 300, 600, 1200)]),
}
INPUT = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("growth.png"), help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each (%(default)s)")
    arguments = parser.parse_args()
    figure, axes = plt.subplots(1, len(RANGES), figsize=(20, 4), sharey=True)
    for axis, (letter, (title, changes)) in zip(axes, RANGES.items(), strict=True):
        places = [change[letter] for change in changes]
        curves: dict[str, list[float]] = {}
        for change in changes:
            sizes = {**BASE, **change}
            for name, seconds in measure(**sizes, rounds=arguments.rounds).items():
                per_token = 1e6 * seconds / (sizes["T"] * sizes["B"])
                curves.setdefault(name, []).append(per_token)
                print(f"{sizes} {name:15} {per_token:8.1f} us a token", flush=True)
        for name, curve in curves.items():
            axis.plot(places, curve, marker="o", label=name)
        axis.set(xlabel=title, xscale="log", yscale="log", xticks=places, xticklabels=places)
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("microseconds a token, training step")
    axes[0].legend()
    figure.suptitle(
        f"I={INPUT}, else {' '.join(f'{k}={v}' for k, v in BASE.items())}, float32, "
        f"{torch.get_num_threads()} thread(s), torch {torch.__version__}"
    )
    figure.tight_layout()
    with atomic_path(arguments.out) as temporary:
        figure.savefig(temporary, format="png", dpi=80)


def measure(T: int, B: int, K: int, A: int, D: int, rounds: int) -> dict[str, float]:
    """Median seconds of a training step of each kind of layer."""
    x = torch.randn(T, B, INPUT, requires_grad=True)
    layers = {name: build(INPUT, D, K, A) for name, build in KINDS.items()}
    jobs = {name: functools.partial(train, layer, x) for name, layer in layers.items()}
    return interleaved(jobs, rounds)


if __name__ == "__main__":
    main()
