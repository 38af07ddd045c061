"""What has to be put right in fairseq (0.12.3) for the numbers and the logs to be right."""

import functools
import logging
import os
import warnings

import numpy as np
from fairseq.data import data_utils

# Warnings that every fairseq command prints on this stack, whatever the user does.
_NOISE = (
    "is validated against ConfigStore schema",
    "deprecated keyword in package header",
    "version_base parameter is not specified",
    "strict flag in the compose API is deprecated",
    "experimental.*hydra",
    "'pin_memory' argument is set as true but no accelerator",
    "torch.cuda.amp.autocast.*is deprecated",
    "mismatched key_padding_mask and attn_mask",
)


def apply() -> None:
    """Apply every fix; calling it again changes nothing."""
    if not hasattr(data_utils.batch_by_size, "__wrapped__"):
        data_utils.batch_by_size = _keep_every_sentence(data_utils.batch_by_size)
    if logging.getLogger().level == logging.DEBUG:  # set by one of fairseq's model files
        logging.getLogger().setLevel(os.environ.get("LOGLEVEL", "INFO").upper())
    for message in _NOISE:
        # (?s): many of them begin with an empty line
        warnings.filterwarnings("ignore", message=f"(?s).*{message}")


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
