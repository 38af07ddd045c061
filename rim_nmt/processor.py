"""What the processor can do."""

import torch


def processor_name() -> str:
    """What it is called, or its architecture where it does not say."""
    found = torch.cpu.get_capabilities()
    return found.get("cpu_name", found["architecture"])


def bfloat16_obstacle() -> str | None:
    """Why matrix products in bfloat16 are not fast on this processor; None if they are.

    They are with AMX (Intel since Sapphire Rapids), which the system must let this process use, and
    with the AVX-512 instructions for bfloat16 (AMD since Zen 4).
    """
    found = torch.cpu.get_capabilities()
    if found.get("avx512_bf16", False) or (found.get("amx_bf16", False) and torch.cpu._init_amx()):
        return None
    return (
        f"this processor ({processor_name()}) has no fast products of bfloat16 "
        "(neither amx_bf16 nor avx512_bf16)"
    )
