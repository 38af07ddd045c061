"""The RIM layer once more, slowly: plain loops over time, batch, mechanism k and head m.

Nothing here is batched or precomputed, so that it can be read next to the paper (sections 2.2 to
2.4). From the layer under test it takes the parameters and nothing else. One step, for one
sequence of the batch:

    rows      = {null, x_t}, null a row of zeros; with slots {null, pieces of x_t of equal width}
    a_km      = softmax over rows of (h_k Wq_km) . (row We_m) / sqrt(d_e)
    u_k       = concat_m sum over rows of a_km[row] (row Wv_m)
    S         = the A mechanisms with the least mean_m a_km[null]; the lower index where equal

    for k in S:      LSTM  i, f, o = sigmoid(..), g = tanh(..) of [u_k ; h_k] W_k + b_k
                           c~_k = f c_k + i g,  h~_k = o tanh(c~_k)
                     GRU   r, z = sigmoid(u_k W_ih,k + b_ih,k + h_k W_hh,k + b_hh,k)
                           n = tanh(u_k W_in,k + b_in,k + r (h_k W_hn,k + b_hn,k))
                           h~_k = (1 - z) n + z h_k
    for k not in S:  h~_k = h_k, c~_k = c_k

    for k in S:      o_k  = concat_m softmax_j( (h~_k Q_km) . (h~_j K_jm) / sqrt(d_c) ) (h~_j V_jm)
                     h'_k = h~_k + o_k P_k                                      linear
                     h'_k = h~_k + sigmoid(o_k Wg_k + bg_k) * tanh(o_k Wo_k + bo_k)    gated
    for k not in S:  h'_k = h_k
    for all k:       c'_k = c~_k

Dropout is not here: it is compared in evaluation mode only.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Config:
    """The arguments of `RIMLayer`, under the same names."""

    input_size: int = 13
    hidden_size: int = 35
    num_mechanisms: int = 7
    num_active: int = 4
    num_always: int = 0
    dynamics: str = "lstm"
    input_slots: int = 1
    input_heads: int = 3
    input_key_size: int = 9
    input_value_size: int = 10
    input_dropout: float = 0.0
    comm_heads: int = 2
    comm_key_size: int = 11
    comm_value_size: int = 12
    comm_dropout: float = 0.0
    comm_projection: str = "gated"

    @property
    def mechanism_size(self) -> int:
        return self.hidden_size // self.num_mechanisms


State = Tensor | tuple[Tensor, Tensor] | None


def run_reference(
    rim: nn.Module,
    config: Config,
    x: Tensor,
    state: State = None,
    padding_mask: Tensor | None = None,
) -> tuple[Tensor, Tensor | tuple[Tensor, Tensor], Tensor]:
    """What `rim(x, state, padding_mask, need_activity=True)` has to return, in float64."""
    weights = {name: parameter.double() for name, parameter in rim.named_parameters()}
    steps, batch, _ = x.shape
    x = x.double()
    has_cell = config.dynamics == "lstm"
    if state is None:
        zero = torch.zeros(1, batch, config.hidden_size, dtype=torch.float64)
        state = (zero, zero) if has_cell else zero
    h_0, c_0 = state if has_cell else (state, None)
    h = [_apart(h_0[0, b], config) for b in range(batch)]  # h[b][k] is a vector of d
    c = [_apart(c_0[0, b], config) if has_cell else None for b in range(batch)]

    outputs, activity = [], []
    for t in range(steps):
        active_now = torch.zeros(batch, config.num_mechanisms, dtype=torch.bool)
        for b in range(batch):
            if padding_mask is not None and padding_mask[t, b]:
                continue
            h[b], c[b], active = _step(weights, config, x[t, b], h[b], c[b])
            for k in active:
                active_now[b, k] = True
        outputs.append(torch.stack([torch.cat(h[b]) for b in range(batch)]))
        activity.append(active_now)

    h_n = outputs[-1].unsqueeze(0)
    if not has_cell:
        return torch.stack(outputs), h_n, torch.stack(activity)
    c_n = torch.stack([torch.cat(c[b]) for b in range(batch)]).unsqueeze(0)
    return torch.stack(outputs), (h_n, c_n), torch.stack(activity)


def _apart(state: Tensor, config: Config) -> list[Tensor]:
    """A vector of D = K*d as a list of K vectors of d."""
    d = config.mechanism_size
    return [state[k * d : (k + 1) * d].double() for k in range(config.num_mechanisms)]


def _step(
    weights: dict[str, Tensor],
    config: Config,
    x: Tensor,
    h: list[Tensor],
    c: list[Tensor] | None,
) -> tuple[list[Tensor], list[Tensor] | None, list[int]]:
    """One step of one sequence: the new h and c, and who was active."""
    mechanisms = range(config.num_mechanisms)
    u, null_attention = [], []
    for k in mechanisms:
        u_k, on_null = _input_attention(weights, config, x, h[k], k)
        u.append(u_k)
        null_attention.append(on_null)
    always = list(mechanisms)[: config.num_always]
    others = sorted(set(mechanisms) - set(always), key=lambda k: (null_attention[k], k))
    active = [*always, *others[: config.num_active - config.num_always]]

    h, c = list(h), None if c is None else list(c)
    for k in active:
        if c is None:
            h[k] = _gru(weights, u[k], h[k], k)
        else:
            h[k], c[k] = _lstm(weights, u[k], h[k], c[k], k)

    if config.comm_heads:
        # all updates are computed before any is added: everyone reads the same h~
        updates = {k: communication(weights, config, h, k) for k in active}
        for k in active:
            h[k] = h[k] + updates[k]
    return h, c, active


def _input_attention(
    weights: dict[str, Tensor], config: Config, x: Tensor, h_k: Tensor, k: int
) -> tuple[Tensor, float]:
    """u_k, and the attention on null, averaged over heads."""
    slots = x.chunk(config.input_slots)
    rows = [torch.zeros_like(slots[0]), *slots]
    query_weight = weights["input_attention.query.weight"][k]
    key_weight = weights["input_attention.key.weight"].T
    value_weight = weights["input_attention.value.weight"].T
    read, on_null = [], []
    for m in range(config.input_heads):
        query = h_k @ _head(query_weight, m, config.input_key_size)
        keys = [row @ _head(key_weight, m, config.input_key_size) for row in rows]
        values = [row @ _head(value_weight, m, config.input_value_size) for row in rows]
        logits = [query @ key / math.sqrt(config.input_key_size) for key in keys]
        attention = torch.softmax(torch.stack(logits), dim=0)
        read.append(sum(a * value for a, value in zip(attention, values, strict=True)))
        on_null.append(attention[0].item())
    return torch.cat(read), sum(on_null) / len(on_null)


def _lstm(
    weights: dict[str, Tensor], u: Tensor, h: Tensor, c: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    gates = torch.cat([u, h]) @ weights["dynamics.weight"][k] + weights["dynamics.bias"][k, 0]
    i, f, g, o = gates.split(len(h))
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _gru(weights: dict[str, Tensor], u: Tensor, h: Tensor, k: int) -> Tensor:
    from_input = u @ weights["dynamics.weight_ih"][k] + weights["dynamics.bias_ih"][k, 0]
    from_state = h @ weights["dynamics.weight_hh"][k] + weights["dynamics.bias_hh"][k, 0]
    r_input, z_input, n_input = from_input.split(len(h))
    r_state, z_state, n_state = from_state.split(len(h))
    r = torch.sigmoid(r_input + r_state)
    z = torch.sigmoid(z_input + z_state)
    n = torch.tanh(n_input + r * n_state)
    return (1 - z) * n + z * h


def communication(weights: dict[str, Tensor], config: Config, h: list[Tensor], k: int) -> Tensor:
    """P(o_k): what mechanism k adds to its state after reading from all mechanisms."""
    mechanisms = range(config.num_mechanisms)
    query_weight = weights["communication.query.weight"]
    key_weight, value_weight = weights["communication.key_value.weight"].split(
        [config.comm_heads * config.comm_key_size, config.comm_heads * config.comm_value_size], -1
    )
    heads = []
    for m in range(config.comm_heads):
        query = h[k] @ _head(query_weight[k], m, config.comm_key_size)
        keys = [h[j] @ _head(key_weight[j], m, config.comm_key_size) for j in mechanisms]
        values = [h[j] @ _head(value_weight[j], m, config.comm_value_size) for j in mechanisms]
        logits = [query @ key / math.sqrt(config.comm_key_size) for key in keys]
        attention = torch.softmax(torch.stack(logits), dim=0)
        heads.append(sum(attention[j] * values[j] for j in mechanisms))
    o = torch.cat(heads)
    if config.comm_projection == "linear":
        return o @ weights["communication.projection.weight"][k]
    maps = o @ weights["communication.projection.weight"][k]
    gate, output = (maps + weights["communication.projection.bias"][k, 0]).split(len(maps) // 2)
    return torch.sigmoid(gate) * torch.tanh(output)


def _head(weight: Tensor, m: int, size: int) -> Tensor:
    """The columns of `weight` that belong to head m."""
    return weight[:, m * size : (m + 1) * size]
