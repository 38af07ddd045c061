"""`RIM` in the place of `torch.nn.LSTM`: shapes, order, states, padding; and what torch does to
modules."""

import copy
import inspect
import io
import itertools
import pickle
import warnings

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
)

from rim_nmt import RIM
from rim_nmt.mechanism import RIMLayer, count_activity
from rim_nmt.mechanism.stack import MechanismOptions

I, D, K, A = 5, 12, 3, 2  # noqa: E741  (as in the docstrings)
SIZES = {"num_mechanisms": K, "num_active": A}
T, B = 6, 4
LENGTHS = [4, 6, 1, 3]
FORMS = list(itertools.product((1, 3), (False, True), (False, True), (False, True)))
STACKED = {"num_layers": 2, "bidirectional": True}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(7)


def build(*arguments, dtype=torch.float64, **options) -> RIM:
    """A module in evaluation mode whose mechanisms differ more than freshly initialised ones."""
    rim = RIM(I, D, *arguments, dtype=dtype, **{**SIZES, **options}).eval()
    for parameter in rim.parameters():
        nn.init.normal_(parameter, std=0.3)
    return rim


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def random_state(rim: RIM, *batch: int) -> tuple[Tensor, Tensor]:
    return tuple(random(len(rim.layers), *batch, D) for _ in range(2))


def right_padding(lengths: list[int]) -> Tensor:
    """T x B."""
    return torch.arange(max(lengths)).unsqueeze(1) >= torch.tensor(lengths)


def assert_close(mine, other) -> None:
    torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("layers", "batch_first", "both", "batched"), FORMS)
def test_shapes_are_those_of_the_lstm(layers, batch_first, both, batched):
    arguments = (I, D, layers, True, batch_first, 0.0, both)  # by position, as nn.LSTM has them
    shape = (B, T, I) if batch_first else (T, B, I)
    x = torch.randn(shape if batched else (T, I))
    lstm = nn.LSTM(*arguments)
    rim = RIM(*arguments, **SIZES)
    directions = 2 if both else 1
    states = [None, 2 * (torch.randn(layers * directions, *([B] if batched else []), D),)]
    for state in states:
        expected, (h, c) = lstm(x, state)
        output, (my_h, my_c), activity = rim(x, state, need_activity=True)
        assert (output.shape, my_h.shape, my_c.shape) == (expected.shape, h.shape, c.shape)
        assert activity.shape == (layers * directions, *x.shape[:-1], K)
        assert activity.dtype == torch.bool
        assert (activity.sum(-1) == A).all()
        assert rim(x, state)[0].shape == output.shape
        assert len(rim(x, state)) == 2


def test_a_gru_has_one_state_as_torchs():
    lstm, rim = nn.GRU(I, D, 2, bidirectional=True), RIM(I, D, **STACKED, **SIZES, dynamics="gru")
    x, state = torch.randn(T, B, I), torch.randn(4, B, D)
    for given in (None, state):
        assert [y.shape for y in rim(x, given)] == [y.shape for y in lstm(x, given)]
    assert [y.shape for y in rim(x[:, 0], state[:, 0])] == [(T, 2 * D), (4, D)]


def test_names_and_defaults_are_those_of_the_lstm():
    theirs = ["input_size", "hidden_size", *inspect.signature(nn.RNNBase).parameters][2:]
    mine = list(inspect.signature(RIM).parameters.values())
    order = ["input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout"]
    order += ["bidirectional", "proj_size", "device", "dtype"]
    assert set(order) == set(theirs) - {"mode"} | {"input_size", "hidden_size"}
    assert [p.name for p in mine[:-1]] == order
    lstm, rim = nn.LSTM(I, D), RIM(I, D, **SIZES)
    for name in order[:8]:
        assert getattr(rim, name) == getattr(lstm, name), name
    rim.flatten_parameters()


def test_the_mechanisms_options_are_those_of_a_layer():
    layers = inspect.signature(RIMLayer).parameters
    assert set(MechanismOptions.__annotations__) == set(layers) - {"input_size", "hidden_size"}
    rim = RIM(8, 12, 2, num_mechanisms=2, num_active=1, input_slots=4, comm_heads=0, kernel="plain")
    assert [layer.input_attention.num_slots for layer in rim.layers] == [4, 1]
    for layer in rim.layers:
        assert (layer.num_mechanisms, layer.num_active, layer.kernel) == (2, 1, "plain")
        assert layer.communication is None


