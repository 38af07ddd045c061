"""The RIM layer: equal to the plain reference, and the properties the paper promises."""

import os
import re
import time
from dataclasses import asdict, replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from rim_nmt.mechanism import RIMLayer
from tests.mechanism.reference import Config, State, run_reference

SEEDS = (1, 20, 300)
LSTM = Config()
GRU = Config(dynamics="gru")
ALONE = Config(comm_heads=0)
BOTH = pytest.mark.parametrize("config", [LSTM, GRU], ids=["lstm", "gru"])


@pytest.fixture(autouse=True, params=["plain", "auto"])
def _kernel(request, monkeypatch):
    """Every test of this file runs twice: `auto` takes the compiled kernel where it can."""
    torch.manual_seed(5)
    defaults = {**RIMLayer.__init__.__kwdefaults__, "kernel": request.param}
    monkeypatch.setattr(RIMLayer.__init__, "__kwdefaults__", defaults)


def build(config: Config, dtype: torch.dtype = torch.float64) -> RIMLayer:
    """A layer in evaluation mode whose mechanisms differ more than freshly initialised ones."""
    rim = RIMLayer(**asdict(config)).to(dtype).eval()
    for parameter in rim.parameters():
        # not larger: GRU states then grow without bound, until p is 1 for everyone and all tie
        nn.init.normal_(parameter, std=0.3)
    return rim


def random_input(
    config: Config, steps: int = 6, batch: int = 5, dtype: torch.dtype = torch.float64
) -> Tensor:
    return torch.randn(steps, batch, config.input_size, dtype=dtype)


def random_state(config: Config, batch: int = 5, dtype: torch.dtype = torch.float64) -> State:
    h = torch.randn(1, batch, config.hidden_size, dtype=dtype)
    return (h, torch.randn_like(h)) if config.dynamics == "lstm" else h


def tensors(state: State) -> tuple[Tensor, ...]:
    """h and c, or h alone."""
    return (state,) if isinstance(state, Tensor) else tuple(state)


def apart(x: Tensor, config: Config) -> Tensor:
    """... x D -> ... x K x d."""
    return x.unflatten(-1, (config.num_mechanisms, config.mechanism_size))


