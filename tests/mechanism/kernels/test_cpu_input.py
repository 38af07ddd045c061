"""The compiled kernel with tensors that are not as usual: not finite, not contiguous, empty, under
another default device, to be differentiated twice."""

import copy

import pytest
import torch
from torch import Tensor, nn

from rim_nmt.mechanism import RIMLayer as RIM
from rim_nmt.mechanism.communication import PROJECTIONS
from rim_nmt.mechanism.kernels import cpu as kernel
from tests.mechanism.kernels.test_cpu import SIZES, pair, problem, pytestmark, run  # noqa: F401

WEIGHTS = [name for name, _ in RIM(20, 48).named_parameters()]
PLACES = ["x", "h", "c", *WEIGHTS]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(3)


def spoil(tensor: Tensor, value: float) -> None:
    """Put a value somewhere in the middle."""
    with torch.no_grad():
        tensor.view(-1)[tensor.numel() // 2] = value


def spoiled(place: str, value: float, dtype=torch.float64, **sizes):
    """A pair of layers with a problem, of which one number is `value`."""
    plain, compiled = pair(dtype, **sizes)
    x, (h, c), mask, weights = problem(plain.hidden_size, dtype=dtype)
    mask[:] = False  # where padding is, the plain layer computes what it then throws away
    if place in WEIGHTS:
        for rim in (plain, compiled):
            spoil(dict(rim.named_parameters())[place], value)
    else:
        spoil({"x": x, "h": h, "c": c}[place], value)
    return plain.eval(), compiled.eval(), (x, (h, c), mask, weights)


def kinds(x: Tensor) -> Tensor:
    """1 for +inf, -1 for -inf, 2 for NaN, 0 for numbers."""
    return torch.where(x.isnan(), 2, x.isposinf().int() - x.isneginf().int())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", PLACES)
def test_what_is_not_finite_comes_out_as_in_the_plain_layer(place, value):
    plain, compiled, arguments = spoiled(place, value)
    with torch.no_grad():
        expected = plain(*arguments[:3], need_activity=True)
        results = compiled(*arguments[:3], need_activity=True)
    assert torch.equal(results[2], expected[2])
    for ours, theirs in zip((results[0], *results[1]), (expected[0], *expected[1]), strict=True):
        assert torch.equal(kinds(ours), kinds(theirs))
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("place", ["x", "h", "c", "dynamics.bias", "input_attention.query.weight"])
def test_nan_reaches_the_gradients_as_in_the_plain_layer(place, projection, dtype):
    """With every mechanism active: of the others the plain layer computes what it throws away,
    and zero times NaN is NaN."""
    plain, compiled, arguments = spoiled(
        place, float("nan"), dtype, num_active=6, comm_projection=projection
    )
    results, gradients = run(compiled, *arguments)
    expected, expected_gradients = run(plain, *arguments)
    assert results[0].isnan().any()
    assert any(y.isnan().any() for y in gradients)
    for ours, theirs in zip((*results, *gradients), (*expected, *expected_gradients), strict=True):
        assert torch.equal(ours.isnan(), theirs.isnan())


@pytest.mark.parametrize("place", PLACES)
def test_a_broken_layer_does_not_look_healthy(place):
    """fairseq stops at gradients that are not finite."""
    _, compiled, arguments = spoiled(place, float("nan"), torch.float32)
    results, gradients = run(compiled, *arguments)
    assert not results[0].isfinite().all()
    assert not sum(y.norm() for y in gradients).isfinite()


def test_nan_survives_rounding_to_bfloat16():
    """Those with all bits set would turn into another number by the carry."""
    if not hasattr(kernel.library(), "gemm_bf16bf16f32_"):
        pytest.skip("PyTorch's matrix products come from another library than MKL")
    compiled = RIM(20, 48, kernel="compiled").eval()
    h = torch.zeros(1, 2, 48)
    h.view(torch.int32)[0, 1, 7] = 0x7FFFFFFF  # a NaN
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        output = compiled(torch.randn(3, 2, 20), (h, torch.zeros_like(h)))[0]
    assert output[:, 1].isnan().any()
    assert output[:, 0].isfinite().all()


class Transposed(nn.Module):
    """A weight that is computed and is not contiguous."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight.mT.contiguous().mT


@pytest.mark.parametrize("sizes", [SIZES["table-3"], SIZES["linear"]], ids=["gated", "linear"])
def test_every_tensor_may_be_laid_out_in_any_way(sizes):
    plain, compiled = pair(**sizes)
    for rim in (plain, compiled):
        for module in list(rim.modules()):
            for name, weight in list(module.named_parameters(recurse=False)):
                if weight.dim() > 1:
                    nn.utils.parametrize.register_parametrization(module, name, Transposed())
    assert not compiled.dynamics.weight.is_contiguous()
    x, (h, c), mask, weights = problem(plain.hidden_size)

    def strided(y: Tensor) -> Tensor:
        """Equal, with gaps and with the axes in another order in memory."""
        wider = y.detach().new_zeros(*reversed(y.shape), 2)
        wider[..., 0] = y.detach().permute(*reversed(range(y.dim())))
        laid_out = wider[..., 0].permute(*reversed(range(y.dim())))
        assert not laid_out.is_contiguous() and torch.equal(laid_out, y)
        return laid_out.requires_grad_(y.is_floating_point())

    usual = run(plain.eval(), x, (h, c), mask, weights)
    x, h, c, mask, *weights = map(strided, (x, h, c, mask, *weights))
    unusual = run(compiled.eval(), x, (h, c), mask, weights)
    for ours, theirs in zip((*unusual[0], *unusual[1]), (*usual[0], *usual[1]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)


def test_a_weight_of_another_type_or_device_is_refused():
    rim = RIM(20, 48, kernel="compiled")
    x = torch.randn(3, 2, 20)
    rim.dynamics.bias = nn.Parameter(rim.dynamics.bias.double())
    with pytest.raises(ValueError, match=r"bias is torch.float64 on cpu, expected torch.float32"):
        rim(x)
    rim = RIM(20, 48, kernel="compiled")
    rim.dynamics.weight = nn.Parameter(rim.dynamics.weight.to("meta"))
    with pytest.raises(ValueError, match=r"gates is torch.float32 on meta, expected .* on cpu"):
        rim(x)


@pytest.mark.parametrize("loss", [torch.sum, lambda y: y.square().sum()], ids=["linear", "square"])
def test_second_order_gradients_are_refused(loss):
    """They were silently missing where the loss is linear."""
    _, rim = pair()
    x = torch.randn(4, 3, 20, dtype=torch.float64, requires_grad=True)
    gradients = torch.autograd.grad(loss(rim(x)[0]), [x, *rim.parameters()], create_graph=True)
    usual = torch.autograd.grad(loss(rim.eval()(x)[0]), [x, *rim.parameters()])
    assert [y.shape for y in gradients] == [y.shape for y in usual]
    for parameter in rim.parameters():
        with pytest.raises(RuntimeError, match=r"second-order .* kernel='plain'"):
            torch.autograd.grad(sum(y.sum() for y in gradients), parameter, retain_graph=True)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_another_default_device_changes_nothing(device, training):
    _, rim = pair(torch.float32)
    rim.train(training)
    x = torch.randn(4, 3, 20, requires_grad=True)
    torch.manual_seed(1)
    expected = rim(x)[0]
    gradient = torch.autograd.grad(expected.sum(), x)
    torch.manual_seed(1)
    with torch.device(device):
        output = rim(x)[0]
        of_x = torch.autograd.grad(output.sum(), x)
    assert torch.equal(output, expected)
    assert torch.equal(of_x[0], gradient[0])


@pytest.mark.parametrize("training", [True, False])
def test_a_batch_of_nothing(training):
    plain, compiled = pair()
    arguments = problem(plain.hidden_size, batch=3)
    x, state, mask, weights = arguments
    empty = (
        x.detach()[:, :0].requires_grad_(),
        tuple(s.detach()[:, :0].requires_grad_() for s in state),
        mask[:, :0],
        [w[:, :0] for w in weights],
    )
    expected, expected_gradients = run(plain.train(training), *empty)
    results, gradients = run(compiled.train(training), *empty)
    for ours, theirs in zip((*results, *gradients), (*expected, *expected_gradients), strict=True):
        assert torch.equal(ours, theirs)
    with torch.no_grad():
        assert compiled(x[:, :0])[0].shape == (9, 0, 48)


def test_the_layer_on_the_meta_device_has_shapes():
    rim = RIM(20, 48).to("meta")
    assert rim(torch.randn(4, 3, 20, device="meta"))[0].shape == (4, 3, 48)
    assert copy.deepcopy(rim).kernel == "auto"