def test_one_layer_is_a_rim_layer():
    rim = build()
    x, state = random(T, B, I), random_state(rim, B)
    mine, expected = rim(x, state, need_activity=True), rim.layers[0](x, state, need_activity=True)
    assert torch.equal(mine[0], expected[0])
    assert all(map(torch.equal, mine[1], expected[1]))
    assert torch.equal(mine[2], expected[2].unsqueeze(0))


@pytest.mark.parametrize("kernel", ["plain", "auto"])
def test_a_stack_is_its_layers_by_hand(kernel):
    rim = build(num_layers=3, bidirectional=True, kernel=kernel)
    x, (h, c) = random(T, B, I), random_state(rim, B)
    output, state, activity = rim(x, (h, c), need_activity=True)
    below, states, active = x, [], []
    for level in range(3):
        sides = []
        for side in range(2):
            place = 2 * level + side
            first = h[place].unsqueeze(0), c[place].unsqueeze(0)
            source = torch.stack(below.unbind(0)[::-1]) if side else below
            y, last, a = rim.layers[place](source, first, need_activity=True)
            sides.append(torch.stack(y.unbind(0)[::-1]) if side else y)
            states.append(last)
            active.append(torch.stack(a.unbind(0)[::-1]) if side else a)
        below = torch.cat(sides, dim=-1)
    assert_close(output, below)
    for part in range(2):
        assert_close(state[part], torch.cat([last[part] for last in states]))
    assert torch.equal(activity, torch.stack(active))
    # as in nn.LSTM: the last layer's states are where its directions end
    assert_close(output[-1, :, :D], state[0][-2])
    assert_close(output[0, :, D:], state[0][-1])


def test_a_sequence_in_pieces_is_the_sequence():
    rim = build(num_layers=3)
    x, state = random(T, B, I), random_state(rim, B)
    whole, last = rim(x, state)
    pieces = []
    for piece in x.split(1):
        output, state = rim(piece, state)
        pieces.append(output)
    assert_close(torch.cat(pieces), whole)
    assert_close(state, last)


def test_batch_first_is_the_transpose_and_one_sequence_is_a_batch_of_one():
    rim = build(**STACKED)
    first = RIM(I, D, **STACKED, **SIZES, batch_first=True, dtype=torch.float64).eval()
    first.load_state_dict(rim.state_dict())
    x, state, mask = random(T, B, I), random_state(rim, B), right_padding(LENGTHS)
    expected, last, activity = rim(x, state, mask, need_activity=True)
    output, mine, active = first(x.transpose(0, 1), state, mask.t(), need_activity=True)
    assert torch.equal(output, expected.transpose(0, 1))
    assert all(map(torch.equal, mine, last))
    assert torch.equal(active, activity.transpose(1, 2))
    for module in (rim, first):
        for b in range(B):
            output, mine, active = module(
                x[:, b], tuple(s[:, b] for s in state), mask[:, b], need_activity=True
            )
            assert_close(output, expected[:, b])
            assert_close(mine, tuple(s[:, b] for s in last))
            assert torch.equal(active, activity[:, :, b])


@pytest.mark.parametrize("kernel", ["plain", "auto"])
@pytest.mark.parametrize("dynamics", ["lstm", "gru"])
def test_padded_is_alone_without_padding(kernel, dynamics):
    rim = build(**STACKED, kernel=kernel, dynamics=dynamics)
    x, mask = random(T, B, I), right_padding(LENGTHS)
    h, c = random_state(rim, B)
    state = h if dynamics == "gru" else (h, c)
    x[mask] = 1e3  # what is there must not matter
    output, last, activity = rim(x, state, mask, need_activity=True)
    assert not activity[:, mask].any()
    for b, length in enumerate(LENGTHS):
        own = h[:, b] if dynamics == "gru" else (h[:, b], c[:, b])
        alone, alone_last, active = rim(x[:length, b], own, need_activity=True)
        assert_close(output[:length, b], alone)
        mine = last[:, b] if dynamics == "gru" else tuple(s[:, b] for s in last)
        assert_close(mine, alone_last)
        assert torch.equal(activity[:, :length, b], active)


def test_padding_may_be_anywhere():
    rim = build(**STACKED)
    x, real = random(T, 1, I), torch.tensor([False, True, True, False, True, False])
    output, last = rim(x, padding_mask=~real.unsqueeze(1))
    expected, alone = rim(x[real])
    assert_close(output[real], expected)
    assert_close(last, alone)


