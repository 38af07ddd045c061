"""The parts of the RIM layer, each against something simpler than itself."""

import math

import pytest
import torch
from torch import Tensor, nn

from rim_nmt.mechanism import RIMLayer, count_activity, least_share, usage_entropy
from rim_nmt.mechanism.communication import Communication, GatedProjection
from rim_nmt.mechanism.dynamics import GRUDynamics, LSTMDynamics
from rim_nmt.mechanism.grouped import GroupedLinear
from rim_nmt.mechanism.input_attention import InputAttention
from rim_nmt.mechanism.selection import select_active

SEEDS = (1, 20, 300)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(4)


def assert_close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-12)


# Grouped linear maps


def test_grouped_linear_is_one_map_per_mechanism():
    linear = GroupedLinear(3, 4, 5).double()
    x = torch.randn(3, 2, 4, dtype=torch.float64)
    y = linear(x)
    assert y.shape == (3, 2, 5)
    for k in range(3):
        assert_close(y[k], x[k] @ linear.weight[k])


@pytest.mark.parametrize("cell", [LSTMDynamics, GRUDynamics])
def test_initial_weights_are_spread_over_the_documented_range(cell):
    # one weight for all mechanisms, or a constant, passes every test of shapes
    d = 16
    for parameter in cell(5, 12, d).parameters():
        _assert_uniform(parameter, 1 / math.sqrt(d))
    _assert_uniform(GroupedLinear(5, 9, 14).weight, 1 / 3)


def _assert_uniform(parameter: Tensor, bound: float) -> None:
    assert parameter.abs().max() <= bound
    assert parameter.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.15)
    for other in parameter[1:]:
        assert not torch.equal(parameter[0], other)


# Input attention


def make_input_attention(dropout: float = 0.0, num_slots: int = 1) -> InputAttention:
    attention = InputAttention(
        input_size=6,
        num_slots=num_slots,
        num_mechanisms=5,
        mechanism_size=4,
        num_heads=3,
        key_size=7,
        value_size=2,
        dropout=dropout,
    )
    return attention.double()


def test_attention_is_a_softmax_over_null_and_input():
    attention = make_input_attention()
    x = torch.randn(1, 2, 6, dtype=torch.float64) * 3
    h = torch.randn(5, 2, 4, dtype=torch.float64) * 3
    keys, values = attention.project_input(x)
    assert keys.shape == (1, 2, 1, 3, 7) and values.shape == (1, 2, 1, 3, 2)
    p = attention.attend(h, keys[0])
    assert p.shape == (5, 2, 1, 3)
    for k in range(5):
        for m in range(3):
            query = h[k] @ attention.query.weight[k, :, 7 * m : 7 * m + 7]  # B x d_e
            key = x[0] @ attention.key.weight[7 * m : 7 * m + 7].T  # B x d_e
            logit = (query * key).sum(-1) / 7**0.5  # B
            both = torch.softmax(torch.stack([torch.zeros_like(logit), logit]), dim=0)
            assert_close(p[k, :, 0, m], both[1])


def test_attention_over_slots_sums_to_one_with_null():
    attention = make_input_attention(num_slots=2)  # of 3 each
    x = torch.randn(1, 2, 6, dtype=torch.float64) * 3
    h = torch.randn(5, 2, 4, dtype=torch.float64) * 3
    keys, values = attention.project_input(x)
    p = attention.attend(h, keys[0])
    assert p.shape == (5, 2, 2, 3)
    read = attention.read(p, values[0])
    for k in range(5):
        for m in range(3):
            query = h[k] @ attention.query.weight[k, :, 7 * m : 7 * m + 7]  # B x d_e
            rows = [torch.zeros_like(x[0, :, :3]), x[0, :, :3], x[0, :, 3:]]
            logits = [
                (query * (row @ attention.key.weight[7 * m : 7 * m + 7].T)).sum(-1) / 7**0.5
                for row in rows
            ]
            expected = torch.softmax(torch.stack(logits), dim=0)  # null and slots x B
            assert_close(p[k, :, :, m], expected[1:].T)
            values_of = [row @ attention.value.weight[2 * m : 2 * m + 2].T for row in rows]
            mixed = sum(e[:, None] * value for e, value in zip(expected, values_of, strict=True))
            assert_close(read[k, :, 2 * m : 2 * m + 2], mixed)


