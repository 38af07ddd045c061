"""What a RIM layer hands to the kernel that computes it."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class LayerWeights:
    """The tensors of a layer with LSTM dynamics, and the numbers that say how to use them.

    M and C are the heads of the input attention and of the communication, d_e and d_c the widths
    of their keys, each d_v that of their values.

    Args:
        query: K x d x M*d_e, queries of the input attention.
        gates: K x (M*d_v + d) x 4d, from what is read and, below, from the state.
        bias: K x 1 x 4d, of the gates.
        num_active: A.
        num_always: mechanisms of them that are always the first ones.
        input_heads: M.
        input_dropout: rate of dropout on the input attention, 0 outside training.
        comm_query: K x d x C*d_c; without communication it and all below are None or 0.
        comm_key_value: K x d x C*(d_c + d_v), keys of all heads, then values.
        project: K x C*d_v x d; where it is gated K x C*d_v x 2d, the gate first.
        project_bias: K x 1 x 2d where the projection is gated, else None.
        comm_heads: C.
        comm_dropout: rate of dropout on the communication, 0 outside training.
    """

    query: Tensor
    gates: Tensor
    bias: Tensor
    num_active: int
    num_always: int
    input_heads: int
    input_dropout: float
    comm_query: Tensor | None = None
    comm_key_value: Tensor | None = None
    project: Tensor | None = None
    project_bias: Tensor | None = None
    comm_heads: int = 0
    comm_dropout: float = 0.0

    @property
    def hidden_size(self) -> int:
        """D = K * d."""
        return self.query.size(0) * self.query.size(1)
