"""K linear maps side by side: the building block of everything that is "per mechanism"."""

import math

import torch
from torch import Tensor, nn


class GroupedLinear(nn.Module):
    """One linear map without bias for each mechanism, computed as one batched product.

    This is the block-diagonal matrix of the paper (section 2.3), of which only the blocks exist:
    K * in_features * out_features parameters.

    Args:
        num_groups: K, the number of mechanisms.
        in_features: width of each mechanism's input.
        out_features: width of each mechanism's output.
    """

    def __init__(self, num_groups: int, in_features: int, out_features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_groups, in_features, out_features))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform in +-1/sqrt(in_features), as `torch.nn.Linear` and `torch.nn.LSTM` do."""
        bound = 1 / math.sqrt(self.weight.size(1))
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """K x B x in_features -> K x B x out_features."""
        return torch.bmm(x, self.weight)

    def extra_repr(self) -> str:
        groups, in_features, out_features = self.weight.shape
        return f"groups={groups}, in_features={in_features}, out_features={out_features}"


def at_least_float32(scores: Tensor) -> Tensor:
    """Scores in float32 where they come in half precision, for an accurate softmax."""
    return scores.to(torch.promote_types(scores.dtype, torch.float32))
