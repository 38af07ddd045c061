"""Sentences by their length in words, as white space separates them."""

from collections.abc import Iterable, Iterator

from rim_nmt.data.parallel import Sentences

SHORT = 12  # words; at most so many are on either side of what the second training sees
BINS = ((1, SHORT), (13, 16), (17, 20), (21, 40))  # words of the source
LEAST = 50  # sentences; fewer say too little


def bin_name(shortest: int, longest: int) -> str:
    """A bin's name, as in "13-16"."""
    return f"{shortest}-{longest}"


IN_DOMAIN = bin_name(*BINS[0])  # for the second training


def binned(text: Sentences) -> dict[str, Sentences]:
    """A test set in bins by the length of the source; bins with too few sentences are left out."""
    bins = {}
    for shortest, longest in BINS:
        pairs = [pair for pair in zip(*text, strict=True) if shortest <= _words(pair[0]) <= longest]
        if len(pairs) >= LEAST:
            sources, targets = zip(*pairs, strict=True)
            bins[bin_name(shortest, longest)] = (list(sources), list(targets))
    return bins


def short_pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The sentence pairs of which both sides are short."""
    return (pair for pair in pairs if max(map(_words, pair)) <= SHORT)


def _words(sentence: str) -> int:
    return len(sentence.split())
