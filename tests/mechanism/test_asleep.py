"""Mechanisms that are kept asleep."""

import copy
import pickle

import pytest
import torch

from rim_nmt.mechanism import RIMLayer
from rim_nmt.mechanism.selection import select_active


@pytest.mark.parametrize("num_active", [1, 2, 4])
@pytest.mark.parametrize("asleep", [[], [1], [0, 3]])
def test_the_others_are_chosen_in_their_order(num_active, asleep):
    torch.manual_seed(1)
    p = torch.rand(4, 50, 2)  # K x B x M
    active = select_active(p, num_active, asleep=asleep)
    left = [k for k in range(4) if k not in asleep]
    assert not active[asleep].any()
    assert torch.equal(active[left], select_active(p[left], min(num_active, len(left))))


def test_one_that_sleeps_is_not_always_active():
    p = torch.rand(4, 50, 2, generator=torch.Generator().manual_seed(1))  # K x B x M
    active = select_active(p, 3, num_always=2, asleep=[0])
    assert not active[0].any() and active[1:].all()
    active = select_active(p, 2, num_always=2, asleep=[0])
    assert active[1].all() and not active[0].any()
    assert torch.equal(active[2:], select_active(p[2:], 1))


@pytest.fixture
def layer() -> RIMLayer:
    torch.manual_seed(2)
    return RIMLayer(8, 24, num_mechanisms=4, num_active=2).eval()


def test_a_mechanism_that_is_kept_asleep_keeps_its_state(layer):
    x, state = torch.randn(6, 3, 8), tuple(torch.randn(2, 1, 3, 24))
    before = layer(x, state, need_activity=True)
    layer.keep_asleep([2])
    _, (h, c), activity = layer(x, state, need_activity=True)
    assert not activity[..., 2].any() and (activity.sum(-1) == 2).all()
    for new, old in zip((h, c), state, strict=True):
        assert torch.equal(new[..., 12:18], old[..., 12:18])
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x, state, need_activity=True)[2], activity)
    layer.keep_asleep([])
    assert torch.equal(layer(x, state, need_activity=True)[0], before[0])


def test_no_kernel_computes_such_a_layer(layer):
    layer.kernel = "compiled"
    layer.keep_asleep([2])
    with pytest.raises(ValueError, match="compiled kernel was asked for, but mechanisms are kept"):
        layer(torch.randn(1, 1, 8))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [([4], r"\[4\], expected some of 0 to 3"), ([-1], "0 to 3"), (range(4), "all 4 mechanisms")],
)
def test_only_some_that_are_there_can_sleep(layer, numbers, message):
    with pytest.raises(ValueError, match=message):
        layer.keep_asleep(numbers)
