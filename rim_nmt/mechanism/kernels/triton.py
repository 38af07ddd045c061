"""The RIM layer's fast path on GPUs, as a function over all steps that autograd knows: matrix
products by PyTorch for all mechanisms at once and, between them, the kernels of triton_steps.py."""

import functools
import os
from types import ModuleType, SimpleNamespace

import torch
from torch import Tensor

from rim_nmt.mechanism.kernels.gradients import differentiable_once
from rim_nmt.mechanism.kernels.weights import LayerWeights


@functools.cache
def kernels() -> ModuleType | None:
    """triton_steps.py, imported when it is first needed; None where triton is not installed."""
    try:
        from rim_nmt.mechanism.kernels import triton_steps
    except ModuleNotFoundError:
        return None
    return triton_steps


def triton_obstacle(x: Tensor, _: torch.dtype) -> str | None:
    """What keeps the kernels from running a layer on an input; None if nothing does.

    Args:
        x: the input: on a GPU or, where TRITON_INTERPRET is 1, on the CPU, which is for tests.
        _: the dtype of the layer's weights, which may be any.
    """
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    if x.device.type != "cuda" and not (x.device.type == "cpu" and interpreted):
        return f"the input is on {x.device}"
    if kernels() is None:
        return "triton is not installed"
    return None


def run_triton(
    weights: LayerWeights,
    keys: Tensor,
    values: Tensor,
    state: tuple[Tensor, Tensor] | None,
    padding_mask: Tensor | None,
) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
    """`RIMLayer.forward` by the kernels.

    Products are in the type of the weights or, under autocast, in autocast's. Between them, and
    for the state within the sequence, numbers are in float32 at least.

    Args:
        weights: the layer's.
        keys: T x B x 1 x M x d_e, as `InputAttention.project_input` gives them.
        values: T x B x 1 x M x d_v, likewise.
        state: h and c, each 1 x B x D; None is zero.
        padding_mask: T x B or None.

    Returns:
        output T x B x D; the final state, h and c each 1 x B x D; activity T x B x K, bool.
    """
    low = keys.dtype
    full = torch.promote_types(low, torch.float32)
    h, c = state or 2 * (keys.new_zeros(1, keys.size(1), weights.hidden_size),)
    mechanisms = weights.query.size(0)

    attend, project, comm_mask = None, None, None
    if weights.comm_heads:
        # what reads and is read applies to the same state: one product
        attend = torch.cat([weights.comm_query, weights.comm_key_value], dim=-1).to(low)
        project = weights.project.to(low)
        pairs = weights.comm_heads, mechanisms, mechanisms
        comm_mask = draw_dropout(weights.comm_dropout, keys, *pairs)
    with torch.cuda.device_of(keys):  # where Triton starts its kernels
        output, c, activity = TritonSequence.apply(
            keys.flatten(2),
            values.flatten(2),
            h[0].to(full).contiguous(),
            c[0].to(full).contiguous(),
            weights.query.to(low),
            weights.gates.to(low),
            weights.bias,
            None if padding_mask is None else padding_mask.contiguous(),
            weights.num_active,
            weights.num_always,
            draw_dropout(weights.input_dropout, keys, mechanisms, weights.input_heads),
            weights.input_heads,
            attend,
            project,
            weights.project_bias,
            comm_mask,
            weights.comm_heads,
            torch.is_grad_enabled(),
        )
    output, c = (y.to(weights.gates.dtype) for y in (output, c))
    return output, (output[-1:], c.unsqueeze(0)), activity


def draw_dropout(rate: float, keys: Tensor, *shape: int) -> Tensor | None:
    """What dropout multiplies by in every step, T x B x shape, with keys T x B x ...; None where
    the rate is 0."""
    if not rate:
        return None
    dtype = torch.promote_types(keys.dtype, torch.float32)
    factors = torch.empty(*keys.shape[:2], *shape, dtype=dtype, device=keys.device)
    return factors.bernoulli_(1 - rate).div_(1 - rate)


