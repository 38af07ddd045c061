"""WMT14 from parquet files laid out as on the hub, and from a hub on this machine."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rim_nmt.data import wmt14
from rim_nmt.files import InputError
from tests.data.server import serve

# sentences a file, in the hub's order
SIZES = {
    "de-en/train-00000-of-00003": 5,
    "de-en/train-00001-of-00003": 3,
    "de-en/train-00002-of-00003": 4,
    "de-en/validation-00000-of-00001": 2,
    "de-en/test-00000-of-00001": 3,
    "fr-en/train-00000-of-00001": 6,
    "fr-en/validation-00000-of-00001": 2,
    "fr-en/test-00000-of-00001": 3,
}


def mirror(folder: Path, sizes: dict[str, int] = SIZES) -> Path:
    """Files with one column, a struct of two languages, as `wmt/wmt14` has them."""
    for name, size in sizes.items():
        other = name[:2]
        short = name[6:-9].replace("-0000", " ")  # short enough to be of any language
        rows = [{other: f"{other} {short} {i}", "en": f"en {short} {i}"} for i in range(size)]
        kind = pa.struct([(other, pa.string()), ("en", pa.string())])
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"translation": pa.array(rows, type=kind)}), path)
    return folder


def test_all_parts_are_read_in_order(tmp_path):
    corpus = wmt14.wmt14_corpus(["en-de", "en-fr"], mirror(tmp_path), local=True)
    german = corpus.pairs["en-de"].train(tmp_path / "german")
    assert german["source"][:] == [
        f"en train {file} {i}" for file, size in enumerate((5, 3, 4)) for i in range(size)
    ]
    assert german["target"][:] == [line.replace("en", "de") for line in german["source"][:]]
    french = corpus.pairs["en-fr"]
    assert len(french.train(tmp_path / "french")) == 6
    assert len(french.valid[0]) == 2
    assert french.tests["newstest2014"][1][0] == "fr test 0 0"
    assert len(corpus.sources) == len(SIZES)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match="en-cs: expected one of en-de, en-fr"):
        wmt14.wmt14_corpus(["en-cs"], tmp_path, local=True)
    with pytest.raises(InputError, match=r"no de-en/train-00000-of-00003\.parquet"):
        wmt14.wmt14_corpus(["en-de"], tmp_path, local=True)
    mirror(tmp_path)
    (tmp_path / "de-en/train-00001-of-00003.parquet").unlink()
    with pytest.raises(InputError, match=r"train-00001-of-00003\.parquet does not exist, but"):
        wmt14.wmt14_corpus(["en-de"], tmp_path, local=True)


def test_files_of_another_kind_are_named(tmp_path):
    mirror(tmp_path)
    path = tmp_path / "de-en/train-00001-of-00003.parquet"
    pq.write_table(pa.table({"text": ["a"]}), path)
    with pytest.raises(InputError, match=r"train-00001-of-00003\.parquet is not a parquet file"):
        wmt14.wmt14_corpus(["en-de"], tmp_path, local=True)
    path.write_bytes((tmp_path / "fr-en/train-00000-of-00001.parquet").read_bytes())
    with pytest.raises(InputError, match="has the languages en, fr, expected en-de"):
        wmt14.wmt14_corpus(["en-de"], tmp_path, local=True)
    path.write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"train-00001-of-00003\.parquet is not a parquet file"):
        wmt14.wmt14_corpus(["en-de"], tmp_path, local=True)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A server that answers as the hub does, in the place of the second endpoint."""
    folder = mirror(tmp_path / "there")
    files = {
        f"/datasets/wmt/wmt14/resolve/{wmt14.REVISION}/{name}.parquet": (
            folder / f"{name}.parquet"
        ).read_bytes()
        for name in SIZES
        if name.startswith("de-en")
    }
    with serve(files) as server:
        monkeypatch.setattr(wmt14, "ENDPOINTS", ("http://127.0.0.1:9", server.url))
        yield server


def test_files_are_fetched_from_the_first_endpoint_that_answers(tmp_path, hub):
    corpus = wmt14.wmt14_corpus(["en-de"], tmp_path / "here", local=False)
    for name in corpus.sources:
        here, there = (tmp_path / place / name for place in ("here", "there"))
        assert here.read_bytes() == there.read_bytes()
    assert len(corpus.pairs["en-de"].train(tmp_path / "work")) == 12
    asked = len(hub.ranges)
    wmt14.wmt14_corpus(["en-de"], tmp_path / "here", local=False)
    assert len(hub.ranges) == asked


def test_a_file_with_another_checksum_is_refused(tmp_path, hub):
    name = "de-en/train-00002-of-00003.parquet"
    hub.checksums[name] = "0" * 64
    with pytest.raises(InputError, match=f"{name} did not arrive .* expected {'0' * 64}"):
        wmt14.wmt14_corpus(["en-de"], tmp_path / "here", local=False)
    assert not (tmp_path / "here" / name).exists()
    hub.checksums.clear()
    wmt14.wmt14_corpus(["en-de"], tmp_path / "here", local=False)


def test_without_a_hub_every_endpoint_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(wmt14, "ENDPOINTS", ("http://127.0.0.1:9", "http://127.0.0.1:10"))
    with pytest.raises(InputError, match=r"(?s)127.0.0.1:9: .*127.0.0.1:10: .*--local"):
        wmt14.wmt14_corpus(["en-de"], tmp_path, local=False)
