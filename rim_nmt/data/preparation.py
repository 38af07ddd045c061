"""From parallel text to what fairseq trains on, step by step.

A prepared folder:

    raw/NAME.PAIR.LANG    validation and test text as it came; what scores are computed against
    sentencepiece.model   one subword model for all languages
    pieces/NAME.PAIR.LANG training, validation and test text as pieces
    bin/                  fairseq's dictionaries (all the same) and binarised data
    manifest.json         options, sources with checksums, counts after each step, versions
    prepare.log           what fairseq-preprocess said

All of it is made in OUT.unfinished, which takes the name OUT in the end: a folder that has its
name is complete. What an interrupted run finished there is not done again. begun.json says with
which options it was begun; nothing is there before all of the input has been checked. Text is
never held in memory as a whole, except for validation and test sets.
"""

import contextlib
import dataclasses
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import datasets
import numpy as np
import pyarrow
from fairseq.data import Dictionary
from rich.table import Table

from rim_nmt.commands import ProgressBar, console, fairseq_command, preprocess, show
from rim_nmt.data import cleaning
from rim_nmt.data.cleaning import VERDICTS, Cleaner
from rim_nmt.data.download import sha256
from rim_nmt.data.duplicates import mark_duplicates, pair_keys
from rim_nmt.data.parallel import Corpus, PairText, languages
from rim_nmt.data.subwords import encode_lines, train_subwords, vocabulary
from rim_nmt.files import (
    InputError,
    atomic_path,
    copy_file,
    folder_lock,
    is_vacant,
    make_marked,
    publish,
    read_json,
    remove_marked,
    write_json,
    write_lines,
)
from rim_nmt.models import fairseq_fixes
from rim_nmt.processes import forks_end_with_this

fairseq_fixes.apply()

BATCH = 1000  # pairs that a worker cleans or encodes at a time
# Pairs after which workers are started anew: what they read and have mapped into memory counts as
# theirs until they end.
PART = 1_000_000

MANIFEST = "manifest.json"  # by which a prepared folder is known
BEGUN = "begun.json"  # by which one that is being prepared is known
WORK = "work"
MADE = ("raw", "sentencepiece.model", "pieces", "bin", "prepare.log", MANIFEST)
SUBWORD_OPTIONS = {"vocab_size", "character_coverage", "subword_sample", "subwords_from"}


class NothingKeptError(InputError):
    """The filters took out every training pair."""


@dataclasses.dataclass(frozen=True)
class Options:
    """How text is prepared.

    Args:
        vocab_size: joint subwords.
        character_coverage: share of the characters that subwords must cover.
        subword_sample: at most so many sentences, of all sides together, train the subwords.
        subwords_from: take subwords and dictionary of this prepared folder instead.
        max_words: pairs with a longer side are not trained on.
        max_ratio: nor are pairs whose lengths differ by more than this factor.
    """

    vocab_size: int = 32_000
    character_coverage: float = 1.0
    subword_sample: int = 500_000
    subwords_from: Path | None = None
    max_words: int = Cleaner.max_words
    max_ratio: float = Cleaner.max_ratio


def prepare(
    out: Path,
    recipe: dict,
    load: Callable[[], Corpus],
    options: Options,
    workers: int = 2,
    overwrite: bool = False,
) -> None:
    """Prepare a corpus in the folder `out`.

    Args:
        out: the prepared folder. If it is there already, nothing is done.
        recipe: what `load` will give: the recipe's name and its own options, which are recorded.
        load: fetches or opens the text.
        options: how it is prepared.
        workers: processes side by side; the result does not depend on it.
        overwrite: prepare anew what was prepared with other options.

    Raises:
        InputError: `out` was prepared with other options or is another kind of folder, or another
            process is preparing it; the text is missing or broken; the vocabulary does not fit.
    """
    asked = json.loads(json.dumps({**recipe, **dataclasses.asdict(options)}, default=str))
    unfinished = _unfinished(out)
    if set(",:") & set(str(out)):
        raise InputError(f"{out}: a comma or a colon would end the name for fairseq; name another")
    with folder_lock(out):
        if _is_ours(unfinished, MANIFEST):  # killed between the last two steps
            _finish(unfinished, out)
        if not is_vacant(out):
            if not _is_ours(out, MANIFEST):
                raise InputError(
                    f"{out} is there but was not prepared by this command; name another"
                )
            if _same(out / MANIFEST, asked, overwrite) and _unchanged(out, overwrite):
                console.print(f"{out} is prepared already with these options: nothing to do")
                return
            _check_replaceable(out)
        if not (is_vacant(unfinished) or _is_ours(unfinished, BEGUN)):
            raise InputError(
                f"{unfinished} is where {out} is prepared, but it was not made by this command: "
                "move it away, or name another folder"
            )
        if not sys.stderr.isatty():
            datasets.disable_progress_bars()
        with forks_end_with_this():
            manifest = _prepare(out, unfinished, asked, load, options, workers, overwrite)
    for pair, about in manifest["pairs"].items():
        for name, test in about["tests"].items():
            console.print(f"  {pair} {name}: fairseq-generate --gen-subset {test['gen_subset']}")
    console.print(f"{out} is ready")


