#!/usr/bin/env python3
"""Time of a RIM layer relative to torch.nn.LSTM of the same width, on the CPU."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from benchmarks.timing import interleaved
from rim_nmt.mechanism import RIM


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=30, help="T (%(default)s)")
    parser.add_argument("--batch", type=int, default=128, help="B (%(default)s)")
    parser.add_argument("--input-size", type=int, default=512, help="I (%(default)s)")
    parser.add_argument("--hidden-size", type=int, default=600, help="D (%(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="timings of each (%(default)s)")
    arguments = parser.parse_args()

    layers = {
        "torch.nn.LSTM": torch.nn.LSTM(arguments.input_size, arguments.hidden_size),
        "RIM, plain": RIM(arguments.input_size, arguments.hidden_size, kernel="plain"),
        "RIM, compiled": RIM(arguments.input_size, arguments.hidden_size, kernel="compiled"),
    }
    x = torch.randn(arguments.steps, arguments.batch, arguments.input_size, requires_grad=True)

    def train(layer) -> None:
        layer(x)[0].sum().backward()

    @torch.no_grad()
    def infer(layer) -> None:
        layer.eval()(x)
        layer.train()

    print(f"T={arguments.steps} B={arguments.batch} I={arguments.input_size} "
          f"D={arguments.hidden_size} K=6 A=4, float32, {torch.get_num_threads()} thread(s), "
          f"torch {torch.__version__}")  # fmt: skip
    for title, step in (("forward and backward", train), ("forward", infer)):
        jobs = {name: lambda layer=layer, step=step: step(layer) for name, layer in layers.items()}
        seconds = interleaved(jobs, arguments.rounds)
        reference = seconds["torch.nn.LSTM"]
        for name, value in seconds.items():
            print(f"{title:22} {name:15} {1000 * value:8.1f} ms  {value / reference:5.2f}")


if __name__ == "__main__":
    main()
