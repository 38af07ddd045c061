"""What the processor can do."""

import torch


def bfloat16_obstacle() -> str | None:
    """Why matrix products in bfloat16 are not fast on this processor; None if they are.

    They are with AMX (Intel since Sapphire Rapids), which the system must let this process use.
    """
    found = torch.cpu.get_capabilities()
    if found.get("amx_bf16", False) and torch.cpu._init_amx():
        return None
    name = found.get("cpu_name", found["architecture"])
    return f"this processor ({name}) offers no AMX for bfloat16 (amx_bf16)"
