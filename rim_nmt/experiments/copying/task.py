"""The copying task (section 4.1 of the paper): its sequences, and the models that learn it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from rim_nmt.errors import InputError
from rim_nmt.mechanism import RIMLayer
from rim_nmt.mechanism.input_attention import InputAttention

BLANK = 0
NUM_DIGITS = 8  # 1 to 8
MARKER = NUM_DIGITS + 1
NUM_SYMBOLS = NUM_DIGITS + 2
NUM_MECHANISMS = 6
NUM_ACTIVE = 4

# How each RIM differs from the paper's; None is an LSTM.
MODELS: Mapping[str, Mapping | None] = {
    "rim": {},
    "rim-linear": {"comm_projection": "linear"},
    "rim-no-communication": {"comm_heads": 0},
    "rim-no-input-attention": {"num_active": NUM_MECHANISMS, "kernel": "plain"},
    "rim-all-active": {"num_active": NUM_MECHANISMS},
    "lstm": None,
}


def random_digits(length: int, batch: int, generator: torch.Generator | None = None) -> Tensor:
    """Digits to remember, length x batch, each from 1 to `NUM_DIGITS`."""
    return torch.randint(1, NUM_DIGITS + 1, (length, batch), generator=generator)


def sequences(digits: Tensor, span: int) -> tuple[Tensor, Tensor]:
    """Digits, a dormant span, a marker, and then as many steps in which the digits are due:

        inputs   3 1 8   0 0 0 0 0   9   0 0 0
        targets  0 0 0   0 0 0 0 0   0   3 1 8

    Args:
        digits: N x B, from `random_digits`.
        span: how many blanks stand between the digits and the marker.

    Returns:
        inputs and targets, each T x B with T = N + span + 1 + N.
    """
    length, batch = digits.shape
    blanks = digits.new_full((length + span + 1, batch), BLANK)
    marker = digits.new_full((1, batch), MARKER)
    inputs = torch.cat([digits, blanks[:span], marker, blanks[:length]])
    return inputs, torch.cat([blanks, digits])


class CopyingModel(nn.Module):
    """Embedding, one recurrent layer, linear read-out, and nothing else.

    Args:
        name: one of `MODELS`.
        width: of embedding, state and output; the paper's h_size.

    Raises:
        InputError: there is no such model, or the width cannot be cut into mechanisms.
    """

    def __init__(self, name: str, width: int):
        super().__init__()
        if name not in MODELS:
            raise InputError(f"there is no model {name!r}; the models are {', '.join(MODELS)}")
        self.embedding = nn.Embedding(NUM_SYMBOLS, width)
        self.layer = nn.LSTM(width, width) if MODELS[name] is None else build_rim(name, width)
        self.output = nn.Linear(width, NUM_SYMBOLS)

    def forward(self, inputs: Tensor) -> Tensor:
        """Symbols, T x B -> scores of the symbol that is due, T x B x `NUM_SYMBOLS`."""
        return self.output(self.layer(self.embedding(inputs))[0])

    def activity(self, inputs: Tensor) -> Tensor | None:
        """Which mechanisms are active, T x B x K; None for an LSTM."""
        if not isinstance(self.layer, RIMLayer):
            return None
        return self.layer(self.embedding(inputs), need_activity=True)[2]

    def num_parameters(self) -> int:
        """How many weights are trained."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


def loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy in nats, the mean over all steps given.

    Trained is that of the whole sequence, as in the authors' code; reported is that of the steps
    in which digits are due, where guessing gives log(`NUM_DIGITS`) = 2.08.

    Args:
        scores: T x B x `NUM_SYMBOLS`.
        targets: T x B.
    """
    return functional.cross_entropy(scores.flatten(0, 1), targets.flatten())


class UndampedInput(InputAttention):
    """What is left of the input attention in the ablation without it: p_km = 1.

    So u_k = x_t Wv: with all mechanisms active, each reads the same whole input at
    every step, and they differ by their own weights only. Queries and keys have no part in it and
    are not trained. The compiled kernel knows nothing of it: the layer must be computed plainly.
    """

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.query.requires_grad_(False)
        self.key.requires_grad_(False)

    def attend(self, h: Tensor, keys: Tensor) -> Tensor:
        """K x B x 1 x M, all 1."""
        return h.new_ones(*h.shape[:2], 1, self.num_heads)


def build_rim(name: str, width: int) -> RIMLayer:
    """A layer of the sizes of Table 3, but with one head of the input attention, as the paper has
    for this task; it reads 4 * d values, as many as four heads would. There is no dropout on that
    head: it would take a mechanism's whole input away (the authors' code drops single elements).

    Raises:
        InputError: `NUM_MECHANISMS` does not divide the width.
    """
    if width % NUM_MECHANISMS:
        raise InputError(
            f"width {width} does not fit a RIM of {NUM_MECHANISMS} mechanisms: "
            f"give a multiple of {NUM_MECHANISMS}"
        )
    size = width // NUM_MECHANISMS
    sizes = {"num_active": NUM_ACTIVE, "input_heads": 1, "input_value_size": 4 * size}
    sizes["input_dropout"] = 0.0
    rim = RIMLayer(width, width, NUM_MECHANISMS, **{**sizes, **MODELS[name]})
    if name == "rim-no-input-attention":
        own = rim.input_attention
        rim.input_attention = UndampedInput(
            width, 1, NUM_MECHANISMS, size, 1, own.key_size, own.value_size, own.dropout.p
        )
    return rim
