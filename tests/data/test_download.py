"""Downloads against a server on this machine."""

import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rim_nmt.data import download
from rim_nmt.data.download import check_sha256, describe, fetch
from rim_nmt.errors import InputError
from rim_nmt.runtime.fairseq_commands import ROOT
from rim_nmt.runtime.files import sha256
from tests.data.server import Answer, serve

CONTENT = random.Random(1).randbytes(100_000)
CHECKSUM = "676d25c9f034afe02e0e6d3ec04abee785b8fead65c27567c86e20c834d72201"
PAGE = Answer(b"<!DOCTYPE html>\n<html><body>Please log in.</body></html>")


def check(path: Path) -> None:
    check_sha256(path, CHECKSUM, "of the test")


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden files (the lock) aside."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_file_is_fetched_once(tmp_path):
    path = tmp_path / "new" / "file"
    with serve({"/file": CONTENT}) as server:
        assert fetch([f"{server.url}/file"], path, check)
        assert not fetch([f"{server.url}/file"], path, check)
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["file"]
    assert server.asked == ["/file"]


def test_a_right_file_is_only_read(tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    fetch([], tmp_path / "file", check)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(CONTENT, cut=40_000), r"40000 bytes read, 60000 more expected"),
        (Answer(CONTENT, cut=40_000, length=False), "a file of 40,000 bytes with SHA-256"),
        (
            Answer(
                b"186a0\r\n" + CONTENT,  # one chunk, its length in hexadecimal
                headers={"Transfer-Encoding": "chunked"},
                length=False,
                cut=40_000,
            ),
            "IncompleteRead",
        ),
        (PAGE, "an HTML page of 56 bytes with SHA-256"),
        (Answer(status=404), "404 Not Found"),
        (Answer(status=416), "416 Requested Range Not Satisfiable"),
        (
            Answer(CONTENT[50_000:], 206, {"Content-Range": "bytes 50000-99999/100000"}),
            "206 Partial Content",
        ),
        (Answer(status=302, headers={"Location": "/answer"}), "Exceeded 30 redirects"),
        (Answer(CONTENT[:-1] + b"?"), f"expected {CHECKSUM} .of the test"),
    ],
    ids=["cut", "cut-no-length", "cut-chunk", "html", "404", "416", "206", "circle", "tampered"],
)
def test_what_is_not_the_file_is_named_and_the_next_source_tried(tmp_path, answer, reason):
    path = tmp_path / "file"
    with serve({"/answer": answer, "/right": CONTENT}) as server:
        with pytest.raises(InputError, match=reason) as error:
            fetch([f"{server.url}/answer"], path, check)
        assert names(tmp_path) == []
        assert str(error.value).count("\n") == 2  # what failed, one reason, what to do
        fetch([f"{server.url}/answer", f"{server.url}/right"], path, check)
    assert path.read_bytes() == CONTENT
    assert names(tmp_path) == ["file"]


def test_a_redirect_is_followed(tmp_path):
    moved = Answer(status=302, headers={"Location": "/right"})
    with serve({"/moved": moved, "/right": CONTENT}) as server:
        fetch([f"{server.url}/moved"], tmp_path / "file", check)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_every_failure_is_reported(tmp_path):
    with serve({}) as server, pytest.raises(InputError) as error:
        fetch([f"{server.url}/file", "http://127.0.0.1:9/file"], tmp_path / "file", check)
    for part in ("404", "127.0.0.1:9/file: ", "refused", str(tmp_path / "file")):
        assert part in str(error.value)


def test_a_wrong_file_is_set_aside(tmp_path, capsys):
    path = tmp_path / "file"
    path.write_bytes(PAGE.content)
    with pytest.raises(InputError, match="download failed"):
        fetch(["http://127.0.0.1:9/file"], path, check)
    assert names(tmp_path) == ["file.wrong"]
    path.write_bytes(PAGE.content)
    with serve({"/file": CONTENT}) as server:
        fetch([f"{server.url}/file"], path, check)
    assert path.read_bytes() == CONTENT
    assert (tmp_path / "file.wrong").read_bytes() == PAGE.content
    assert f"{path} is an HTML page of 56 bytes" in capsys.readouterr().out


def test_what_others_left_is_not_used(tmp_path):
    (tmp_path / "incoming").mkdir()
    for leftover in (tmp_path / "incoming" / "file", tmp_path / "file.part"):
        leftover.write_bytes(b"something else")
    with serve({"/file": CONTENT}) as server:
        fetch([f"{server.url}/file"], tmp_path / "file", check)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert names(tmp_path) == ["file", "file.part"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_download_that_was_stopped_is_made_again(tmp_path, sent):
    path = tmp_path / "file"
    arrived, stopped = threading.Event(), threading.Event()

    def wait():
        arrived.set()
        stopped.wait(60)

    with serve({"/file": Answer(CONTENT, halfway=wait)}) as server:
        code = (
            "from pathlib import Path; from rim_nmt.data.download import fetch; "
            f"fetch(['{server.url}/file'], Path({str(path)!r}), print)"
        )
        process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
        assert arrived.wait(60)
        process.send_signal(sent)
        assert process.wait() == -sent
        stopped.set()
        assert names(tmp_path) == ([] if sent == signal.SIGINT else ["incoming"])
        server.files["/file"] = CONTENT
        assert fetch([f"{server.url}/file"], path, check)
    assert path.read_bytes() == CONTENT
    assert names(tmp_path) == ["file"]


def test_of_two_at_once_the_second_waits(tmp_path, monkeypatch):
    path = tmp_path / "file"
    waiting = threading.Event()
    said = []

    def say(text):
        said.append(text)
        waiting.set()

    monkeypatch.setattr(download, "_say", say)
    slow = Answer(CONTENT, halfway=lambda: waiting.wait(60))
    with serve({"/file": slow}) as server, ThreadPoolExecutor() as pool:
        both = [pool.submit(fetch, [f"{server.url}/file"], path, check) for _ in range(2)]
        assert sorted(one.result() for one in both) == [False, True]
    assert said == [f"another process fetches into {tmp_path}: waiting until it is done"]
    assert server.asked == ["/file"]
    assert path.read_bytes() == CONTENT


def test_the_proxy_of_the_user_is_asked(tmp_path, monkeypatch):
    url = "http://example.invalid/file"
    with serve({url: CONTENT}) as server:
        monkeypatch.setenv("http_proxy", server.url)
        fetch([url], tmp_path / "file", check)
    assert server.asked == [url]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "folder").write_bytes(b"")
    with pytest.raises(InputError, match=r"folder/file cannot be read or written: .*folder"):
        fetch(["http://127.0.0.1:9/file"], tmp_path / "folder" / "file", check)


def test_checksums_and_descriptions(tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    assert sha256(tmp_path / "file") == CHECKSUM
    assert describe(tmp_path / "file") == "a file of 100,000 bytes"
    (tmp_path / "file").write_bytes(b"")
    assert describe(tmp_path / "file") == "a file of 0 bytes"
