"""What has to be put right in fairseq (0.12.3) for the numbers and the logs to be right."""

import functools
import logging
import os
import warnings
from pathlib import Path

import numpy as np
import torch
from fairseq.data import data_utils
from fairseq.file_io import PathManager
from fairseq.optim.amp_optimizer import AMPOptimizer
from fairseq.tasks.fairseq_task import FairseqTask
from fairseq.tasks.multilingual_translation import MultilingualTranslationTask

from rim_nmt.plugin.processor import bfloat16_obstacle
from rim_nmt.runtime.files import atomic_path

# Warnings that every fairseq command prints on this stack, whatever the user does.
_NOISE = (
    "is validated against ConfigStore schema",
    "deprecated keyword in package header",
    "version_base parameter is not specified",
    "strict flag in the compose API is deprecated",
    "experimental.*hydra",
    "'pin_memory' argument is set as true but no accelerator",
    "torch.cuda.amp.(autocast|GradScaler).*is deprecated",
    "CUDA is not available.*Disabling",  # --amp --cpu, which computes in bfloat16
    "mismatched key_padding_mask and attn_mask",
)


def apply() -> None:
    """Apply every fix; calling it again changes nothing."""
    for owner, name, fix in (
        (data_utils, "batch_by_size", _keep_every_sentence),
        (PathManager, "copy", _never_half_a_file),
        (FairseqTask, "train_step", _autocast),
        (MultilingualTranslationTask, "train_step", _autocast),
        (AMPOptimizer, "__init__", _bfloat16_on_processors),
    ):
        function = getattr(owner, name)
        if not hasattr(function, "__wrapped__"):
            setattr(owner, name, fix(function))
    if logging.getLogger().level == logging.DEBUG:  # set by one of fairseq's model files
        logging.getLogger().setLevel(os.environ.get("LOGLEVEL", "INFO").upper())
    for message in _NOISE:
        # (?s): many of them begin with an empty line
        warnings.filterwarnings("ignore", message=f"(?s).*{message}")


def quiet_fairseq() -> None:
    """Keep what belongs into a log, of a training or of a bootstrap, off the terminal; warnings
    stay."""
    for name in ("fairseq", "rim_nmt", "sacrebleu"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _keep_every_sentence(batch_by_size):
    """fairseq throws away the last batch when its size is not a multiple of
    --required-batch-size-multiple (8 unless told): in training, validation and generation (its
    issues 5036 and 5351). Batches are consecutive runs of `indices`, so what is missing at the
    end is that batch."""

    @functools.wraps(batch_by_size)
    def keeping(indices, *args, **kwargs):
        if not isinstance(indices, np.ndarray):
            indices = np.fromiter(indices, dtype=np.int64, count=-1)
        batches = list(batch_by_size(indices, *args, **kwargs))
        fixed_shapes = args[5] if len(args) > 5 else kwargs.get("fixed_shapes")
        kept = sum(len(batch) for batch in batches)
        if fixed_shapes is None and kept < len(indices):
            batches.append(indices[kept:])
        return batches

    return keeping


def _never_half_a_file(copy):
    """fairseq writes a checkpoint under another name first, but copies it to checkpoint_last.pt
    and checkpoint_best.pt under these. A training that was killed meanwhile could not go on."""

    @functools.wraps(copy)
    def copying(src_path, dst_path, overwrite=False):
        if not PathManager.supports_rename(dst_path):
            return copy(src_path, dst_path, overwrite)
        with atomic_path(Path(dst_path)) as unfinished:
            return copy(src_path, str(unfinished), overwrite)

    return copying


def _autocast(train_step):
    """With --amp a task computes the loss under torch.cuda.amp.autocast, which does nothing on a
    processor, and the task of several language pairs under none at all. Here both do under that
    of the model's device: float16 on a GPU, bfloat16 on a processor."""

    @functools.wraps(train_step)
    def under_autocast(self, sample, model, criterion, optimizer, *args, **kwargs):
        if isinstance(optimizer, AMPOptimizer):
            device = next(model.parameters()).device.type
            criterion = torch.autocast(device)(criterion)
        return train_step(self, sample, model, criterion, optimizer, *args, **kwargs)

    return under_autocast


def _bfloat16_on_processors(init):
    """--amp on a processor: no scaling, and refused where float32 is faster."""

    @functools.wraps(init)
    def initialise(self, *args, **kwargs):
        init(self, *args, **kwargs)
        if next(self.params).device.type == "cpu":
            if obstacle := bfloat16_obstacle():
                raise ValueError(
                    f"--amp on a CPU trains in bfloat16, but {obstacle}: "
                    "leave --amp away, float32 is faster here"
                )
            self._grad_scaler = _NoScaling()

    return initialise


class _NoScaling(torch.amp.GradScaler):
    """bfloat16 has the range of float32: there is nothing to scale. Nor is there a smaller scale
    to try, so that fairseq stops at a gradient that is not finite, as it does in float32."""

    def __init__(self):
        super().__init__("cpu", enabled=False)

    def get_backoff_factor(self) -> float:
        return 0.0