def remove_prepared(out: Path, recipe: dict) -> None:
    """Remove a prepared folder, finished or not.

    Args:
        out: the folder. What this command did not make is left alone.
        recipe: what it was prepared from; one that was prepared from something else stays.

    Raises:
        InputError: it is being prepared.
    """
    with folder_lock(out):
        for folder, mark in ((out, MANIFEST), (_unfinished(out), BEGUN)):
            if _is_ours(folder, mark):
                made = read_json(folder / mark)["options"]
                if recipe.items() <= made.items() and not _strange(folder):
                    remove_marked(folder, mark)


def _prepare(
    out: Path,
    unfinished: Path,
    asked: dict,
    load: Callable[[], Corpus],
    options: Options,
    workers: int,
    overwrite: bool,
) -> dict:
    """Prepare the corpus, or go on with it; returns the manifest."""
    begun = unfinished / BEGUN
    going_on = begun.exists() and _can_go_on(unfinished, asked, overwrite)
    corpus = load()  # all of the input is checked here, before anything is written
    sources = dict(corpus.sources)
    if going_on and _check_sources(begun, sources, overwrite):
        console.print(f"going on with what is in {unfinished}")
        write_json(begun, {"options": asked, "sources": sources})
    else:
        if begun.exists():
            remove_marked(unfinished, BEGUN)
        make_marked(unfinished, BEGUN, {"options": asked, "sources": sources})
    try:
        counts = _Preparation(unfinished, out, corpus, options, workers).run()
    except NothingKeptError:
        remove_marked(unfinished, BEGUN)  # of no use to other options
        raise
    if options.subwords_from:
        sources[str(options.subwords_from / "sentencepiece.model")] = sha256(
            unfinished / "sentencepiece.model"
        )
    manifest = {
        "options": asked,
        "sources": sources,
        **counts,
        "versions": {
            name: version(name) for name in ("fairseq-fixed", "sentencepiece", "datasets", "numpy")
        },
    }
    write_json(unfinished / MANIFEST, manifest)
    _finish(unfinished, out)
    return manifest


