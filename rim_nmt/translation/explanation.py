"""What a model did with a sentence: which mechanisms were active at each piece, how much each one
wanted it, where the attention looked, and how sure the model was."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

SPACE = "▁"  # SentencePiece's mark of a word's start


@dataclass(frozen=True)
class LayerActivity:
    """One RIM layer over one sentence.

    Args:
        name: encoder.forward and encoder.backward (the two directions of its first layer),
            encoder.1 and on; decoder.0 (below the attention over the source) and on.
        active: T x K, which mechanisms were active at each piece.
        wants: T x K, how much each wanted it, from 0 to 1: the active ones are those that wanted
            it most.
    """

    name: str
    active: list[list[bool]]
    wants: list[list[float]]


@dataclass(frozen=True)
class Explanation:
    """What happened at each piece of a sentence and of its translation.

    The last piece on both sides is the end of the sentence. At a piece of the source the encoder
    reads it; at a piece of the translation the decoder has read the piece before and writes this
    one.

    Args:
        source: the pieces of the source, S.
        target: the pieces of the translation, T.
        scores: T, the log2-probability of each piece of the translation.
        attention: T x S, where the decoder looked; each row adds up to 1.
        encoder: its RIM layers over the source (none, for other models).
        decoder: its RIM layers over the translation.
    """

    source: list[str]
    target: list[str]
    scores: list[float]
    attention: list[list[float]]
    encoder: list[LayerActivity]
    decoder: list[LayerActivity]

    @property
    def text(self) -> str:
        """The translation."""
        return _text(self.target)

    def alignment(self) -> list[tuple[int, int]]:
        """Pairs of a word of the source and the word of the translation at which the decoder
        looked there most; words are counted from 0, as in `words`."""
        sources = [word for word in words(self.source) if word.text]
        pairs = []
        for number, word in enumerate(w for w in words(self.target) if w.text):
            rows = [self.attention[piece] for piece in word.pieces]
            looks = [sum(column) for column in zip(*rows, strict=True)]  # S
            shares = [sum(looks[piece] for piece in source.pieces) for source in sources]
            if shares:
                pairs.append((max(range(len(shares)), key=shares.__getitem__), number))
        return pairs

    def as_dict(self) -> dict:
        """For JSON."""
        return {"translation": self.text, **asdict(self), "alignment": self.alignment()}


@dataclass(frozen=True)
class Word:
    """A word and the numbers of its pieces."""

    text: str
    pieces: tuple[int, ...]


def words(pieces: Sequence[str]) -> list[Word]:
    """The words of a sentence, which start at pieces that start with `SPACE`. The end of the
    sentence is a word without text."""
    found: list[list[int]] = []
    for number, piece in enumerate(pieces):
        if piece == "</s>" or not found or piece.startswith(SPACE):
            found.append([])
        found[-1].append(number)
    return [Word(_text([pieces[n] for n in numbers]), tuple(numbers)) for numbers in found]


def _text(pieces: Sequence[str]) -> str:
    return "".join(piece for piece in pieces if piece != "</s>").replace(SPACE, " ").strip()


def layer_activities(
    names: Sequence[str],
    activity: Sequence[Tensor],
    wants: Sequence[Sequence[Tensor]],
) -> list[LayerActivity]:
    """What RIM layers did with a batch of one sentence.

    Args:
        names: of the layers; what "encoder.backward" did is turned round.
        activity: of each layer, T x 1 x K.
        wants: of each layer, T tensors of K x 1.
    """
    layers = []
    for name, active, wanted in zip(names, activity, wants, strict=True):
        awake, want = active[:, 0], torch.stack(list(wanted))[:, :, 0]  # T x K each
        if name == "encoder.backward":
            awake, want = awake.flip(0), want.flip(0)
        layers.append(LayerActivity(name, awake.tolist(), want.tolist()))
    return layers
