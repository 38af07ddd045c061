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
from fairseq.data import Dictionary
from rich.table import Table

from rim_nmt.data import cleaning
from rim_nmt.data.arrow import batches, clean_batch, column, encode_batch, map_pairs
from rim_nmt.data.cleaning import VERDICTS, Cleaner
from rim_nmt.data.duplicates import mark_duplicates
from rim_nmt.data.parallel import Corpus, PairText, languages
from rim_nmt.data.prepared_folder import (
    BEGUN,
    MANIFEST,
    WORK,
    can_go_on,
    check_replaceable,
    finish,
    is_ours,
    made_with,
    same_sources,
    unchanged,
    unfinished_path,
)
from rim_nmt.data.subwords import encode_lines, train_subwords, vocabulary
from rim_nmt.errors import InputError
from rim_nmt.plugin import fixes
from rim_nmt.runtime.console import ProgressBar, console
from rim_nmt.runtime.fairseq_commands import fairseq_command, preprocess, show
from rim_nmt.runtime.files import (
    atomic_path,
    copy_file,
    folder_lock,
    is_vacant,
    make_marked,
    publish,
    read_json,
    remove_marked,
    sha256,
    write_json,
    write_lines,
)
from rim_nmt.runtime.processes import forks_end_with_this


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
    fixes.apply()
    asked = json.loads(json.dumps({**recipe, **dataclasses.asdict(options)}, default=str))
    unfinished = unfinished_path(out)
    if set(",:") & set(str(out)):
        raise InputError(f"{out}: a comma or a colon would end the name for fairseq; name another")
    with folder_lock(out):
        if is_ours(unfinished, MANIFEST):  # killed between the last two steps
            finish(unfinished, out)
        if not is_vacant(out):
            if not is_ours(out, MANIFEST):
                raise InputError(
                    f"{out} is there but was not prepared by this command; name another"
                )
            if made_with(out / MANIFEST, asked, overwrite) and unchanged(out, overwrite):
                console.print(f"{out} is prepared already with these options: nothing to do")
                return
            check_replaceable(out)
        if not (is_vacant(unfinished) or is_ours(unfinished, BEGUN)):
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
    going_on = begun.exists() and can_go_on(unfinished, asked, overwrite)
    corpus = load()  # all of the input is checked here, before anything is written
    sources = dict(corpus.sources)
    if going_on and same_sources(begun, sources, overwrite):
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
    finish(unfinished, out)
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
            assert text.train is not None  # as of all pairs in `trained`
            data = text.train(self.work / f"loaded.{pair}")
            cleaner = None
            if self.corpus.filtered:
                limits = self.options.max_words, self.options.max_ratio
                cleaner = Cleaner(*languages(pair), *limits)
            clean = map_pairs(
                data,
                clean_batch,
                self.work / f"clean.{pair}",
                self.workers,
                f"{pair}: cleaning",
                cleaner=cleaner,
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
                for start, batch in batches(clean):
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
                    yield from column(data, side, kept)

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
                encoded = map_pairs(
                    clean.select_columns(["source", "target"]),
                    encode_batch,
                    self.work / f"encoded.{pair}",
                    self.workers,
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
                        lines = column(encoded, side)
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