class _Preparation:
    """The steps, in the folder of an unfinished preparation."""

    def __init__(self, folder: Path, out: Path, corpus: Corpus, options: Options, workers: int):
        self.folder = folder
        self.out = out
        self.work = folder / WORK
        self.work.mkdir(exist_ok=True)
        self.corpus = corpus
        self.options = options
        self.workers = workers
        self.model = folder / "sentencepiece.model"
        self.trained = {pair: text for pair, text in corpus.pairs.items() if text.train}

    def run(self) -> dict:
        """All steps; returns what the manifest says of them."""
        self.write_raw()
        clean = {pair: self.clean(pair, text) for pair, text in self.trained.items()}
        verdicts = {pair: self.judge(pair, data) for pair, data in clean.items()}
        self.print_filter_table(verdicts)
        self.subwords(clean, verdicts)
        pieces = {pair: self.encode(pair, data, verdicts[pair]) for pair, data in clean.items()}
        held_out = {pair: self.encode_held_out(pair, t) for pair, t in self.corpus.pairs.items()}
        dictionary = self.dictionaries(pieces)
        self.binarise(pieces, held_out)
        return {
            "subwords": len(vocabulary(self.model)),
            "dictionary": dictionary,
            "pairs": {
                pair: {
                    **(
                        {"train": _counts(verdicts[pair]), "train_pieces": pieces[pair]}
                        if pair in clean
                        else {}
                    ),
                    **held_out[pair],
                }
                for pair in self.corpus.pairs
            },
        }

    def write_raw(self) -> None:
        """Validation and test text as it came."""
        for pair, text in self.corpus.pairs.items():
            for name, sides in _held_out(text).items():
                for language, lines in zip(languages(pair), sides, strict=True):
                    write_lines(self.folder / "raw" / f"{name}.{pair}.{language}", lines)

    def clean(self, pair: str, text: PairText) -> datasets.Dataset:
        """Normalised training pairs, each with a verdict and, for finding duplicates, a key."""
        done = any(self.work.glob(f"clean.{pair}*.arrow"))
        with _Timer(f"{pair}: read and clean", done=done) as timer:
            data = text.train(self.work / f"loaded.{pair}")
            cleaner = None
            if self.corpus.filtered:
                limits = self.options.max_words, self.options.max_ratio
                cleaner = Cleaner(*languages(pair), *limits)
            clean = self.map(
                data, clean_batch, f"clean.{pair}", f"{pair}: cleaning", cleaner=cleaner
            )
            timer.count = len(clean)
        return clean

    def judge(self, pair: str, clean: datasets.Dataset) -> np.ndarray:
        """The verdict on each pair, duplicates included.

        Returns:
            N numbers of `VERDICTS`, a file mapped into memory.
        """
        path = self.work / f"verdicts.{pair}.npy"
        if not path.exists():
            with _Timer(f"{pair}: duplicates", len(clean)):
                verdicts = np.empty(len(clean), dtype=np.uint8)
                keys = np.empty(len(clean), dtype=np.uint64)
                for start, batch in _batches(clean):
                    rows = slice(start, start + len(batch))
                    verdicts[rows], keys[rows] = batch["verdict"], batch["key"]
                if self.corpus.filtered:
                    mark_duplicates(keys, verdicts)
                with atomic_path(path) as temporary, temporary.open("wb") as stream:
                    np.save(stream, verdicts)
        verdicts = np.load(path, mmap_mode="r")
        if not np.any(verdicts == cleaning.KEPT):
            raise NothingKeptError(f"none of the {len(verdicts):,} training pairs {pair} is kept")
        return verdicts

    def print_filter_table(self, verdicts: dict[str, np.ndarray]) -> None:
        """What each filter took out."""
        if not (self.corpus.filtered and verdicts):
            return
        table = Table("training pairs", title_justify="left")
        for pair in verdicts:
            table.add_column(pair, justify="right")
        counts = {pair: _counts(of_pair) for pair, of_pair in verdicts.items()}
        for row in ("read", *VERDICTS[1:], VERDICTS[0]):
            table.add_row(row, *(f"{of_pair[row]:,}" for of_pair in counts.values()))
        console.print(table)

    def subwords(self, clean: dict[str, datasets.Dataset], verdicts: dict[str, np.ndarray]) -> None:
        """The subword model: trained on an even sample of all sides, or another corpus's."""
        if self.options.subwords_from:
            given = self.options.subwords_from / "sentencepiece.model"
            if self.model.exists() and sha256(self.model) != sha256(given):
                raise InputError(
                    f"{given} changed since this preparation was begun; --overwrite begins it again"
                )
            copy_file(given, self.model)
        if self.model.exists():
            return
        each = self.options.subword_sample // (2 * len(clean))

        def sample() -> Iterator[str]:
            for pair, data in clean.items():
                kept = np.flatnonzero(verdicts[pair] == cleaning.KEPT)
                if len(kept) > each:  # evenly spaced
                    kept = kept[np.arange(each) * len(kept) // each]
                for side in ("source", "target"):
                    yield from _column(data, side, kept)

        options = self.options
        text = self.work / "sample.txt"
        with (
            _Timer(f"{options.vocab_size:,} joint subwords"),
            console.status("training the subword model (SentencePiece tells no progress)"),
        ):
            write_lines(text, sample())
            train_subwords(text, self.model, options.vocab_size, options.character_coverage)
        text.unlink()

    def encode(self, pair: str, clean: datasets.Dataset, verdicts: np.ndarray) -> int:
        """The kept training pairs as pieces, one file a side.

        Returns:
            The number of pieces on both sides. How often each occurs is left in a file.
        """
        done = self.work / f"counts.{pair}.json"
        if not done.exists():
            kept = int(np.sum(verdicts == cleaning.KEPT))
            begun = any(self.work.glob(f"encoded.{pair}*.arrow"))
            with _Timer(f"{pair}: encode", kept, begun):
                encoded = self.map(
                    clean.select_columns(["source", "target"]),
                    encode_batch,
                    f"encoded.{pair}",
                    f"{pair}: encoding",
                    with_indices=True,
                    model=str(self.model),
                    verdicts=str(self.work / f"verdicts.{pair}.npy"),
                )
                counts: Counter[str] = Counter()
                for side, language in zip(("source", "target"), languages(pair), strict=True):
                    with (
                        atomic_path(
                            self.folder / "pieces" / f"train.{pair}.{language}"
                        ) as temporary,
                        temporary.open("w", encoding="utf-8", newline="\n") as stream,
                    ):
                        lines = _column(encoded, side)
                        about = f"{pair}: writing {language}"
                        for line in ProgressBar(lines, desc=about, total=len(encoded)):
                            counts.update(line.split())
                            stream.write(f"{line}\n")
                write_json(done, counts)
        return sum(read_json(done).values())

    def encode_held_out(self, pair: str, text: PairText) -> dict:
        """Validation and test text as pieces; returns counts and shares of unknown characters."""
        known = vocabulary(self.model)
        about = {}
        for name, sides in _held_out(text).items():
            unknown = {}
            for language, lines in zip(languages(pair), sides, strict=True):
                pieces = encode_lines(self.model, [cleaning.normalise(line) for line in lines])
                write_lines(self.folder / "pieces" / f"{name}.{pair}.{language}", pieces)
                strange = (p for line in pieces for p in line.split() if p not in known)
                characters = sum(len("".join(line.split())) for line in lines)
                unknown[language] = sum(len(p.strip("▁")) for p in strange) / max(characters, 1)
            about[name] = {"pairs": len(sides[0]), "unknown_characters": unknown}
        valid = {"valid": about.pop("valid")} if text.valid else {}
        for index, name in enumerate(about):
            about[name]["gen_subset"] = f"test{index or ''}"
        return {**valid, "tests": about}

    def dictionaries(self, pieces: dict[str, int]) -> int:
        """fairseq's dictionary, the same for every language; returns its size.

        As fairseq-preprocess would build it from the training text of all pairs, without the
        characters that are not in the subword model.
        """
        path = self.work / "dict.txt"
        if self.options.subwords_from:
            given = sorted((self.options.subwords_from / "bin").glob("dict.*.txt"))
            if len({dictionary.read_bytes() for dictionary in given}) != 1:
                raise InputError(
                    f"{self.options.subwords_from / 'bin'} has {len(given)} dictionaries; "
                    "expected one or more that are all the same"
                )
            copy_file(given[0], path)
        else:
            known = vocabulary(self.model)
            counts: Counter[str] = Counter()
            for pair in pieces:
                counts.update(read_json(self.work / f"counts.{pair}.json"))
            dictionary = Dictionary()
            for piece, count in counts.items():
                if piece in known:
                    dictionary.add_symbol(piece, n=count)
            dictionary.finalize(padding_factor=8)
            with atomic_path(path) as temporary:
                dictionary.save(str(temporary))
        return len(Dictionary.load(str(path)))

    def binarise(self, pieces: dict[str, int], held_out: dict[str, dict]) -> None:
        """fairseq-preprocess, pair by pair."""
        if (self.folder / "bin").exists():
            return
        destination = self.work / "bin"
        shutil.rmtree(destination, ignore_errors=True)
        destination.mkdir()
        for pair, about in held_out.items():
            # as it reads when the folder has its name: for the reader to copy
            bin_folder = self.out / "bin"
            dictionary = bin_folder / f"dict.{languages(pair)[0]}.txt"
            show(self.preprocess_command(pair, about, self.out / "pieces", dictionary, bin_folder))
            # apart from the others: fairseq-preprocess refuses a folder that has its dictionary
            apart = self.work / f"bin.{pair}"
            shutil.rmtree(apart, ignore_errors=True)
            command = self.preprocess_command(
                pair, about, self.folder / "pieces", self.work / "dict.txt", apart
            )
            with _Timer(f"{pair}: binarise"):
                preprocess(command, self.folder / "prepare.log", apart, pieces.get(pair))
            (apart / "preprocess.log").unlink()  # it is in prepare.log
            for path in apart.iterdir():
                path.replace(destination / path.name)
        publish(destination, self.folder / "bin")

    def preprocess_command(
        self, pair: str, about: dict, texts: Path, dictionary: Path, destination: Path
    ) -> list[str]:
        """The fairseq-preprocess command of one pair."""
        source, target = languages(pair)
        # fairseq-preprocess does one share of the text alone, after its workers have done theirs
        shares = self.workers + 1 if self.workers > 1 else 1
        tests = ",".join(str(texts / f"{name}.{pair}") for name in about["tests"])
        return fairseq_command(
            "preprocess",
            *("--source-lang", source, "--target-lang", target),
            *(["--trainpref", texts / f"train.{pair}"] if pair in self.trained else []),
            *(["--validpref", texts / f"valid.{pair}"] if "valid" in about else []),
            *(["--testpref", tests] if tests else []),
            *("--destdir", destination, "--workers", shares),
            *("--srcdict", dictionary, "--joined-dictionary"),
        )

    def map(
        self,
        data: datasets.Dataset,
        function: Callable,
        name: str,
        description: str,
        with_indices: bool = False,
        **arguments,
    ) -> datasets.Dataset:
        """`function` over all pairs by parallel workers, kept on disk: a second call reads it.

        With `with_indices`, it is also given numbers of the pairs, and from where they count.
        """
        starts = range(0, len(data), PART)
        mapped = []
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
                        num_proc=min(self.workers, max(len(part) // BATCH, 1)),
                        cache_file_name=str(self.work / f"{name}.{len(mapped):03}.arrow"),
                        new_fingerprint=f"{name.replace('.', '-')}-{len(mapped):03}",
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


def clean_batch(batch: dict[str, list], cleaner: Cleaner | None) -> dict[str, list]:
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
    columns["key"] = pair_keys(columns["source"], columns["target"])
    return columns


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


def _batches(data: datasets.Dataset) -> Iterator[tuple[int, pyarrow.RecordBatch]]:
    """What `map` made, from its files one batch after the other, each with the number of its first
    row: pages that are mapped into memory would stay there and count as this process's."""
    start = 0
    for file in data.cache_files:
        with pyarrow.OSFile(file["filename"]) as source, pyarrow.ipc.open_stream(source) as batches:
            for batch in batches:
                yield start, batch
                start += len(batch)


def _column(data: datasets.Dataset, name: str, rows: np.ndarray | None = None) -> Iterator[str]:
    """One column of what `map` made.

    Args:
        data: what `map` made.
        name: the column.
        rows: only these, in ascending order.
    """
    for start, batch in _batches(data):
        column = batch.column(name)
        if rows is not None:
            first, last = np.searchsorted(rows, (start, start + len(batch)))
            column = column.take(pyarrow.array(rows[first:last] - start))
        yield from column.to_pylist()


class _Timer:
    """Prints how long a step took and, where it counts pairs, how many a second; nothing if the
    step was done, at least in part, by an earlier run."""

    def __init__(self, what: str, count: int | None = None, done: bool = False):
        self.what = what
        self.count = count
        self.done = done

    def __enter__(self) -> "_Timer":
        self.started = time.perf_counter()
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None or self.done:
            return
        seconds = time.perf_counter() - self.started
        rate = f", {self.count / seconds:,.0f} pairs a second" if self.count else ""
        count = f"{self.count:,} pairs, " if self.count else ""
        console.print(f"  {self.what}: {count}{seconds:.1f} s{rate}")


def _held_out(text: PairText) -> dict[str, tuple[list[str], list[str]]]:
    return {**({"valid": text.valid} if text.valid else {}), **text.tests}


def _counts(verdicts: np.ndarray) -> dict[str, int]:
    counts = np.bincount(verdicts, minlength=len(VERDICTS))
    by_name = {name: int(count) for name, count in zip(VERDICTS, counts, strict=True)}
    return {"read": len(verdicts), **by_name}


def _unfinished(out: Path) -> Path:
    return out.with_name(f"{out.name}.unfinished")


def _is_ours(folder: Path, mark: str) -> bool:
    """Whether this command made a folder: its mark says with which options."""
    with contextlib.suppress(InputError, OSError):
        content = read_json(folder / mark)
        return isinstance(content, dict) and {"options", "sources"} <= content.keys()
    return False


def _strange(folder: Path) -> list[str]:
    """What is in a prepared folder that this command did not put there."""
    return sorted(path.name for path in folder.iterdir() if path.name not in (*MADE, BEGUN, WORK))


def _check_replaceable(out: Path) -> None:
    """See that nothing is lost with a prepared folder but what this command made.

    Raises:
        InputError: it holds something else.
    """
    if strange := _strange(out):
        raise InputError(
            f"{out} cannot be replaced: it also holds {', '.join(strange)}, which this command did "
            "not make; move that away, or name another folder"
        )


def _same(recorded: Path, asked: dict, overwrite: bool) -> bool:
    """Whether a folder was made with the options that are asked for now.

    Raises:
        InputError: it was not, and it is not to be overwritten.
    """
    differences = _differences(recorded, asked)
    if differences and not overwrite:
        raise InputError(
            f"{recorded.parent} was prepared with other options:\n"
            + "\n".join(differences.values())
            + "\n--overwrite prepares it anew; or choose another --out"
        )
    return not differences


def _differences(recorded: Path, asked: dict) -> dict[str, str]:
    """The options that a folder was not made with, and a line for people to read on each."""
    made = read_json(recorded)["options"]
    return {
        name: f"  {name}: {made.get(name)} there, {asked.get(name)} asked for"
        for name in sorted({*made, *asked})
        if made.get(name) != asked.get(name)
    }


def _can_go_on(unfinished: Path, asked: dict, overwrite: bool) -> bool:
    """Whether what was begun is of use: so far, the options of subwords may be others than now
    where there are no subwords yet.

    Raises:
        InputError: as for `_same`.
    """
    differing = _differences(unfinished / BEGUN, asked).keys()
    if differing <= SUBWORD_OPTIONS and not (unfinished / "sentencepiece.model").exists():
        return True
    return _same(unfinished / BEGUN, asked, overwrite)


def _unchanged(out: Path, overwrite: bool) -> bool:
    """Whether those sources of a prepared folder that are still on disk are what they were.

    Raises:
        InputError: they are not, and the folder is not to be overwritten.
    """
    sources = read_json(out / MANIFEST)["sources"]
    changed = [
        name
        for name, checksum in sources.items()
        if Path(name).is_file() and sha256(Path(name)) != checksum
    ]
    if changed and not overwrite:
        raise InputError(
            f"{', '.join(changed)} changed since {out} was prepared: --overwrite prepares it anew"
        )
    return not changed


def _check_sources(begun: Path, sources: dict[str, str], overwrite: bool) -> bool:
    """Whether an unfinished preparation has the sources that it was begun with.

    Raises:
        InputError: they have changed, and it is not to be overwritten.
    """
    before = read_json(begun)["sources"]
    changed = [name for name in {**before, **sources} if sources.get(name) != before.get(name)]
    if changed and not overwrite:
        raise InputError(
            f"{', '.join(changed)} changed since this preparation was begun; --overwrite begins it "
            "again"
        )
    return not changed


def _finish(unfinished: Path, out: Path) -> None:
    """Give the finished folder its name, in the place of an older one.

    Raises:
        InputError: what has the name was not made by this command.
    """
    shutil.rmtree(unfinished / WORK, ignore_errors=True)
    (unfinished / BEGUN).unlink(missing_ok=True)
    if not is_vacant(out):
        if not _is_ours(out, MANIFEST):
            raise InputError(f"{unfinished} is ready, but {out} is there: move that away")
        _check_replaceable(out)
        remove_marked(out, MANIFEST)
    publish(unfinished, out)