@pytest.mark.parametrize("sort", [False, True])
def test_packed_sequences_are_those_of_the_lstm(sort):
    lengths = sorted(LENGTHS, reverse=True) if sort else LENGTHS
    rim, lstm = build(**STACKED), nn.LSTM(I, D, **STACKED, dtype=torch.float64)
    sentences = [random(length, I) for length in lengths]
    packed = pack_sequence(sentences, enforce_sorted=sort)
    h, c = random_state(rim, B)
    for state in (None, (h, c)):
        output, last, activity = rim(packed, state, need_activity=True)
        theirs, _ = lstm(packed, state)
        assert isinstance(output, PackedSequence)
        for mine, other in zip(output[1:], theirs[1:], strict=True):
            assert (mine is other is None) or torch.equal(mine, other)
        padded, of_output = pad_packed_sequence(output)
        assert of_output.tolist() == lengths
        for b, sentence in enumerate(sentences):
            own = state and tuple(s[:, b] for s in state)
            alone, alone_last, active = rim(sentence, own, need_activity=True)
            assert_close(padded[: len(sentence), b], alone)
            assert_close(tuple(s[:, b] for s in last), alone_last)
            assert torch.equal(activity[:, : len(sentence), b], active)
            assert not activity[:, len(sentence) :, b].any()
    assert count_activity(activity).sum() == len(rim.layers) * sum(lengths) * A


def test_gradients_pass_packing():
    rim = build(**STACKED)
    x = random(T, B, I).requires_grad_()
    lengths = torch.tensor(LENGTHS)
    rim(pack_padded_sequence(x, lengths, enforce_sorted=False))[0].data.sum().backward()
    packed, x.grad = x.grad, None
    output, _ = rim(x, padding_mask=right_padding(LENGTHS))
    output[~right_padding(LENGTHS)].sum().backward()
    assert_close(x.grad, packed)


def test_dropout_is_between_layers_and_in_training_only():
    rim = build(3, dropout=0.5, input_dropout=0.0, comm_dropout=0.0)
    without = build(3, input_dropout=0.0, comm_dropout=0.0)
    without.load_state_dict(rim.state_dict())
    x, state = random(T, B, I), random_state(rim, B)  # with no zero where mechanisms sleep
    seen = []
    for layer in rim.layers:
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    assert torch.equal(rim(x, state)[0], without(x, state)[0])
    rim.train()
    first, second = rim(x, state)[0], rim(x, state)[0]
    assert not torch.equal(first, second)
    assert not (first == 0).any()  # none after the last layer
    for place in range(3, 9):
        zeros = (seen[place] == 0).double().mean()
        assert (zeros == 0) if place % 3 == 0 else (0.3 < zeros < 0.7)
    rim.dropout = 1.0
    rim(x, state)
    assert (seen[-1] == 0).all()


def test_dropout_without_a_place_warns():
    with pytest.warns(UserWarning, match=r"dropout 0\.2 has no effect"):
        RIM(I, D, dropout=0.2, **SIZES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RIM(I, D, 2, dropout=0.2, **SIZES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bias": False}, "bias must be True, got False"),
        ({"bias": 4, "num_layers": 6}, "num_mechanisms and num_active by name"),  # RIM(I, D, 6, 4)
        ({"proj_size": 3}, "proj_size must be 0, got 3"),
        ({"num_layers": 0}, "num_layers must be 1 or more, got 0"),
        ({"dropout": 1.5}, "dropout must be from 0 to 1, got 1.5"),
        ({"hidden_size": 13}, "12 or 15 would fit"),
        ({"num_active": 4}, "num_active 4 is more than num_mechanisms 3"),
    ],
)
def test_what_is_not_taken_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        RIM(**{"input_size": I, "hidden_size": D, **SIZES, **changes})


def test_unknown_options_are_refused():
    with pytest.raises(TypeError, match="num_mechanism"):
        RIM(I, D, num_mechanism=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(T, B, I + 1),), r"x is \(6, 4, 6\), expected B x T x 5, or T x 5 for one"),
        ((torch.zeros(I),), r"x is \(5,\), expected"),
        ((torch.zeros(B, 0, I),), r"x is \(4, 0, 5\), expected .* with T >= 1"),
        (
            (torch.zeros(B, T, I), 2 * (torch.zeros(2, T, D),)),
            r"state has shapes \[\(2, 6, 12\), \(2, 6, 12\)\], expected \[\(2, 4, 12\), ",
        ),
        ((torch.zeros(T, I), torch.zeros(2, D)), r"expected \[\(2, 12\), \(2, 12\)\]"),
        (
            (torch.zeros(B, T, I), None, torch.zeros(T, B, dtype=torch.bool)),
            r"padding_mask is \(6, 4\) of torch.bool, expected \(4, 6\) of torch.bool",
        ),
        ((torch.zeros(T, I), None, torch.zeros(T)), r"padding_mask is \(6,\) of torch.float32"),
    ],
)
def test_what_does_not_fit_is_refused_in_the_callers_layout(arguments, message):
    with pytest.raises(ValueError, match=message):
        build(2, batch_first=True, dtype=torch.float32)(*arguments)


