"""What keeping freed memory is worth: fairseq's training step with it and, in turns, as glibc would
have it by itself."""

import argparse
import ctypes
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.models import make_batch, make_dictionary, make_trainer
from benchmarks.timing import interleaved
from rim_nmt.models.matched_sizes import SIZES, matched_models
from rim_nmt.plugin.memory import M_MMAP_MAX, M_TRIM_THRESHOLD, keep_freed_memory

M_MMAP_THRESHOLD = -3
MB = 1024 * 1024
STEPS = 5  # in a timing; the first has to find its memory in either case


def give_back() -> None:
    """What glibc comes to after some large blocks, by a rule of its own that mallopt ends."""
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_MAX, 65536)
    libc.mallopt(M_MMAP_THRESHOLD, 32 * MB)
    libc.mallopt(M_TRIM_THRESHOLD, 64 * MB)
    libc.malloc_trim(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="tiny", help="(%(default)s)")
    parser.add_argument("--vocabulary", type=int, default=8000, help="(%(default)s)")
    parser.add_argument("--batch", type=int, default=60, help="sentences (%(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="timings of each (%(default)s)")
    arguments = parser.parse_args()

    dictionary = make_dictionary(arguments.vocabulary)
    batch, tokens = make_batch(dictionary, arguments.batch)
    for name, flags in matched_models(arguments.size).items():
        trainer = make_trainer(flags, dictionary)

        def train(allocator, trainer=trainer) -> None:
            allocator()
            for _ in range(STEPS):
                trainer.train_step([batch])

        jobs = {"kept": lambda: train(keep_freed_memory), "given back": lambda: train(give_back)}
        seconds = interleaved(jobs, arguments.rounds)
        for job, value in seconds.items():
            ratio = value / seconds["given back"]
            print(f"{name:12} {job:12} {STEPS * tokens / value:8.0f} tokens/s, time {ratio:5.2f}")


if __name__ == "__main__":
    main()
