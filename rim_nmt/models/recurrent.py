"""Three kinds of recurrent layer behind one interface: `rim`, `lstm` and `gru`.

Encoder and decoder are written once against this interface, so that a comparison of two kinds
measures the mechanism and nothing else.
"""

from torch import Tensor, nn

from rim_nmt.mechanism import RIMLayer
from rim_nmt.models.config import RecurrentModelConfig


class PlainRNN(nn.Module):
    """`torch.nn.LSTM` or `torch.nn.GRU`, one layer, called as `RIMLayer` is.

    Padding must be at the right. An output at a real position then never depends on padding, so
    the mask needs no work (packing would skip the padded steps, but took 1.2 times as long as
    computing them on a CPU).

    Args:
        kind: "lstm" or "gru".
        input_size: I.
        hidden_size: D.
    """

    def __init__(self, kind: str, input_size: int, hidden_size: int):
        super().__init__()
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[kind](input_size, hidden_size)

    def forward(
        self, x: Tensor, state=None, padding_mask: Tensor | None = None, need_activity: bool = False
    ):
        """As `RIMLayer.forward`, with these differences: where `padding_mask` (T x B, right padding
        only) is given, outputs and state after a sequence's end are meaningless; `activity` is
        None."""
        output, state = self.rnn(x, state)
        return (output, state, None) if need_activity else (output, state)


def build_recurrent_layer(
    cfg: RecurrentModelConfig,
    input_size: int,
    hidden_size: int,
    num_active: int | None,
    input_slots: int = 1,
) -> RIMLayer | PlainRNN:
    """The layer that `--recurrent-layer` asks for.

    Args:
        cfg: the mechanism's sizes and dropouts.
        input_size: width of the input.
        hidden_size: width of the output.
        num_active: A, where it is not that of `cfg`.
        input_slots: elements that the input is cut into; only a RIM tells them apart.

    Raises:
        ValueError: sizes that a RIM cannot have (see `RIMLayer`).
    """
    kind = str(cfg.recurrent_layer)
    if kind != "rim":
        return PlainRNN(kind, input_size, hidden_size)
    return RIMLayer(
        input_size,
        hidden_size,
        num_mechanisms=cfg.num_mechanisms,
        num_active=cfg.num_active if num_active is None else num_active,
        num_always=cfg.num_always,
        dynamics=str(cfg.rim_dynamics),
        input_slots=input_slots,
        input_heads=cfg.input_heads,
        input_key_size=cfg.input_key_size,
        input_value_size=cfg.input_value_size,
        input_dropout=cfg.input_dropout,
        comm_heads=cfg.comm_heads,
        comm_key_size=cfg.comm_key_size,
        comm_value_size=cfg.comm_value_size,
        comm_dropout=cfg.comm_dropout,
        comm_projection=str(cfg.comm_projection),
        kernel=str(cfg.rim_kernel),
    )
