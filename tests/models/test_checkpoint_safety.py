"""Checkpoints load with torch's protection on, and code hidden in one does not run."""

import argparse
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from fairseq import checkpoint_utils

import rim_nmt.plugin  # noqa: F401


class Payload:
    """Makes a folder when it is unpickled without protection."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


def test_what_fairseq_stores_can_be_loaded(tmp_path):
    stored = {
        "args": argparse.Namespace(arch="rim"),
        "extra_state": {
            "best": np.float64(3.5),
            "history": np.arange(4),
            "flags": np.array([True]),
        },
        "model": {"w": torch.ones(2)},
    }
    torch.save(stored, tmp_path / "checkpoint.pt")
    loaded = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert loaded["extra_state"]["best"] == 3.5
    assert loaded["extra_state"]["history"].tolist() == [0, 1, 2, 3]


def test_a_foreign_callable_is_refused_and_does_not_run(tmp_path):
    mark = tmp_path / "the payload ran"
    torch.save({"model": {}, "args": None, "cfg": Payload(mark)}, tmp_path / "crafted.pt")
    with pytest.raises(pickle.UnpicklingError, match="mkdir"):
        checkpoint_utils.load_checkpoint_to_cpu(str(tmp_path / "crafted.pt"))
    assert not mark.exists()
    # the file is what it claims to be: without the protection the payload runs
    torch.load(tmp_path / "crafted.pt", weights_only=False)
    assert mark.exists()