def test_packed_sequences_take_no_mask():
    with pytest.raises(ValueError, match="give no padding_mask"):
        build()(pack_sequence([random(3, I)]), None, torch.zeros(3, 1, dtype=torch.bool))


def test_device_and_dtype():
    assert {p.dtype for p in RIM(I, D, dtype=torch.float64, **SIZES).parameters()} == {
        torch.float64
    }
    assert {p.device.type for p in RIM(I, D, device="meta", **SIZES).parameters()} == {"meta"}
    empty = nn.utils.skip_init(RIM, I, D, **SIZES)
    empty.load_state_dict(RIM(I, D, **SIZES).state_dict())
    with torch.device("meta"):
        assert RIM(I, D, **SIZES).layers[0].dynamics.bias.is_meta


def test_it_learns_where_an_lstm_was():
    """A model that is written for nn.LSTM, and is to tell the first element at the end."""

    class Model(nn.Module):
        def __init__(self, kind):
            super().__init__()
            self.rnn = kind(4, 24, num_layers=2, batch_first=True, bidirectional=True)
            self.out = nn.Linear(48, 4)

        def forward(self, x):
            output, (h, _) = self.rnn(x)
            return self.out(torch.cat([h[-2], h[-1]], dim=-1)), output

    model = Model(RIM)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        tokens = torch.randint(4, (32, 6))
        scores, _ = model(nn.functional.one_hot(tokens, 4).float())
        loss = nn.functional.cross_entropy(scores, tokens[:, 0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1


# What torch does to modules


def loss_and_gradients(rim: nn.Module, x: Tensor) -> list[Tensor]:
    output, (h, c) = rim(x)
    loss = output.square().sum() + h.sum() + c.sum()
    return [loss.detach(), *torch.autograd.grad(loss, list(rim.parameters()))]


@pytest.mark.parametrize("kernel", ["plain", "auto"])
def test_autocast(kernel):
    rim = build(**STACKED, dtype=torch.float32, kernel=kernel)
    x = torch.randn(T, B, I)
    expected, _ = rim(x)
    with torch.autocast("cpu", torch.bfloat16):
        output, (h, c) = rim(x)
        again, _ = rim(x, (h, c))
    assert output.isfinite().all() and again.isfinite().all()
    # where rounding changes who is active, a sentence goes another way
    assert ((output - expected).abs().amax((0, 2)) < 0.1).double().mean() >= 0.5
    (output.sum() + again.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in rim.parameters())
    assert {p.grad.dtype for p in rim.parameters()} == {torch.float32}


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointing_gives_the_same_gradients(reentrant):
    """With dropout: the kernel draws the same random numbers when it is run again."""
    rim = build(**STACKED, dropout=0.2).train()
    x = random(T, B, I).requires_grad_()
    results = []
    for run in (rim, lambda x: torch.utils.checkpoint.checkpoint(rim, x, use_reentrant=reentrant)):
        torch.manual_seed(3)
        x.grad = None
        rim.zero_grad()
        run(x)[0].square().sum().backward()
        results.append([x.grad, *(p.grad for p in rim.parameters())])
    assert all(map(torch.equal, *results))


def saved_and_loaded(rim: RIM) -> RIM:
    file = io.BytesIO()
    torch.save(rim, file)
    return torch.load(io.BytesIO(file.getvalue()), weights_only=False)


def by_state_dict(rim: RIM) -> RIM:
    file = io.BytesIO()
    torch.save(rim.state_dict(), file)
    other = build(**STACKED, dropout=0.2)
    other.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    return other


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda rim: pickle.loads(pickle.dumps(rim)), saved_and_loaded, by_state_dict],
    ids=["deepcopy", "pickle", "save", "state_dict"],
)
def test_copies_compute_the_same(copied):
    rim = build(**STACKED, dropout=0.2)
    x = random(T, B, I)
    rim(x)  # nothing of a call stays in the module
    other = copied(rim)
    assert all(map(torch.equal, loss_and_gradients(rim, x), loss_and_gradients(other, x)))
    assert all(p is not q for p, q in zip(rim.parameters(), other.parameters(), strict=True))


