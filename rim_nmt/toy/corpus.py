"""The project's own English-German corpus: random sentences of the grammar, split in four.

``train``, ``valid`` and ``test`` come from one distribution: sentences with at most one
embedded clause. ``transfer`` is another domain made of the same words and constructions:
deeper nesting, longer sentences, and noun-verb pairs that the other splits never show (see
:func:`rim_nmt.toy.sampling.held_apart`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

from rim_nmt.runtime.files import write_lines
from rim_nmt.toy.sampling import Example, Sampler

SPLITS = ("train", "valid", "test", "transfer")
Pair = tuple[str, str]

_TRIES_PER_SENTENCE = 60


def sample(
    seed: int = 1,
    train_size: int = 24_000,
    valid_size: int = 500,
    test_size: int = 500,
    transfer_size: int = 500,
) -> dict[str, list[Example]]:
    """Draw the corpus of :func:`generate` with its trees. Arguments and errors are the same."""
    sizes = dict(zip(SPLITS, (train_size, valid_size, test_size, transfer_size), strict=True))
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(
                f"{name}_size is {size!r}: expected a whole number of at least 1; "
                f"give a positive size for every split"
            )
    rng = random.Random(seed)
    seen: set[str] = set()
    common, rare = Sampler(rng), Sampler(rng, transfer=True)
    splits = {"train": _distinct(common, train_size, seen, "train")}
    known = _words(splits["train"])
    for name, sampler in (("valid", common), ("test", common), ("transfer", rare)):
        drawn = _distinct(sampler, 2 * sizes[name], seen, name)
        drawn.sort(key=lambda example: not _words([example]) <= known)
        splits[name] = drawn[: sizes[name]]
    return splits


def _words(examples: Sequence[Example]) -> set[str]:
    """Return all words and marks of some examples; those of German bear a sign."""
    english = " ".join(example.english for example in examples)
    german = " ".join(example.german for example in examples)
    words = set(re.findall(r"[\w-]+|[^\w\s]", english))
    return words | {f"de:{word}" for word in re.findall(r"[\w-]+|[^\w\s]", german)}


def _distinct(sampler: Sampler, size: int, seen: set[str], name: str) -> list[Example]:
    """Draw ``size`` examples whose English is not in ``seen`` yet, and add it there."""
    found: list[Example] = []
    for _ in range(_TRIES_PER_SENTENCE * size):
        example = sampler.example()
        if example.english not in seen:
            seen.add(example.english)
            found.append(example)
            if len(found) == size:
                return found
    raise ValueError(
        f"{name}_size asks for {size} distinct sentences, but only {len(found)} turned up in "
        f"{_TRIES_PER_SENTENCE * size} tries; give a smaller {name}_size"
    )


def generate(
    seed: int = 1,
    train_size: int = 24_000,
    valid_size: int = 500,
    test_size: int = 500,
    transfer_size: int = 500,
) -> dict[str, list[Pair]]:
    """Generate the corpus.

    No English sentence occurs twice, in one split or in two. The same arguments always give
    the same corpus. With the default sizes every word of the other splits occurs in
    ``train``; a small ``train`` (a few hundred sentences) cannot have every word, and then
    the other splits prefer sentences of known words but may hold unknown ones.

    Args:
        seed: selects the corpus.
        train_size: number of training pairs.
        valid_size: number of validation pairs, distributed like ``train``.
        test_size: number of test pairs, distributed like ``train``.
        transfer_size: number of pairs of the other domain.

    Returns:
        (English, German) pairs by split name: train, valid, test, transfer.

    Raises:
        ValueError: if a size is not a positive whole number, or is more than the grammar
            gives in a reasonable number of tries.
    """
    splits = sample(seed, train_size, valid_size, test_size, transfer_size)
    return {
        name: [(example.english, example.german) for example in examples]
        for name, examples in splits.items()
    }


def write(folder: Path, seed: int = 1, **sizes: int) -> None:
    """Write the corpus to ``folder`` as train.en, train.de, ..., one sentence a line.

    Each file is written beside its place and then renamed, so no reader finds half a file.

    Args:
        folder: where to write; it is created if it does not exist.
        seed: see :func:`generate`.
        **sizes: sizes of the splits, see :func:`generate`.

    Raises:
        ValueError: for the sizes that :func:`generate` refuses.
        OSError: if a file cannot be written.
    """
    splits = generate(seed, **sizes)
    for name, pairs in splits.items():
        for side, language in enumerate(("en", "de")):
            write_lines(folder / f"{name}.{language}", [pair[side] for pair in pairs])
