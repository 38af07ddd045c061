"""Small models of every kind, and batches for them."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from fairseq.data import Dictionary
from fairseq.logging import metrics
from torch import nn
from torch.nn.functional import cross_entropy

import rim_nmt.plugin.register  # noqa: F401
from rim_nmt.models.config import RecurrentModelConfig
from rim_nmt.models.model import RecurrentModel

SYMBOLS = 30


def make_task(symbols: int = SYMBOLS) -> SimpleNamespace:
    """What a model asks of a task: two dictionaries."""
    dictionary = Dictionary()
    for symbol in range(symbols):
        dictionary.add_symbol(f"w{symbol}")
    return SimpleNamespace(source_dictionary=dictionary, target_dictionary=dictionary)


def small_config(**flags) -> RecurrentModelConfig:
    """A small model's configuration; `flags` replace its values."""
    small = {
        "encoder_embed_dim": 20,
        "decoder_embed_dim": 20,
        "encoder_hidden_size": 36,
        "decoder_hidden_size": 24,
        "num_mechanisms": 3,
        "num_active": 2,
        "input_key_size": 8,
        "comm_key_size": 8,
        "comm_value_size": 8,
    }
    cfg = RecurrentModelConfig()
    for name, value in {**small, **flags}.items():
        setattr(cfg, name, value)
    return cfg


def make_model(**flags) -> RecurrentModel:
    """A small model; `flags` replace values of `small_config`."""
    return RecurrentModel.build_model(small_config(**flags), make_task())


# of models that learn something within seconds
LEARNER = {
    **{"encoder_embed_dim": 32, "decoder_embed_dim": 32},
    **{"encoder_hidden_size": 48, "decoder_hidden_size": 48, "encoder_layers": 1},
    **{"dropout": 0.0, "input_dropout": 0.0, "comm_dropout": 0.0},
}


def assert_learns(model: nn.Module, losses: Callable[[], list[torch.Tensor]], seed: int) -> None:
    """Train until every loss has been below 0.02 for ten updates.

    Args:
        model: is trained.
        losses: gives its losses on new examples, one for each task.
        seed: what the message names.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    history = []
    for _ in range(800):  # of 46 seeds the slowest took 273
        now = losses()
        optimizer.zero_grad()
        sum(now).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        history.append(max(loss.item() for loss in now))
        if len(history) >= 10 and max(history[-10:]) < 0.02:
            return
    pytest.fail(f"seed {seed}: loss {history[-1]:.3f} after {len(history)} updates")


def loss_on(model: RecurrentModel, symbols: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of a model that is to translate symbols, B x T, into the expected, B x U."""
    end = torch.full((len(symbols), 1), 2)
    target = torch.cat([expected, end], 1)  # B x U+1
    logits, _ = model(torch.cat([symbols, end], 1), None, torch.cat([end, expected], 1))
    return cross_entropy(logits.flatten(0, 1), target.flatten())


def pad_at(sequences: list[torch.Tensor], side: str) -> torch.Tensor:
    """A batch B x T of token sequences, padded at "left" or "right"."""
    longest = max(len(sequence) for sequence in sequences)
    batch = torch.full((len(sequences), longest), 1)
    for row, sequence in zip(batch, sequences, strict=True):
        if side == "right":
            row[: len(sequence)] = sequence
        else:
            row[longest - len(sequence) :] = sequence
    return batch


@pytest.fixture(autouse=True)
def _no_figures_of_earlier_models() -> None:
    """fairseq adds up what models log, and those of different sizes cannot be."""
    metrics.reset()


@pytest.fixture
def sentences() -> list[torch.Tensor]:
    """Four source sentences of different lengths, each ended by </s>."""
    torch.manual_seed(3)
    return [
        torch.cat([torch.randint(4, 4 + SYMBOLS, (length,)), torch.tensor([2])])
        for length in (6, 1, 9, 4)
    ]


@pytest.fixture
def targets() -> torch.Tensor:
    """Shifted targets of equal length, 4 x 7."""
    torch.manual_seed(4)
    tokens = torch.randint(4, 4 + SYMBOLS, (4, 7))
    tokens[:, 0] = 2
    return tokens


@pytest.fixture(params=["rim", "rim-gru", "lstm", "gru"])
def model(request) -> RecurrentModel:
    """A model of each kind of recurrent layer, in evaluation mode."""
    torch.manual_seed(5)
    kind, _, dynamics = request.param.partition("-")
    return make_model(recurrent_layer=kind, rim_dynamics=dynamics or "lstm").eval()
