"""The mechanism in plain PyTorch: nothing here knows about translation or fairseq."""

from rim_nmt.mechanism.layer import RIMLayer
from rim_nmt.mechanism.stack import RIM
from rim_nmt.mechanism.usage import count_activity, least_share, usage_entropy

__all__ = ["RIM", "RIMLayer", "count_activity", "least_share", "usage_entropy"]
