"""The GPU's kernels: equal to the plain layer, and what happens where they cannot be used.

On a GPU if there is one; elsewhere Triton interprets the kernels, program by program, and all is
kept small.
"""

import copy
import functools
import importlib.util
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # read when triton is imported, which nothing did so far

from rim_nmt.mechanism import RIMLayer as RIM
from rim_nmt.mechanism import kernels
from rim_nmt.mechanism.communication import PROJECTIONS
from rim_nmt.mechanism.kernels import cpu as cpu_kernel
from rim_nmt.mechanism.kernels import triton as gpu_kernel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SMALL = {
    "hidden_size": 12,
    "num_mechanisms": 3,
    "num_active": 2,
    "input_heads": 2,
    "input_key_size": 5,
    "comm_heads": 2,
    "comm_key_size": 3,
    "comm_value_size": 6,
}
SIZES = {
    "small": SMALL,
    "all-active": {**SMALL, "num_active": 3},
    "always": {**SMALL, "num_mechanisms": 4, "num_active": 3, "num_always": 2},
    "alone": {**SMALL, "comm_heads": 0},
    "linear": {**SMALL, "comm_projection": "linear"},
    "table-3": {"hidden_size": 48},
    "many-mechanisms": {**SMALL, "hidden_size": 60, "num_mechanisms": 20},
    "wide": {  # several programs for the cells, tiles that are not square
        "hidden_size": 700,
        "num_mechanisms": 5,
        "input_heads": 1,
        "input_key_size": 70,
        "comm_heads": 1,
        "comm_key_size": 17,
        "comm_value_size": 33,
    },
}
SIZES["wide-linear"] = {**SIZES["wide"], "comm_projection": "linear"}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed"
)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(3)


def pair(dtype: torch.dtype = torch.float64, **sizes) -> tuple[RIM, RIM]:
    """A layer for the plain path and a copy of it for the kernels."""
    plain = RIM(**{"input_size": 7, **SMALL, **sizes}, kernel="plain").to(dtype)
    for parameter in plain.parameters():
        nn.init.normal_(parameter, std=0.3)
    plain.to(DEVICE)  # drawn before, so that all devices have the same numbers
    fast = copy.deepcopy(plain)
    fast.kernel = "triton"
    return plain, fast


def draw_normal(dtype: torch.dtype, *shape: int) -> Tensor:
    """The same numbers on all devices."""
    return torch.randn(*shape, dtype=dtype).to(DEVICE)


def problem(rim: RIM, steps: int = 3, batch: int = 2) -> dict:
    """Input, state, mask and weights of the loss."""
    draw = functools.partial(draw_normal, rim.dynamics.weight.dtype)
    x = draw(steps, batch, rim.input_size).requires_grad_()
    state = [draw(1, batch, rim.hidden_size).requires_grad_() for _ in range(2)]
    mask = torch.zeros(steps, batch, dtype=torch.bool, device=DEVICE)
    mask[1:2, 0] = mask[2:, 1] = True
    weights = [draw(n, batch, rim.hidden_size) for n in (steps, 1, 1)]
    return {"x": x, "state": tuple(state), "padding_mask": mask, "weights": weights}


def run(rim: RIM, x: Tensor, state, padding_mask, weights) -> dict[str, Tensor]:
    """Results, and gradients of a weighted sum of them."""
    output, (h, c), activity = rim(x, state, padding_mask, need_activity=True)
    loss = sum((w * y).sum() for w, y in zip(weights, (output, h, c), strict=True))
    inputs = {"x": x, **dict(rim.named_parameters())}
    inputs |= {"h_0": state[0], "c_0": state[1]} if state else {}
    gradients = torch.autograd.grad(loss, list(inputs.values()))
    results = {"output": output, "h": h, "c": c, "activity": activity}
    return results | {f"gradient of {name}": y for name, y in zip(inputs, gradients, strict=True)}


def run_program(text: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, env=environment
    )


