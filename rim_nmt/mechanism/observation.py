"""Watching mechanisms at work: how much each one wants the input, at every step."""

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from rim_nmt.mechanism.input_attention import InputAttention
from rim_nmt.mechanism.layer import RIMLayer

Attend = Callable[[Tensor, Tensor], Tensor]


@contextlib.contextmanager
def wants_of(model: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """While it is open, every RIM layer of a model notes how much its mechanisms want the input:
    the score by which the active ones are selected, the mean over heads of p_km (section 2.2).

    Layers compute in plain PyTorch meanwhile, which gives the same numbers as the kernels to their
    accuracy.

    Args:
        model: any module with RIM layers in it.

    Returns:
        For each RIM layer, by its name within the model, one K x B for each step that it computes
        from now on, in the order in which it computes them; between 0 and 1.
    """
    layers = {
        name: module for name, module in model.named_modules() if isinstance(module, RIMLayer)
    }
    wants: dict[str, list[Tensor]] = {name: [] for name in layers}
    kernels = {name: layer.kernel for name, layer in layers.items()}
    try:
        for name, layer in layers.items():
            layer.kernel = "plain"
            # of this instance; the class's own is there again when it is taken away
            vars(layer.input_attention)["attend"] = _noting(layer.input_attention, wants[name])
        yield wants
    finally:
        for name, layer in layers.items():
            layer.kernel = kernels[name]
            vars(layer.input_attention).pop("attend", None)


def _noting(attention: InputAttention, wants: list[Tensor]) -> Attend:
    attend = attention.attend

    def noting(h: Tensor, keys: Tensor) -> Tensor:
        p = attend(h, keys)  # K x B x N x M
        with torch.no_grad():
            wants.append(p.sum(-2).mean(-1))  # K x B
        return p

    return noting