def test_the_state_dict_names_layers_in_the_order_of_states():
    names = list(build(**STACKED).state_dict())
    assert {name.split(".")[1] for name in names} == {"0", "1", "2", "3"}
    assert "layers.3.dynamics.weight" in names
    own = {name.removeprefix("layers.0.") for name in names if name.startswith("layers.0.")}
    assert own == set(RIMLayer(I, D, **SIZES).state_dict())


def test_replicas_of_data_parallel_compute_the_same():
    """nn.parallel.replicate needs GPUs; this is what it does: shallow copies of all modules, whose
    parameters are plain tensors."""
    rim = build(**STACKED)

    def replica(module: nn.Module) -> nn.Module:
        other = module._replicate_for_data_parallel()
        for name, child in module._modules.items():
            if child is not None:
                other._modules[name] = replica(child)
                setattr(other, name, other._modules[name])
        for name, parameter in module._parameters.items():
            # not registered: a result of the original's
            setattr(other, name, None if parameter is None else parameter.clone())
        return other

    x = random(T, B, I)
    output, _ = rim(x)
    there = replica(rim)
    assert not list(there.parameters())
    halves = [there(half)[0] for half in x.split(2, dim=1)]
    assert_close(torch.cat(halves, dim=1), output)
    torch.cat(halves, dim=1).sum().backward()
    assert all(p.grad is not None for p in rim.parameters())


def test_torch_func_takes_the_plain_layer():
    rim = build(kernel="plain")
    parameters, x = dict(rim.named_parameters()), random(3, T, 1, I)

    def loss(parameters, x):
        return torch.func.functional_call(rim, parameters, (x,))[0].sum()

    each = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    whole = torch.func.grad(loss)(parameters, x.squeeze(2).transpose(0, 1))
    for name, gradient in whole.items():
        assert_close(each[name].sum(0), gradient)


@pytest.mark.parametrize(
    ("options", "strict"), [({}, True), ({"bidirectional": True, "batch_first": True}, False)]
)
def test_export(options, strict):
    """By plain PyTorch, for any batch and one length."""
    rim = build(**options, dtype=torch.float32)
    batch = 0 if options else 1
    x = torch.randn(2, 2, I)
    sizes = {batch: torch.export.Dim("B", min=1, max=64)}
    program = torch.export.export(rim, (x,), dynamic_shapes=(sizes,), strict=strict)
    file = io.BytesIO()
    torch.export.save(program, file)
    loaded = torch.export.load(io.BytesIO(file.getvalue()))
    several = torch.cat([x, x + 1, x - 1], batch)
    for made in (program, loaded):
        torch.testing.assert_close(made.module()(several), rim(several), rtol=1e-4, atol=1e-5)
    with pytest.raises(AssertionError, match="Guard failed"):
        program.module()(torch.cat([x, x], 1 - batch))


def test_compile_leaves_the_kernels_as_they_are():
    """One graph before the module, one after it, whatever the length."""
    torch._dynamo.reset()
    graphs = []

    def backend(graph, _):
        graphs.append(graph)
        return graph.forward

    model = nn.Sequential(nn.Linear(I, I).double(), build(3, bidirectional=True))
    compiled = torch.compile(model, backend=backend, dynamic=True)
    for steps in (3, 3, 5, 7, 3):
        x = random(steps, B, I)
        assert_close(compiled(x), model(x))
        assert_close(loss_and_gradients(compiled, x), loss_and_gradients(model, x))
    assert len(graphs) <= 4
    with pytest.raises(torch._dynamo.exc.Unsupported, match=r"torch\.compiler\.disable"):
        torch.compile(build(), backend=backend, fullgraph=True)(x)


def test_compile_takes_the_plain_module_whole():
    torch._dynamo.reset()
    rim = build(2, dtype=torch.float32, kernel="plain")
    compiled = torch.compile(rim, backend="aot_eager", fullgraph=True)
    x = torch.randn(2, B, I)
    torch.testing.assert_close(compiled(x), rim(x))
    torch.testing.assert_close(loss_and_gradients(compiled, x), loss_and_gradients(rim, x))


@pytest.mark.slow
def test_inductor():
    """The code that torch.compile generates by default, which it compiles with g++."""
    torch._dynamo.reset()
    x = torch.randn(2, B, I)
    for kernel in ("plain", "auto"):
        rim = build(dtype=torch.float32, kernel=kernel)
        compiled = torch.compile(rim)
        torch.testing.assert_close(compiled(x), rim(x))
        torch.testing.assert_close(
            loss_and_gradients(compiled, x), loss_and_gradients(rim, x), rtol=1e-4, atol=1e-4
        )
