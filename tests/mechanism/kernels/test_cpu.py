"""The compiled kernel: equal to the plain layer, and what happens where it cannot be used.

tests/mechanism/test_rim.py runs all of its tests on the kernel too.
"""

import copy
import ctypes
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from torch import Tensor, nn

from rim_nmt.mechanism import RIMLayer as RIM
from rim_nmt.mechanism import kernels
from rim_nmt.mechanism import layer as rim_module
from rim_nmt.mechanism.communication import PROJECTIONS
from rim_nmt.mechanism.kernels import cpu as kernel
from rim_nmt.mechanism.kernels.compilation import CompilationError, load_library
from rim_nmt.mechanism.selection import select_active

SIZES = {
    "table-3": {},
    "many-mechanisms": {"num_mechanisms": 12, "num_active": 2},
    "all-active": {"num_active": 6},
    "always": {"num_always": 2},
    "only-always": {"num_active": 3, "num_always": 3},
    "alone": {"comm_heads": 0},
    "linear": {"comm_projection": "linear"},
    "odd": {
        "hidden_size": 35,
        "num_mechanisms": 5,
        "input_heads": 3,
        "input_key_size": 7,
        "input_value_size": 11,
        "comm_heads": 2,
        "comm_key_size": 5,
        "comm_value_size": 9,
    },
}
SIZES["odd-linear"] = {**SIZES["odd"], "comm_projection": "linear"}

# Operands with 8 significant bits are off by 2^-9 of themselves at most, so a product is by 2^-8 of
# what it sums. Within a step four follow on each other (what is read or the query, gates, query or
# key and value of the communication, projection), and steps forget: norms are held to four times.
BFLOAT16 = 4 * 2**-8

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None, reason="no g++ that could compile the kernel"
)


@pytest.fixture(autouse=True)
def _threads():
    torch.manual_seed(3)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def _bfloat16():
    if not hasattr(kernel.library(), "gemm_bf16bf16f32_"):
        pytest.skip("PyTorch's matrix products come from another library than MKL")


def pair(dtype: torch.dtype = torch.float64, **sizes) -> tuple[RIM, RIM]:
    """A layer for the plain path and a copy of it for the kernel."""
    plain = RIM(20, sizes.pop("hidden_size", 48), **sizes, kernel="plain").to(dtype)
    for parameter in plain.parameters():
        nn.init.normal_(parameter, std=0.3)
    compiled = copy.deepcopy(plain)
    compiled.kernel = "compiled"
    return plain, compiled


def run(
    rim: RIM, x: Tensor, state, mask, weights, autocast: bool = False
) -> tuple[list[Tensor], list[Tensor]]:
    """Results and gradients of a weighted sum of them."""
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        output, (h, c), activity = rim(x, state, mask, need_activity=True)
    loss = sum((w * y).sum() for w, y in zip(weights, (output, h, c), strict=True))
    return [output, h, c, activity], torch.autograd.grad(loss, [x, *state, *rim.parameters()])


def problem(hidden_size: int, steps: int = 9, batch: int = 7, dtype=torch.float64):
    """Input, state, mask and weights of the loss."""
    x = torch.randn(steps, batch, 20, dtype=dtype, requires_grad=True)
    state = [torch.randn(1, batch, hidden_size, dtype=dtype, requires_grad=True) for _ in range(2)]
    mask = torch.rand(steps, batch) < 0.3
    mask[:, 2] = True  # a sentence of nothing but padding
    weights = [torch.randn(n, batch, hidden_size, dtype=dtype) for n in (steps, 1, 1)]
    return x, tuple(state), mask, weights


def doubled(x: Tensor, state, mask, weights):
    """A problem in float64."""
    return (
        x.detach().double().requires_grad_(),
        tuple(s.detach().double().requires_grad_() for s in state),
        mask,
        [w.double() for w in weights],
    )


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_values_and_gradients_equal_the_plain_layer(sizes, threads):
    torch.set_num_threads(threads)  # the batch is cut into so many slices
    plain, compiled = pair(**sizes)
    arguments = problem(plain.hidden_size)
    expected, expected_gradients = run(plain.eval(), *arguments)
    results, gradients = run(compiled.eval(), *arguments)
    for ours, theirs in zip((*results, *gradients), (*expected, *expected_gradients), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)


