"""WMT14 as the Hugging Face hub has it (`wmt/wmt14`): parquet files, one column of pairs.

Training: Europarl v7, Common Crawl and News Commentary v9, for French also UN and Giga-Fr-En
(4,508,785 pairs with German, 40,836,715 with French). Validation is newstest2013, the test set
newstest2014.
"""

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet
from datasets import Dataset, load_dataset
from huggingface_hub import is_offline_mode
from tqdm import tqdm

from rim_nmt.data.download import check_sha256, describe, fetch
from rim_nmt.data.parallel import Corpus, PairText, Sentences, languages
from rim_nmt.errors import InputError
from rim_nmt.runtime.files import sha256

REPOSITORY = "wmt/wmt14"
REVISION = "b199e406369ec1b7634206d3ded5ba45de2fe696"  # the state of 2024-04-03
ENDPOINTS = ("https://huggingface.co", "https://hf-mirror.com")  # best first

# SHA-256 of the files of en-de, as pages of the hub show them: that of validation on its own page
# at this revision, the others on the page of the copy that the hub makes for its viewer,
# https://huggingface.co/datasets/wmt/wmt14/commit/542030df6358ca9626040df809901e4b6c6fb5b1. Copies
# and files are the same: 279,527,247 + 264,970,514 + 272,987,200 + 508,753 + 473,798 bytes are the
# 818,467,512 that the card of the data set names. For the 32 files of en-fr, the hub's list holds.
CHECKSUMS = {
    "de-en/train-00000-of-00003.parquet": (
        "2bbe0f0c7d53a71dc9e22b8f5406b058da3bc0f587ebd1b04b0675020ec14dcb"
    ),
    "de-en/train-00001-of-00003.parquet": (
        "94d02ee1d27bd31654e28676a0fb9c0beb485180edecc4a93bb8403919de70df"
    ),
    "de-en/train-00002-of-00003.parquet": (
        "5192553dd3f9ec0ccb73387784ce2a3be0c407f539d61a30abecd692433dfed0"
    ),
    "de-en/validation-00000-of-00001.parquet": (
        "c4a2a0e3b3e472f97f4eceb6d06724571f5390ac705768a02c1a9ad5c3d675ea"
    ),
    "de-en/test-00000-of-00001.parquet": (
        "a3baab716f14f8abfa63e54995e31f035bb78b20c7943de72f3e1110b7ff35bb"
    ),
}

FOLDERS = {"en-de": "de-en", "en-fr": "fr-en"}  # pair -> folder in the repository
TRAIN_FILES = {"en-de": 3, "en-fr": 30}


def wmt14_corpus(pairs: Sequence[str], folder: Path, local: bool) -> Corpus:
    """WMT14 in one or more pairs.

    Args:
        pairs: of "en-de" and "en-fr".
        folder: where the parquet files are, laid out as on the hub, or where they go.
        local: take them as they are; otherwise check them all, and fetch what is missing or wrong.

    Raises:
        InputError: another pair was asked for; a file is missing or cannot be fetched, or does not
            hold what it should.
    """
    for pair in pairs:
        if pair not in FOLDERS:
            raise InputError(f"WMT14 in {pair}: expected one of {', '.join(FOLDERS)}")
    names = {pair: _names(pair, folder, local) for pair in pairs}
    wanted = [name for of_pair in names.values() for part in of_pair.values() for name in part]
    if local:
        files = tqdm(wanted, desc="checksums", unit="file")
        sources = {str(folder / name): sha256(folder / name) for name in files}
    else:
        sources = _fetch(wanted, folder)
    texts = {}
    for pair in pairs:
        paths = {part: [folder / name for name in names[pair][part]] for part in names[pair]}
        for path in (path for part in paths.values() for path in part):
            _check_columns(path, pair)
        texts[pair] = PairText(
            functools.partial(_load_train, paths["train"], pair),
            _sentences(paths["validation"], pair),
            {"newstest2014": _sentences(paths["test"], pair)},
        )
    return Corpus(texts, sources)