def assert_close(actual, expected, rtol: float = 1e-10, atol: float = 1e-11) -> None:
    torch.testing.assert_close(actual, expected, rtol=rtol, atol=atol)


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Equal, with -0.0 and 0.0 told apart."""
    return torch.equal(a, b) and torch.equal(a.signbit(), b.signbit())


def always_inactive(config: Config, rim: RIMLayer, batch: int) -> tuple[State, int]:
    """Make one mechanism lose at every step: returns an initial state and its index.

    Every key is a positive constant, the others' queries are zero (p = 1/2), and the loser's is
    negative as long as its h is negative, which it stays because it is never active. Inputs must
    have a one in front.
    """
    loser = 1
    attention = rim.input_attention
    with torch.no_grad():
        attention.key.weight.zero_()
        attention.key.weight[:, 0] = 1
        attention.query.weight.zero_()
        attention.query.weight[loser] = 1
    state = random_state(config, batch)
    apart(tensors(state)[0], config)[..., loser, :].abs_().neg_()
    return state, loser


def input_for_loser(config: Config, steps: int, batch: int) -> Tensor:
    x = random_input(config, steps, batch)
    x[..., 0] = 1
    return x


# Equal to the reference


SMALL = Config(
    input_size=5,
    hidden_size=28,
    num_mechanisms=4,
    num_active=1,
    input_heads=2,
    input_key_size=6,
    input_value_size=8,
    comm_heads=3,
    comm_key_size=9,
    comm_value_size=10,
    # evaluation mode: no dropout, whatever the rates
    input_dropout=0.4,
    comm_dropout=0.3,
)
REFERENCE_CASES = {
    "lstm": LSTM,
    "gru": GRU,
    "lstm-linear": replace(LSTM, comm_projection="linear"),
    "gru-linear": replace(GRU, comm_projection="linear"),
    "lstm-alone": ALONE,
    "gru-alone": replace(GRU, comm_heads=0),
    "slots": replace(LSTM, input_size=12, input_slots=3),
    "one-active": SMALL,
    "always": replace(LSTM, num_always=2),
    "only-always": replace(LSTM, num_always=4),
    "all-active": replace(SMALL, num_active=4, dynamics="gru"),
    "one-mechanism": replace(SMALL, num_mechanisms=1, hidden_size=7),
}


@pytest.mark.parametrize(
    ("padded", "given_state"),
    [(True, True), (False, False)],
    ids=["padded-state", "unpadded-zero-state"],
)
@pytest.mark.parametrize("config", REFERENCE_CASES.values(), ids=REFERENCE_CASES.keys())
def test_values_and_gradients_equal_the_reference(config, padded, given_state):
    steps, batch = 5, 6
    rim = build(config)
    x = random_input(config, steps, batch).requires_grad_()
    state = random_state(config, batch) if given_state else None
    inputs = [x, *rim.parameters()]
    if given_state:
        inputs += [s.requires_grad_() for s in tensors(state)]
    mask = torch.rand(steps, batch) < 0.3 if padded else None

    output, final, activity = rim(x, state, mask, need_activity=True)
    expected_output, expected_final, expected_activity = run_reference(rim, config, x, state, mask)
    assert torch.equal(activity, expected_activity)
    assert_close(output, expected_output)
    assert_close(final, expected_final)

    # random weights: a plain sum would let errors of opposite sign cancel
    weights = [torch.randn_like(y) for y in (output, *tensors(final))]
    gradients = _gradients(weights, (output, *tensors(final)), inputs)
    expected = _gradients(weights, (expected_output, *tensors(expected_final)), inputs)
    names = ["x", *(name for name, _ in rim.named_parameters()), "h_0", "c_0"]
    for name, gradient, wanted in zip(names, gradients, expected, strict=False):
        torch.testing.assert_close(
            gradient, wanted, rtol=1e-9, atol=1e-10, msg=lambda m, n=name: f"gradient of {n}: {m}"
        )


def _gradients(weights, outputs, inputs) -> tuple[Tensor, ...]:
    loss = sum((w * y).sum() for w, y in zip(weights, outputs, strict=True))
    return torch.autograd.grad(loss, inputs, materialize_grads=True)


@BOTH
def test_ties_equal_the_reference(config):
    # twins: mechanisms 1, 4 and 6 ask alike, and start alike
    batch = 20
    rim = build(config)
    state = random_state(config, batch)
    with torch.no_grad():
        for twin in (4, 6):
            rim.input_attention.query.weight[twin] = rim.input_attention.query.weight[1]
            for s in tensors(state):
                parts = apart(s, config)
                parts[..., twin, :] = parts[..., 1, :]
    x = random_input(config, 2, batch)
    output, _, activity = rim(x, state, need_activity=True)
    expected_output, _, expected_activity = run_reference(rim, config, x, state)
    assert torch.equal(activity, expected_activity)
    assert_close(output, expected_output)
    first = activity[0]
    assert (first[:, 1] | ~first[:, 4]).all() and (first[:, 4] | ~first[:, 6]).all()
    assert (first[:, 1] & ~first[:, 6]).any()  # the tie had to be broken somewhere


def test_single_precision_is_close_to_the_reference():
    rim = build(LSTM, torch.float32)
    x = random_input(LSTM, dtype=torch.float32)
    state = random_state(LSTM, dtype=torch.float32)
    output, final, activity = rim(x, state, need_activity=True)
    expected_output, expected_final, expected_activity = run_reference(rim, LSTM, x, state)
    assert torch.equal(activity, expected_activity)
    assert_close(output.double(), expected_output, rtol=1e-4, atol=1e-5)
    assert_close(final[1].double(), expected_final[1], rtol=1e-4, atol=1e-5)


# Who is active


@pytest.mark.parametrize("num_active", range(1, 8))
@pytest.mark.parametrize("given_state", [True, False], ids=["state", "zero-state"])
def test_exactly_the_asked_number_is_active(num_active, given_state):
    config = replace(LSTM, num_active=num_active)
    rim = build(config)
    mask = torch.rand(6, 5) < 0.4
    state = random_state(config) if given_state else None
    _, _, activity = rim(random_input(config), state, mask, need_activity=True)
    assert activity.shape == (6, 5, 7) and activity.dtype == torch.bool
    assert torch.equal(activity.sum(-1), torch.where(mask, 0, num_active))


@BOTH
def test_from_the_zero_state_the_lowest_indices_win(config):
    rim = build(config)
    _, _, activity = rim(random_input(config, steps=1), need_activity=True)
    expected = torch.arange(config.num_mechanisms) < config.num_active
    assert (activity == expected).all()


def test_a_null_input_keeps_every_score_at_a_tie():
    rim = build(LSTM)
    x = torch.zeros(4, 5, LSTM.input_size, dtype=torch.float64)
    _, _, activity = rim(x, random_state(LSTM), need_activity=True)
    assert (activity == (torch.arange(7) < LSTM.num_active)).all()


@BOTH
def test_a_null_input_is_read_as_nothing(config):
    # then the weights of the input attention cannot matter
    rim = build(config)
    x = torch.zeros(4, 5, config.input_size, dtype=torch.float64)
    state = random_state(config)
    before, _ = rim(x, state)
    for parameter in rim.input_attention.parameters():
        nn.init.normal_(parameter)
    after, _ = rim(x, state)
    assert same_bits(before, after)


def test_active_is_least_null_attention_by_probability_not_by_logit():
    # mechanism 0: p = .999 and .2 (mean .60, mean logit 2.8); mechanism 1: twice .65 (logit .62)
    rim = RIMLayer(1, 2, 2, 1, input_heads=2, input_key_size=1, comm_heads=0).double()
    p = torch.tensor([[0.999, 0.2], [0.65, 0.65]], dtype=torch.float64)
    with torch.no_grad():
        rim.input_attention.key.weight.fill_(1)
        rim.input_attention.query.weight.copy_(torch.logit(p).unsqueeze(1))  # K x d x M
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    state = (one.expand(1, 1, 2), one.expand(1, 1, 2))
    _, _, activity = rim(one, state, need_activity=True)
    assert activity.flatten().tolist() == [False, True]


@pytest.mark.parametrize("seed", SEEDS)
def test_selection_ignores_dropout(seed):
    config = replace(LSTM, input_dropout=0.7, comm_dropout=0.7)
    torch.manual_seed(seed)
    rim = build(config)
    x = random_input(config, steps=1, batch=64)
    state = random_state(config, batch=64)
    _, _, without = rim(x, state, need_activity=True)
    rim.train()
    for _ in range(3):
        _, _, with_dropout = rim(x, state, need_activity=True)
        assert torch.equal(without, with_dropout)


@pytest.mark.parametrize("rates", [{"input_dropout": 0.5}, {"comm_dropout": 0.5}])
def test_dropout_acts_in_training_and_only_there(rates):
    rim, plain = build(replace(LSTM, **rates)), build(LSTM)
    plain.load_state_dict(rim.state_dict())
    x, state = random_input(LSTM), random_state(LSTM)
    expected, _ = plain(x, state)
    assert same_bits(rim(x, state)[0], expected)
    assert same_bits(plain.train()(x, state)[0], expected)
    rim.train()
    first, second = rim(x, state)[0], rim(x, state)[0]
    assert not torch.allclose(first, expected)
    assert not torch.allclose(first, second)


# Inactive mechanisms


@pytest.mark.parametrize("projection", ["linear", "gated"])
@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_inactive_states_stay_bit_for_bit(seed, config, projection):
    torch.manual_seed(seed)
    config = replace(config, comm_projection=projection)
    rim = build(config)
    state = random_state(config)
    for s in tensors(state):
        s[torch.rand_like(s) < 0.3] = -0.0
    mask = torch.rand(6, 5) < 0.2
    for x, pad in zip(random_input(config), mask, strict=True):
        _, new_state, activity = rim(x[None], state, pad[None], need_activity=True)
        for before, after in zip(tensors(state), tensors(new_state), strict=True):
            before, after = apart(before, config), apart(after, config)
            assert same_bits(before[~activity], after[~activity])
            assert (before[activity] != after[activity]).any(-1).all()
        state = new_state


def change_mechanism(rim: RIMLayer, k: int, names: tuple[str, ...]) -> None:
    parameters = dict(rim.named_parameters())
    for name in names:
        nn.init.normal_(parameters[name].data[k], std=2)


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_weights_an_inactive_mechanism_does_not_use_change_nothing(seed, config):
    torch.manual_seed(seed)
    rim = build(config)
    state, loser = always_inactive(config, rim, batch=3)
    x = input_for_loser(config, steps=4, batch=3)
    before = rim(x, state, need_activity=True)
    assert not before[2][..., loser].any()
    unused = [name for name, _ in rim.named_parameters() if name.startswith("dynamics.")]
    unused += ["communication.query.weight", "communication.projection.weight"]
    change_mechanism(rim, loser, tuple(unused))
    after = rim(x, state, need_activity=True)
    assert same_bits(before[0], after[0])
    for s, t in zip(tensors(before[1]), tensors(after[1]), strict=True):
        assert same_bits(s, t)
    assert torch.equal(before[2], after[2])


@pytest.mark.parametrize("part", [0, 1], ids=["key", "value"])
@BOTH
def test_an_inactive_mechanism_is_read_by_the_active_ones(config, part):
    rim = build(config)
    state, loser = always_inactive(config, rim, batch=3)
    x = input_for_loser(config, steps=1, batch=3)
    before, _, activity = rim(x, state, need_activity=True)
    with torch.no_grad():
        weights = rim.communication.key_value.weight[loser].split(rim.communication.sizes, -1)
        nn.init.normal_(weights[part], std=2)
    after, _ = rim(x, state)
    changed = (apart(before, config) != apart(after, config)).any(-1)  # T x B x K
    assert torch.equal(changed, activity)


@BOTH
def test_an_inactive_mechanism_is_read_by_its_unchanged_state(config):
    # doubling its h and halving its key and value weights is then no change for the others
    rim = build(config)
    state, loser = always_inactive(config, rim, batch=3)
    x = input_for_loser(config, steps=3, batch=3)
    before, _ = rim(x, state)
    with torch.no_grad():
        apart(tensors(state)[0], config)[..., loser, :] *= 2
        rim.communication.key_value.weight[loser] /= 2
    after, _, activity = rim(x, state, need_activity=True)
    assert not activity[..., loser].any()
    others = [k for k in range(config.num_mechanisms) if k != loser]
    assert_close(apart(before, config)[..., others, :], apart(after, config)[..., others, :])


@BOTH
def test_gradient_passes_an_inactive_mechanism_by_identity(config):
    config = replace(config, comm_heads=0)
    rim = build(config)
    state, loser = always_inactive(config, rim, batch=3)
    for s in tensors(state):
        s.requires_grad_()
    _, final = rim(input_for_loser(config, steps=7, batch=3), state)
    for start, end in zip(tensors(state), tensors(final), strict=True):
        weights = torch.randn_like(apart(end, config)[..., loser, :])
        loss = (weights * apart(end, config)[..., loser, :]).sum()
        (gradient,) = torch.autograd.grad(loss, start, retain_graph=True)
        assert torch.equal(apart(gradient, config)[..., loser, :], weights)
        others = [k for k in range(config.num_mechanisms) if k != loser]
        assert (apart(gradient, config)[..., others, :] == 0).all()


@BOTH
def test_gradient_reaches_an_inactive_mechanism_through_being_read(config):
    rim = build(config)
    state, loser = always_inactive(config, rim, batch=3)
    h_0 = tensors(state)[0].requires_grad_()
    output, _, activity = rim(input_for_loser(config, 1, 3), state, need_activity=True)
    read_by_active = apart(output, config)[activity].sum()
    gradients = torch.autograd.grad(read_by_active, (h_0, rim.communication.key_value.weight))
    assert (apart(gradients[0], config)[..., loser, :] != 0).any(-1).all()
    for of_loser in gradients[1][loser].split(rim.communication.sizes, -1):  # keys, values
        assert (of_loser != 0).any()


@BOTH
def test_gradient_reaches_queries_and_keys_through_the_probabilities(config):
    rim = build(replace(config, comm_heads=0))
    output, _, activity = rim(random_input(config), random_state(config), need_activity=True)
    output.square().sum().backward()
    assert (rim.input_attention.key.weight.grad != 0).any()
    ever_active = activity.flatten(0, 1).any(0)  # K
    assert ever_active.any()
    reached = (rim.input_attention.query.weight.grad != 0).flatten(1).any(1)  # K
    assert torch.equal(reached, ever_active)


# What the layer is equal to


@pytest.mark.parametrize(("dynamics", "cell"), [("lstm", nn.LSTMCell), ("gru", nn.GRUCell)])
def test_a_single_mechanism_is_a_torch_cell_on_the_gated_input(dynamics, cell):
    config = Config(hidden_size=5, num_mechanisms=1, num_active=1, dynamics=dynamics, comm_heads=0)
    rim = build(config)
    one = cell(config.input_heads * config.input_value_size, 5).double()
    cells = rim.dynamics
    with torch.no_grad():
        from_input, from_state = (
            cells.weight[0].split([one.input_size, 5])
            if dynamics == "lstm"
            else (cells.weight_ih[0], cells.weight_hh[0])
        )
        one.weight_ih.copy_(from_input.T)
        one.weight_hh.copy_(from_state.T)
        one.bias_ih.copy_((cells.bias if dynamics == "lstm" else cells.bias_ih)[0, 0])
        one.bias_hh.zero_()
        if dynamics == "gru":
            one.bias_hh.copy_(cells.bias_hh[0, 0])

    x, state = random_input(config), random_state(config)
    output, final = rim(x, state)
    old = tensors(tuple(s[0] for s in tensors(state)))
    attention = rim.input_attention
    for x_t, output_t in zip(x, output, strict=True):
        query = (old[0] @ attention.query.weight[0]).unflatten(-1, (3, 9))  # B x M x d_e
        key = (x_t @ attention.key.weight.T).unflatten(-1, (3, 9))  # B x M x d_e
        gate = torch.sigmoid((query * key).sum(-1, keepdim=True) / 3)  # B x M x 1
        value = (x_t @ attention.value.weight.T).unflatten(-1, (3, 10))  # B x M x d_v
        new = one((gate * value).flatten(1), old if dynamics == "lstm" else old[0])
        old = tensors(new)
        assert_close(output_t, old[0])
    for actual, expected in zip(tensors(final), old, strict=True):
        assert_close(actual[0], expected)


@pytest.mark.parametrize("projection", ["linear", "gated"])
@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_permuting_mechanisms_permutes_the_results(seed, config, projection):
    torch.manual_seed(seed)
    config = replace(config, comm_projection=projection)
    rim, permuted = build(config), build(config)
    order = torch.randperm(config.num_mechanisms)
    shared = ("input_attention.key", "input_attention.value")
    weights = dict(rim.named_parameters())
    for name, parameter in permuted.named_parameters():
        with torch.no_grad():
            parameter.copy_(weights[name] if name.startswith(shared) else weights[name][order])

    def permute(x: Tensor) -> Tensor:
        return apart(x, config)[..., order, :].flatten(-2)

    # not from the zero state: there the lowest indices win, which is not symmetric
    x, state = random_input(config), random_state(config)
    permuted_state = tuple(permute(s) for s in tensors(state))
    output, final, activity = rim(x, state, need_activity=True)
    output_2, final_2, activity_2 = permuted(
        x, permuted_state if config.dynamics == "lstm" else permuted_state[0], need_activity=True
    )
    assert torch.equal(activity_2, activity[..., order])
    assert_close(output_2, permute(output))
    for s, t in zip(tensors(final_2), tensors(final), strict=True):
        assert_close(s, permute(t))


@pytest.mark.parametrize("projection", ["linear", "gated", None])
@pytest.mark.parametrize("dynamics", ["lstm", "gru"])
def test_parameter_count_is_the_formula(dynamics, projection):
    config = replace(LSTM, dynamics=dynamics, comm_projection=projection or "linear")
    config = config if projection else replace(config, comm_heads=0)
    K, d, M, H = 7, 5, 3, 2
    d_e, d_v, d_c, d_cv, width = 9, 10, 11, 12, 13
    gates, biases = (4, 1) if dynamics == "lstm" else (3, 2)
    expected = width * M * d_e + width * M * d_v + K * d * M * d_e
    expected += K * gates * d * (M * d_v + d + biases)
    if projection:
        expected += K * d * H * (d_c + d_c + d_cv)
        expected += K * H * d_cv * d if projection == "linear" else K * 2 * (H * d_cv + 1) * d
    assert sum(p.numel() for p in RIMLayer(**asdict(config)).parameters()) == expected


def test_slots_share_keys_and_values():
    """So that a layer with slots has fewer parameters, and equal slots are interchangeable."""
    config = replace(LSTM, input_size=26, input_slots=2)
    one = sum(p.numel() for p in RIMLayer(**asdict(LSTM)).parameters())
    rim = build(config)
    assert sum(p.numel() for p in rim.parameters()) == one
    x, state = random_input(config), random_state(config)
    swapped = torch.cat(x.chunk(2, dim=-1)[::-1], dim=-1)
    assert_close(rim(swapped, state)[0], rim(x, state)[0])


def test_defaults_are_the_papers():
    rim = RIMLayer(100, 600)
    K, d = 6, 100
    expected = 100 * 4 * 64 + 100 * 4 * d + K * d * 4 * 64  # keys, values (4 heads of d), queries
    expected += K * 4 * d * (4 * d + d + 1)
    expected += K * d * 4 * (32 + 32 + 32) + K * 2 * (4 * 32 + 1) * d
    assert sum(p.numel() for p in rim.parameters()) == expected
    assert (rim.num_mechanisms, rim.num_active) == (6, 4)
    assert (rim.input_attention.dropout.p, rim.communication.dropout.p) == (0.1, 0.1)


# State


@BOTH
def test_state_has_the_form_of_torch_recurrent_layers(config):
    rim = build(config)
    x = random_input(config)
    output, final = rim(x)
    twin = (nn.LSTM if config.dynamics == "lstm" else nn.GRU)(config.input_size, 35).double()
    twin_output, twin_final = twin(x)
    assert output.shape == twin_output.shape
    assert type(final) is type(twin_final)
    assert [s.shape for s in tensors(final)] == [s.shape for s in tensors(twin_final)]
    assert same_bits(tensors(final)[0][0], output[-1])


@BOTH
def test_no_state_is_the_zero_state(config):
    for rim in (build(config), build(config).train()):
        x = random_input(config)
        state = random_state(config)
        zero = tuple(torch.zeros_like(s) for s in tensors(state))
        given = rim(x, zero if config.dynamics == "lstm" else zero[0])[0]
        assert same_bits(rim(x)[0], given)
        assert same_bits(rim(x)[0], given)  # and nothing is remembered between calls


@BOTH
@pytest.mark.parametrize("padded", [True, False], ids=["padded", "unpadded"])
def test_step_by_step_and_split_anywhere_is_the_whole_sequence(config, padded):
    rim = build(config)
    steps = 6
    x, start = random_input(config, steps), random_state(config)
    mask = torch.rand(steps, 5) < 0.3 if padded else torch.zeros(steps, 5, dtype=torch.bool)
    output, final, activity = rim(x, start, mask, need_activity=True)
    cuts = [list(range(steps + 1))] + [[0, cut, steps] for cut in range(1, steps)]
    for cut in cuts:
        state, outputs, activities = start, [], []
        for begin, end in pairwise(cut):
            y, state, a = rim(x[begin:end], state, mask[begin:end], need_activity=True)
            outputs.append(y)
            activities.append(a)
        assert_close(torch.cat(outputs), output)
        assert_close(state, final)
        assert torch.equal(torch.cat(activities), activity)


@BOTH
def test_arguments_are_left_as_they_were(config):
    rim = build(config)
    x, state, mask = random_input(config), random_state(config), torch.rand(6, 5) < 0.3
    given = (x, *tensors(state), mask)
    copies = [tensor.clone() for tensor in given]
    rim(x, state, mask)
    for tensor, copy in zip(given, copies, strict=True):
        assert same_bits(tensor, copy)


def test_activity_comes_only_when_asked_for():
    rim = build(LSTM)
    x = random_input(LSTM)
    output, final, _ = rim(x, need_activity=True)
    without = rim(x)
    assert len(without) == 2
    assert same_bits(without[0], output)
    assert same_bits(without[1][1], final[1])


# Padding and batches


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_padding_anywhere_is_as_if_it_were_not_there(seed, config):
    torch.manual_seed(seed)
    rim = build(config)
    steps, batch = 8, 7
    mask = torch.rand(steps, batch) < 0.4
    mask[:, 0] = False
    mask[:3, 1], mask[3:, 1] = True, False  # left
    mask[5:, 2], mask[:5, 2] = True, False  # right
    mask[:, 3] = False
    mask[2:5, 3] = True  # middle
    mask[:, 4] = True  # nothing but padding
    x, state = random_input(config, steps, batch), random_state(config, batch)
    output, final, activity = rim(x, state, mask, need_activity=True)

    frozen = torch.cat([tensors(state)[0], output])
    assert same_bits(frozen[1:][mask], frozen[:-1][mask])
    for b in range(batch):
        real = ~mask[:, b]
        start = tuple(s[:, b : b + 1] for s in tensors(state))
        if not real.any():
            for before, after in zip(start, tensors(final), strict=True):
                assert same_bits(before, after[:, b : b + 1])
            continue
        # without the padding, and in a batch of its own
        alone, alone_final, alone_activity = rim(
            x[real][:, b : b + 1],
            start if config.dynamics == "lstm" else start[0],
            need_activity=True,
        )
        assert_close(output[real][:, b], alone[:, 0])
        assert torch.equal(activity[real][:, b], alone_activity[:, 0])
        for s, t in zip(tensors(final), tensors(alone_final), strict=True):
            assert_close(s[:, b], t[:, 0])


@BOTH
def test_an_empty_mask_is_no_mask(config):
    rim = build(config)
    x = random_input(config)
    assert same_bits(rim(x)[0], rim(x, None, torch.zeros(6, 5, dtype=torch.bool))[0])


@BOTH
@pytest.mark.parametrize("content", [-1e3, 1e30])
def test_the_content_of_padding_does_not_matter(config, content):
    rim = build(config)
    mask = torch.rand(6, 5) < 0.4
    results = []
    x = random_input(config)
    for filling in (0.0, content):
        filled = x.masked_fill(mask.unsqueeze(-1), filling).requires_grad_()
        output, final = rim(filled, None, mask)
        loss = output.square().sum() + sum(s.square().sum() for s in tensors(final))
        gradients = torch.autograd.grad(loss, [filled, *rim.parameters()])
        assert (gradients[0][mask] == 0).all()
        results.append((output, *tensors(final), *gradients))
    for clean, dirty in zip(*results, strict=True):
        assert_close(dirty, clean)
    assert same_bits(results[0][0], results[1][0])


# Errors


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"input_size": 0}, ["input_size", "0"]),
        ({"hidden_size": 0}, ["hidden_size", "0"]),
        ({"hidden_size": -35}, ["hidden_size", "-35"]),
        ({"num_mechanisms": 0}, ["num_mechanisms", "0"]),
        ({"num_active": 0}, ["num_active", "0"]),
        ({"input_slots": 0}, ["input_slots", "0"]),
        ({"input_slots": 2}, ["input_size 13", "input_slots 2"]),
        ({"input_heads": 0}, ["input_heads", "0"]),
        ({"input_key_size": -2}, ["input_key_size", "-2"]),
        ({"input_value_size": 0}, ["input_value_size", "0"]),
        ({"comm_heads": -1}, ["comm_heads", "-1"]),
        ({"comm_key_size": 0}, ["comm_key_size", "0"]),
        ({"comm_value_size": -3}, ["comm_value_size", "-3"]),
        ({"hidden_size": 100}, ["hidden_size 100", "num_mechanisms 7", "98", "105"]),
        ({"num_active": 8}, ["num_active 8", "num_mechanisms 7"]),
        ({"num_always": -1}, ["num_always", "0 to num_active, which is 4", "-1"]),
        ({"num_always": 5}, ["num_always", "0 to num_active, which is 4", "5"]),
        ({"dynamics": "rnn"}, ["dynamics", "lstm", "gru", "'rnn'"]),
        ({"comm_projection": "deep"}, ["comm_projection", "linear", "gated", "'deep'"]),
        ({"input_dropout": 1.0}, ["input_dropout", "1.0"]),
        ({"input_dropout": -0.1}, ["input_dropout", "-0.1"]),
        ({"comm_dropout": 1.5}, ["comm_dropout", "1.5"]),
    ],
    ids=lambda value: "-".join(f"{k}={v}" for k, v in value.items()) if type(value) is dict else "",
)
def test_sizes_that_do_not_fit_are_named_with_their_numbers(changes, parts):
    with pytest.raises(ValueError) as error:
        RIMLayer(**asdict(replace(LSTM, **changes)))
    for part in parts:
        assert part in str(error.value)


@pytest.mark.parametrize(("hidden_size", "num_mechanisms"), [(100, 6), (7, 5), (5, 6), (1, 2)])
def test_the_hidden_sizes_an_error_suggests_are_accepted(hidden_size, num_mechanisms):
    with pytest.raises(ValueError, match="not divisible") as error:
        RIMLayer(3, hidden_size, num_mechanisms, 1)
    suggestions = re.findall(r"\d+", str(error.value).split(";")[-1])
    assert suggestions
    for suggestion in suggestions:
        RIMLayer(3, int(suggestion), num_mechanisms, 1)


def test_a_layer_prints_its_sizes():
    assert "num_mechanisms=4, num_active=2\n" in str(RIMLayer(8, 24, 4, 2))
    assert "num_active=2, num_always=1\n" in str(RIMLayer(8, 24, 4, 2, num_always=1))


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        ((6, 5, 12), ["(6, 5, 12)", "13"]),
        ((6, 13), ["(6, 13)", "T x B x 13"]),
        ((0, 5, 13), ["(0, 5, 13)", "T >= 1"]),
    ],
)
def test_wrong_shapes_of_x(shape, parts):
    with pytest.raises(ValueError) as error:
        build(LSTM)(torch.zeros(shape, dtype=torch.float64))
    for part in parts:
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("config", "shapes"),
    [
        (LSTM, [(1, 5, 35)]),
        (LSTM, [(1, 5, 35), (1, 4, 35)]),
        (LSTM, [(5, 35), (5, 35)]),
        (LSTM, [(2, 5, 35), (2, 5, 35)]),
        (LSTM, [(1, 5, 34), (1, 5, 34)]),
        (GRU, [(1, 5, 35), (1, 5, 35)]),
        (GRU, [(1, 1, 35)]),
    ],
)
def test_wrong_shapes_of_the_state(config, shapes):
    state = tuple(torch.zeros(shape, dtype=torch.float64) for shape in shapes)
    with pytest.raises(ValueError) as error:
        build(config)(random_input(config), state if len(state) > 1 else state[0])
    assert "(1, 5, 35)" in str(error.value)
    for shape in shapes:
        assert str(shape) in str(error.value)


@pytest.mark.parametrize("shape", [(5, 6), (6, 4), (6,), (6, 5, 1)])
def test_wrong_shapes_of_the_padding_mask(shape):
    with pytest.raises(ValueError) as error:
        build(LSTM)(random_input(LSTM), None, torch.zeros(shape, dtype=torch.bool))
    assert str(shape) in str(error.value) and "(6, 5)" in str(error.value)


# Low precision


@pytest.mark.parametrize("projection", ["linear", "gated"])
@BOTH
def test_autocast_in_bfloat16_gives_finite_values_and_gradients(config, projection):
    config = replace(config, comm_projection=projection, input_dropout=0.1, comm_dropout=0.1)
    rim = build(config, torch.float32).train()
    x = random_input(config, dtype=torch.float32).requires_grad_()
    state = random_state(config, dtype=torch.float32)
    mask = torch.rand(6, 5) < 0.3
    with torch.autocast("cpu", torch.bfloat16):
        output, final, activity = rim(x, state, mask, need_activity=True)
        loss = output.float().square().mean()
    loss.backward()
    assert torch.equal(activity.sum(-1), torch.where(mask, 0, config.num_active))
    for tensor in (output, *tensors(final), x.grad, *(p.grad for p in rim.parameters())):
        assert tensor.isfinite().all()


@BOTH
def test_autocast_is_close_to_single_precision(config):
    # all active: rounding cannot change the choice, so the whole layer is comparable
    config = replace(config, num_active=config.num_mechanisms)
    rim = build(config, torch.float32)
    x = random_input(config, steps=2, dtype=torch.float32)
    expected, _ = rim(x)
    with torch.autocast("cpu", torch.bfloat16):
        output, _ = rim(x)
    assert_close(output.float(), expected, rtol=0.1, atol=0.15)


# Learning


def test_a_small_layer_learns_to_recall_the_first_symbol():
    """Symbol, then noise: the symbol has to be carried past inputs that say nothing."""
    seed = int(os.environ.get("RIM_TEST_SEED", time.time_ns() % 2**31))
    torch.manual_seed(seed)
    symbols, noises, steps, batch, updates = 5, 4, 6, 32, 400
    embedding = torch.eye(symbols + noises)
    rim = RIMLayer(
        symbols + noises,
        24,
        3,
        2,
        input_heads=2,
        input_key_size=8,
        comm_heads=2,
        comm_key_size=8,
        comm_value_size=8,
        input_dropout=0.0,
        comm_dropout=0.0,
    )
    read_out = nn.Linear(24, symbols)
    optimizer = torch.optim.Adam([*rim.parameters(), *read_out.parameters()], lr=0.01)

    loss = float("inf")
    for _ in range(updates):
        symbol = torch.randint(symbols, (batch,))
        noise = torch.randint(symbols, symbols + noises, (steps - 1, batch))
        output, _ = rim(embedding[torch.cat([symbol[None], noise])])
        cross_entropy = nn.functional.cross_entropy(read_out(output[-1]), symbol)
        # fresh data at every update, so this is the loss on data not seen before
        loss = cross_entropy.item()
        if loss < 0.02:
            break
        optimizer.zero_grad()
        cross_entropy.backward()
        optimizer.step()
    assert loss < 0.02, f"loss {loss:.3f} after {updates} updates with RIM_TEST_SEED={seed}"
