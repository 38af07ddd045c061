"""Kernels that compute a RIM layer faster than plain PyTorch, one for CPUs and one for GPUs; which
of them computes a layer, and why not."""

import functools
import logging
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rim_nmt.mechanism.kernels.cpu import compiled_obstacle, run_compiled
from rim_nmt.mechanism.kernels.triton import run_triton, triton_obstacle

KERNELS = ("auto", "plain", "compiled", "triton")

logger = logging.getLogger(__name__)


class Kernel(NamedTuple):
    """One way to compute a layer with LSTM dynamics and its input in one slot.

    Args:
        obstacle: from the input and the weights' dtype to what keeps the kernel from running on
            them; None if nothing does.
        run: from the layer's `LayerWeights`, the keys and values of `InputAttention`, the state
            and the padding mask to the output (T x B x D), the final state (h and c, each
            1 x B x D) and activity (T x B x K, bool).
    """

    obstacle: Callable[[Tensor, torch.dtype], str | None]
    run: Callable[..., tuple[Tensor, tuple[Tensor, Tensor], Tensor]]


_KERNELS = {
    "compiled": Kernel(compiled_obstacle, run_compiled),
    "triton": Kernel(triton_obstacle, run_triton),
}


def choose(layer: nn.Module, x: Tensor) -> Kernel | None:
    """The kernel that computes a layer on an input; None is the layer's own plain PyTorch.

    The log says once which it is and, where it is plain PyTorch, why.

    Args:
        layer: a `RIMLayer`, whose `kernel` is one of KERNELS.
        x: its input.

    Raises:
        ValueError: the layer asks for a kernel that cannot run.
    """
    if layer.kernel == "plain":
        obstacle = "as asked"
    else:
        name = layer.kernel
        if name == "auto":
            name = "compiled" if x.device.type == "cpu" else "triton"
        kernel = _KERNELS[name]
        dtype = layer.input_attention.query.weight.dtype
        obstacle = _obstacle(layer) or kernel.obstacle(x, dtype)
        if obstacle is None:
            _log_once(f"RIM layers are computed by the {name} kernel")
            return kernel
        if layer.kernel != "auto":
            raise ValueError(f"the {name} kernel was asked for, but {obstacle}")
    _log_once(f"RIM layers are computed by plain PyTorch: {obstacle}")
    return None


def _obstacle(layer: nn.Module) -> str | None:
    """What keeps every kernel from running a layer; None if nothing does."""
    if layer.dynamics.num_states != 2:
        return "the mechanisms' dynamics are not LSTM"
    if layer.asleep:
        return "mechanisms are kept asleep"
    if layer.input_attention.num_slots > 1:
        return "the input is in several slots"
    return None


@functools.cache
def _log_once(message: str) -> None:
    logger.info(message)
