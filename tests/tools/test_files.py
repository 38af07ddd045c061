"""Reading and writing aligned text."""

import gzip

import pytest

from rim_nmt.files import (
    InputError,
    atomic_path,
    folder_lock,
    read_lines,
    read_parallel,
    write_lines,
)


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
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert read_lines(tmp_path / "text") == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_a_folder_is_locked_once(tmp_path):
    folder = tmp_path / "new" / "cell"
    for _ in range(2):
        with folder_lock(folder) as first, folder_lock(folder) as second:
            assert first is not None and second is None
