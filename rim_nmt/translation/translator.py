"""Raw text in, raw text out: a trained model with its subwords behind one call."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, overload

import torch
from fairseq import hub_utils
from fairseq.data import Dictionary
from fairseq.dataclass.configs import GenerationConfig
from fairseq.models import (
    BaseFairseqModel,
    FairseqEncoderDecoderModel,
)
from omegaconf import open_dict

import rim_nmt.plugin.register  # noqa: F401  (registers the models)
from rim_nmt.data.cleaning import normalise
from rim_nmt.data.prepared_folder import check_vocabulary
from rim_nmt.errors import InputError
from rim_nmt.mechanism.layer import RIMLayer
from rim_nmt.mechanism.observation import wants_of
from rim_nmt.models.model import RecurrentModel
from rim_nmt.plugin import checkpoint_safety
from rim_nmt.plugin.checkpoint_outline import one_line
from rim_nmt.translation.checks import (
    check_architecture,
    check_embeddings,
    check_subwords,
    choose_device,
    dictionary_sizes,
    find_checkpoint,
    pairs_of_the_task,
)
from rim_nmt.translation.explanation import Explanation, layer_activities

# Outputs may be this much longer than the input. fairseq's own limit of 200 pieces whatever the
# input lets a weak model babble.
MAX_LENGTH = {"max_len_a": 1.2, "max_len_b": 10}

CHUNK = 200  # sentences that are sorted by length together


@dataclass(frozen=True)
class Translation:
    """One translation of a sentence.

    Args:
        text: the translation.
        score: the mean log2-probability of its pieces.
        pieces: how many there are, the end of the sentence included.
    """

    text: str
    score: float
    pieces: int = 0


class Translator:
    """Translates with a fairseq checkpoint of any architecture.

    Args:
        checkpoint: a checkpoint of the tasks `translation` or `multilingual_translation`; several,
            separated by ":", are an ensemble.
        data: the folder with `dict.LANG.txt`.
        sentencepiece_model: the subword model that the training data was encoded with.
        device: "cpu", "cuda" or "cuda:N"; None takes a GPU where there is one.
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
        data: Path | str,
        sentencepiece_model: Path | str,
        device: str | None = None,
        source_lang: str | None = None,
        target_lang: str | None = None,
    ):
        data, sentencepiece_model = Path(data), Path(sentencepiece_model)
        self.device = choose_device(device)
        checkpoints = [Path(part).resolve() for part in str(checkpoint).split(":")]
        for path in checkpoints:
            if not path.is_file():
                raise InputError(f"no checkpoint at {path}: train one first, or give its path")
        dictionaries = dictionary_sizes(data)
        check_subwords(sentencepiece_model)
        state = checkpoint_safety.load(checkpoints[0])
        try:
            self.pairs = pairs_of_the_task(state, checkpoints[0])
            languages = self._choose(checkpoint, source_lang, target_lang) if self.pairs else {}
            check_architecture(state, checkpoints[0])
            check_embeddings(state, checkpoints[0], data, dictionaries, languages)
            del state  # in the older format it is in memory
            loaded = hub_utils.from_pretrained(
                "/",
                ":".join(str(path) for path in checkpoints),
                str(data.resolve()),
                bpe="sentencepiece",
                sentencepiece_model=str(sentencepiece_model.resolve()),
                **languages,
            )
            self.task, self.cfg = loaded["task"], loaded["args"]
            # how to search is not for a checkpoint to say: fairseq-train stores the defaults
            with open_dict(self.cfg):
                self.cfg.generation = GenerationConfig()
            hub = hub_utils.GeneratorHubInterface(self.cfg, self.task, loaded["models"])
            self._hub = hub.eval().to(self.device)
            if not self.pairs:  # one pair, which fairseq may have found by the data's file names
                self.pairs = [f"{self.task.cfg.source_lang}-{self.task.cfg.target_lang}"]
                languages = self._choose(checkpoint, source_lang, target_lang)
        except InputError:
            raise
        except Exception as error:  # what is wrong in a checkpoint can come up anywhere
            raise InputError(
                f"{checkpoint} cannot be loaded with {data}: {one_line(error)}"
            ) from error
        for path, model in zip(checkpoints, hub.models, strict=True):
            checkpoint_safety.check_finite(model.named_parameters(), path)
        self.source_lang, self.target_lang = languages["source_lang"], languages["target_lang"]

    @property
    def mechanisms(self) -> list[str]:
        """The names of all mechanisms, LAYER:NUMBER; none where the model is no RIM."""
        return [
            f"{name}:{number}"
            for name, layers in self._rim_layers().items()
            for number in range(layers[0].num_mechanisms)
        ]

    def keep_asleep(self, names: Iterable[str]) -> None:
        """From now on, these mechanisms and no others are never active: what are they good for?

        Args:
            names: each LAYER:MECHANISM, such as decoder.1:3, with the names of layers as in
                `LayerActivity` and numbers of mechanisms from 0; none lets all be chosen again.

        Raises:
            InputError: there is no such layer or mechanism, or none would be left of a layer.
        """
        layers = self._rim_layers()
        asked: dict[str, set[int]] = {name: set() for name in layers}
        for name in names:
            layer, _, number = name.partition(":")
            if layer not in layers or not number.isdecimal():
                raise InputError(
                    f"{name}: expected LAYER:NUMBER with a layer out of "
                    f"{', '.join(layers) or 'none: this model has no mechanisms'}"
                )
            asked[layer].add(int(number))
        for layer, numbers in asked.items():
            try:
                for of_model in layers[layer]:
                    of_model.keep_asleep(numbers)
            except ValueError as error:
                raise InputError(f"{layer}: {error}") from None

    def _rim_layers(self) -> dict[str, list[RIMLayer]]:
        """Name -> the layer of that name in each model."""
        layers: dict[str, list[RIMLayer]] = {}
        for model in self._hub.models:
            model = self._of_the_pair(model)
            if isinstance(model, RecurrentModel):
                for name, layer in model.recurrent_layers().items():
                    if isinstance(layer, RIMLayer):
                        layers.setdefault(name, []).append(layer)
        return layers

    @classmethod
    def from_folder(
        cls,
        checkpoint: Path | str,
        prepared: Path | str,
        device: str | None = None,
        source_lang: str | None = None,
        target_lang: str | None = None,
    ) -> Self:
        """A model of the folder that its text was prepared in, as `rim-nmt prepare` leaves it.

            >>> translator = Translator.from_folder("runs/mine", "data/mine")
            >>> translator.translate("The dog sleeps.")[0].text
            'Der Hund schläft.'

        Args:
            checkpoint: as for `Translator`; a folder of a training stands for its
                checkpoint_best.pt or, where there is none, its checkpoint_last.pt.
            prepared: the folder with `sentencepiece.model` and `bin/dict.LANG.txt`.
            device, source_lang, target_lang: as for `Translator`.

        Raises:
            InputError: as for `Translator`, or `prepared` is not what the checkpoint was trained
                with (where `rim-nmt train` made it).
        """
        checkpoint, prepared = find_checkpoint(checkpoint), Path(prepared)
        for path in str(checkpoint).split(":"):
            check_vocabulary(prepared, Path(path).parent)
        return cls(
            checkpoint,
            prepared / "bin",
            prepared / "sentencepiece.model",
            device,
            source_lang,
            target_lang,
        )

    @overload
    def translate(
        self, sentences: str, beam: int = 5, nbest: int = 1, max_tokens: int = 4000
    ) -> list[Translation]: ...

    @overload
    def translate(
        self,
        sentences: list[str] | tuple[str, ...],
        beam: int = 5,
        nbest: int = 1,
        max_tokens: int = 4000,
    ) -> Iterator[list[Translation]]: ...

    def translate(
        self, sentences: Sequence[str], beam: int = 5, nbest: int = 1, max_tokens: int = 4000
    ) -> list[Translation] | Iterator[list[Translation]]:
        """Translate one sentence, or several in order.

            >>> [best.text for (best,) in translator.translate(["The dog sleeps.", "We read."])]
            ['Der Hund schläft.', 'Wir lesen.']

        Args:
            sentences: raw text: one sentence, or a list of them. A blank one is answered with a
                blank one.
            beam: hypotheses kept at each step.
            nbest: translations returned for each sentence, the best first.
            max_tokens: source pieces in a batch, padding included.

        Returns:
            For one sentence, its translations. For a list, an iterator with as much for each of
            its sentences; work is done, and errors come up, as it is read.

        Raises:
            InputError: `nbest` is more than `beam` or below 1, or a sentence is longer than the
                model takes.
        """
        if isinstance(sentences, str):
            return next(self._translate([sentences], beam, nbest, max_tokens))
        return self._translate(sentences, beam, nbest, max_tokens)

    def _translate(
        self, sentences: Sequence[str], beam: int, nbest: int, max_tokens: int
    ) -> Iterator[list[Translation]]:
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
                    Translation(
                        self._hub.decode(h["tokens"]),
                        float(h["score"]) / math.log(2),
                        len(h["tokens"]),
                    )
                    for h in best[:nbest]
                ]
            yield from results

    @torch.no_grad()
    def explain(self, sentence: str, translation: str | None = None, beam: int = 5) -> Explanation:
        """What the model does at each piece of a sentence and of its translation.

        Args:
            sentence: raw text, one sentence.
            translation: raw text; None takes the model's own.
            beam: as for `translate`, where the translation is the model's own.

        Raises:
            InputError: a side is blank or longer than the model takes; an ensemble is not
                explained.
        """
        source = self.encode(sentence)  # S
        if len(self._hub.models) > 1:
            raise InputError("several checkpoints vote: give one to see what it does")
        if len(source) < 2 or (translation is not None and not translation.strip()):
            raise InputError("there is no sentence to explain: it is blank")
        self._check_lengths([source], 0, len(source))
        if translation is None:
            (best,) = self._hub.generate([source], beam=beam, nbest=1, **MAX_LENGTH)
            target = best[0]["tokens"].cpu()  # T
        else:
            pieces = self._hub.apply_bpe(normalise(translation))
            dictionary = self.task.target_dictionary
            target = dictionary.encode_line(pieces, add_if_not_exist=False).long()
        return self._follow(source, target)

    def _follow(self, source: torch.Tensor, target: torch.Tensor) -> Explanation:
        """Have the model write the pieces of a given translation, T, of a source, S."""
        model = self._of_the_pair(self._hub.models[0])
        end = target.new_tensor([self.task.target_dictionary.eos()])
        before = torch.cat([end, target[:-1]])[None].to(self.device)  # 1 x T
        tokens = source[None].to(self.device)  # 1 x S
        lengths = torch.tensor([len(source)], device=self.device)
        layers = model.recurrent_layers() if isinstance(model, RecurrentModel) else {}
        need = {"need_activity": True} if layers else {}
        with wants_of(model) as wants:
            encoded = model.encoder(tokens, src_lengths=lengths, **need)
            logits, extra = model.decoder(before, encoder_out=encoded, **need)
        scores = logits.float().log_softmax(-1)[0].gather(-1, target[:, None].to(self.device))
        if isinstance(extra, dict):
            (attention,) = extra["attn"]  # 1 x T x S
        else:  # fairseq's LSTM
            attention = extra
        activity = {
            side: layer_activities(
                [name for name in layers if name.startswith(side)],
                found["activity"] if layers else [],
                [noted for name, noted in wants.items() if name.startswith(side)],
            )
            for side, found in (("encoder", encoded), ("decoder", extra))
        }
        return Explanation(
            source=self._pieces(source, self.task.source_dictionary),
            target=self._pieces(target, self.task.target_dictionary),
            scores=(scores[:, 0] / math.log(2)).tolist(),
            attention=attention[0].float().tolist(),
            encoder=activity["encoder"],
            decoder=activity["decoder"],
        )

    def _of_the_pair(self, model: BaseFairseqModel) -> FairseqEncoderDecoderModel:
        """The model of the pair that is translated, out of one of several pairs."""
        if hasattr(model, "models"):
            return model.models[f"{self.source_lang}-{self.target_lang}"]
        return model

    def _pieces(self, tokens: torch.Tensor, dictionary: Dictionary) -> list[str]:
        return [dictionary[token] for token in tokens]

    def encode(self, sentence: str) -> torch.Tensor:
        """Raw text, normalised, to the numbers of its pieces, ended by </s>."""
        return self._hub.encode(normalise(sentence))

    @property
    def max_pieces(self) -> int:
        """How many pieces a sentence may have, its end included."""
        limits = self._hub.max_positions
        if isinstance(limits, dict):  # for each pair
            limits = limits[f"{self.source_lang}-{self.target_lang}"]
        return limits[0]

    def shorten(self, sentence: str) -> str:
        """As much of a sentence as the model takes."""
        pieces = self.encode(sentence)[: self.max_pieces - 1]
        while len(self.encode(text := self._hub.decode(pieces))) > self.max_pieces:
            pieces = pieces[:-1]  # half a word can have more pieces than it had within the whole
        return text

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
            choice = (
                "choose one of these pairs with --target-lang (or --source-lang and --target-lang)"
                if len(self.pairs) > 1
                else "no language needs to be named"
            )
            raise InputError(
                f"{checkpoint} translates {', '.join(self.pairs)}, got {flags or 'no language'}: "
                + choice
            )
        return dict(zip(("source_lang", "target_lang"), chosen[0], strict=True))

    def _check_lengths(self, encoded: list[torch.Tensor], start: int, max_tokens: int) -> None:
        longest = max(range(len(encoded)), key=lambda index: len(encoded[index]))
        length, limit = len(encoded[longest]), self.max_pieces
        if length > limit:
            raise InputError(
                f"sentence {start + longest + 1} has {length} pieces, more than the {limit} that "
                "this model takes: split it"
            )
        self._hub.cfg.dataset.max_tokens = max(max_tokens, length)
        self._hub.cfg.dataset.batch_size = None
