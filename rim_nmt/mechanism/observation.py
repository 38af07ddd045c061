"""Watching mechanisms at work: how much each one wants the input, and what happens without it."""

import contextlib
from collections.abc import Callable, Collection, Iterator

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
    # of the instance, where `keep_asleep` has put one
    before = {
        name: (layer.kernel, vars(layer.input_attention).get("attend"))
        for name, layer in layers.items()
    }
    try:
        for name, layer in layers.items():
            layer.kernel = "plain"
            _replace_attend(layer.input_attention, _noting(layer.input_attention, wants[name]))
        yield wants
    finally:
        for name, layer in layers.items():
            layer.kernel, attend = before[name]
            _replace_attend(layer.input_attention, attend)


def _replace_attend(attention: InputAttention, attend: Attend | None) -> None:
    """Give an instance an `attend` of its own; with None it has the class's again."""
    if attend is None:
        vars(attention).pop("attend", None)
    else:
        vars(attention)["attend"] = attend


def _noting(attention: InputAttention, wants: list[Tensor]) -> Attend:
    attend = attention.attend

    def noting(h: Tensor, keys: Tensor) -> Tensor:
        p = attend(h, keys)  # K x B x N x M
        with torch.no_grad():
            wants.append(p.sum(-2).mean(-1).clamp(min=0))  # K x B
        return p

    return noting


def keep_asleep(layer: RIMLayer, mechanisms: Collection[int]) -> None:
    """From now on, some mechanisms of a layer are never active; as many others are chosen as
    before, where there are so many. Their states stay what they are at the start, and are still
    read. The layer computes in plain PyTorch.

    Args:
        layer: is changed.
        mechanisms: their numbers, from 0.

    Raises:
        ValueError: there is no such mechanism, or none would be left.
    """
    numbers = sorted(set(mechanisms))
    if not numbers or numbers[0] < 0 or numbers[-1] >= layer.num_mechanisms:
        raise ValueError(
            f"got mechanisms {numbers}, expected some of 0 to {layer.num_mechanisms - 1}"
        )
    left = layer.num_mechanisms - len(numbers)
    if not left:
        raise ValueError(f"all {layer.num_mechanisms} mechanisms of a layer cannot sleep")
    layer.kernel = "plain"
    layer.num_active = min(layer.num_active, left)
    attend = layer.input_attention.attend

    def without(h: Tensor, keys: Tensor) -> Tensor:
        p = attend(h, keys).clone()  # K x B x N x M
        p[numbers] = -1.0  # less than anyone can want it: never chosen
        return p

    _replace_attend(layer.input_attention, without)
