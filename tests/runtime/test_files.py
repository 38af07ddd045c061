"""Reading and writing aligned text."""

import gzip
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rim_nmt.errors import InputError
from rim_nmt.runtime import files
from rim_nmt.runtime.files import (
    InUseError,
    atomic_path,
    check_writable,
    folder_lock,
    is_vacant,
    make_marked,
    read_json,
    read_lines,
    read_parallel,
    remove_marked,
    write_lines,
)
from tests.conftest import ROOT


def test_only_newlines_end_lines(tmp_path):
    text = "one\u2028still one\r\ntwo\x85\x0b\x1ctwo\rtwo\n\nfour"
    (tmp_path / "text").write_bytes(text.encode())
    lines = read_lines(tmp_path / "text")
    assert lines == ["one\u2028still one", "two\x85\x0b\x1ctwo\rtwo", "", "four"]


def test_gzip_and_plain_read_the_same(tmp_path):
    (tmp_path / "a").write_bytes("ä\nb\n".encode())
    (tmp_path / "a.gz").write_bytes(gzip.compress("ä\nb\n".encode()))
    assert read_lines(tmp_path / "a") == read_lines(tmp_path / "a.gz") == ["ä", "b"]


def test_written_lines_are_read_back(tmp_path):
    lines = ["ä", "", "a\u2028b"]
    write_lines(tmp_path / "new" / "text", lines)
    assert read_lines(tmp_path / "new" / "text") == lines


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"good\nb\xff\xfed\n", r"text, line 2: not UTF-8"),
        (None, "does not exist"),
    ],
)
def test_unreadable_text_is_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "text").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_lines(tmp_path / "text")


def test_a_broken_archive_is_named(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"hello\n" * 100)[:-20])
    with pytest.raises(InputError, match=r"a\.gz cannot be read"):
        read_lines(tmp_path / "a.gz")


def test_unequal_and_empty_files_are_refused(tmp_path):
    write_lines(tmp_path / "two", ["1", "2"])
    write_lines(tmp_path / "three", ["1", "2", "3"])
    write_lines(tmp_path / "none", [])
    with pytest.raises(InputError, match=r"two has 2 lines and .*three has 3"):
        read_parallel(tmp_path / "two", tmp_path / "three")
    with pytest.raises(InputError, match="empty"):
        read_parallel(tmp_path / "none", tmp_path / "none")


def test_an_error_leaves_the_old_content_and_no_rubbish(tmp_path):
    write_lines(tmp_path / "text", ["old"])

    def fail_half_way():
        with atomic_path(tmp_path / "text") as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert read_lines(tmp_path / "text") == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_a_folder_is_locked_once_and_says_by_whom(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    folder = tmp_path / "new" / "cell"
    holder = rf"process {os.getpid()} on .*is at work on"
    for _ in range(2):
        with folder_lock(folder), pytest.raises(InUseError, match=holder):
            folder_lock(folder).__enter__()
        assert list(folder.parent.iterdir()) == []


def test_what_a_killed_writer_left_is_taken_away(tmp_path):
    """Killed while it writes a file and has a folder locked."""
    code = (
        "import os, signal; from pathlib import Path; from rim_nmt.runtime.files import *\n"
        f"with folder_lock(Path({str(tmp_path / 'f')!r})):\n"
        f"    with atomic_path(Path({str(tmp_path / 'text')!r})) as path:\n"
        "        path.write_text('half', encoding='utf-8'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".text.unfinished", ".f.lock"}
    with folder_lock(tmp_path / "f"):
        write_lines(tmp_path / "text", ["new"])
    assert [path.name for path in tmp_path.iterdir()] == ["text"]
    assert read_lines(tmp_path / "text") == ["new"]


def test_two_writers_of_a_file_take_turns(tmp_path):
    """Twenty threads: each finds its own content to be whole."""
    lines = [[f"{number}"] * 1000 for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda content: write_lines(tmp_path / "text", content), lines))
    assert read_lines(tmp_path / "text") in lines
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_folders_get_their_name_whole(tmp_path):
    (tmp_path / "folder").mkdir()
    make_marked(tmp_path / "folder", "mark.json", {"a": "ä"})
    assert read_json(tmp_path / "folder" / "mark.json") == {"a": "ä"}
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    remove_marked(tmp_path / "folder", "mark.json")
    assert is_vacant(tmp_path / "folder") and is_vacant(tmp_path)


def test_a_damaged_json_file_is_named(tmp_path):
    (tmp_path / "a.json").touch()
    with pytest.raises(InputError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


def test_where_nothing_can_be_written_is_said_before(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "scores", Path("/proc/scores")):
        with pytest.raises(InputError, match=f"{folder} cannot be written to"):
            check_writable(folder)
    check_writable(tmp_path / "scores")
    assert is_vacant(tmp_path / "scores")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_content(small_disk):
    write_lines(small_disk / "text", ["old"])
    with pytest.raises(OSError, match="No space left"):
        write_lines(small_disk / "text", ["new" * 1000] * 1000)
    assert read_lines(small_disk / "text") == ["old"]
    assert [path.name for path in small_disk.iterdir()] == ["text"]
