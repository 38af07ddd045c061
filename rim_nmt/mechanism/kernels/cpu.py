"""The RIM layer's fast path on processors: cpu.cpp, compiled when it is first needed, as a
function that autograd knows."""

import ctypes
import functools
import logging
from pathlib import Path

import torch
from torch import Tensor

from rim_nmt.mechanism.kernels.compilation import CompilationError, load_library
from rim_nmt.mechanism.kernels.gradients import differentiable_once
from rim_nmt.mechanism.kernels.weights import LayerWeights

logger = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("cpu.cpp")
# Of -ffast-math only what lets loops take several numbers at a time; the rest would lose NaN.
FLAGS = (
    *("-O3", "-fno-math-errno", "-fno-trapping-math", "-std=c++20"),
    *("-shared", "-fPIC", "-fopenmp"),
    # torch's own library has the matrix products
    *(f"-L{Path(torch.__file__).parent / 'lib'}", "-ltorch_cpu"),
)

WEIGHTS = "query gates bias comm_q comm_kv project gated".split()
OPERANDS = "query gates comm_q comm_kv project".split()  # the weights in matrix products
# What the kernel can multiply matrices in; with bfloat16 everything else is in float32.
_KINDS = {torch.float32: "float", torch.float64: "double", torch.bfloat16: "bfloat16"}


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled kernel, or None where it cannot be compiled; the reason is logged once."""
    try:
        return load_library(SOURCE, FLAGS)
    except CompilationError as error:
        logger.warning("the fast RIM kernel is not used: %s", error)
        return None


def compiled_obstacle(x: Tensor, dtype: torch.dtype) -> str | None:
    """What keeps the kernel from running a layer on an input; None if nothing does.

    Args:
        x: the input.
        dtype: of the layer's weights.
    """
    if x.device.type != "cpu":
        return f"the input is on {x.device}"
    autocast = torch.is_autocast_enabled("cpu")
    if autocast:
        kinds = torch.get_autocast_dtype("cpu"), dtype
        if kinds != (torch.bfloat16, torch.float32):
            return "under autocast it computes in {} with weights in {}, not in {} with {}".format(
                torch.bfloat16, torch.float32, *kinds
            )
    elif x.dtype not in (torch.float32, torch.float64):
        return f"without autocast it computes in float32 and float64, not in {x.dtype}"
    if library() is None:
        return "it could not be compiled (the reason is in the log)"
    if autocast and not hasattr(library(), "gemm_bf16bf16f32_"):
        return "the library with PyTorch's matrix products has none in bfloat16"
    return None


def run_compiled(
    weights: LayerWeights,
    keys: Tensor,
    values: Tensor,
    state: tuple[Tensor, Tensor] | None,
    padding_mask: Tensor | None,
) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
    """`RIMLayer.forward` by the kernel.

    Args:
        weights: the layer's.
        keys: T x B x 1 x M x d_e, as `InputAttention.project_input` gives them.
        values: T x B x 1 x M x d_v, likewise.
        state: h and c, each 1 x B x D; None is zero.
        padding_mask: T x B or None.

    Returns:
        output T x B x D; the final state, h and c each 1 x B x D; activity T x B x K, bool.
    """
    dtype = weights.query.dtype
    # under autocast keys and values come in bfloat16: from here on they are float32
    keys, values = (y.flatten(2).to(dtype) for y in (keys, values))
    h, c = state or 2 * (keys.new_zeros(1, keys.size(1), weights.hidden_size),)
    output, c, activity = CPUSequence.apply(
        keys,
        values,
        h[0].to(dtype),
        c[0].to(dtype),
        weights.query,
        weights.gates,
        weights.bias,
        weights.comm_query,
        weights.comm_key_value,
        weights.project,
        weights.project_bias,
        padding_mask,
        weights.num_active,
        weights.num_always,
        weights.input_heads,
        weights.comm_heads,
        weights.input_dropout,
        weights.comm_dropout,
        torch.is_grad_enabled(),
        torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else dtype,
    )
    return output, (output[-1:], c.unsqueeze(0)), activity.bool()


class CPUSequence(torch.autograd.Function):
    """All steps of a RIM layer with LSTM dynamics.

    Args of `apply` (one dtype, on the processor):
        keys: T x B x M*d_e, already divided by sqrt(d_e).
        values: T x B x M*d_v.
        h, c: the initial state, B x D each.
        query: K x d x M*d_e.
        gates: K x (M*d_v + d) x 4d, weights from what is read and, below, from the state.
        bias: K x 1 x 4d.
        comm_query, comm_key_value: K x d x C*d_c, K x d x C*(d_c + d_v).
        project: K x C*d_v x d; where it is gated K x C*d_v x 2d, gate first.
        gated: K x 1 x 2d, its biases; else None. Without communication all four are None.
        padding_mask: T x B or None.
        num_active, num_always, input_heads, comm_heads: A, of these always the first ones, M, C.
        input_dropout, comm_dropout: rates of dropout; 0 outside training.
        save: keep what `backward` needs.
        operands: what matrix products take: the dtype of all the rest, or bfloat16 with float32.

    Returns:
        output T x B x D, the final c B x D, activity T x B x K (uint8).
    """

    @staticmethod
    def forward(
        ctx, keys, values, h, c, query, gates, bias, comm_query, comm_key_value, project, gated,
        padding_mask, num_active, num_always, input_heads, comm_heads, input_dropout, comm_dropout,
        save, operands,
    ):  # fmt: skip
        steps, batch, _ = keys.shape
        mechanisms, size, _ = query.shape
        slices = max(1, min(torch.get_num_threads(), batch))
        # dropout is drawn for every step, so a step's rows cannot be used again
        save = save or input_dropout > 0 or comm_dropout > 0
        sizes = {
            "T": steps,
            "B": batch,
            "K": mechanisms,
            "A": num_active,
            "always": num_always,
            "d": size,
            "M": input_heads,
            "e": keys.size(2) // input_heads,
            "v": values.size(2) // input_heads,
            "C": comm_heads,
            "f": comm_query.size(2) // comm_heads if comm_heads else 0,
            "g": project.size(-2) // comm_heads if comm_heads else 0,
            "u": project.size(-1) if comm_heads else 0,
            "slices": slices,
            "save": int(save),
        }
        comm_width = comm_heads * sizes["f"]
        read_width = comm_heads * sizes["g"]
        # Rows for what is kept. Memory is only taken where rows are written: A of K are.
        rows = batch * mechanisms * (steps if save else 1)

        def keep(*shape: int, dtype=keys.dtype) -> Tensor:
            return torch.empty(shape, dtype=dtype, device=keys.device)

        def mask(rate: float, *shape: int) -> Tensor | None:
            return keep(*shape).bernoulli_(1 - rate).div_(1 - rate) if rate else None

        given = {
            "query": query,
            "gates": gates,
            "bias": bias,
            "comm_q": comm_query,
            "comm_kv": comm_key_value,
            "project": project,
            "gated": gated,
            "keys": keys,
            "values": values,
            "h0": h,
            "c0": c,
            "padding": padding_mask,
        }
        _check(given)
        inputs = [x for x in given.values() if x is not None]
        given |= {name: given[name].to(operands) for name in OPERANDS if given[name] is not None}
        arrays = {
            **{name: None if x is None else x.contiguous() for name, x in given.items()},
            "read_mask": mask(input_dropout, steps, batch, num_active, input_heads),
            "comm_mask": mask(comm_dropout, steps, batch, num_active, comm_heads, mechanisms),
            "bounds": torch.arange(slices + 1, device=keys.device) * batch // slices,
            "out": keep(steps, batch, mechanisms * size),
            "c": keep(batch, mechanisms * size),
            "active": keep(steps, batch, mechanisms, dtype=torch.uint8),
            "pair_rows": keep(slices, steps + 1, mechanisms, dtype=torch.int64),
            "sentence": keep(rows, dtype=torch.int32),
            "dropped": keep(rows, dtype=torch.int32),
            "p": keep(rows, input_heads),
            "q": keep(rows if save else 0, keys.size(2)),
            "gate": keep(rows, 4 * size),
            "c_before": keep(rows, size),
            "h_mid": keep(rows, size),
            "cq": keep(rows, comm_width),
            "weight": keep(rows, comm_heads, mechanisms),
            "o": keep(rows, read_width),
            "update": None if gated is None else keep(rows, 2 * size),
            "read_rows": keep(slices, steps + 1, mechanisms, dtype=torch.int64),
            "reader": keep(rows, dtype=torch.int32),
            "read_of": keep(steps if save else 1, batch, mechanisms, dtype=torch.int32),
            "h_read": keep(rows, size),
            "kv": keep(rows, comm_width + read_width),
        }
        _call("forward", sizes, arrays)
        ctx.mark_non_differentiable(arrays["active"])
        if save:
            ctx.sizes = sizes
            ctx.names = [name for name, array in arrays.items() if array is not None]
            ctx.save_for_backward(*(arrays[name] for name in ctx.names), *inputs)
            ctx.overwritten = False
        return arrays["out"], arrays["c"], arrays["active"]

    @staticmethod
    @differentiable_once
    def backward(ctx, d_out, d_c, _):
        arrays = dict(zip(ctx.names, ctx.saved_tensors, strict=False))
        if ctx.overwritten:  # by an earlier call for the same graph
            _call("forward", ctx.sizes, arrays)
        ctx.overwritten = True
        # that of the final h is in d_out: the output has it
        initial = {
            "d_h": torch.zeros_like(arrays["h0"]),
            "d_c": d_c.clone(memory_format=torch.contiguous_format),
        }
        inputs, weights = (
            {
                f"d_{name}": torch.zeros_like(arrays[name], dtype=d_out.dtype)
                for name in names
                if name in arrays
            }
            for names in (("keys", "values"), WEIGHTS)
        )
        scratch = {"d_out": d_out.contiguous(), "d_kv": torch.empty_like(arrays["kv"])}
        _call("backward", ctx.sizes, {**arrays, **initial, **inputs, **weights, **scratch})
        of_weights = (weights.get(f"d_{name}") for name in WEIGHTS)
        return (*inputs.values(), *initial.values(), *of_weights, *(9 * [None]))


def _check(given: dict[str, Tensor | None]) -> None:
    """Refuse what would be read as something else.

    Raises:
        ValueError: types or devices differ.
    """
    keys = given["keys"]
    for name, x in given.items():
        dtype = torch.bool if name == "padding" else keys.dtype
        if x is not None and (x.dtype, x.device) != (dtype, keys.device):
            raise ValueError(
                f"the RIM layer's {name} is {x.dtype} on {x.device}, expected {dtype} on "
                f"{keys.device}, as its input has it"
            )


def _call(name: str, sizes: dict[str, int], arrays: dict[str, Tensor | None]) -> None:
    """Call the library's `forward` or `backward`; arrays that are left out are null.

    Raises:
        AttributeError: a name is no member of `Sizes` or `Arrays` in cpu.cpp.
        ValueError: a size is missing.
    """
    all_sizes = _structure(library(), "Sizes", ctypes.c_int64)
    all_arrays = _structure(library(), "Arrays", ctypes.c_void_p)
    pointers = {key: x.data_ptr() for key, x in arrays.items() if x is not None}
    given = all_sizes(**sizes), all_arrays(**pointers)
    if len(sizes) < len(all_sizes._fields_):
        missing = [member for member, _ in all_sizes._fields_ if member not in sizes]
        raise ValueError(f"Sizes in {SOURCE.name} has more members: {', '.join(missing)}")
    getattr(library(), f"rim_{name}_{_KINDS[arrays['query'].dtype]}")(*map(ctypes.byref, given))


@functools.cache
def _structure(kernel: ctypes.CDLL, name: str, kind: type) -> type[ctypes.Structure]:
    """`Sizes` or `Arrays` of cpu.cpp, with the members that the library names, in its order."""
    names = getattr(kernel, f"rim_{name.lower()}")
    names.restype = ctypes.c_char_p
    fields = [(member, kind) for member in names().decode().split()]
    # with no slots but the fields, what is no member cannot be set
    return type(name, (ctypes.Structure,), {"_fields_": fields, "__slots__": ()})
