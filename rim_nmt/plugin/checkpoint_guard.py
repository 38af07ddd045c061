"""Let every command of fairseq check a checkpoint, and build no more than its model."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fairseq import checkpoint_utils
from fairseq.file_io import PathManager
from fairseq.modules import SinusoidalPositionalEmbedding
from torch.nn.modules.module import register_module_parameter_registration_hook

from rim_nmt.plugin import checkpoint_safety
from rim_nmt.plugin.checkpoint_outline import CheckpointError

# A configuration may describe this many times the weights of its checkpoint (a weight that has
# several names counts several times), and some weights more.
MOST_TIMES_THE_WEIGHTS, MORE_WEIGHTS = 5, 1_000_000
FIRST_POSITIONS = 10_000
# settings that name a file with the embeddings that a training began with
_ELSEWHERE = ("encoder_embed_path", "decoder_embed_path", "embed_path")


def guard_fairseq() -> None:
    """Change fairseq's loading for this process; calling it again changes nothing."""
    for owner, name, guard in (
        (checkpoint_utils, "load_checkpoint_to_cpu", _checked),
        (checkpoint_utils, "load_model_ensemble_and_task", _no_larger_than_its_weights),
        (SinusoidalPositionalEmbedding, "__init__", _few_positions_at_first),
    ):
        function = getattr(owner, name)
        if not hasattr(function, "__wrapped__"):
            setattr(owner, name, guard(function))


@dataclass
class _Size:
    """Of what is being loaded from a checkpoint: its weights, and those that were built so far."""

    name: str
    weights: float
    built: int = 0


# More than one where the model of a checkpoint loads another checkpoint.
_LOADING: list[_Size] = []


def _checked(load_checkpoint_to_cpu: Callable) -> Callable:
    """A checkpoint is checked before fairseq loads it. Its weights are in it, so nothing is read
    from the files that the training took its first embeddings from."""

    @functools.wraps(load_checkpoint_to_cpu)
    def checking(path, arg_overrides=None, load_on_all_ranks=False):
        weights = checkpoint_safety.check(Path(PathManager.get_local_path(path)))
        if _LOADING:
            _LOADING[-1].weights += weights
        overrides = {**dict.fromkeys(_ELSEWHERE), **(arg_overrides or {})}
        return load_checkpoint_to_cpu(path, overrides, load_on_all_ranks)

    return checking


def _no_larger_than_its_weights(load_model_ensemble_and_task: Callable) -> Callable:
    """fairseq builds the model that a configuration describes, and looks then whether the weights
    fit. Here it stops when the model becomes far larger than its weights, or when it loads a
    checkpoint whose model loads another one (itself, say)."""

    @functools.wraps(load_model_ensemble_and_task)
    def loading(
        filenames, arg_overrides=None, task=None, strict=True, suffix="", num_shards=1, state=None
    ):
        size = _Size(", ".join(filenames), math.inf if state else 0)
        if len(_LOADING) > 1:
            raise CheckpointError(f"{_LOADING[0].name} cannot be loaded: it loads {size.name}")
        _LOADING.append(size)
        hook = register_module_parameter_registration_hook(functools.partial(_count, size))
        try:
            return load_model_ensemble_and_task(
                filenames, arg_overrides, task, strict, suffix, num_shards, state
            )
        finally:
            hook.remove()
            _LOADING.pop()

    return loading


def _count(size: _Size, _module, _name, weight) -> None:
    if size is not _LOADING[-1]:
        return
    size.built += 1 if weight is None else max(1, weight.numel())
    if size.built > MOST_TIMES_THE_WEIGHTS * size.weights + MORE_WEIGHTS:
        raise CheckpointError(
            f"{size.name} cannot be loaded: its configuration describes a model far larger than "
            f"its weights, which are {size.weights} numbers"
        )


def _few_positions_at_first(init: Callable) -> Callable:
    """Sinusoids are computed when a sentence is longer than those that are there, so there need
    not be one for every position that a configuration allows."""

    @functools.wraps(init)
    def initialise(self, embedding_dim, padding_idx, init_size=1024):
        init(self, embedding_dim, padding_idx, min(init_size, FIRST_POSITIONS))

    return initialise