def test_single_precision_is_as_close_to_double_as_the_plain_layer_is():
    plain, compiled = pair(torch.float32)
    exact = copy.deepcopy(plain).double().eval()
    arguments = problem(plain.hidden_size, steps=40, batch=16, dtype=torch.float32)
    truth = [y for part in run(exact, *doubled(*arguments)) for y in part]
    errors = []
    for rim in (plain.eval(), compiled.eval()):
        results = [y for part in run(rim, *arguments) for y in part]
        assert torch.equal(results[3], truth[3])  # the same mechanisms are active
        errors.append(
            max(
                float((ours - theirs).detach().abs().max() / theirs.detach().abs().max())
                for ours, theirs in zip(results, truth, strict=True)
                if theirs.is_floating_point()
            )
        )
    assert errors[1] < max(2 * errors[0], 1e-5)


@pytest.mark.usefixtures("_bfloat16")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_under_autocast_products_take_bfloat16(sizes, threads, monkeypatch):
    """Compared on sentences in which every choice was clear: what is rounded differently may
    choose otherwise elsewhere, and goes its own way from there."""
    torch.set_num_threads(threads)
    plain, compiled = pair(torch.float32, **sizes)
    exact = plain.double().eval()
    x, state, mask, weights = problem(plain.hidden_size, 5, 200, torch.float32)
    lead = []  # of the last that is active over the first that is not, at every step

    def select(p: Tensor, num_active: int, num_always: int, asleep: Sequence[int]) -> Tensor:
        scores = p.mean(-1)[num_always:].sort(0, descending=True).values  # (K - always) x B
        bounds, chosen = (torch.full_like(p[0, :, 0], 2), *scores, -1), num_active - num_always
        lead.append(bounds[chosen] - bounds[chosen + 1])
        return select_active(p, num_active, num_always, asleep)

    with torch.no_grad(), monkeypatch.context() as patch:
        patch.setattr(rim_module, "select_active", select)
        exact(x.double(), tuple(s.double() for s in state), mask)
    clear = (torch.stack(lead).masked_fill(mask, 1) > BFLOAT16).all(0)  # B
    assert clear.sum() >= 20

    arguments = (
        x.detach()[:, clear].requires_grad_(),
        tuple(s.detach()[:, clear].requires_grad_() for s in state),
        mask[:, clear],
        [w[:, clear] for w in weights],
    )
    expected, expected_gradients = run(exact, *doubled(*arguments))
    results, gradients = run(compiled.eval(), *arguments, autocast=True)
    assert torch.equal(results[3], expected[3])  # the same mechanisms are active
    distances = [
        float((ours - theirs).detach().norm() / theirs.detach().norm())
        for ours, theirs in zip(
            (*results[:3], *gradients), (*expected[:3], *expected_gradients), strict=True
        )
    ]
    assert max(distances) < BFLOAT16
    assert min(distances) > 2**-14  # in float32 it would be below 2^-20
    assert all(y.dtype == torch.float32 for y in (*results[:3], *gradients))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("scale", [30, 1e3, 1e6])
@pytest.mark.parametrize("projection", PROJECTIONS)
def test_saturated_gates_and_attention(scale, dtype, projection):
    # where all attention is 1 any choice is right
    plain, compiled = pair(dtype, num_active=6, comm_projection=projection)
    # few steps: each that is not quite saturated makes gradients, and their rounding, larger
    x, state, mask, weights = problem(plain.hidden_size, steps=4, dtype=dtype)
    with torch.no_grad():
        for tensor in (x, *state):
            tensor *= scale
    results, gradients = run(compiled.eval(), x, state, mask, weights)
    expected, expected_gradients = run(plain.eval(), x, state, mask, weights)
    assert torch.equal(results[3], expected[3])
    for y in (*results, *gradients):
        assert y.isfinite().all()
    compared = list(zip(results[:3], expected[:3], strict=True))
    if dtype == torch.float64:  # in float32 rounding of what is nearly 1 is all of the gradient
        compared += zip(gradients, expected_gradients, strict=True)
    for ours, theirs in compared:
        close = 1e-5 if dtype == torch.float32 else 1e-10
        assert (ours - theirs).abs().max() <= close * theirs.abs().max() + 1e-200


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_the_gradient_with_dropout_is_that_of_the_function(projection):
    rim = RIM(
        4, 9, 3, 2, input_heads=2, input_key_size=2, input_value_size=3, comm_heads=2,
        comm_key_size=2, comm_value_size=3, input_dropout=0.4, comm_dropout=0.4,
        comm_projection=projection, kernel="compiled",
    ).double()  # fmt: skip
    x = torch.randn(3, 2, 4, dtype=torch.float64, requires_grad=True)

    def function(x: Tensor, *_) -> Tensor:
        torch.manual_seed(9)  # the same elements are dropped every time
        return rim(x)[0]

    assert torch.autograd.gradcheck(function, (x, *rim.parameters()))


