"""Dynamics: each mechanism's own recurrent update (section 2.3).

Both classes map (u_k, state_k) to the next state of every mechanism; the caller keeps the result
only for active ones. A state is a tuple of K x B x d tensors whose first element is h.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

State = tuple[Tensor, ...]


class LSTMDynamics(nn.Module):
    """K independent LSTM cells, h~_k, c~_k = LSTM_k(u_k, (h_k, c_k)):

        i, f, g, o = [u_k ; h_k] W_k + b_k               (sigmoid on i, f, o; tanh on g)
        c~_k = f * c_k + i * g
        h~_k = o * tanh(c~_k)

    Args:
        num_mechanisms: K.
        input_size: width of u_k.
        mechanism_size: d.
    """

    num_states = 2

    def __init__(self, num_mechanisms: int, input_size: int, mechanism_size: int):
        super().__init__()
        gates = 4 * mechanism_size
        self.weight = nn.Parameter(torch.empty(num_mechanisms, input_size + mechanism_size, gates))
        self.bias = nn.Parameter(torch.empty(num_mechanisms, 1, gates))
        _uniform(self.parameters(), mechanism_size)

    def forward(self, u: Tensor, state: State) -> State:
        """u: K x B x M*d_v; state: h and c, each K x B x d. Returns h~ and c~, K x B x d."""
        h, c = state
        gates = torch.baddbmm(self.bias, torch.cat([u, h], dim=-1), self.weight)  # K x B x 4d
        i, f, g, o = gates.chunk(4, dim=-1)  # each K x B x d
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class GRUDynamics(nn.Module):
    """K independent GRU cells, h~_k = GRU_k(u_k, h_k), with torch.nn.GRU's form of the reset:

        r, z = sigmoid(u_k W_ih,k + b_ih,k + h_k W_hh,k + b_hh,k)
        n    = tanh(u_k W_in,k + b_in,k + r * (h_k W_hn,k + b_hn,k))
        h~_k = (1 - z) * n + z * h_k

    Args:
        num_mechanisms: K.
        input_size: width of u_k.
        mechanism_size: d.
    """

    num_states = 1

    def __init__(self, num_mechanisms: int, input_size: int, mechanism_size: int):
        super().__init__()
        gates = 3 * mechanism_size
        self.weight_ih = nn.Parameter(torch.empty(num_mechanisms, input_size, gates))
        self.weight_hh = nn.Parameter(torch.empty(num_mechanisms, mechanism_size, gates))
        self.bias_ih = nn.Parameter(torch.empty(num_mechanisms, 1, gates))
        self.bias_hh = nn.Parameter(torch.empty(num_mechanisms, 1, gates))
        _uniform(self.parameters(), mechanism_size)

    def forward(self, u: Tensor, state: State) -> State:
        """u: K x B x M*d_v; state: (h,), K x B x d. Returns (h~,), K x B x d."""
        (h,) = state
        from_input = torch.baddbmm(self.bias_ih, u, self.weight_ih)  # K x B x 3d
        from_state = torch.baddbmm(self.bias_hh, h, self.weight_hh)  # K x B x 3d
        r_in, z_in, n_in = from_input.chunk(3, dim=-1)  # each K x B x d
        r_st, z_st, n_st = from_state.chunk(3, dim=-1)  # each K x B x d
        z = torch.sigmoid(z_in + z_st)
        n = torch.tanh(n_in + torch.sigmoid(r_in + r_st) * n_st)
        return (n + z * (h - n),)


def _uniform(parameters: Iterable[nn.Parameter], mechanism_size: int) -> None:
    """torch.nn.LSTM's initialisation for a cell of this width: uniform in +-1/sqrt(d)."""
    bound = 1 / math.sqrt(mechanism_size)
    for parameter in parameters:
        nn.init.uniform_(parameter, -bound, bound)
