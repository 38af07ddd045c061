"""Memory of freed tensors is kept for the next ones, where the C library is glibc.

By itself glibc maps blocks above 32 MB (such as the scores of a vocabulary) one by one and gives
them back to the system when they are freed, with what is free at the heap's end. The next tensor
then gets new pages, each of which the system has to find and clear: up to a third of a training
step on a CPU went there (`benchmarks/memory.py`).
"""

import ctypes
import os

# mallopt(3); the numbers are those of malloc.h
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4


def keep_freed_memory() -> None:
    """Have malloc keep what is freed; do nothing with another C library, or where the user has
    set MALLOC_MMAP_MAX_."""
    libc = ctypes.CDLL(None)
    if "MALLOC_MMAP_MAX_" in os.environ or not hasattr(libc, "gnu_get_libc_version"):
        return
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