def assert_equal(ours: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert ours.keys() == expected.keys()
    for name, y in ours.items():
        torch.testing.assert_close(
            y, expected[name], rtol=1e-10, atol=1e-11, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_values_and_gradients_equal_the_plain_layer(sizes):
    plain, fast = pair(**sizes)
    arguments = problem(plain)
    assert_equal(run(fast.eval(), **arguments), run(plain.eval(), **arguments))


def test_from_the_zero_state_and_without_padding():
    plain, fast = pair()
    arguments = {**problem(plain), "state": None, "padding_mask": None}
    results = run(fast.eval(), **arguments)
    assert_equal(results, run(plain.eval(), **arguments))
    first = results["activity"][0].tolist()  # all tie: the lowest indices win
    assert first == [[True, True, False]] * 2


def test_ties_are_broken_as_in_the_plain_layer():
    # mechanisms 1, 3 and 4 ask alike and start alike
    plain, fast = pair(hidden_size=20, num_mechanisms=5, num_active=3)
    arguments = problem(plain, steps=1)
    with torch.no_grad():
        for rim in (plain, fast):
            for twin in (3, 4):
                rim.input_attention.query.weight[twin] = rim.input_attention.query.weight[1]
        for s in arguments["state"]:
            parts = s.unflatten(-1, (5, 4))
            parts[..., 3, :] = parts[..., 4, :] = parts[..., 1, :]
    results = run(fast.eval(), **arguments)
    assert_equal(results, run(plain.eval(), **arguments))
    active = results["activity"][0]
    assert (active[:, 1] & ~active[:, 4]).any()  # a tie was broken


def test_inactive_states_stay_bit_for_bit():
    for heads in (0, 2):
        _, rim = pair(comm_heads=heads)
        state = [torch.randn(1, 6, 12, dtype=torch.float64, device=DEVICE) for _ in range(2)]
        for s in state:
            s[torch.rand_like(s) < 0.3] = -0.0
        x = torch.randn(1, 6, 7, dtype=torch.float64, device=DEVICE)
        pad = torch.tensor([[False, True, False, True, False, False]], device=DEVICE)
        _, after, activity = rim.eval()(x, tuple(state), pad, need_activity=True)
        assert activity[0].sum(-1).tolist() == [2, 0, 2, 0, 2, 2]
        for old, new in zip(state, after, strict=True):
            old, new = (y[0].unflatten(-1, (3, 4))[~activity[0]] for y in (old, new))
            assert torch.equal(old, new) and torch.equal(old.signbit(), new.signbit())


def test_dropout_is_that_of_the_plain_layer(monkeypatch):
    """The plain layer is given the factors that the kernels drew."""
    plain, fast = pair(input_dropout=0.4, comm_dropout=0.3)
    drawn = []

    def record(*arguments):
        drawn.append(draw(*arguments))
        return drawn[-1]

    draw = gpu_kernel.draw_dropout
    monkeypatch.setattr(gpu_kernel, "draw_dropout", record)
    arguments = problem(plain)
    results = run(fast, **arguments)

    for layer, dims in ((plain.input_attention, 4), (plain.communication, 5)):
        (factors,) = (x for x in drawn if x.dim() == dims)
        if dims == 4:  # T x B x K x M; the plain layer has mechanisms first, and slots
            factors = factors.transpose(1, 2).unsqueeze(3)  # T x K x B x 1 x M
        steps = iter(factors)
        layer.dropout.forward = lambda x, s=steps: x * next(s)
    assert_equal(results, run(plain, **arguments))


def test_dropout_drops_at_its_rate():
    x = torch.empty(50, 40, 1, dtype=torch.float16, device=DEVICE)
    factors = gpu_kernel.draw_dropout(0.3, x, 10, 5)
    assert factors.shape == (50, 40, 10, 5) and factors.dtype == torch.float32
    kept = factors != 0
    torch.testing.assert_close(factors[kept].unique().cpu(), torch.tensor([1 / 0.7]))
    assert abs(kept.float().mean() - 0.7) < 6 * (0.3 * 0.7 / factors.numel()) ** 0.5
    assert kept.float().mean((0, 1)).std() > 0 and kept.float().mean((2, 3)).std() > 0
    assert gpu_kernel.draw_dropout(0.0, x, 10, 5) is None


@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.0, 0.3)])
def test_dropout_is_for_training(rates):
    _, rim = pair(input_dropout=rates[0], comm_dropout=rates[1])
    weights = rim._weights()
    assert (weights.input_dropout, weights.comm_dropout) == rates
    weights = rim.eval()._weights()
    assert (weights.input_dropout, weights.comm_dropout) == (0, 0)


