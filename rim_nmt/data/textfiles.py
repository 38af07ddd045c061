"""A user's own parallel text: files with a sentence a line, or two columns in one file."""

import functools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from rim_nmt.data.parallel import Corpus, PairText, Sentences, languages, on_disk
from rim_nmt.errors import InputError
from rim_nmt.runtime.files import find_sides, iterate_lines, sha256


@dataclass(frozen=True)
class TextFiles:
    """The two sides of a text: two files that are aligned line by line, or, without `target`,
    one file with a tab between source and target."""

    source: Path
    target: Path | None

    @property
    def paths(self) -> list[Path]:
        return [path for path in (self.source, self.target) if path]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """The sentence pairs, one after the other.

        Raises:
            InputError: a file is missing, is not UTF-8, or the sides are not aligned; the message
                names file and line.
        """
        if self.target is None:
            for number, line in enumerate(iterate_lines(self.source), start=1):
                columns = line.split("\t")
                if len(columns) != 2:
                    raise InputError(
                        f"{self.source}, line {number}: expected source, one tab, target, found "
                        f"{len(columns) - 1} tabs"
                    )
                yield columns[0], columns[1]
            return
        sides = iterate_lines(self.source), iterate_lines(self.target)
        for number, pair in enumerate(zip_longest(*sides)):
            if None in pair:
                counts = [number + (line is not None) for line in pair]
                for i, side in enumerate(sides):
                    counts[i] += sum(1 for _ in side)
                raise InputError(
                    f"{self.source} has {counts[0]:,} lines and {self.target} has "
                    f"{counts[1]:,}: they must be aligned line by line"
                )
            yield pair

    def count(self) -> int:
        """The number of pairs, after a look at all of them.

        Raises:
            InputError: as for `pairs`, or there are none.
        """
        count = sum(1 for _ in self.pairs())
        if not count:
            raise InputError(f"{' and '.join(map(str, self.paths))}: no text")
        return count

    def sentences(self) -> Sentences:
        """Both sides in memory, for small texts.

        Raises:
            InputError: as for `count`.
        """
        self.count()
        source, target = zip(*self.pairs(), strict=True)
        return list(source), list(target)


def find(prefix: Path, pair: str) -> TextFiles | None:
    """The files of one pair: PREFIX itself where it ends in .tsv, PREFIX.PAIR.LANG, or
    PREFIX.LANG; all of them plain or with .gz. None where there are none.

    Raises:
        InputError: one side is there and the other is missing.
    """
    if prefix.name.endswith((".tsv", ".tsv.gz")):
        return TextFiles(prefix, None) if prefix.is_file() else None
    sides = find_sides(prefix, pair)
    return TextFiles(*sides) if sides else None


def _rows(parts: Sequence[TextFiles]) -> Iterator[tuple[str, str]]:
    """The pairs of several texts, one text after the other."""
    for part in parts:
        yield from part.pairs()


def files_corpus(
    pairs: Sequence[str],
    train: Sequence[Path],
    valid: Path | None,
    tests: dict[str, Path],
    filtered: bool = True,
) -> Corpus:
    """A corpus from the user's own files. All of them are read once to see that they are whole.

    Args:
        pairs: language pairs, such as "en-de".
        train: prefixes of training text, one after the other. With several pairs each pair needs
            at least one of them.
        valid: prefix of the validation text, for every pair.
        tests: name -> prefix of a test set, for at least one pair.
        filtered: whether the training text is to be filtered.

    Raises:
        InputError: text is missing or is not aligned UTF-8.
    """
    sources: dict[str, str] = {}
    used: dict[Path, int] = defaultdict(int)

    def look(prefix: Path, pair: str) -> TextFiles | None:
        text = find(prefix, pair)
        if text:
            used[prefix] += 1
            text.count()
            sources.update((str(path), sha256(path)) for path in text.paths)
        return text

    texts = {}
    for pair in pairs:
        parts = [text for prefix in train if (text := look(prefix, pair))]
        valid_text = look(valid, pair) if valid else None
        test_texts = {name: text for name, prefix in tests.items() if (text := look(prefix, pair))}
        if train and not parts:
            raise InputError(f"no training text for {pair}: {_expected(train[0], pair)}")
        if valid and not valid_text:
            raise InputError(f"no validation text for {pair}: {_expected(valid, pair)}")
        texts[pair] = PairText(
            on_disk(functools.partial(_rows, parts)) if parts else None,
            valid_text.sentences() if valid_text else None,
            {name: text.sentences() for name, text in test_texts.items()},
        )
    for prefix in (*train, *tests.values()):
        if not used[prefix]:
            raise InputError(f"no text at {prefix}: {_expected(prefix, pairs[0])}")
    return Corpus(texts, sources, filtered)


def _expected(prefix: Path, pair: str) -> str:
    source, target = languages(pair)
    if prefix.name.endswith((".tsv", ".tsv.gz")):
        return f"{prefix} does not exist"
    return (
        f"expected {prefix}.{source} and {prefix}.{target}, or {prefix}.{pair}.{source} and "
        f"{prefix}.{pair}.{target}, plain or with .gz"
    )
