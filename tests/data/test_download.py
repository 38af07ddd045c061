"""Downloads against a server on this machine."""

import hashlib
import random

import pytest

from rim_nmt.data.download import accept, fetch, sha256
from rim_nmt.files import InputError
from tests.data.server import serve

CONTENT = random.Random(1).randbytes(100_000)


def test_a_file_is_fetched_once(tmp_path):
    with serve({"/a/b/c": CONTENT}) as server:
        for _ in range(2):
            fetch([f"{server.url}/a/b/c"], tmp_path / "new" / "file")
    assert (tmp_path / "new" / "file").read_bytes() == CONTENT
    assert server.ranges == [None]


def test_an_interrupted_download_goes_on(tmp_path):
    with serve({"/a/b/c": CONTENT}) as server:
        server.breaks_after = 40_000
        with pytest.raises(InputError, match="60000 more expected"):
            fetch([f"{server.url}/a/b/c"], tmp_path / "file")
        assert not (tmp_path / "file").exists()
        fetch([f"{server.url}/a/b/c"], tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=40000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_second_source_is_tried_and_continues_the_first(tmp_path):
    with serve({"/a/b/c": CONTENT, "/d/e/f": CONTENT}) as server:
        server.breaks_after = 40_000
        fetch([f"{server.url}/a/b/c", f"{server.url}/d/e/f"], tmp_path / "file")
        fetch([f"{server.url}/no/such/file", f"{server.url}/d/e/f"], tmp_path / "other")
    assert (tmp_path / "file").read_bytes() == (tmp_path / "other").read_bytes() == CONTENT


def test_a_complete_part_only_gets_its_name(tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT)
    with serve({"/a/b/c": CONTENT}) as server:
        fetch([f"{server.url}/a/b/c"], tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_every_failure_is_reported(tmp_path):
    with serve({}) as server, pytest.raises(InputError) as error:
        fetch([f"{server.url}/a/b/c", "http://127.0.0.1:9/file"], tmp_path / "file")
    assert "404" in str(error.value)
    assert "127.0.0.1:9" in str(error.value)
    assert str(tmp_path / "file") in str(error.value)


def test_another_file_is_not_accepted(tmp_path):
    incoming = tmp_path / "incoming"
    incoming.write_bytes(b"tampered")
    expected = hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(InputError) as error:
        accept(incoming, expected, tmp_path / "file")
    for part in (tmp_path / "file", sha256_of(b"tampered"), expected):
        assert str(part) in str(error.value)
    assert not incoming.exists()
    assert not (tmp_path / "file").exists()
    incoming.write_bytes(CONTENT)
    accept(incoming, expected, tmp_path / "file")
    assert sha256(tmp_path / "file") == expected


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
