"""Reading and writing files so that lines stay aligned, nothing half-written keeps its name, what
a killed process left is taken away, and two processes do not write into one folder."""

import contextlib
import errno
import fcntl
import gzip
import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from rim_nmt.errors import InputError

# Seconds that the processes of a run that was killed get to end
PATIENCE = 2.0


class InUseError(InputError):
    """Another process is at work on a folder."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends without an error.

    Works for files and folders; the content is on the disk before it gets the name. After an
    error nothing is left behind and what `path` held before is untouched. What a killed process
    left is removed by the next one that writes `path`; two that write it at once take turns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.with_name(f".{path.name}.unfinished")
    lock = folder / "lock"
    handle = None
    while handle is None:
        with contextlib.suppress(FileExistsError):  # exist_ok fails where it is removed meanwhile
            folder.mkdir()
        handle = _lock(lock, blocking=True)
    temporary = folder / path.name
    try:
        _remove(temporary)
        yield temporary
        publish(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # the error that led here says more
            _remove(temporary)
        lock.unlink(missing_ok=True)  # before others can lock it
        os.close(handle)
        with contextlib.suppress(OSError):  # another process may have taken it over
            folder.rmdir()


def copy_file(source: Path, destination: Path) -> None:
    """Copy a file under a temporary name first."""
    with atomic_path(destination) as temporary:
        shutil.copyfile(source, temporary)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def publish(unfinished: Path, path: Path) -> None:
    """Give a file or folder its final name once all of it is on the disk."""
    _sync(unfinished)
    os.replace(unfinished, path)
    _sync_one(path.parent)


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder, whether it is there or not.

    The lock is a file beside it, .NAME.lock, which says who holds it. A process that is killed
    leaves this file, but no lock.

    Raises:
        InUseError: another process has the lock.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_name(f".{folder.name}.lock")
    handle, give_up = None, time.monotonic() + PATIENCE
    while handle is None:
        handle = _lock(path, blocking=False)
        if handle is None and time.monotonic() > give_up:
            with contextlib.suppress(FileNotFoundError):
                holder = path.read_text(encoding="utf-8").strip() or "another process"
                raise InUseError(
                    f"{holder} is at work on {folder}: wait until it has ended, or stop it"
                )
        if handle is None:
            time.sleep(0.05)
    try:
        os.truncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        yield
    finally:
        path.unlink(missing_ok=True)  # before others can lock it
        os.close(handle)


def _lock(path: Path, blocking: bool) -> int | None:
    """A lock file that is open and locked; None where another process has it, or has just removed
    it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if blocking else fcntl.LOCK_NB))
        if os.path.samestat(os.fstat(handle), os.stat(path)):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.ENOTSUP):  # this file system has no locks
            return handle
        raise
    os.close(handle)
    return None


def _sync(path: Path) -> None:
    """Wait until a file, or a folder with all that is in it, is on the disk."""
    if path.is_dir():
        for below in path.iterdir():
            _sync(below)
    _sync_one(path)


def _sync_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot do it for folders
            raise
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make_marked(folder: Path, mark: str, content: dict) -> None:
    """Make a folder, which may be there and empty, with a JSON file in it by which it is known:
    it is never seen without."""
    with atomic_path(folder) as temporary:
        write_json(temporary / mark, content)


def remove_marked(folder: Path, mark: str) -> None:
    """Remove a folder that is known by a file in it; this file last, so that the folder is still
    known where this is interrupted."""
    for path in folder.iterdir():
        if path.name != mark:
            _remove(path)
    (folder / mark).unlink(missing_ok=True)
    folder.rmdir()


def is_vacant(folder: Path) -> bool:
    """Whether nothing is there, or an empty folder."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def is_name(text: str) -> bool:
    """Whether a text can be part of the name of a file, and of lists that commas separate: letters,
    digits, ".", "-" and "_"; no "." at the start."""
    return re.fullmatch(r"[\w-][\w.-]*", text) is not None


def check_writable(folder: Path) -> None:
    """See, before the work, that its result can be written.

    Args:
        folder: where it is to go; it is made where it is missing.

    Raises:
        InputError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as stream:
            stream.write(b"x")
    except OSError as error:
        raise InputError(f"{folder} cannot be written to: {error.strerror}") from None


def iterate_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 text file, plain or .gz, without their line ends, one by one.

    Only "\\n" (or "\\r\\n") ends a line, as for fairseq and SentencePiece, so that exotic
    separators inside a sentence cannot shift the alignment. A byte order mark at the start is
    dropped.

    Raises:
        InputError: the file is missing, cannot be unpacked, or is not UTF-8; the message names
            file and line.
    """
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                line = raw.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
                yield line.removeprefix("\ufeff") if number == 1 else line
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}, line {number}: not UTF-8 ({error.reason})") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read after line {number}: {error}") from None


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, as `iterate_lines` gives them.

    Raises:
        InputError: as for `iterate_lines`.
    """
    return list(iterate_lines(path))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines as UTF-8, each ended by "\\n", under a temporary name first."""
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        stream.writelines(f"{line}\n" for line in lines)


def write_json(path: Path, content: dict) -> None:
    """Write a JSON file for people to read, under a temporary name first."""
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        temporary.write_text(f"{text}\n", encoding="utf-8")


def read_json(path: Path) -> dict:
    """What a JSON file holds.

    Raises:
        InputError: it is not JSON.
        OSError: it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged, it is no JSON: {error}") from None


def read_parallel(source: Path, target: Path) -> tuple[list[str], list[str]]:
    """Two files that are translations of each other, line by line.

    Raises:
        InputError: a file cannot be read, or they have different numbers of lines, or none.
    """
    pair = read_lines(source), read_lines(target)
    if len(pair[0]) != len(pair[1]):
        raise InputError(
            f"{source} has {len(pair[0])} lines and {target} has {len(pair[1])}: "
            "they must be aligned line by line"
        )
    if not pair[0]:
        raise InputError(f"{source} and {target} are empty")
    return pair


def find_sides(prefix: Path, pair: str) -> tuple[Path, Path] | None:
    """The two files of a parallel text: PREFIX.PAIR.LANG, or PREFIX.LANG; plain or with .gz. None
    where there are none.

    Args:
        prefix: what their names begin with.
        pair: the languages, in the order of the result, such as "en-de".

    Raises:
        InputError: one side is there and the other is missing.
    """
    for stem in (f"{prefix}.{pair}", f"{prefix}"):
        sides = [f"{stem}.{language}" for language in pair.split("-")]
        found = [_plain_or_packed(side) for side in sides]
        source, target = found
        if source and target:
            return source, target
        for side, path in zip(sides, found, strict=True):
            if path is None and any(found):
                there = next(path for path in found if path)
                raise InputError(f"{there} is there, but neither {side} nor .gz of it")
    return None


def _plain_or_packed(name: str) -> Path | None:
    return next((path for path in (Path(name), Path(f"{name}.gz")) if path.is_file()), None)