class TritonSequence(torch.autograd.Function):
    """All steps of a RIM layer with LSTM dynamics.

    Everything on one device. Keys, values and weights have the type of the products; the states
    and masks have float32, or float64 where the products do.

    Args of `apply`:
        keys: T x B x M*d_e, already divided by sqrt(d_e).
        values: T x B x M*d_v.
        h, c: the initial state, B x D each.
        query: K x d x M*d_e.
        gates: K x (M*d_v + d) x 4d, weights from what is read and, below, from the state.
        bias: K x 1 x 4d.
        padding: T x B or None.
        num_active: A.
        num_always: of these, always the first ones.
        input_mask: T x B x K x M, factors of dropout, or None.
        input_heads: M.
        attend: K x d x C*(d_c + d_c + d_v), weights to queries, keys, values; or None.
        project: K x C*d_v x d; where it is gated K x C*d_v x 2d, the gate first; or None.
        project_bias: K x 1 x 2d where it is gated, else None.
        comm_mask: T x B x C x K x K, factors of dropout, or None.
        comm_heads: C; 0 without communication.
        save: keep what `backward` needs.

    Returns:
        output T x B x D, the final c B x D, activity T x B x K.
    """

    @staticmethod
    def forward(
        ctx, keys, values, h, c, query, gates, bias, padding, num_active, num_always, input_mask,
        input_heads, attend, project, project_bias, comm_mask, comm_heads, save,
    ):  # fmt: skip
        steps, batch, _ = keys.shape
        mechanisms, size, _ = query.shape
        reads = {
            "K": mechanisms,
            "M": input_heads,
            "E": keys.size(2) // input_heads,
            "V": values.size(2) // input_heads,
            "D": size,
        }
        talks = {}
        if comm_heads:
            value_size = project.size(1) // comm_heads
            key_size = (attend.size(2) // comm_heads - value_size) // 2
            talks = {"K": mechanisms, "C": comm_heads, "F": key_size, "G": value_size}
        gpu = kernels()
        flat = {"size": h.numel(), "D": size, "BLOCK": gpu.BLOCK}
        blocks = (-(-h.numel() // gpu.BLOCK),)

        def room(width: int, count: int = steps, dtype=keys.dtype) -> Tensor:
            shape = (count if save else 1, batch, mechanisms, width)
            return torch.empty(shape, dtype=dtype, device=keys.device)

        kept = {
            "keys": keys,
            "values": values,
            "input_mask": input_mask,
            "comm_mask": comm_mask,
            "active": torch.empty(steps, batch, mechanisms, dtype=torch.bool, device=keys.device),
            "p": room(input_heads, dtype=h.dtype),
            "q": room(query.size(2)),
            "inputs": room(gates.size(1), steps + 1),  # what is read and, behind it, h
            "gate": room(4 * size),
            "c": room(size, steps + 1, h.dtype),
        }
        if comm_heads:
            kept["h_mid"] = room(size)  # h after the dynamics
            kept["qkv"] = room(attend.size(2))
            kept["o"] = room(project.size(1))
            # backward needs it where it is not what is added, but goes through gate and tanh
            count = 1 if project_bias is None else steps
            kept["update"] = room(project.size(2), count)
        for first, given in ((kept["inputs"][0, ..., -size:], h), (kept["c"][0], c)):
            first.copy_(given.unflatten(-1, (mechanisms, size)))
        at = SimpleNamespace(**{name: _each(x, steps) for name, x in kept.items()})
        pads = _each(padding, steps)
        out = h.new_empty(steps, batch, mechanisms * size)
        states = (h, *out.unbind(0))
        low_states = [x[..., -size:] for x in at.inputs]  # of the products; K x B x d each

        for t in range(steps):
            torch.bmm(low_states[t], query, out=at.q[t])
            gpu.select[(batch,)](
                at.q[t], at.keys[t], at.values[t], pads[t], at.input_mask[t],
                at.p[t], at.active[t], at.inputs[t], num_active, num_always, **reads,
            )  # fmt: skip
            torch.bmm(at.inputs[t], gates, out=at.gate[t])
            low, stride = (at.h_mid[t], size) if comm_heads else (low_states[t + 1], gates.size(1))
            gpu.lstm[blocks](
                at.gate[t], bias, at.active[t], states[t], at.c[t],
                states[t + 1], at.c[t + 1], low, stride, K=mechanisms, **flat,
            )  # fmt: skip
            if comm_heads:
                torch.bmm(at.h_mid[t], attend, out=at.qkv[t])
                gpu.attend[(batch, comm_heads)](at.qkv[t], at.comm_mask[t], at.o[t], **talks)
                torch.bmm(at.o[t], project, out=at.update[t])
                gpu.add[blocks](
                    at.update[t], project_bias, at.active[t],
                    states[t + 1], low_states[t + 1], gates.size(1), K=mechanisms, **flat,
                )  # fmt: skip

        ctx.mark_non_differentiable(kept["active"])
        if save:
            weights = query, gates, bias, attend, project, project_bias
            ctx.save_for_backward(*weights, *kept.values(), h, c)
            ctx.names = tuple(kept)
            ctx.sizes = reads, talks, flat, blocks
        return out, at.c[steps].transpose(0, 1).flatten(1), kept["active"]

    @staticmethod
    @differentiable_once
    def backward(ctx, d_out, d_c, _):
        query, gates, bias, attend, project, project_bias, *arrays = ctx.saved_tensors
        kept = dict(zip(ctx.names, arrays, strict=False))
        reads, talks, flat, blocks = ctx.sizes
        steps, batch, mechanisms = kept["active"].shape
        size, width = flat["D"], gates.size(1)
        gpu = kernels()

        gradients = {name: torch.empty_like(kept[name]) for name in ("keys", "values", "q", "gate")}
        d_mid, gated = None, project_bias is not None
        if talks:
            gradients["qkv"] = torch.empty_like(kept["qkv"])
            gradients["update"] = kept["o"].new_empty(*kept["o"].shape[:3], project.size(2))
            d_o = torch.empty_like(kept["o"][0]).transpose(0, 1)  # K x B x C*d_v
            d_mid = torch.empty_like(kept["h_mid"][0]).transpose(0, 1)  # K x B x d
        at = SimpleNamespace(**{name: _each(x, steps) for name, x in kept.items()})
        d = SimpleNamespace(**{name: _each(x, steps) for name, x in gradients.items()})
        d_outs = d_out.contiguous().unbind(0)
        d_c = d_c.clone(memory_format=torch.contiguous_format)
        d_h = torch.zeros_like(d_c)
        d_inputs = torch.zeros_like(kept["inputs"][0]).transpose(0, 1)  # K x B x width
        d_next = d_inputs[..., -size:]  # what the products of the next step add to d_h

        for t in reversed(range(steps)):
            gpu.add_backward[blocks](
                d_outs[t], d_next, at.update[t] if gated else None, project_bias, at.active[t],
                d_h, d.update[t] if talks else None, width, K=mechanisms, **flat,
            )  # fmt: skip
            if talks:
                torch.bmm(d.update[t], project.mT, out=d_o)
                gpu.attend_backward[(batch, talks["C"])](
                    at.qkv[t], at.comm_mask[t], d_o, d.qkv[t], **talks
                )
                torch.bmm(d.qkv[t], attend.mT, out=d_mid)
            gpu.lstm_backward[blocks](
                at.gate[t], bias, at.active[t], at.c[t], d_mid, d_h, d_c, d.gate[t],
                K=mechanisms, **flat,
            )  # fmt: skip
            torch.bmm(d.gate[t], gates.mT, out=d_inputs)
            gpu.select_backward[(batch, reads["M"])](
                at.q[t], at.keys[t], at.values[t], at.input_mask[t], at.p[t], at.active[t],
                d_inputs, d.q[t], d.keys[t], d.values[t], **reads,
            )  # fmt: skip
            d_next.baddbmm_(d.q[t], query.mT)

        d_h += d_next.transpose(0, 1).flatten(1)
        inputs = kept["inputs"][:steps]
        of_comm = (None, None, None)
        if talks:
            of_comm = (
                _product(kept["h_mid"], gradients["qkv"]),
                _product(kept["o"], gradients["update"]),
                gradients["update"].sum((0, 1), dtype=d_h.dtype).unsqueeze(1) if gated else None,
            )
        return (
            gradients["keys"],
            gradients["values"],
            d_h,
            d_c,
            _product(inputs[..., -size:], gradients["q"]),
            _product(inputs, gradients["gate"]),
            gradients["gate"].sum((0, 1), dtype=d_h.dtype).unsqueeze(1),
            *(5 * [None]),
            *of_comm,
            *(3 * [None]),
        )


def _each(x: Tensor | None, steps: int) -> tuple:
    """What a step has of x (T x ...), for every step; mechanisms first where there are rows for
    them. What has room for one step only is used again in every step."""
    if x is None:
        return (None,) * steps
    views = (x.transpose(1, 2) if x.dim() == 4 else x).unbind(0)
    return views if len(views) > 1 else views * (steps + 1)


def _product(x: Tensor, y: Tensor) -> Tensor:
    """T x B x K x n and T x B x K x m -> K x n x m, the sum over steps and sentences."""
    return torch.bmm(x.flatten(0, 1).permute(1, 2, 0), y.flatten(0, 1).transpose(0, 1))
