"""A stand-in for the model."""

import threading
from collections.abc import Iterator

from rim_nmt.errors import InputError
from rim_nmt.translation.explanation import Explanation, LayerActivity
from rim_nmt.translation.translator import Translation


class Capitals:
    """Translates into capitals; a word is a piece, and looks at its own capitals.

    Attributes:
        calls: the sentences of each call of `translate`.
        open: nothing is translated while it is not set.
        busy: something is, or would be.
    """

    source_lang, target_lang = "en", "de"
    max_pieces = 20

    def __init__(self):
        self.calls: list[list[str]] = []
        self.open, self.busy = threading.Event(), threading.Event()
        self.open.set()

    def translate(self, sentences, beam=5, nbest=1) -> Iterator[list[Translation]]:
        self.calls.append(list(sentences))
        self.busy.set()
        assert self.open.wait(10)
        for number, sentence in enumerate(sentences, start=1):
            if (pieces := len(sentence.split()) + 1) > self.max_pieces:
                raise InputError(f"sentence {number} has {pieces} pieces")
            if "broken" in sentence:
                raise RuntimeError("as told")
        for sentence in sentences:
            yield [Translation(sentence.upper() + "!" * rank, -rank) for rank in range(nbest)]

    def explain(self, sentence, translation=None, beam=5) -> Explanation:
        assert self.open.wait(10)
        if translation is None:
            translation = sentence.upper()
        source, target = (
            [*(f"▁{word}" for word in text.split()), "</s>"] for text in (sentence, translation)
        )
        mechanisms = range(3)
        layers = {
            name: LayerActivity(
                name,
                [[(piece + k) % 3 > 0 for k in mechanisms] for piece in range(length)],
                [[(1 + (piece + k) % 3) / 4 for k in mechanisms] for piece in range(length)],
            )
            for name, length in (
                ("encoder.forward", len(source)),
                ("encoder.1", len(source)),
                ("decoder.0", len(target)),
                ("decoder.1", len(target)),
            )
        }
        *encoder, below, above = layers.values()
        return Explanation(
            source=source,
            target=target,
            scores=[-0.5] * len(target),
            attention=[[float(s == t) for s in range(len(source))] for t in range(len(target))],
            encoder=encoder,
            decoder=[below, above],
        )
