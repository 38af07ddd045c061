"""Lines of text cut into sentences, and put together again with the white space they had."""

from collections.abc import Sequence
from dataclasses import dataclass

import sentencex


@dataclass(frozen=True)
class Line:
    """A line of text: its sentences, and the white space around them.

    Args:
        sentences: N of them, none of them blank, without white space at their ends.
        gaps: the white space before each sentence and after the last one, N + 1 strings.
    """

    sentences: tuple[str, ...]
    gaps: tuple[str, ...]

    def join(self, sentences: Sequence[str]) -> str:
        """Other sentences (translations, say) in the place of this line's, N of them."""
        parts = [self.gaps[0]]
        for sentence, gap in zip(sentences, self.gaps[1:], strict=True):
            parts += sentence, gap
        return "".join(parts)


def cut(text: str, language: str | None) -> Line:
    """A line, cut into sentences by the rules of its language.

    Args:
        text: the line, without its end.
        language: its code, such as "en"; None leaves the line whole, as one sentence.
    """
    segments = [text] if language is None else sentencex.segment(language, text)
    sentences, gaps = [], [""]
    for segment in segments:
        sentence = segment.strip()
        if not sentence:
            gaps[-1] += segment
            continue
        start = segment.index(sentence)
        gaps[-1] += segment[:start]
        sentences.append(sentence)
        gaps.append(segment[start + len(sentence) :])
    return Line(tuple(sentences), tuple(gaps))
