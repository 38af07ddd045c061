"""WMT14 from parquet files laid out as on the hub, and from a hub on this machine."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rim_nmt.data import wmt14
from rim_nmt.errors import InputError
from rim_nmt.runtime.fairseq_commands import ROOT
from rim_nmt.runtime.files import sha256
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
# the same with as many files as the hub has
HUB_SIZES = {name: size for name, size in SIZES.items() if "fr-en/train" not in name}
HUB_SIZES |= {f"fr-en/train-{i:05d}-of-00030": 1 for i in range(30)}
LIST = f"/api/datasets/wmt/wmt14/tree/{wmt14.REVISION}/fr-en"


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
    with pytest.raises(
        InputError, match=r"train-00001-of-00003\.parquet is .*, expected a parquet file"
    ):
        wmt14.wmt14_corpus(["en-de"], tmp_path, local=True)
    path.write_bytes((tmp_path / "fr-en/train-00000-of-00001.parquet").read_bytes())
    with pytest.raises(InputError, match="has the languages en, fr, expected en-de"):
        wmt14.wmt14_corpus(["en-de"], tmp_path, local=True)
    path.write_bytes(b"<html>Please log in.</html>")
    with pytest.raises(InputError, match="is an HTML page of 27 bytes, expected a parquet file"):
        wmt14.wmt14_corpus(["en-de"], tmp_path, local=True)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A server that answers as the hub does, in the place of the second endpoint."""
    folder = mirror(tmp_path / "there", HUB_SIZES)
    files, checksums, listed = {}, {}, []
    for name in (f"{name}.parquet" for name in HUB_SIZES):
        content = (folder / name).read_bytes()
        files[f"/datasets/wmt/wmt14/resolve/{wmt14.REVISION}/{name}"] = content
        checksums[name] = hashlib.sha256(content).hexdigest()
        oid = {"oid": checksums[name], "size": len(content), "pointerSize": 130}
        listed.append({"type": "file", "path": name, "size": len(content), "oid": "0", "lfs": oid})
    listed.append({"type": "file", "path": "fr-en/small", "size": 1, "oid": "0"})
    files[LIST] = json.dumps(listed).encode()
    german = {name: checksum for name, checksum in checksums.items() if name in wmt14.CHECKSUMS}
    assert len(german) == len(wmt14.CHECKSUMS) == 5
    monkeypatch.setattr(wmt14, "CHECKSUMS", german)
    monkeypatch.setattr(wmt14, "is_offline_mode", lambda: False)
    with serve(files) as server:
        monkeypatch.setattr(wmt14, "ENDPOINTS", ("http://127.0.0.1:9", server.url))
        yield server


def test_files_are_fetched_from_the_first_endpoint_that_answers(tmp_path, hub, monkeypatch):
    corpus = wmt14.wmt14_corpus(["en-de", "en-fr"], tmp_path / "here", local=False)
    for name, checksum in corpus.sources.items():
        here, there = (tmp_path / place / name for place in ("here", "there"))
        assert here.read_bytes() == there.read_bytes()
        assert checksum == sha256(here)
    assert len(corpus.pairs["en-de"].train(tmp_path / "work")) == 12
    assert len(corpus.sources) == 37
    assert len(hub.asked) == 38  # and the list of one folder
    asked = list(hub.asked)
    monkeypatch.setattr(wmt14, "is_offline_mode", lambda: True)
    again = wmt14.wmt14_corpus(["en-de", "en-fr"], tmp_path / "here", local=False)
    assert again.sources == corpus.sources
    assert hub.asked == asked


@pytest.mark.parametrize("name", ["de-en/train-00002-of-00003", "fr-en/test-00000-of-00001"])
def test_a_file_with_another_checksum_is_fetched_anew_or_refused(tmp_path, hub, name):
    where = f"/datasets/wmt/wmt14/resolve/{wmt14.REVISION}/{name}.parquet"
    right = hub.files[where]
    path = tmp_path / "here" / f"{name}.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    hub.files[where] = right[:-1] + b"?"
    with pytest.raises(
        InputError, match=f"SHA-256 .*, expected {hashlib.sha256(right).hexdigest()}"
    ):
        wmt14.wmt14_corpus(["en-de", "en-fr"], tmp_path / "here", local=False)
    assert not path.exists()
    assert path.with_name(f"{path.name}.wrong").read_bytes() == b"something else"
    hub.files[where] = right
    wmt14.wmt14_corpus(["en-de", "en-fr"], tmp_path / "here", local=False)
    assert path.read_bytes() == right


@pytest.mark.parametrize("content", [b"<html></html>", b"[]", b"{}", b'[{"path": "fr-en/a"}]'])
def test_a_page_in_the_place_of_the_list_is_named(tmp_path, hub, content):
    hub.files[LIST] = content
    with pytest.raises(
        InputError, match=r"bytes, expected the hub's list of files with fr-en/train"
    ):
        wmt14.wmt14_corpus(["en-fr"], tmp_path, local=False)


def test_without_a_hub_every_endpoint_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(wmt14, "is_offline_mode", lambda: False)
    monkeypatch.setattr(wmt14, "ENDPOINTS", ("http://127.0.0.1:9", "http://127.0.0.1:10"))
    for pair in wmt14.FOLDERS:
        with pytest.raises(InputError, match=r"(?s)127.0.0.1:9/.*127.0.0.1:10/.*by hand and put"):
            wmt14.wmt14_corpus([pair], tmp_path, local=False)


def test_offline_a_wrong_file_is_named_and_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(wmt14, "is_offline_mode", lambda: True)
    mirror(tmp_path)
    name = "de-en/train-00000-of-00003.parquet"
    with pytest.raises(InputError, match=f"{name} is a file of .*, expected 2bbe0f0c7d53"):
        wmt14.wmt14_corpus(["en-de"], tmp_path, local=False)
    assert (tmp_path / name).exists()


def test_forbidding_the_hub_ends_with_one_line(tmp_path, call_script, monkeypatch, capsys):
    monkeypatch.setattr(wmt14, "is_offline_mode", lambda: True)
    monkeypatch.setattr(wmt14, "ENDPOINTS", ())
    with pytest.raises(SystemExit) as stop:
        call_script("prepare", "wmt14", "--downloads", tmp_path / "a", "--out", tmp_path / "b")
    assert stop.value.code == 2
    path = tmp_path / "a" / "de-en" / "train-00000-of-00003.parquet"
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: {path} does not exist, and HF_HUB_OFFLINE forbids fetching it: unset that, or "
        "name a folder that has the files with --local"
    )


def test_a_user_without_a_home_who_forbids_the_hub(tmp_path):
    """Nothing is written outside the folders that were named, and the hub is not asked."""
    home = tmp_path / "home"
    home.write_bytes(b"")  # nothing can be written below it
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    code = f"""
from pathlib import Path
from rim_nmt.data import wmt14
from rim_nmt.errors import InputError
folder = Path({str(mirror(tmp_path / "there"))!r})
corpus = wmt14.wmt14_corpus(["en-de"], folder, local=True)
assert len(corpus.pairs["en-de"].train(folder.parent / "work")) == 12
wmt14.ENDPOINTS = ()
try:
    wmt14.wmt14_corpus(["en-de"], folder.parent / "nothing", local=False)
except InputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "HOME": str(home), "HF_HUB_OFFLINE": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "HF_HUB_OFFLINE forbids" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "there", "work"]
