"""Gradients that cannot be differentiated again say so."""

import functools
from collections.abc import Callable

import torch


def differentiable_once(backward: Callable) -> Callable:
    """The `backward` of an autograd function whose results must not be differentiated.

    torch's own `once_differentiable` lets it pass where the loss is linear in the function's
    outputs, and second-order gradients of the weights are then silently missing. Here they raise a
    RuntimeError, whatever the loss. The function must have saved all inputs that have gradients.
    """

    @functools.wraps(backward)
    def once(ctx, *of_outputs):
        with torch.no_grad():
            gradients = backward(ctx, *of_outputs)
        if not torch.is_grad_enabled():  # it is on where a graph is asked for, create_graph=True
            return gradients
        inputs = [x for x in ctx.saved_tensors if x is not None and x.requires_grad]
        return _Refuse.apply(len(inputs), *inputs, *gradients)

    return once


class _Refuse(torch.autograd.Function):
    """Hands on what follows its first inputs, and refuses to be differentiated by these."""

    @staticmethod
    def forward(ctx, count, *values):
        return values[count:]

    @staticmethod
    def backward(ctx, *_):
        raise RuntimeError(
            "second-order gradients were asked for, which the kernels of a RIM layer do not have: "
            "build it with kernel='plain'"
        )
