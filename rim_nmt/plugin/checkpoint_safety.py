"""Load fairseq's checkpoints so that one cannot do more than hold a model, whatever is in it.

Since 2.6, `torch.load` refuses every class that is not known to be harmless. fairseq writes a few
of its own kind; they are allowed here, one by one. Before a checkpoint is loaded, `check` reads
what it says that it holds.
"""

import argparse
import numbers
from collections.abc import Iterable
from pathlib import Path

import torch

from rim_nmt.plugin import checkpoint_outline
from rim_nmt.plugin.checkpoint_numbers import STAND_INS
from rim_nmt.plugin.checkpoint_outline import CheckpointError, one_line

# Far above any configuration. Values that contain each other can be small in the file and
# without end when they are written out.
MOST_SETTINGS, DEEPEST_SETTING = 100_000, 50
MOST_LAYERS = 10_000


def allow_fairseq_checkpoints() -> None:
    """Allow the harmless classes of fairseq's checkpoints, for this process: the command line, and
    numpy numbers (scores of --eval-bleu, the state of data iterators)."""
    stand_ins = [(stand_in, name) for name, stand_in in STAND_INS.items()]
    torch.serialization.add_safe_globals([argparse.Namespace, *stand_ins])


def load(path: Path) -> dict:
    """The content of a checkpoint, checked, on the CPU. Tensors are read from the file when they
    are used, where its format allows that.

    Raises:
        CheckpointError: as for `check`.
    """
    check(path)
    try:
        return torch.load(
            path, map_location="cpu", weights_only=True, mmap=checkpoint_outline.is_zip(path)
        )
    except Exception as error:
        raise CheckpointError(f"{path} cannot be loaded: {one_line(error)}") from error


def check(path: Path) -> int:
    """Refuse what is no checkpoint of fairseq, or one that would do harm. Nothing of it is built.

    Args:
        path: a file.

    Returns:
        How many numbers its weights are.

    Raises:
        CheckpointError: it is damaged or no checkpoint of fairseq, or needs far more memory than
            its size, or its configuration has what no configuration has.
    """
    outline = checkpoint_outline.read_outline(path)
    try:
        weights = _check_entries(outline)
    except CheckpointError as error:
        raise CheckpointError(f"{path} cannot be loaded: {error}") from None
    return sum(weight.numel for weight in weights)


def check_finite(weights: Iterable[tuple[str, torch.Tensor]], path: Path | str) -> None:
    """Refuse weights that are no numbers.

    Args:
        weights: names and values.
        path: where they are from, for the message.

    Raises:
        CheckpointError: one is NaN or infinite; the message names it.
    """
    for name, weight in weights:
        if weight.is_floating_point() and not (finite := torch.isfinite(weight)).all():
            raise CheckpointError(
                f"{path}: {weight.numel() - int(finite.sum())} of the {weight.numel()} numbers in "
                f"the weight {name} are NaN or infinite: the training broke down, take an earlier "
                "checkpoint"
            )


def _check_entries(outline) -> list[checkpoint_outline.Tensor]:
    expected = "expected the entries model and cfg (or args) of a checkpoint of fairseq"
    if not isinstance(outline, dict):
        raise CheckpointError(f"{expected}, got a {type(outline).__name__}")
    settings = [outline.get(name) for name in ("cfg", "args")]
    if "model" not in outline or settings == [None, None]:
        names = ", ".join(str(name) for name in list(outline)[:8]) or "nothing"
        raise CheckpointError(f"{expected}, got {names[:200]}")
    for setting, kind in zip(settings, (dict, argparse.Namespace), strict=True):
        if setting is not None and not isinstance(setting, kind):
            raise CheckpointError(f"its configuration is a {type(setting).__name__}")
        _check_settings(setting)
    weights = outline["model"]
    if not isinstance(weights, dict):
        raise CheckpointError(f"its model is a {type(weights).__name__}, expected named weights")
    for name, weight in weights.items():
        if type(name) is not str or not isinstance(weight, checkpoint_outline.Tensor):
            raise CheckpointError(
                f"its model has a {type(weight).__name__} named {name!r}, expected named weights"
            )
    return list(weights.values())


def _check_settings(settings) -> None:
    """Only plain values, no more of them than a configuration has, none that refers to anything
    outside (OmegaConf would fill "${oc.env:HOME}" in)."""
    left = MOST_SETTINGS
    waiting = [("", settings, 0)]
    while waiting:
        key, value, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > DEEPEST_SETTING:
            raise CheckpointError("its configuration has no end")
        if isinstance(value, argparse.Namespace):
            value = vars(value)
        if isinstance(value, dict):
            waiting += [(str(name), part, depth + 1) for name, part in value.items()]
        elif isinstance(value, (list, tuple)):
            waiting += [(key, part, depth + 1) for part in value]
        elif key.endswith("layers") and isinstance(value, int) and value > MOST_LAYERS:
            raise CheckpointError(f"its configuration has {key}={value}")
        elif not isinstance(value, (str, numbers.Number, type(None))):
            raise CheckpointError(f"its configuration has a {type(value).__name__} as {key}")
        elif isinstance(value, str) and "${" in value:
            raise CheckpointError(f"its configuration refers to other values: {key}={value[:80]}")
