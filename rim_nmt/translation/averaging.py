"""Average checkpoints: one model whose weights are the mean of several."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

import rim_nmt.plugin.register  # noqa: F401  (allows fairseq's checkpoints to be loaded)
from rim_nmt.errors import InputError
from rim_nmt.plugin import checkpoint_safety
from rim_nmt.runtime.files import atomic_path


def average_checkpoints(paths: Sequence[Path], out: Path) -> None:
    """Write a checkpoint with the mean of the weights and everything else from the last one (whole
    numbers, which count something, too).

    The optimiser's state, which belongs to no average, is left out: the result is for
    translating and for starting a fine-tuning, not for resuming.

    Args:
        paths: checkpoints of one training (or of trainings of one architecture).
        out: where the result goes.

    Raises:
        InputError: none given, one is missing or is no checkpoint or the result too, their weights
            do not match or are not finite, or the result cannot be written.
    """
    if not paths:
        raise InputError("no checkpoints to average: give at least one")
    if out.resolve() in {path.resolve() for path in paths}:
        raise InputError(f"{out} is one of the checkpoints and would be lost: choose another name")
    with _prepared(out) as temporary:
        total: dict[str, torch.Tensor] = {}
        for path in paths:
            state = _load(path)
            weights = state["model"]
            shapes = {name: weight.shape for name, weight in weights.items()}
            if path == paths[0]:
                expected = shapes
            elif shapes != expected:
                raise InputError(
                    f"{path} has other weights than {paths[0]}: they cannot be averaged"
                )
            _add(total, weights)
        # what several names share is stored once again
        means = {
            id(total[name]): (total[name] / len(paths)).to(weight.dtype)
            for name, weight in weights.items()
            if name in total
        }
        state["model"] = {
            name: means[id(total[name])] if name in total else weight
            for name, weight in weights.items()
        }
        state["last_optimizer_state"] = None
        try:
            torch.save(state, temporary)
        except RuntimeError as error:  # a full disk, for torch
            raise InputError(f"{out} cannot be written: {error}") from error


@contextlib.contextmanager
def _prepared(out: Path) -> Iterator[Path]:
    """`atomic_path`, whose folder and temporary file are made before the work begins."""
    try:
        with atomic_path(out) as temporary:
            if out.is_dir():
                raise IsADirectoryError(f"{out} is a folder")
            temporary.touch()
            yield temporary
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error}") from error


def _load(path: Path) -> dict:
    """A checkpoint whose weights can be averaged."""
    if not path.is_file():
        raise InputError(f"no checkpoint at {path}")
    state = checkpoint_safety.load(path)
    weights = state["model"]
    if not any(weight.is_floating_point() for weight in weights.values()):
        raise InputError(f"{path} has no weights in floating point: nothing can be averaged")
    for name, weight in weights.items():
        if weight.is_complex():
            raise InputError(f"{path}: the weight {name} is {weight.dtype}, expected real numbers")
    checkpoint_safety.check_finite(weights.items(), path)
    return state


def _add(total: dict[str, torch.Tensor], weights: dict[str, torch.Tensor]) -> None:
    """Add weights to their totals. A weight that has several names in all checkpoints (shared
    embeddings, a shared encoder) has one total."""
    sums: dict[tuple, torch.Tensor] = {}
    for name, weight in weights.items():
        if weight.is_floating_point():
            before = total.get(name)
            place = (id(before), weight.data_ptr(), weight.dtype, weight.shape, weight.stride())
            if place not in sums:
                sums[place] = weight.double() if before is None else before + weight.double()
            total[name] = sums[place]


def last_checkpoints(folder: Path, count: int) -> list[Path]:
    """The last checkpoints of a training, by their names: those with the most updates
    (`checkpoint_EPOCH_UPDATES.pt`, which `--save-interval-updates` writes) or, where there are none
    of these, those of the last epochs (`checkpointEPOCH.pt`).

    Args:
        folder: the training's --save-dir.
        count: how many; all of them where there are fewer.

    Raises:
        InputError: there are none.
    """
    for name in (r"checkpoint_\d+_(\d+)\.pt", r"checkpoint(\d+)\.pt"):
        numbered = {
            int(match[1]): path
            for path in folder.glob("checkpoint*.pt")
            if (match := re.fullmatch(name, path.name))
        }
        if numbered:
            return [numbered[number] for number in sorted(numbered)[-count:]]
    raise InputError(
        f"neither checkpoint_EPOCH_UPDATES.pt nor checkpointEPOCH.pt in {folder}: train with "
        "--save-interval-updates, or name the checkpoints to average instead of --last"
    )