def _names(pair: str, folder: Path, local: bool) -> dict[str, list[str]]:
    """The files of a pair in the repository: part -> names. What is on disk may have been cut
    into another number of files."""
    names = {}
    for part, count in (("train", TRAIN_FILES[pair]), ("validation", 1), ("test", 1)):
        prefix = f"{FOLDERS[pair]}/{part}-"
        if local:
            found = sorted(folder.glob(f"{prefix}*-of-*.parquet"))
            if not found:
                raise InputError(f"{folder}: no {prefix}00000-of-{count:05d}.parquet")
            count = int(found[0].stem.rpartition("-")[2])
        names[part] = [f"{prefix}{i:05d}-of-{count:05d}.parquet" for i in range(count)]
        for name in names[part]:
            if local and not (folder / name).is_file():
                raise InputError(f"{folder / name} does not exist, but other files of {count} do")
    return names


def _fetch(names: Sequence[str], folder: Path) -> dict[str, str]:
    """Have files of the repository below `folder`; returns name -> SHA-256.

    Raises:
        InputError: as for `fetch`, or HF_HUB_OFFLINE forbids it.
    """
    checksums = {}
    for name in tqdm(names, desc="WMT14", unit="file", leave=False):
        expected = CHECKSUMS.get(name) or _listed(name, folder)

        def check(path: Path, expected: str = expected) -> None:
            check_sha256(path, expected, f"{REPOSITORY} at {REVISION[:8]}")

        where = f"datasets/{REPOSITORY}/resolve/{REVISION}/{name}"
        _fetch_from_hub(where, folder / name, check)
        checksums[name] = expected
    return checksums


def _listed(name: str, folder: Path) -> str:
    """The SHA-256 of a file in the hub's list of its folder, which is kept beside the files."""
    below = Path(name).parent

    def check(path: Path) -> None:
        _read_list(path, name)

    path = folder / below / f"files-{REVISION[:8]}.json"
    _fetch_from_hub(f"api/datasets/{REPOSITORY}/tree/{REVISION}/{below}", path, check)
    return _read_list(path, name)


def _read_list(path: Path, name: str) -> str:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return next(entry["lfs"]["oid"] for entry in entries if entry["path"] == name)
    except (ValueError, TypeError, KeyError, StopIteration):
        raise InputError(
            f"{path} is {describe(path)}, expected the hub's list of files with {name}"
        ) from None


def _fetch_from_hub(where: str, path: Path, check: Callable[[Path], None]) -> None:
    if not is_offline_mode():
        fetch([f"{endpoint}/{where}" for endpoint in ENDPOINTS], path, check)
    elif path.is_file():
        check(path)
    else:
        raise InputError(
            f"{path} does not exist, and HF_HUB_OFFLINE forbids fetching it: unset that, or name "
            "a folder that has the files with --local"
        )


def _check_columns(path: Path, pair: str) -> None:
    try:
        columns = pyarrow.parquet.read_schema(path).field("translation").type
        found = {columns.field(i).name for i in range(columns.num_fields)}
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        raise InputError(
            f"{path} is {describe(path)}, expected a parquet file with translations: {error}"
        ) from None
    if not found.issuperset(languages(pair)):
        raise InputError(f"{path} has the languages {', '.join(sorted(found))}, expected {pair}")


def _load_train(files: list[Path], pair: str, work: Path) -> Dataset:
    data = load_dataset(
        "parquet", data_files=[str(path) for path in files], split="train", cache_dir=str(work)
    )
    source, target = languages(pair)
    return data.flatten().rename_columns(
        {f"translation.{source}": "source", f"translation.{target}": "target"}
    )


def _sentences(files: list[Path], pair: str) -> Sentences:
    """A validation or test set in memory, each sentence on one line."""
    sides: Sentences = [], []
    for path in files:
        for row in pyarrow.parquet.read_table(path, columns=["translation"])["translation"]:
            for side, language in zip(sides, languages(pair), strict=True):
                side.append(row[language].as_py().replace("\n", " ").strip("\r"))
    return sides
