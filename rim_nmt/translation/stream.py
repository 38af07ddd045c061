"""Translating a stream of lines: as many at a time as are there, answered in their order."""

import logging
import queue
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from rim_nmt.errors import InputError
from rim_nmt.translation.sentences import Line, cut
from rim_nmt.translation.translator import Translation, Translator

BUFFER = 200  # lines that are translated together, where so many are there
WAIT = 0.01  # seconds that the next line may take to be there

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TranslatedLine:
    """A line and its translations.

    Args:
        number: of the line, from 1.
        source: the line.
        translations: the best first. Of a line of several sentences the first one is made of the
            best translation of each, the second one of the second best, and so on; its score is
            the mean of theirs, weighted by their numbers of pieces.
        alignment: pairs of a word of the line and a word of the best translation, both counted
            from 0, as in `Explanation.alignment`; None where it was not asked for.
    """

    number: int
    source: str
    translations: list[Translation]
    alignment: list[tuple[int, int]] | None = None


def available(stream: Iterable[bytes], most: int = BUFFER) -> Iterator[list[bytes]]:
    """The lines of a stream in groups: all that are there, one at least.

    A line that a person or a slow program writes is thus there at once, while a file comes in
    groups of `most`.
    """
    lines: queue.Queue[bytes | BaseException | None] = queue.Queue(maxsize=2 * most)

    def read() -> None:
        try:
            for line in stream:
                lines.put(line)
            lines.put(None)
        except BaseException as error:  # for the thread that reads the queue
            lines.put(error)

    threading.Thread(target=read, daemon=True).start()
    ended = False
    while not ended:
        group = []
        item = lines.get()
        while True:
            if isinstance(item, BaseException):
                raise item
            if item is None:
                ended = True
                break
            group.append(item)
            if len(group) == most:
                break
            try:
                item = lines.get(timeout=WAIT)
            except queue.Empty:
                break
        if group:
            yield group


def translate_stream(
    translator: Translator,
    stream: BinaryIO | Iterable[bytes],
    beam: int = 5,
    nbest: int = 1,
    split: bool = True,
    strict: bool = False,
    align: bool = False,
) -> Iterator[TranslatedLine]:
    """Translate UTF-8 lines: one result for each, in their order.

    Args:
        translator: translates.
        stream: lines of bytes, with or without their ends.
        beam: as for `Translator.translate`.
        nbest: as for `Translator.translate`.
        split: cut lines into sentences, translate each, and put the line together again.
        strict: refuse what cannot be translated as it is, instead of a warning.
        align: also tell which words belong together, which takes about as long again.

    Raises:
        InputError: with `strict`, a line is not UTF-8 or a sentence is longer than the model
            takes; the message names the line. Otherwise wrong bytes are replaced by U+FFFD, and
            the sentence is cut to what the model takes.
    """
    number = 0
    for group in available(stream):
        lines: list[tuple[str, Line, list[str]]] = []
        failure = None
        for raw in group:
            try:
                place = number + len(lines) + 1
                text = _decode(raw, place, strict)
                line = cut(text, translator.source_lang if split else None)
                sources = [_fit(translator, s, place, strict) for s in line.sentences]
            except InputError as error:  # raised when the lines before it are answered
                failure = error
                break
            lines.append((text, line, sources))
        sentences = [source for _, _, sources in lines for source in sources]
        results = translator.translate(sentences, beam=beam, nbest=nbest)
        for text, line, sources in lines:
            number += 1
            best = [next(results) for _ in sources]
            alignment = _alignment(translator, sources, best) if align else None
            yield TranslatedLine(number, text, _joined(line, best, nbest), alignment)
        if failure:
            raise failure


def _decode(raw: bytes, number: int, strict: bool) -> str:
    raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"line {number} of the input is not UTF-8 ({error.reason})"
        if strict:
            raise InputError(message) from None
        logger.warning("%s: what is wrong is replaced by U+FFFD", message)
        text = raw.decode("utf-8", errors="replace")
    return text.removeprefix("\ufeff") if number == 1 else text


def _fit(translator: Translator, sentence: str, number: int, strict: bool) -> str:
    length, most = len(translator.encode(sentence)), translator.max_pieces
    if length <= most:
        return sentence
    message = (
        f"line {number} of the input has a sentence of {length} pieces, more than the {most} that "
        "this model takes"
    )
    if strict:
        raise InputError(f"{message}: split it")
    logger.warning("%s: what is beyond them is not translated", message)
    return translator.shorten(sentence)


def _joined(line: Line, best: list[list[Translation]], nbest: int) -> list[Translation]:
    if not best:
        return [Translation(line.join([]), 0.0, 0)] * nbest
    joined = []
    for rank in zip(*best, strict=True):
        pieces = sum(translation.pieces for translation in rank)
        score = sum(translation.score * translation.pieces for translation in rank)
        text = line.join([translation.text for translation in rank])
        joined.append(Translation(text, score / max(pieces, 1), pieces))
    return joined


def _alignment(
    translator: Translator, sources: list[str], best: list[list[Translation]]
) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    before = [0, 0]  # words of the sentences before
    for source, (translation, *_) in zip(sources, best, strict=True):
        if translation.text.strip():
            explanation = translator.explain(source, translation.text)
            pairs += [(s + before[0], t + before[1]) for s, t in explanation.alignment()]
        before = [before[0] + len(source.split()), before[1] + len(translation.text.split())]
    return pairs
