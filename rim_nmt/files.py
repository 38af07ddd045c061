"""Reading and writing text so that lines stay aligned and nothing half-written keeps its name."""

import contextlib
import fcntl
import gzip
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path


class InputError(Exception):
    """What the user gave cannot be used: the message says what, what was expected, what to do."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends without an error.

    Works for files and folders. After an error nothing is left behind and what `path` held
    before is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        temporary = Path(folder) / path.name
        yield temporary
        os.replace(temporary, path)


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[int | None]:
    """A lock on a folder, which is made where it is missing: the number of an open file, or None
    where another process has it. A process that is killed leaves no lock behind."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield lock.fileno()


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
        if all(found):
            return tuple(found)
        for side, path in zip(sides, found, strict=True):
            if path is None and any(found):
                there = next(path for path in found if path)
                raise InputError(f"{there} is there, but neither {side} nor .gz of it")
    return None


def _plain_or_packed(name: str) -> Path | None:
    return next((path for path in (Path(name), Path(f"{name}.gz")) if path.is_file()), None)