@pytest.mark.parametrize("which", ["input_dropout", "comm_dropout"])
def test_dropout_has_the_mean_and_the_spread_of_the_plain_layer(which):
    """One step of many equal sentences: each draws masks of its own."""
    rates = {"input_dropout": 0.0, "comm_dropout": 0.0, which: 0.3}
    plain, compiled = pair(hidden_size=12, num_mechanisms=3, num_active=2, **rates)
    x = torch.randn(1, 1, 20, dtype=torch.float64).expand(1, 40_000, 20)
    outputs = [rim(x)[0].detach()[0] for rim in (plain, compiled)]
    spread = outputs[0].std(0)
    assert spread.max() > 0.01
    difference = (outputs[0].mean(0) - outputs[1].mean(0)).abs()
    assert (difference <= 6 * spread * (2 / 40_000) ** 0.5 + 1e-12).all()  # six standard errors
    torch.testing.assert_close(outputs[1].std(0), spread, rtol=0.05, atol=1e-6)


def test_a_graph_that_is_kept_can_be_differentiated_again():
    _, rim = pair(input_dropout=0.2)
    x = torch.randn(5, 4, 20, dtype=torch.float64, requires_grad=True)
    loss = rim(x)[0].square().sum()
    first = torch.autograd.grad(loss, list(rim.parameters()), retain_graph=True)
    second = torch.autograd.grad(loss, list(rim.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_without_gradients_the_results_are_the_same():
    _, rim = pair()
    x, state, mask, _ = problem(rim.eval().hidden_size)
    with_graph = rim(x, state, mask)
    with torch.no_grad():
        without = rim(x, state, mask)
    torch.testing.assert_close(without, with_graph, rtol=0, atol=0)


@pytest.mark.usefixtures("_bfloat16")
def test_under_autocast_input_and_state_may_be_in_either_precision():
    _, rim = pair(torch.float32)
    x = torch.randn(4, 3, 20).bfloat16()
    state = tuple(torch.randn(2, 1, 3, 48).bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        low = rim.eval()(x)[0], rim(x, state)[0]
        high = rim(x.float())[0], rim(x.float(), tuple(s.float() for s in state))[0]
    for ours, theirs in zip(low, high, strict=True):
        assert ours.dtype == torch.float32
        assert torch.equal(ours, theirs)


def changed_source(path: Path, *changes: tuple[str, str]) -> Path:
    """A copy of the kernel's source in which each text, found once, is replaced by another."""
    text = kernel.SOURCE.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def members() -> list[list[str]]:
    """The names of the members of `Sizes` and of `Arrays`."""
    structures = (("Sizes", ctypes.c_int64), ("Arrays", ctypes.c_void_p))
    return [
        [member for member, _ in kernel._structure(kernel.library(), *about)._fields_]
        for about in structures
    ]


def test_the_order_of_members_is_the_librarys(tmp_path, monkeypatch):
    """Python has no list of its own that could differ: it follows where members change places."""
    plain, compiled = pair()
    arguments = problem(plain.hidden_size)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = changed_source(
        tmp_path / "cpu.cpp",
        ("FIELD(T) FIELD(B)", "FIELD(B) FIELD(T)"),
        ("FIELD(const R, keys)", "FIELD(const R, @)"),
        ("FIELD(R, d_query)", "FIELD(const R, keys)"),
        ("FIELD(const R, @)", "FIELD(R, d_query)"),
    )
    other = load_library(source, (*kernel.FLAGS, "-O0"))
    before = members()
    monkeypatch.setattr(kernel, "library", lambda: other)
    for old, new in zip(before, members(), strict=True):
        assert sum(a != b for a, b in zip(old, new, strict=True)) == 2
    for ours, theirs in zip(
        (y for part in run(compiled.eval(), *arguments) for y in part),
        (y for part in run(plain.eval(), *arguments) for y in part),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("h_mid", "h_middle", AttributeError, "'Arrays' object has no attribute 'h_mid'"),
        ("slices", "threads", AttributeError, "'Sizes' object has no attribute 'slices'"),
        ("slices", "slices threads", ValueError, "Sizes in cpu.cpp has more members: threads"),
    ],
)
def test_a_member_that_only_one_side_has_is_refused(old, new, error, message, monkeypatch):
    library = kernel.library()

    def told(names: ctypes._CFuncPtr) -> Callable[[], bytes]:
        names.restype = ctypes.c_char_p
        text = " ".join(new if name == old else name for name in names().decode().split())
        return lambda: text.encode()

    other = Mock(rim_sizes=told(library.rim_sizes), rim_arrays=told(library.rim_arrays))
    monkeypatch.setattr(kernel, "library", lambda: other)
    with pytest.raises(error, match=message):
        pair()[1](torch.randn(3, 2, 20, dtype=torch.float64))


@pytest.mark.parametrize("structure", ["Sizes", "Arrays"])
def test_members_beside_the_list_do_not_compile(structure, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    start = f"struct {structure} {{"
    source = changed_source(tmp_path / "cpu.cpp", (start, f"{start} int32_t more;"))
    with pytest.raises(CompilationError, match="static assertion failed"):
        load_library(source, (*kernel.FLAGS, "-O0"))


def test_what_the_kernel_cannot_do_is_said_or_done_by_the_plain_layer():
    x = torch.randn(3, 2, 20)
    with pytest.raises(ValueError, match="LSTM"):
        RIM(20, 48, dynamics="gru", kernel="compiled")(x)
    torch.manual_seed(1)
    auto = RIM(20, 48, dynamics="gru")
    plain = copy.deepcopy(auto)
    plain.kernel = "plain"
    assert torch.equal(auto.eval()(x)[0], plain.eval()(x)[0])
    with pytest.raises(ValueError, match="float16"):
        RIM(20, 48, kernel="compiled").half()(x.half())


def test_what_the_kernel_cannot_do_under_autocast_is_said(monkeypatch):
    x = torch.randn(3, 2, 20)
    rim = RIM(20, 48, kernel="compiled")
    with torch.autocast("cpu", torch.float16), pytest.raises(ValueError, match=r"not in .*float16"):
        rim(x)
    with torch.autocast("cpu", torch.bfloat16):
        with pytest.raises(ValueError, match=r"not in .*float64"):
            copy.deepcopy(rim).double()(x.double())
        monkeypatch.setattr(kernel, "library", object)  # without the symbol
        with pytest.raises(ValueError, match=r"PyTorch.* none in bfloat16"):
            rim(x)


def test_without_a_compiler_the_plain_layer_is_used_and_the_log_says_so(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    kernel.library.cache_clear()
    try:
        rim = RIM(20, 48)
        output, _ = rim(torch.randn(3, 2, 20))
        rim(torch.randn(3, 2, 20))
        assert output.isfinite().all()
        assert [record.message for record in caplog.records if "no-compiler" in record.message]
        assert sum(record.levelname == "WARNING" for record in caplog.records) == 1
    finally:
        kernel.library.cache_clear()


def test_the_log_says_once_which_path_is_in_use(caplog):
    kernels._log_once.cache_clear()
    plain, compiled = pair(torch.float32)
    automatic = RIM(20, 48, dynamics="gru")
    x = torch.randn(2, 3, 20)
    with caplog.at_level("INFO", logger="rim_nmt"):
        for layer in (compiled, compiled, plain, automatic):
            layer(x)
    assert caplog.messages == [
        "RIM layers are computed by the compiled kernel",
        "RIM layers are computed by plain PyTorch: as asked",
        "RIM layers are computed by plain PyTorch: the mechanisms' dynamics are not LSTM",
    ]
