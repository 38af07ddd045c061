"""Average checkpoints: one model whose weights are the mean of several."""

import re
from collections.abc import Sequence
from pathlib import Path

import torch

import rim_nmt.plugin  # noqa: F401  (allows fairseq's checkpoints to be loaded)
from rim_nmt.files import InputError, atomic_path


def average_checkpoints(paths: Sequence[Path], out: Path) -> None:
    """Write a checkpoint with the mean of the weights and everything else from the last one.

    The optimiser's state, which belongs to no average, is left out: the result is for
    translating and for starting a fine-tuning, not for resuming.

    Args:
        paths: checkpoints of one training (or of trainings of one architecture).
        out: where the result goes.

    Raises:
        InputError: none given, one is missing or is no checkpoint, or their weights do not match.
    """
    if not paths:
        raise InputError("no checkpoints to average: give at least one")
    total: dict[str, torch.Tensor] = {}
    for path in paths:
        if not path.is_file():
            raise InputError(f"no checkpoint at {path}")
        state = torch.load(path, map_location="cpu", weights_only=True)
        weights = state["model"]
        shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
        if total and shapes != {name: tuple(weight.shape) for name, weight in total.items()}:
            raise InputError(f"{path} has other weights than {paths[0]}: they cannot be averaged")
        for name, weight in weights.items():
            total[name] = total.get(name, 0) + weight.double()
    state["model"], kept = {}, {}
    for name, weight in weights.items():
        mean = (total[name] / len(paths)).to(weight.dtype)
        # one weight of several names (shared embeddings, a shared encoder) is stored once again
        first = kept.setdefault((weight.data_ptr(), weight.shape), mean)
        state["model"][name] = first if torch.equal(first, mean) else mean
    state["last_optimizer_state"] = None
    with atomic_path(out) as temporary:
        torch.save(state, temporary)


def last_checkpoints(folder: Path, count: int) -> list[Path]:
    """The checkpoints of a training with the most updates, by their names
    (`checkpoint_EPOCH_UPDATES.pt`, which `--save-interval-updates` writes).

    Args:
        folder: the training's --save-dir.
        count: how many; all of them where there are fewer.

    Raises:
        InputError: there are none.
    """
    numbered = {
        int(match[1]): path
        for path in folder.glob("checkpoint_*_*.pt")
        if (match := re.fullmatch(r"checkpoint_\d+_(\d+)\.pt", path.name))
    }
    if not numbered:
        raise InputError(
            f"no checkpoint_EPOCH_UPDATES.pt in {folder}: train with --save-interval-updates"
        )
    return [numbered[updates] for updates in sorted(numbered)[-count:]]
