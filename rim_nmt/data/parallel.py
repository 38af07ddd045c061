"""What a recipe hands to the preparation: parallel text, pair by pair."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from datasets import Dataset

from rim_nmt.errors import InputError
from rim_nmt.runtime.files import is_name

Sentences = tuple[list[str], list[str]]  # the two sides, aligned


@dataclass(frozen=True)
class PairText:
    """The text of one language pair.

    Args:
        train: puts the training text below a folder as a dataset on disk, columns "source" and
            "target"; None where the subwords of another corpus are used and nothing is trained.
        valid: validation text.
        tests: test sets by name, as they are scored.
    """

    train: Callable[[Path], Dataset] | None = None
    valid: Sentences | None = None
    tests: dict[str, Sentences] = field(default_factory=dict)


@dataclass(frozen=True)
class Corpus:
    """Parallel text in one or more pairs, and where it came from.

    Args:
        pairs: "en-de" -> its text.
        sources: file -> SHA-256.
        filtered: whether the training text still has to be filtered.
    """

    pairs: dict[str, PairText]
    sources: dict[str, str]
    filtered: bool = True


def languages(pair: str) -> tuple[str, str]:
    """("en", "de") of "en-de".

    Raises:
        InputError: the pair is written in another way.
    """
    source, dash, target = pair.partition("-")
    names = is_name(source) and is_name(target) and "-" not in target
    if not (dash and names) or source == target:
        raise InputError(f"language pair {pair!r}: expected two different languages, as in en-de")
    return source, target


def on_disk(pairs: Callable[[], Iterator[tuple[str, str]]]) -> Callable[[Path], Dataset]:
    """A stream of sentence pairs as `PairText.train`: written to disk, never held in memory."""

    def load(folder: Path) -> Dataset:
        def rows() -> Iterator[dict[str, str]]:
            for source, target in pairs():
                yield {"source": source, "target": target}

        return Dataset.from_generator(rows, cache_dir=str(folder), fingerprint=folder.name)

    return load
