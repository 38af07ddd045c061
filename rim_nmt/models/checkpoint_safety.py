"""Load fairseq's checkpoints with torch's protection against code in them left on.

Since 2.6, `torch.load` refuses every class that is not known to be harmless. fairseq writes a few
of its own kind; they are allowed here, one by one. A checkpoint that carries anything else (a
function to call, say) is still refused with an error before anything of it runs.
"""

import argparse

import numpy as np
import torch

# What fairseq's checkpoints hold besides tensors and plain containers: the command line, and
# numpy numbers (scores of --eval-bleu, the state of data iterators).
_NUMPY_NAMES = ("_reconstruct", "scalar")
_NUMBERS = (
    *(np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64),
    *(np.float16, np.float32, np.float64),
)


def allow_fairseq_checkpoints() -> None:
    """Allow the harmless classes of fairseq's checkpoints, for this process."""
    multiarray = np._core.multiarray
    allowed: list = [argparse.Namespace, np.ndarray, np.dtype]
    allowed += [getattr(multiarray, name) for name in _NUMPY_NAMES]
    # files written with numpy 1 name the same functions by their old place
    allowed += [
        (getattr(multiarray, name), f"numpy.core.multiarray.{name}") for name in _NUMPY_NAMES
    ]
    allowed += [type(np.dtype(number)) for number in _NUMBERS]
    torch.serialization.add_safe_globals(allowed)
