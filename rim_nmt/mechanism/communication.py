"""Communication: active mechanisms read from all others (section 2.4)."""

import math

import torch
from torch import Tensor, nn

from rim_nmt.mechanism.grouped import GroupedLinear, at_least_float32

PROJECTIONS = ("linear", "gated")


class Communication(nn.Module):
    """Sparse attention between mechanisms: what each of them adds to its state.

        o_k = concat_heads dropout(softmax_j(Q_k . K_j / sqrt(d_c))) V_j
        update_k = P(o_k)

    Queries, keys and values have weights of their own for each mechanism and no bias. Every
    mechanism is read, the inactive ones by their unchanged state; that only active mechanisms
    *take* their update is the caller's business (`RIM`), so that one batched product serves all.

    P maps the heads back to width d: `linear` is one matrix per mechanism, `gated` is
    sigmoid(Wg o + bg) * tanh(Wo o + bo) with weights shared by all mechanisms.

    Args:
        num_mechanisms: K.
        mechanism_size: d.
        num_heads: heads of the attention.
        key_size: d_c, width of queries and keys in each head.
        value_size: width of values in each head.
        dropout: dropout on the attention weights.
        projection: "linear" or "gated".
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
        self.projection: nn.Module
        if projection == "linear":
            self.projection = GroupedLinear(num_mechanisms, num_heads * value_size, mechanism_size)
        else:
            self.projection = GatedProjection(num_heads * value_size, mechanism_size)

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


class GatedProjection(nn.Module):
    """sigmoid(Wg o + bg) * tanh(Wo o + bo), shared by all mechanisms (the authors' code)."""

    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.gate = nn.Linear(in_features, out_features)
        self.output = nn.Linear(in_features, out_features)

    def joined(self) -> tuple[Tensor, Tensor]:
        """Both maps as one, the gate first: weight in_features x 2*out_features and bias."""
        maps = self.gate, self.output
        return torch.cat([m.weight for m in maps]).t(), torch.cat([m.bias for m in maps])

    def forward(self, o: Tensor) -> Tensor:
        """K x B x in_features -> K x B x out_features."""
        return torch.sigmoid(self.gate(o)) * torch.tanh(self.output(o))
