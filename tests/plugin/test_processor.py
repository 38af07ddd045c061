"""What the processor is found to do."""

import re

import pytest
import torch

from rim_nmt.plugin import processor
from rim_nmt.plugin.processor import bfloat16_obstacle


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
    monkeypatch.setattr(processor, "_onednn_has_bfloat16", lambda: True)
    obstacle = bfloat16_obstacle()
    assert obstacle is None if clear else "abacus" in obstacle and "amx_bf16" in obstacle


def test_bfloat16_needs_a_library_that_may_use_the_instructions(monkeypatch):
    found = {"architecture": "abacus", "avx512_bf16": True}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    monkeypatch.setattr(processor, "_onednn_has_bfloat16", lambda: False)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert "ONEDNN_MAX_CPU_ISA is AVX2" in bfloat16_obstacle()


def test_this_processor_and_its_library_can_be_asked():
    assert bfloat16_obstacle() is None or re.search("amx_bf16|oneDNN", bfloat16_obstacle())
    assert processor._onednn_has_bfloat16() in (True, False)