def test_read_scales_the_values_head_by_head():
    attention = make_input_attention()
    x = torch.randn(1, 2, 6, dtype=torch.float64)
    _, values = attention.project_input(x)
    p = torch.rand(5, 2, 1, 3, dtype=torch.float64)
    read = attention.read(p, values[0])
    assert read.shape == (5, 2, 6)
    for k in range(5):
        for m in range(3):
            value = x[0] @ attention.value.weight[2 * m : 2 * m + 2].T  # B x d_v
            assert_close(read[k, :, 2 * m : 2 * m + 2], p[k, :, 0, m, None] * value)


def test_a_null_input_is_read_as_zero():
    attention = make_input_attention()
    h = torch.randn(5, 2, 4, dtype=torch.float64)
    keys, values = attention.project_input(torch.zeros(1, 2, 6, dtype=torch.float64))
    p = attention.attend(h, keys[0])
    assert (p == 0.5).all()  # as much on null as on an input that is null
    assert (attention.read(p, values[0]) == 0).all()


def test_probabilities_keep_at_least_float32():
    attention = make_input_attention()
    x = torch.randn(1, 2, 6)
    h = torch.randn(5, 2, 4)
    for dtype, expected in (
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ):
        attention = attention.to(dtype)
        keys, _ = attention.project_input(x.to(dtype))
        assert attention.attend(h.to(dtype), keys[0]).dtype == expected
    attention = attention.float()
    with torch.autocast("cpu", torch.bfloat16):
        keys, values = attention.project_input(x)
        p = attention.attend(h, keys[0])
        assert values.dtype == torch.bfloat16  # autocast is on
        assert p.dtype == torch.float32
        queries = attention.query(h).unflatten(-1, (1, 3, -1))  # K x B x N x M x d_e
    # scores are not rounded on the way: who is nearly as interested would tie with the winner
    exact = torch.sigmoid((queries.double() * keys[0].double()).sum(-1))
    torch.testing.assert_close(p.double(), exact, rtol=1e-6, atol=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_input_dropout_drops_whole_heads_and_keeps_the_expectation(seed):
    torch.manual_seed(seed)
    rate, samples = 0.3, 20_000
    attention = make_input_attention(rate)
    _, values = attention.project_input(torch.randn(1, 1, 6, dtype=torch.float64))
    values = values[0].expand(samples, -1, -1, -1)  # B x N x M x d_v, the same row many times
    p = torch.rand(5, 1, 1, 3, dtype=torch.float64).expand(-1, samples, -1, -1)  # K x B x N x M

    kept = attention.eval().read(p, values)  # K x B x M*d_v
    dropped = attention.train().read(p, values)
    ratio = (dropped / kept).unflatten(-1, (3, 2))  # K x B x M x d_v
    assert_close(ratio[..., 0], ratio[..., 1])
    assert ((ratio == 0) | ((ratio - 1 / (1 - rate)).abs() < 1e-6)).all()
    # seven standard errors of the mean of `samples` draws
    error = 7 * math.sqrt(rate / (1 - rate) / samples)
    assert (ratio.mean(1) - 1).abs().max() < error


# Selection


def test_active_is_least_null_attention():
    p = torch.tensor([[0.1, 0.3], [0.9, 0.8], [0.5, 0.5], [0.7, 0.4]]).unsqueeze(1)  # K x 1 x M
    active = select_active(p, 2).squeeze(1)
    assert active.tolist() == [False, True, False, True]


def test_score_is_the_mean_of_probabilities_not_of_logits_nor_their_maximum():
    p = torch.tensor([[0.999, 0.2], [0.65, 0.65]]).unsqueeze(1)  # K x 1 x M
    assert torch.logit(p).mean(-1).argmax(0).item() == 0
    assert p.amax(-1).argmax(0).item() == 0
    assert p.mean(-1).argmax(0).item() == 1
    assert select_active(p, 1).squeeze(1).tolist() == [False, True]


@pytest.mark.parametrize("num_active", range(1, 7))
@pytest.mark.parametrize("seed", SEEDS)
def test_exactly_the_asked_number_wins_with_ties_to_the_lower_index(seed, num_active):
    torch.manual_seed(seed)
    # three distinct values among six mechanisms: every column has ties
    scores = torch.randint(1, 4, (6, 50)) / 4
    active = select_active(scores.unsqueeze(-1), num_active)
    assert active.shape == (6, 50) and active.dtype == torch.bool
    for b in range(50):
        ranking = sorted(range(6), key=lambda k: (-scores[k, b].item(), k))
        assert active[:, b].nonzero().flatten().tolist() == sorted(ranking[:num_active])


def test_selection_has_no_gradient():
    p = torch.rand(4, 3, 2, requires_grad=True)
    assert not select_active(p, 2).requires_grad


# Dynamics


@pytest.mark.parametrize(
    ("dynamics", "cell"), [(LSTMDynamics, nn.LSTMCell), (GRUDynamics, nn.GRUCell)]
)
def test_dynamics_are_independent_torch_cells(dynamics, cell):
    num_mechanisms, batch, input_size, d = 5, 3, 6, 4
    cells = dynamics(num_mechanisms, input_size, d).double()
    u = torch.randn(num_mechanisms, batch, input_size, dtype=torch.float64)
    state = tuple(
        torch.randn(num_mechanisms, batch, d, dtype=torch.float64) for _ in range(cells.num_states)
    )
    updated = cells(u, state)
    assert len(updated) == cells.num_states
    for k in range(num_mechanisms):
        one = cell(input_size, d).double()
        copy_cell(cells, k, one)
        old = tuple(s[k] for s in state)
        expected = one(u[k], old if len(old) > 1 else old[0])
        expected = expected if isinstance(expected, tuple) else (expected,)
        for actual, wanted in zip(updated, expected, strict=True):
            assert_close(actual[k], wanted)


def copy_cell(dynamics: nn.Module, k: int, cell: nn.Module) -> None:
    """Give a torch.nn.LSTMCell or GRUCell the weights of mechanism k."""
    with torch.no_grad():
        if isinstance(cell, nn.LSTMCell):
            from_input, from_state = dynamics.weight[k].split([cell.input_size, cell.hidden_size])
        else:
            from_input, from_state = dynamics.weight_ih[k], dynamics.weight_hh[k]
        cell.weight_ih.copy_(from_input.T)
        cell.weight_hh.copy_(from_state.T)
        if isinstance(cell, nn.LSTMCell):
            cell.bias_ih.copy_(dynamics.bias[k, 0])
            cell.bias_hh.zero_()  # the layer has one bias where torch has two
        else:
            cell.bias_ih.copy_(dynamics.bias_ih[k, 0])
            cell.bias_hh.copy_(dynamics.bias_hh[k, 0])


# Communication


def make_communication(dropout: float = 0.0, projection: str = "linear") -> Communication:
    communication = Communication(
        num_mechanisms=5,
        mechanism_size=4,
        num_heads=3,
        key_size=7,
        value_size=2,
        dropout=dropout,
        projection=projection,
    )
    return communication.double()


def test_communication_is_scaled_dot_product_attention_over_mechanisms():
    communication = make_communication()
    h = torch.randn(5, 6, 4, dtype=torch.float64) * 3  # K x B x d
    heads = []
    keys, values = communication.key_value.weight.split([3 * 7, 3 * 2], -1)
    for m in range(3):
        q, k = (
            torch.einsum("kbi,kio->bko", h, weight[..., 7 * m : 7 * m + 7])
            for weight in (communication.query.weight, keys)
        )
        v = torch.einsum("kbi,kio->bko", h, values[..., 2 * m : 2 * m + 2])
        heads.append(nn.functional.scaled_dot_product_attention(q, k, v))  # B x K x d_v
    o = torch.cat(heads, -1)  # B x K x H*d_v
    expected = torch.einsum("bki,kio->kbo", o, communication.projection.weight)
    assert_close(communication(h), expected)


def test_gated_projection_is_bounded():
    projection = GatedProjection(5, 6, 4).double()
    nn.init.normal_(projection.bias)
    o = torch.randn(5, 2, 6, dtype=torch.float64)
    updates = projection(o)
    for k in range(5):
        weight, bias = projection.weight[k], projection.bias[k, 0]
        gate = torch.sigmoid(o[k] @ weight[:, :4] + bias[:4])
        value = torch.tanh(o[k] @ weight[:, 4:] + bias[4:])
        assert_close(updates[k], gate * value)
    assert (projection(o * 1e6).abs() <= 1).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_communication_dropout_keeps_the_expectation(seed):
    torch.manual_seed(seed)
    samples = 20_000
    communication = make_communication(0.3)
    h = torch.randn(5, 1, 4, dtype=torch.float64).expand(-1, samples, -1)
    with torch.no_grad():
        kept = communication.eval()(h)
        dropped = communication.train()(h)
    assert not torch.equal(kept, dropped)
    spread = dropped.std(1)
    assert (spread > 0).all()
    difference = (dropped.mean(1) - kept[:, 0]).abs()
    assert (difference < 7 * spread / math.sqrt(samples)).all()


def test_communication_dropout_acts_on_the_weights():
    # all weights of a sample are dropped at times: then nothing at all is read
    communication = make_communication(0.9).train()
    h = torch.randn(5, 1, 4, dtype=torch.float64).expand(-1, 2000, -1)
    with torch.no_grad():
        nothing = (communication(h) == 0).all(-1).double().mean()
    assert nothing == pytest.approx(0.9 ** (5 * 3), abs=0.03)


# No bias


@pytest.mark.parametrize("dynamics", ["lstm", "gru"])
def test_only_the_dynamics_and_the_gated_projection_have_biases(dynamics):
    rim = RIMLayer(6, 12, 3, 2, dynamics=dynamics, comm_projection="gated")
    biases = {name for name, _ in rim.named_parameters() if "bias" in name}
    of_cells = {"bias"} if dynamics == "lstm" else {"bias_ih", "bias_hh"}
    assert biases == {f"dynamics.{name}" for name in of_cells} | {"communication.projection.bias"}


# Usage


def test_count_activity_counts_over_all_leading_dimensions():
    activity = torch.zeros(4, 3, 5, dtype=torch.bool)
    activity[:, :, 0] = True
    activity[2, :, 3] = True
    activity[0, 1, 4] = True
    assert count_activity(activity).tolist() == [12, 0, 0, 3, 1]
    assert count_activity(activity[:, 1]).tolist() == [4, 0, 0, 1, 1]
    assert count_activity(activity).dtype == torch.int64


def test_usage_entropy():
    assert usage_entropy(torch.tensor([7, 7, 7, 7, 7, 7])) == pytest.approx(1)
    for active, total in ((4, 6), (2, 7), (1, 3)):
        counts = torch.tensor([9] * active + [0] * (total - active))
        expected = math.log(active) / math.log(total)
        assert usage_entropy(counts) == pytest.approx(expected, abs=1e-12)
    assert usage_entropy(torch.tensor([1, 3])) == pytest.approx(
        -(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75))
    )
    assert usage_entropy(torch.tensor([5])) == 1
    assert math.isnan(usage_entropy(torch.tensor([0, 0, 0])))


def test_least_share():
    assert least_share(torch.tensor([5, 5, 5, 5])) == pytest.approx(1 / 4)
    assert least_share(torch.tensor([6, 3, 1])) == pytest.approx(1 / 10)
    assert least_share(torch.tensor([6, 0, 1])) == 0
    assert math.isnan(least_share(torch.tensor([0, 0])))
