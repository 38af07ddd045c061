"""How evenly mechanisms are used: the figures in which a collapse shows."""

import math

import torch
from torch import Tensor


def count_activity(activity: Tensor) -> Tensor:
    """How often each mechanism was active.

    Args:
        activity: ... x K, bool, as `RIMLayer` returns it (padded positions are all false).

    Returns:
        K, int64.
    """
    return activity.flatten(0, -2).sum(0)


def usage_entropy(counts: Tensor) -> float:
    """Entropy of the activations over mechanisms, divided by log K.

    1 is perfectly even use. With A of K active at every step, 0 cannot be reached: when the same
    A mechanisms do everything, it is log A / log K (0.77 for A = 4, K = 6).

    Args:
        counts: K, how often each mechanism was active.

    Returns:
        A number from 0 to 1; 1 for K = 1, nan where nothing was active.
    """
    if counts.sum() == 0:
        return float("nan")
    if len(counts) == 1:
        return 1.0
    shares = counts.double() / counts.sum()
    entropy = -torch.xlogy(shares, shares).sum()
    return entropy.item() / math.log(len(counts))


def least_share(counts: Tensor) -> float:
    """The share of all activations that the least used mechanism has; 1 / K is even use.

    Args:
        counts: K, how often each mechanism was active.

    Returns:
        A number from 0 to 1/K; nan where nothing was active.
    """
    return (counts.min().double() / counts.sum()).item()
