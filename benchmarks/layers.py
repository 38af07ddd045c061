"""Time and memory of a RIM layer relative to torch.nn.LSTM of the same width: a training step (in
float32 and, where the processor is fast at it, in bfloat16), forward only, one decoding step, and
many more mechanisms with as many active. On a GPU, where nn.LSTM is cuDNN's, a training step and
forward only, in float16; --steps 64 --batch 256 --hidden-size 768 are the sizes of the target
there."""

import argparse
import functools
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from benchmarks.timing import interleaved
from rim_nmt.mechanism import RIMLayer
from rim_nmt.plugin.processor import bfloat16_obstacle

KINDS = {  # built from I, D and, where they are not 6 and 4, K and A
    "torch.nn.LSTM": lambda input_size, hidden_size, *_: torch.nn.LSTM(input_size, hidden_size),
    "RIM, plain": lambda *sizes: RIMLayer(*sizes, kernel="plain"),
    "RIM, compiled": lambda *sizes: RIMLayer(*sizes, kernel="compiled"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="(%(default)s)")
    parser.add_argument("--steps", type=int, default=30, help="T (%(default)s)")
    parser.add_argument("--batch", type=int, default=128, help="B (%(default)s)")
    parser.add_argument("--input-size", type=int, default=512, help="I (%(default)s)")
    parser.add_argument("--hidden-size", type=int, default=600, help="D (%(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="timings of each (%(default)s)")
    arguments = parser.parse_args()
    sizes = arguments.input_size, arguments.hidden_size
    if arguments.device == "cuda":
        if not torch.cuda.is_available():
            parser.error("--device cuda: PyTorch finds no CUDA device here")
        on_gpu(arguments.steps, arguments.batch, sizes, arguments.rounds)
        return
    layers = {name: build(*sizes) for name, build in KINDS.items()}
    x = torch.randn(arguments.steps, arguments.batch, sizes[0], requires_grad=True)

    print(f"T={arguments.steps} B={arguments.batch} I={sizes[0]} D={sizes[1]} K=6 A=4, float32, "
          f"{torch.get_num_threads()} thread(s), torch {torch.__version__}")  # fmt: skip
    compare("training step", layers, functools.partial(train, x=x), arguments.rounds)
    if obstacle := bfloat16_obstacle():
        print(f"{'training step, bf16':22} not measured: {obstacle}")
    else:
        in_bfloat16 = functools.partial(train, x=x, bfloat16=True)
        compare("training step, bf16", layers, in_bfloat16, arguments.rounds)
    compare("forward", layers, functools.partial(infer, inputs=(x,)), arguments.rounds)
    for batch in (5, 40, 320):
        step = torch.randn(1, batch, sizes[0])
        state = tuple(torch.randn(2, 1, batch, sizes[1]).unbind())
        decode = functools.partial(infer, inputs=(step, state))
        compare(f"decoding step, B={batch}", layers, decode, 10 * arguments.rounds)

    few = RIMLayer(*sizes, 6, 4)
    many = RIMLayer(sizes[0], 4 * sizes[1], 24, 4)  # mechanisms of equal width
    compare(
        "training step",
        {"RIM, A=4 of K=6": few, "RIM, A=4 of K=24": many},
        functools.partial(train, x=x),
        arguments.rounds,
    )

    spawn = multiprocessing.get_context("spawn")
    kilobytes = {}
    for name in KINDS:
        with spawn.Pool(1) as fresh:
            kilobytes[name] = fresh.apply(peak, (name, sizes, tuple(x.shape)))
    for name, value in kilobytes.items():
        ratio = value / kilobytes["torch.nn.LSTM"]
        print(f"{'memory of a step':22} {name:17} {value / 1024:8.1f} MiB {ratio:5.2f}")


def on_gpu(steps: int, batch: int, sizes: tuple[int, int], rounds: int) -> None:
    kinds = {**KINDS, "RIM, triton": lambda *sizes: RIMLayer(*sizes, kernel="triton")}
    layers = {name: kinds[name](*sizes).cuda() for name in kinds if name != "RIM, compiled"}
    x = torch.randn(steps, batch, sizes[0], device="cuda", requires_grad=True)

    def timed(layer: torch.nn.Module, job: Callable, **inputs) -> None:
        with torch.autocast("cuda", torch.float16):
            job(layer, **inputs)
        torch.cuda.synchronize()

    print(f"T={steps} B={batch} I={sizes[0]} D={sizes[1]} K=6 A=4, float16 by autocast, "
          f"{torch.cuda.get_device_name()}, torch {torch.__version__}")  # fmt: skip
    compare("training step", layers, functools.partial(timed, job=train, x=x), rounds)
    compare("forward", layers, functools.partial(timed, job=infer, inputs=(x,)), rounds)


def train(layer: torch.nn.Module, x: torch.Tensor, bfloat16: bool = False) -> None:
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        output, _ = layer(x)
    output.sum().backward()


@torch.no_grad()
def infer(layer: torch.nn.Module, inputs: tuple) -> None:
    layer.eval()(*inputs)
    layer.train()


def compare(title: str, layers: dict[str, torch.nn.Module], job: Callable, rounds: int) -> None:
    """Print the median milliseconds of a job, and relative to the first layer."""
    jobs = {name: lambda layer=layer: job(layer) for name, layer in layers.items()}
    seconds = interleaved(jobs, rounds)
    reference = next(iter(seconds.values()))
    for name, value in seconds.items():
        print(f"{title:22} {name:17} {1000 * value:8.1f} ms  {value / reference:5.2f}")


def peak(name: str, sizes: tuple[int, int], shape: tuple[int, ...]) -> int:
    """Kilobytes that a training step adds to the memory of a process, at most; the gradients of
    the weights, which stay, included."""
    torch.set_num_threads(1)
    layer = KINDS[name](*sizes)
    x = torch.randn(shape, requires_grad=True)
    train(KINDS[name](8, 12), torch.randn(2, 2, 8, requires_grad=True))  # loads what there is
    before = _kilobytes("VmRSS")
    train(layer, x)
    return _kilobytes("VmHWM") - before


def _kilobytes(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name))


if __name__ == "__main__":
    main()
