"""Fair timing on a noisy machine: everything in one run, in turns, medians."""

import statistics
import time
from collections.abc import Callable


def interleaved(jobs: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Median seconds of each job; in every round each runs once, so that noise hits all alike.

    Args:
        jobs: name -> what to time. Each runs once before the first round, untimed.
        rounds: how often each is timed.
    """
    for job in jobs.values():
        job()
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            started = time.perf_counter()
            job()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in seconds.items()}
