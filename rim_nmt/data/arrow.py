"""Work on all training pairs by parallel workers, kept on disk in Arrow files."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import numpy as np
import pyarrow

from rim_nmt.data import cleaning
from rim_nmt.data.cleaning import Cleaner
from rim_nmt.data.duplicates import pair_keys
from rim_nmt.data.subwords import encode_lines
from rim_nmt.errors import InputError
from rim_nmt.runtime.console import ProgressBar

BATCH = 1000  # pairs that a worker cleans or encodes at a time
# Pairs after which workers are started anew: what they read and have mapped into memory counts as
# theirs until they end.
PART = 1_000_000


def map_pairs(
    data: datasets.Dataset,
    function: Callable,
    cache: Path,
    workers: int,
    description: str,
    with_indices: bool = False,
    **arguments,
) -> datasets.Dataset:
    """A function over all pairs by parallel workers, kept on disk: a second call reads it.

    Args:
        data: the pairs, N rows.
        function: takes a batch of rows and returns one.
        cache: folder and name of the files; a number and .arrow are added.
        workers: processes side by side.
        description: what the progress bar says.
        with_indices: the function also gets the numbers of the pairs, and from where they count.
        arguments: what else the function gets.

    Raises:
        InputError: a worker was killed.
    """
    starts = range(0, len(data), PART)
    mapped: list[datasets.Dataset] = []
    for start in ProgressBar(starts, description, unit=" parts", disable=len(starts) == 1):
        part = data.select(range(start, min(start + PART, len(data))))
        if with_indices:
            arguments["first"] = start
        with _clear_of_dead_workers():
            mapped.append(
                part.map(
                    function,
                    batched=True,
                    batch_size=BATCH,
                    with_indices=with_indices,
                    remove_columns=data.column_names,
                    num_proc=min(workers, max(len(part) // BATCH, 1)),
                    cache_file_name=f"{cache}.{len(mapped):03}.arrow",
                    new_fingerprint=f"{cache.name.replace('.', '-')}-{len(mapped):03}",
                    fn_kwargs=arguments,
                    desc=description,
                )
            )
    return datasets.concatenate_datasets(mapped)


@contextlib.contextmanager
def _clear_of_dead_workers() -> Iterator[None]:
    """What `datasets` says of a worker that was killed, in one line."""
    try:
        yield
    except RuntimeError as error:
        if "abruptly died" not in str(error):
            raise
        raise InputError(
            "a worker was killed, as happens when memory runs out: try fewer (--workers)"
        ) from None


def clean_batch(batch: dict[str, list], cleaner: Cleaner | None) -> dict[str, list | np.ndarray]:
    """Normalise a batch of pairs and judge them.

    Args:
        batch: columns "source" and "target".
        cleaner: the filters; None keeps every pair that has text on both sides.

    Returns:
        The normalised columns (empty where a pair is not kept), "verdict" and "key".
    """
    columns: dict[str, list] = {"source": [], "target": [], "verdict": []}
    for source, target in zip(batch["source"], batch["target"], strict=True):
        source, target = cleaning.normalise(source), cleaning.normalise(target)
        if cleaner:
            verdict = cleaner.verdict(source, target)
        else:
            verdict = cleaning.KEPT if source and target else cleaning.EMPTY
        if verdict != cleaning.KEPT:
            source = target = ""
        columns["source"].append(source)
        columns["target"].append(target)
        columns["verdict"].append(verdict)
    return {**columns, "key": pair_keys(columns["source"], columns["target"])}


def encode_batch(
    batch: dict[str, list], indices: list[int], first: int, model: str, verdicts: str
) -> dict[str, list[str]]:
    """The kept pairs of a batch as pieces.

    Args:
        batch: the normalised columns "source" and "target".
        indices: the numbers of these pairs, counted from `first`.
        first: the number in the corpus from which they are counted.
        model: path of the subword model.
        verdicts: path of the verdicts on all pairs.
    """
    start = first + indices[0]
    kept = np.load(verdicts, mmap_mode="r")[start : start + len(indices)] == cleaning.KEPT
    return {
        side: encode_lines(Path(model), [line for line, k in zip(lines, kept, strict=True) if k])
        for side, lines in batch.items()
    }


def batches(data: datasets.Dataset) -> Iterator[tuple[int, pyarrow.RecordBatch]]:
    """What `map_pairs` made, from its files one batch after the other, each with the number of its
    first row: pages that are mapped into memory would stay there and count as this process's."""
    start = 0
    for file in data.cache_files:
        with pyarrow.OSFile(file["filename"]) as source, pyarrow.ipc.open_stream(source) as batches:
            for batch in batches:
                yield start, batch
                start += len(batch)


def column(data: datasets.Dataset, name: str, rows: np.ndarray | None = None) -> Iterator[str]:
    """One column of what `map_pairs` made.

    Args:
        data: what `map_pairs` made.
        name: the column.
        rows: only these, in ascending order.
    """
    for start, batch in batches(data):
        column = batch.column(name)
        if rows is not None:
            first, last = np.searchsorted(rows, (start, start + len(batch)))
            column = column.take(pyarrow.array(rows[first:last] - start))
        yield from column.to_pylist()
