"""Memory that is kept."""

import os
import subprocess
import sys

import pytest

from rim_nmt.runtime.fairseq_commands import ROOT

# Mapped blocks (hblks of mallinfo2(3)) that one tensor of 64 MB adds.
SCRIPT = """
import ctypes, torch
from rim_nmt.plugin.startup import deferring
with deferring():
    import rim_nmt.plugin.register

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd usmblks "
                "fsmblks uordblks fordblks keepcost".split()]

mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Info
before = mallinfo2().hblks
tensor = torch.empty(16_000_000)
print(mallinfo2().hblks - before)
"""


def mapped_blocks(**environment: str) -> int:
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if "undefined symbol: mallinfo2" in found.stderr:
        pytest.skip("the C library is not glibc 2.33 or newer")
    assert found.returncode == 0, found.stderr
    return int(found.stdout)


def test_large_tensors_are_not_mapped_anew_each_time():
    assert mapped_blocks() == 0


def test_the_users_own_setting_stays():
    assert mapped_blocks(MALLOC_MMAP_MAX_="65536") == 1
