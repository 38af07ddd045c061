"""Communication: active mechanisms read from all others (section 2.4)."""

import math

import torch
from torch import Tensor, nn

from rim_nmt.mechanism.grouped import GroupedLinear, at_least_float32

PROJECTIONS = ("gated", "linear")


class Communication(nn.Module):
    """Sparse attention between mechanisms: what each of them adds to its state.

        o_k = concat_heads dropout(softmax_j(Q_k . K_j / sqrt(d_c))) V_j
        update_k = P(o_k)

    Queries, keys and values have weights of their own for each mechanism and no bias. Every
    mechanism is read, the inactive ones by their unchanged state; that only active mechanisms
    *take* their update is the caller's business (`RIMLayer`), so that one batched product serves
    all.

    P maps the heads back to width d: `linear` is one matrix per mechanism, `gated` is
    sigmoid(Wg o + bg) * tanh(Wo o + bo), which adds at most 1 to a state.

    Args:
        num_mechanisms: K.
        mechanism_size: d.
        num_heads: heads of the attention.
        key_size: d_c, width of queries and keys in each head.
        value_size: width of values in each head.
        dropout: dropout on the attention weights.
        projection: "gated" or "linear".
    """

    def __init__(
        self,
        num_mechanisms: int,
        mechanism_size: int,
        num_heads: int,
        key_size: int,
        value_size: int,
        dropout: float,
        projection: str,
    ):
        super().__init__()
        self.num_heads = num_heads
        self.query = GroupedLinear(num_mechanisms, mechanism_size, num_heads * key_size)
        # keys of all heads, then values of all heads: whatever reads one reads both
        self.sizes = num_heads * key_size, num_heads * value_size
        self.key_value = GroupedLinear(num_mechanisms, mechanism_size, sum(self.sizes))
        self.dropout = nn.Dropout(dropout)
        kind = GatedProjection if projection == "gated" else GroupedLinear
        self.projection = kind(num_mechanisms, num_heads * value_size, mechanism_size)

    def forward(self, h: Tensor) -> Tensor:
        """h: K x B x d, after the dynamics. Returns P(o_k) for every mechanism, K x B x d."""
        q = self._split_heads(self.query(h))  # B x H x K x d_c
        key, value = self.key_value(h).split(self.sizes, dim=-1)  # K x B x H*d_c, K x B x H*d_v
        k, v = self._split_heads(key), self._split_heads(value)  # B x H x K x d_c, B x H x K x d_v
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.size(-1))  # B x H x K x K
        weights = self.dropout(torch.softmax(at_least_float32(scores), dim=-1)).to(v.dtype)
        read = weights @ v  # B x H x K x d_v
        return self.projection(read.permute(2, 0, 1, 3).flatten(-2))  # K x B x d

    def _split_heads(self, x: Tensor) -> Tensor:
        """K x B x H*size -> B x H x K x size."""
        return x.unflatten(-1, (self.num_heads, -1)).permute(1, 2, 0, 3)


class GatedProjection(GroupedLinear):
    """sigmoid(Wg_k o + bg_k) * tanh(Wo_k o + bo_k), as in the authors' code but for the index k:
    there all mechanisms share the weights.

    The weight, K x in_features x 2*out_features, and the bias, K x 1 x 2*out_features, have both
    maps side by side, the gate first.

    Args:
        num_groups: K, the number of mechanisms.
        in_features: width of o.
        out_features: width of what is added to the state.
    """

    def __init__(self, num_groups: int, in_features: int, out_features: int):
        super().__init__(num_groups, in_features, 2 * out_features)
        self.bias = nn.Parameter(torch.zeros(num_groups, 1, 2 * out_features))

    def forward(self, o: Tensor) -> Tensor:
        """K x B x in_features -> K x B x out_features."""
        gate, output = (super().forward(o) + self.bias).chunk(2, dim=-1)
        return torch.sigmoid(gate) * torch.tanh(output)
