"""Raw text in, raw text out: a trained model with its subwords behind one call."""

import math
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from fairseq import hub_utils

import rim_nmt.commands
import rim_nmt.plugin  # noqa: F401  (registers the models)
from rim_nmt.data.cleaning import normalise
from rim_nmt.files import InputError

# Outputs may be this much longer than the input. fairseq's own limit of 200 pieces whatever the
# input lets a weak model babble.
MAX_LENGTH = {"max_len_a": 1.2, "max_len_b": 10}


CHUNK = 200  # sentences that are sorted by length together


@dataclass(frozen=True)
class Translation:
    """One translation of a sentence and its score (mean log2-probability of its pieces)."""

    text: str
    score: float


class Translator:
    """Translates with a fairseq checkpoint of any architecture.

    Args:
        checkpoint: a checkpoint of the tasks `translation` or `multilingual_translation`; several,
            separated by ":", are an ensemble.
        data: the folder with `dict.LANG.txt`.
        sentencepiece_model: the subword model that the training data was encoded with.
        device: "cpu" or a CUDA device; None takes a GPU where there is one.
        source_lang: what to translate from, where several pairs have the same target language.
        target_lang: what to translate into; only a checkpoint of several pairs needs to be told.

    Attributes:
        pairs: the language pairs that the checkpoint was trained on.
        source_lang, target_lang: the one that is translated.

    Raises:
        InputError: a file is missing or is not what it should be, or the languages do not name one
            pair of the checkpoint.
    """

    def __init__(
        self,
        checkpoint: Path | str,
        data: Path,
        sentencepiece_model: Path,
        device: str | None = None,
        source_lang: str | None = None,
        target_lang: str | None = None,
    ):
        checkpoints = [Path(part).resolve() for part in str(checkpoint).split(":")]
        for path in checkpoints:
            if not path.is_file():
                raise InputError(f"no checkpoint at {path}: train one first, or give its path")
        if not any(data.glob("dict.*.txt")):
            raise InputError(
                f"no dictionary in {data}: expected dict.LANG.txt, as fairseq-preprocess writes it"
            )
        if not sentencepiece_model.is_file():
            raise InputError(f"no SentencePiece model at {sentencepiece_model}")
        languages = {}
        try:
            self.pairs = _pairs_of_the_task(checkpoints[0])
            if self.pairs:
                languages = self._choose(checkpoint, source_lang, target_lang)
            loaded = hub_utils.from_pretrained(
                "/",
                ":".join(str(path) for path in checkpoints),
                str(data.resolve()),
                bpe="sentencepiece",
                sentencepiece_model=str(sentencepiece_model.resolve()),
                **languages,
            )
        except (pickle.UnpicklingError, FileNotFoundError, RuntimeError, KeyError) as error:
            raise InputError(f"{checkpoint} cannot be loaded with {data}: {error}") from error
        hub = hub_utils.GeneratorHubInterface(loaded["args"], loaded["task"], loaded["models"])
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._hub = hub.eval().to(self.device)
        self.task = loaded["task"]
        self.cfg = loaded["args"]
        if not self.pairs:  # one pair, which fairseq may have found by the data's file names
            self.pairs = [f"{self.task.cfg.source_lang}-{self.task.cfg.target_lang}"]
            languages = self._choose(checkpoint, source_lang, target_lang)
        self.source_lang, self.target_lang = languages["source_lang"], languages["target_lang"]

    def translate(
        self,
        sentences: Sequence[str],
        beam: int = 5,
        nbest: int = 1,
        max_tokens: int = 4000,
    ) -> Iterator[list[Translation]]:
        """Translate sentences, in order; a generator, so that progress can be shown.

        Args:
            sentences: raw text, one sentence each. A blank one is answered with a blank one.
            beam: hypotheses kept at each step.
            nbest: translations returned for each sentence, the best first.
            max_tokens: source pieces in a batch, padding included.

        Raises:
            InputError: `nbest` is more than `beam` or below 1, or a sentence is longer than the
                model takes.
        """
        if not 1 <= nbest <= beam:
            raise InputError(f"got nbest {nbest} and beam {beam}: expected 1 <= nbest <= beam")
        for start in range(0, len(sentences), CHUNK):
            chunk = sentences[start : start + CHUNK]
            encoded = [self.encode(sentence) for sentence in chunk]
            self._check_lengths(encoded, start, max_tokens)
            filled = [index for index, pieces in enumerate(encoded) if len(pieces) > 1]
            results = [[Translation("", 0.0)] * nbest for _ in chunk]
            hypotheses = self._hub.generate(
                [encoded[index] for index in filled], beam=beam, nbest=nbest, **MAX_LENGTH
            )
            for index, best in zip(filled, hypotheses, strict=True):
                results[index] = [
                    Translation(self._hub.decode(h["tokens"]), float(h["score"]) / math.log(2))
                    for h in best[:nbest]
                ]
            yield from results

    def encode(self, sentence: str) -> torch.Tensor:
        """Raw text, normalised, to the numbers of its pieces, ended by </s>."""
        return self._hub.encode(normalise(sentence))

    def _choose(
        self, checkpoint: Path | str, source_lang: str | None, target_lang: str | None
    ) -> dict[str, str]:
        """The one pair that has the languages that were given."""
        chosen = [
            (source, target)
            for source, target in (pair.split("-") for pair in self.pairs)
            if source_lang in (None, source) and target_lang in (None, target)
        ]
        if len(chosen) != 1:
            given = (("--source-lang", source_lang), ("--target-lang", target_lang))
            flags = " ".join(f"{flag} {language}" for flag, language in given if language)
            raise InputError(
                f"{checkpoint} translates {', '.join(self.pairs)}, got {flags or 'no language'}: "
                "choose one of these pairs with --target-lang (or --source-lang and --target-lang)"
            )
        return dict(zip(("source_lang", "target_lang"), chosen[0], strict=True))

    def _check_lengths(self, encoded: list[torch.Tensor], start: int, max_tokens: int) -> None:
        longest = max(range(len(encoded)), key=lambda index: len(encoded[index]))
        limits = self._hub.max_positions
        if isinstance(limits, dict):  # for each pair
            limits = limits[f"{self.source_lang}-{self.target_lang}"]
        length, limit = len(encoded[longest]), limits[0]
        if length > limit:
            raise InputError(
                f"sentence {start + longest + 1} has {length} pieces, more than the {limit} that "
                "this model takes: split it"
            )
        self._hub.cfg.dataset.max_tokens = max(max_tokens, length)
        self._hub.cfg.dataset.batch_size = None


def _pairs_of_the_task(checkpoint: Path) -> list[str]:
    """The pairs of a `multilingual_translation` checkpoint, nothing for other tasks."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    task = (state.get("cfg") or {}).get("task")
    pairs = getattr(task, "lang_pairs", [])  # tasks of the older kind have a Namespace
    return pairs.split(",") if isinstance(pairs, str) else list(pairs)
