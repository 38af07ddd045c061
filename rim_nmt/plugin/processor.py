"""What the processor can do, and how many threads compute on it."""

import os

import torch


def threads() -> int:
    """How many threads a process computes with: one, or what OMP_NUM_THREADS says.

    The layers' matrices are small: a second thread gains little alone and costs up to seven times
    when another job runs beside it.
    """
    return torch.get_num_threads() if "OMP_NUM_THREADS" in os.environ else 1


def one_thread_unless_told() -> None:
    """Have this process compute with as many threads as `threads` says."""
    torch.set_num_threads(threads())


def processor_name() -> str:
    """What it is called, or its architecture where it does not say."""
    found = torch.cpu.get_capabilities()
    return found.get("cpu_name", found["architecture"])


def bfloat16_obstacle() -> str | None:
    """Why matrix products in bfloat16 are not fast on this processor; None if they are.

    They are with AMX (Intel since Sapphire Rapids), which the system must let this process use, and
    with the AVX-512 instructions for bfloat16 (AMD since Zen 4), if oneDNN may use them.
    """
    found = torch.cpu.get_capabilities()
    amx = found.get("amx_bf16", False) and torch.cpu._init_amx()
    if not (amx or found.get("avx512_bf16", False)):
        return (
            f"this processor ({processor_name()}) has no fast products of bfloat16 "
            "(neither amx_bf16 nor avx512_bf16)"
        )
    if not _onednn_has_bfloat16():
        limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "not set")
        return f"oneDNN computes nothing in bfloat16 here (ONEDNN_MAX_CPU_ISA is {limit})"
    return None


def _onednn_has_bfloat16() -> bool:
    """Whether the library that computes them takes bfloat16; without it, LSTMs fail."""
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
