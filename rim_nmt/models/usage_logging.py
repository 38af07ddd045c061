"""How evenly the mechanisms are used, in fairseq's validation log (and so in TensorBoard)."""

from fairseq.logging import metrics
from torch import Tensor

from rim_nmt.mechanism import count_activity, least_share, usage_entropy


def log_usage(part: str, activity: list[Tensor]) -> None:
    """Add a batch to the figures of the validation that is running.

    Two figures appear, for the worst RIM layer of the part: `<part>_usage`, the entropy of the
    activations over mechanisms (1 is even), and `<part>_least`, the share of the least used
    mechanism (1/K is even, 0 means that one is never used).

    They come from counts summed over the whole validation set; with several processes, over the
    share of it that the logging process has seen.

    Args:
        part: "enc" or "dec".
        activity: one T x B x K for each RIM layer.
    """
    keys = [f"_{part}_activity_{layer}" for layer in range(len(activity))]  # "_": not printed
    for key, active in zip(keys, activity, strict=True):
        metrics.log_scalar_sum(key, count_activity(active), round=None)
    for name, figure in (("usage", usage_entropy), ("least", least_share)):
        metrics.log_derived(
            f"{part}_{name}",
            lambda meters, figure=figure: round(min(figure(meters[k].sum) for k in keys), 4),
        )
