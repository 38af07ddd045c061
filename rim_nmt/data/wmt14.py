"""WMT14 as the Hugging Face hub has it (`wmt/wmt14`): parquet files, one column of pairs.

Training: Europarl v7, Common Crawl and News Commentary v9, for French also UN and Giga-Fr-En
(4,508,785 pairs with German, 40,836,715 with French). Validation is newstest2013, the test set
newstest2014.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import huggingface_hub
import pyarrow.parquet
from datasets import Dataset, load_dataset
from huggingface_hub.errors import EntryNotFoundError, HTTPError
from tqdm import tqdm

from rim_nmt.commands import console
from rim_nmt.data.download import accept, sha256
from rim_nmt.data.parallel import Corpus, PairText, Sentences, languages
from rim_nmt.files import InputError

REPOSITORY = "wmt/wmt14"
# The state of the data set of 2024-04-03. A revision names the SHA-256 of each of its files, so
# that the hub's list of them can only be the list that was meant.
REVISION = "b199e406369ec1b7634206d3ded5ba45de2fe696"
ENDPOINTS = ("https://huggingface.co", "https://hf-mirror.com")  # best first

logging.getLogger("httpx2").setLevel(logging.WARNING)  # it reports every request

FOLDERS = {"en-de": "de-en", "en-fr": "fr-en"}  # pair -> folder in the repository
TRAIN_FILES = {"en-de": 3, "en-fr": 30}


def wmt14_corpus(pairs: Sequence[str], folder: Path, local: bool) -> Corpus:
    """WMT14 in one or more pairs.

    Args:
        pairs: of "en-de" and "en-fr".
        folder: where the parquet files are, laid out as on the hub, or where they go.
        local: take them as they are; otherwise fetch what is missing and check all of it.

    Raises:
        InputError: another pair was asked for; a file is missing, cannot be fetched, is not the
            expected one, or does not hold what it should.
    """
    for pair in pairs:
        if pair not in FOLDERS:
            raise InputError(f"WMT14 in {pair}: expected one of {', '.join(FOLDERS)}")
    names = {pair: _names(pair, folder, local) for pair in pairs}
    wanted = [name for of_pair in names.values() for part in of_pair.values() for name in part]
    if not local:
        _fetch(wanted, folder)
    sources = {
        str(folder / name) if local else name: sha256(folder / name)
        for name in tqdm(wanted, desc="checksums", unit="file")
    }
    texts = {}
    for pair in pairs:
        paths = {part: [folder / name for name in names[pair][part]] for part in names[pair]}
        for path in (path for part in paths.values() for path in part):
            _check_columns(path, pair)
        texts[pair] = PairText(
            lambda work, pair=pair, files=paths["train"]: _load_train(files, pair, work),
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


def _fetch(names: Sequence[str], folder: Path) -> None:
    """Download the files that are missing below `folder`; an interrupted one is continued.

    A file gets its name there when its SHA-256 has been checked.

    Raises:
        InputError: no endpoint could deliver, or a file's SHA-256 is not what the hub says.
    """
    missing = [name for name in names if not (folder / name).is_file()]
    failures = []
    for endpoint in ENDPOINTS:
        try:
            while missing:
                _fetch_one(endpoint, missing[0], folder)
                missing.pop(0)
        except (OSError, HTTPError, EntryNotFoundError) as error:
            reason = str(error).splitlines()[0]
            console.print(f"  {endpoint}: {reason}")
            failures.append(f"{endpoint}: {reason}")
    if missing:
        raise InputError(
            f"{missing[0]} of {REPOSITORY} could not be fetched:\n  "
            + "\n  ".join(failures)
            + f"\nfetch the files by hand into {folder}, and name that folder with --local"
        )


def _fetch_one(endpoint: str, name: str, folder: Path) -> None:
    hub = huggingface_hub.HfApi(endpoint=endpoint)
    about = {"repo_id": REPOSITORY, "revision": REVISION, "repo_type": "dataset"}
    listed = hub.get_paths_info(paths=[name], **about)
    if not listed:
        raise EntryNotFoundError(f"no {name} in {REPOSITORY} at {REVISION[:8]}")
    incoming = hub.hf_hub_download(filename=name, local_dir=folder / "incoming", **about)
    accept(Path(incoming), listed[0].lfs.sha256, folder / name)


def _check_columns(path: Path, pair: str) -> None:
    try:
        columns = pyarrow.parquet.read_schema(path).field("translation").type
        found = {columns.field(i).name for i in range(columns.num_fields)}
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        raise InputError(f"{path} is not a parquet file with translations: {error}") from None
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
