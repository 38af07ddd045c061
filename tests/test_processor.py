"""What the processor is found to do."""

import pytest
import torch

from rim_nmt.processor import bfloat16_obstacle


@pytest.mark.parametrize(
    ("capabilities", "permitted", "clear"),
    [
        ({"amx_bf16": True}, True, True),
        ({"amx_bf16": True}, False, False),  # by the system
        ({"avx512_bf16": True}, False, True),
        ({"amx_bf16": False, "avx512_bf16": False}, True, False),
        ({}, False, False),  # not an x86 processor
    ],
)
def test_bfloat16_needs_amx_and_the_permission_to_use_it_or_avx512(
    capabilities, permitted, clear, monkeypatch
):
    found = {"architecture": "abacus", **capabilities}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    monkeypatch.setattr(torch.cpu, "_init_amx", lambda: permitted)
    obstacle = bfloat16_obstacle()
    assert obstacle is None if clear else "abacus" in obstacle and "amx_bf16" in obstacle


def test_this_processor_can_be_asked():
    assert bfloat16_obstacle() is None or "amx_bf16" in bfloat16_obstacle()