def test_the_gradient_with_dropout_is_that_of_the_function():
    """In a direction in which everything moves."""
    _, rim = pair(input_dropout=0.4, comm_dropout=0.4)
    x, weights = (torch.randn(2, 1, n, dtype=torch.float64, device=DEVICE) for n in (7, 12))
    directions = [torch.randn_like(y) for y in (x, *rim.parameters())]

    def function(length: Tensor) -> Tensor:
        torch.manual_seed(9)  # the same elements are dropped every time
        moved = [y + length * d for y, d in zip((x, *rim.parameters()), directions, strict=True)]
        names = (name for name, _ in rim.named_parameters())
        parameters = dict(zip(names, moved[1:], strict=True))
        output, _ = torch.func.functional_call(rim, parameters, moved[0])
        return (weights * output).sum()

    length = torch.zeros((), dtype=torch.float64, device=DEVICE, requires_grad=True)
    assert torch.autograd.gradcheck(function, length)


def test_a_graph_that_is_kept_can_be_differentiated_again():
    _, rim = pair()
    x = torch.randn(2, 1, 7, dtype=torch.float64, device=DEVICE)
    loss = rim(x)[0].square().sum()
    first = torch.autograd.grad(loss, list(rim.parameters()), retain_graph=True)
    second = torch.autograd.grad(loss, list(rim.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("loss", [torch.sum, lambda y: y.square().sum()], ids=["linear", "square"])
def test_second_order_gradients_are_refused(loss):
    """They were silently missing where the loss is linear."""
    _, rim = pair()
    x = torch.randn(2, 1, 7, dtype=torch.float64, device=DEVICE, requires_grad=True)
    state = [torch.zeros(1, 1, 12, dtype=torch.float64, device=DEVICE) for _ in range(2)]
    inputs = [x, *(s.requires_grad_() for s in state), *rim.parameters()]
    gradients = torch.autograd.grad(loss(rim(x, tuple(state))[0]), inputs, create_graph=True)
    for y in inputs:
        with pytest.raises(RuntimeError, match=r"second-order .* kernel='plain'"):
            torch.autograd.grad(sum(g.sum() for g in gradients), y, retain_graph=True)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", ["input_attention.query.weight", "dynamics.bias", "h"])
def test_what_is_not_finite_comes_out_as_in_the_plain_layer(place, value):
    plain, fast = pair()
    arguments = problem(plain)
    x, state, mask = (arguments[name] for name in ("x", "state", "padding_mask"))
    with torch.no_grad():
        for rim in (plain, fast):
            tensor = state[0] if place == "h" else rim.get_parameter(place)
            tensor.view(-1)[tensor.numel() // 2] = value
        expected = plain.eval()(x, state, mask, need_activity=True)
        results = fast.eval()(x, state, mask, need_activity=True)
    assert torch.equal(results[2], expected[2])
    assert torch.equal(results[0].isfinite(), expected[0].isfinite())
    torch.testing.assert_close(results[0], expected[0], rtol=1e-10, atol=1e-11, equal_nan=True)


def test_without_gradients_and_step_by_step_the_results_are_the_same():
    _, rim = pair()
    arguments = problem(rim.eval())
    x, state, mask = (arguments[name] for name in ("x", "state", "padding_mask"))
    before = [s.clone() for s in state]
    expected = rim(x, state, mask)
    with torch.no_grad():
        torch.testing.assert_close(rim(x, state, mask), expected, rtol=0, atol=0)
        outputs, step = [], state
        for t in range(len(x)):
            output, step = rim(x[t : t + 1], step, mask[t : t + 1])
            outputs.append(output)
    torch.testing.assert_close((torch.cat(outputs), step), expected, rtol=1e-12, atol=1e-12)
    assert all(torch.equal(a, b) for a, b in zip(state, before, strict=True))


def as_float64(rim: RIM, arguments: dict) -> dict[str, Tensor]:
    """What the plain layer gives in float64."""
    exact = {
        "x": arguments["x"].detach().double().requires_grad_(),
        "state": tuple(s.detach().double().requires_grad_() for s in arguments["state"]),
        "padding_mask": arguments["padding_mask"],
        "weights": [w.double() for w in arguments["weights"]],
    }
    return run(copy.deepcopy(rim).double(), **exact)


def error(results: dict[str, Tensor], truth: dict[str, Tensor]) -> float:
    """The largest difference, each relative to the largest element."""
    return max(
        float((results[name].detach() - y.detach()).abs().max() / y.detach().abs().max())
        for name, y in truth.items()
        if y.is_floating_point()
    )


@pytest.fixture
def _bfloat16_is_rounded(monkeypatch):
    """A GPU rounds float32 to the nearest bfloat16. The interpreter cuts it off, which doubles
    every error: it is given numbers that need no rounding."""
    from triton import language
    from triton.runtime import interpreter

    convert = interpreter._convert_float

    def rounding(x, given, wanted, mode):
        if (given, wanted) == (language.float32, language.bfloat16):
            x = torch.tensor(x).bfloat16().float().numpy()
        return convert(x, given, wanted, mode)

    monkeypatch.setattr(interpreter, "_convert_float", rounding)


@pytest.mark.usefixtures("_bfloat16_is_rounded")
@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bfloat16", "float16"])
def test_autocast_is_as_close_to_double_as_that_of_the_plain_layer(dtype, projection):
    # all active: rounding cannot change the choice
    plain, fast = pair(torch.float32, num_active=3, comm_projection=projection)
    arguments = problem(plain.eval(), steps=2)
    truth = as_float64(plain, arguments)
    errors = []
    for rim in (plain, fast.eval()):
        with torch.autocast(DEVICE, dtype):
            results = run(rim, **arguments)
        assert all(y.dtype == torch.float32 for y in results.values() if y.is_floating_point())
        errors.append(error(results, truth))
    assert 1e-5 < errors[1] < 1.5 * errors[0]


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_weights_in_half_precision(projection):
    plain, fast = pair(torch.float16, num_active=3, comm_projection=projection)
    arguments = problem(plain.eval(), steps=2)
    results = run(fast.eval(), **arguments)
    assert all(y.dtype == torch.float16 for y in results.values() if y.is_floating_point())
    truth = as_float64(plain, arguments)
    assert error(results, truth) < 1.5 * error(run(plain, **arguments), truth)


@pytest.mark.filterwarnings("ignore:overflow encountered in exp")  # the interpreter's numpy
@pytest.mark.parametrize("projection", PROJECTIONS)
def test_saturated_gates_and_attention(projection):
    # where all attention is 1 any choice is right
    plain, fast = pair(torch.float32, num_active=3, comm_projection=projection)
    arguments = problem(plain.eval(), steps=2)
    with torch.no_grad():
        for tensor in (arguments["x"], *arguments["state"]):
            tensor *= 1e6
    results, expected = run(fast.eval(), **arguments), run(plain, **arguments)
    for name, y in results.items():
        assert y.isfinite().all(), name
    for name in ("output", "h", "c"):
        close = 1e-5 * expected[name].abs().max()
        assert (results[name] - expected[name]).abs().max() <= close


@pytest.mark.gpu
@pytest.mark.skipif(DEVICE == "cpu", reason="no CUDA device")
@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_at_the_size_of_the_benchmark(dtype, projection, monkeypatch):
    if dtype == torch.float32:
        # A weight's gradient is one product over all steps and sentences, 16,384 rows here, as
        # nn.LSTM's is. In float32 that rounds more than the plain layer's sum of products of each
        # step; all else is to be as exact as there.
        product = gpu_kernel._product
        exact = lambda x, y: product(x.double(), y.double()).float()  # noqa: E731
        monkeypatch.setattr(gpu_kernel, "_product", exact)
    plain, fast = pair(
        torch.float32, input_size=512, hidden_size=768, num_mechanisms=6, num_active=6,
        input_heads=4, input_key_size=64, comm_heads=4, comm_key_size=32, comm_value_size=32,
        comm_projection=projection,
    )  # fmt: skip
    for rim in (plain.eval(), fast.eval()):
        for parameter in rim.parameters():
            parameter.data /= 6
    arguments = problem(plain, steps=64, batch=256)
    truth = as_float64(plain, arguments)
    errors = []
    for rim in (plain, fast):
        with torch.autocast("cuda", dtype, enabled=dtype != torch.float32):
            errors.append(error(run(rim, **arguments), truth))
    assert errors[1] < 1.5 * errors[0]


@pytest.mark.parametrize(
    ("dtype", "changes"),
    [
        ("float16", {}),
        pytest.param("bfloat16", {"comm_projection": "linear"}, marks=pytest.mark.slow),
        pytest.param("float64", {"comm_heads": 0, "input_dropout": 0.0}, marks=pytest.mark.slow),
    ],
    ids=["everything", "linear", "nothing-optional"],
)
def test_the_kernels_compile_for_a_gpu(dtype, changes, tmp_path):
    """Also where there is none: the compiler is told that there is, and nothing is started.
    It refuses some of what the interpreter lets pass."""
    sizes = SMALL | changes
    program = f"""
import torch
from triton.backends.compiler import GPUTarget
from triton.runtime import JITFunction, driver

class Driver:
    get_current_target = staticmethod(lambda: GPUTarget("cuda", 80, 32))
    get_current_device = staticmethod(lambda: 0)
    get_current_stream = staticmethod(lambda device: 0)

def compile(kernel, *arguments, grid, warmup, **more):
    assert run(kernel, *arguments, grid=grid, warmup=True, **more).asm["cubin"]
    names.add(kernel.__name__)

names, run = set(), JITFunction.run
JITFunction.run = compile
driver.set_active(Driver())
from rim_nmt.mechanism import RIMLayer as RIM
from rim_nmt.mechanism import kernels
kernels._KERNELS["triton"] = kernels._KERNELS["triton"]._replace(obstacle=lambda *_: None)
x, padding = torch.zeros(1, 2, 7, dtype=torch.{dtype}), torch.zeros(1, 2, dtype=torch.bool)
rim = RIM(7, **{sizes}, kernel="triton").to(torch.{dtype})
rim(x, padding_mask=padding if rim.communication else None)[0].sum().backward()
print(sorted(names))
"""
    environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    done = run_program(program, environment)
    stages = ["add", "attend"] if sizes.get("comm_heads") else []
    stages += ["lstm", "select"]
    expected = {*stages, "add_backward", *(f"{stage}_backward" for stage in stages)}
    assert done.stdout.strip() == str(sorted(expected)), done.stderr


# Which path is taken


def test_what_the_kernels_cannot_do_is_said(monkeypatch):
    x = torch.randn(3, 2, 7, device=DEVICE)
    with pytest.raises(ValueError, match="LSTM"):
        RIM(7, **SMALL, dynamics="gru", kernel="triton").to(DEVICE)(x)
    monkeypatch.setenv("TRITON_INTERPRET", "0")
    with pytest.raises(ValueError, match="triton kernel was asked for, but the input is on cpu"):
        RIM(7, **SMALL, kernel="triton")(x.cpu())


def test_without_triton():
    program = """
import sys
sys.modules["triton"] = None
import torch
from rim_nmt.mechanism import RIMLayer as RIM
x = torch.zeros(2, 1, 7)
print(RIM(7, 12)(x)[0].shape)
RIM(7, 12, kernel="triton")(x)
"""
    done = run_program(program, {**os.environ, "TRITON_INTERPRET": "1"})
    assert "torch.Size([2, 1, 12])" in done.stdout
    assert "ValueError: the triton kernel was asked for, but triton is not installed" in done.stderr


@pytest.mark.parametrize(("device", "path"), [("cpu", "compiled"), ("cuda", "triton")])
def test_auto_takes_the_kernel_of_the_device(device, path, monkeypatch, caplog):
    kernels._log_once.cache_clear()
    rim = RIM(7, **SMALL)
    x = SimpleNamespace(device=torch.device(device), dtype=torch.float32)
    kernel = kernels._KERNELS[path]
    monkeypatch.setattr(cpu_kernel, "library", object)  # as if compiled
    with caplog.at_level("INFO", logger="rim_nmt"):
        assert kernels.choose(rim, x) is kernel
        rainy = kernel._replace(obstacle=lambda *_: "it rains")
        monkeypatch.setitem(kernels._KERNELS, path, rainy)
        assert kernels.choose(rim, x) is None
    assert caplog.messages == [
        f"RIM layers are computed by the {path} kernel",
        "RIM layers are computed by plain PyTorch: it rains",
    ]
