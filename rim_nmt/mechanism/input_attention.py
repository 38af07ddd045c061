"""Input attention: how much each mechanism wants the input, and what it reads (section 2.2)."""

import math

import torch
from torch import Tensor, nn

from rim_nmt.mechanism.grouped import GroupedLinear, at_least_float32


class InputAttention(nn.Module):
    """Every mechanism attends over the elements {null, x_t}, or {null, x_t1, .. x_tN} where the
    input is cut into N slots of equal width.

    For mechanism k, head m and slot n (We, Wv and Wq are the paper's W^e, W^v and W_k^q):

        s_kmn = (h_k Wq_km) . (x_tn We_m) / sqrt(d_e)
        p_kmn = softmax over {0, s_km1, .. s_kmN} at s_kmn; with one slot that is sigmoid(s_km1)
        u_k   = concat_m sum_n dropout(p_kmn) * (x_tn Wv_m)

    The null element is a row of zeros and no map has a bias: the null key and value are zero and
    its logit is exactly 0. Keys and values are shared by all mechanisms and by all slots; queries
    belong to one mechanism each.

    Args:
        input_size: I, width of x_t.
        num_slots: N, elements that x_t is cut into.
        num_mechanisms: K.
        mechanism_size: d, width of one mechanism's state.
        num_heads: M.
        key_size: d_e, width of queries and keys in each head.
        value_size: width of the values in each head.
        dropout: dropout on p_km as it scales what is read (never as it decides who is active).
    """

    def __init__(
        self,
        input_size: int,
        num_slots: int,
        num_mechanisms: int,
        mechanism_size: int,
        num_heads: int,
        key_size: int,
        value_size: int,
        dropout: float,
    ):
        super().__init__()
        self.num_slots = num_slots
        self.num_heads = num_heads
        self.key_size = key_size
        self.value_size = value_size
        slot_size = input_size // num_slots
        self.key = nn.Linear(slot_size, num_heads * key_size, bias=False)
        self.value = nn.Linear(slot_size, num_heads * value_size, bias=False)
        self.query = GroupedLinear(num_mechanisms, mechanism_size, num_heads * key_size)
        self.dropout = nn.Dropout(dropout)

    def project_input(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of all steps at once: they do not depend on the state.

        Args:
            x: T x B x I.

        Returns:
            keys T x B x N x M x d_e (already divided by sqrt(d_e)), values T x B x N x M x d_v.
        """
        x = x.unflatten(-1, (self.num_slots, -1))  # T x B x N x I/N
        keys = self.key(x) / math.sqrt(self.key_size)  # T x B x N x M*d_e
        values = self.value(x)  # T x B x N x M*d_v
        return (
            keys.unflatten(-1, (self.num_heads, self.key_size)),  # T x B x N x M x d_e
            values.unflatten(-1, (self.num_heads, self.value_size)),  # T x B x N x M x d_v
        )

    def attend(self, h: Tensor, keys: Tensor) -> Tensor:
        """The attention of every mechanism on the real input, p_kmn.

        Args:
            h: K x B x d, the state before this step.
            keys: B x N x M x d_e, this step's keys from `project_input`.

        Returns:
            K x B x N x M, in float32 where the rest is in less: it decides who is active.
        """
        queries = self.query(h).unflatten(-1, (1, self.num_heads, self.key_size))
        scores = (at_least_float32(queries) * keys).sum(-1)  # K x B x N x M
        if self.num_slots == 1:
            return torch.sigmoid(scores)
        null = torch.zeros_like(scores[..., :1, :])  # K x B x 1 x M
        return torch.softmax(torch.cat([null, scores], dim=-2), dim=-2)[..., 1:, :]

    def read(self, p: Tensor, values: Tensor) -> Tensor:
        """What every mechanism reads, u_k.

        Args:
            p: K x B x N x M from `attend`.
            values: B x N x M x d_v, this step's values from `project_input`.

        Returns:
            K x B x M*d_v.
        """
        weights = self.dropout(p).to(values.dtype).unsqueeze(-1)  # K x B x N x M x 1
        read = weights * values  # K x B x N x M x d_v
        read = read.sum(-3) if self.num_slots > 1 else read.squeeze(-3)  # a sum would copy
        return read.flatten(-2)  # K x B x M*d_v
