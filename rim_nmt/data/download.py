"""Fetching files: each is fetched whole, and checked before it gets its name."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import requests
from filelock import FileLock, Timeout
from tqdm import tqdm

from rim_nmt.errors import InputError
from rim_nmt.runtime.console import console
from rim_nmt.runtime.files import sha256

BLOCK = 1 << 20  # bytes
PATIENCE = 60  # seconds without a byte after which a source has failed


def describe(path: Path) -> str:
    """What a file looks like that is not what it should be: "an HTML page of 512 bytes"."""
    with path.open("rb") as stream:
        start = stream.read(1024).lower()
    kind = "an HTML page" if b"<html" in start or b"<!doctype html" in start else "a file"
    return f"{kind} of {path.stat().st_size:,} bytes"


def check_sha256(path: Path, expected: str, whose: str) -> None:
    """Check that a file is the one that is meant.

    Args:
        path: the file.
        expected: its SHA-256, in hexadecimal.
        whose: where the checksum comes from, for the message.

    Raises:
        InputError: its SHA-256 is another one.
    """
    found = sha256(path)
    if found != expected:
        raise InputError(
            f"{path} is {describe(path)} with SHA-256 {found}, expected {expected} ({whose})"
        )


def fetch(urls: Sequence[str], path: Path, check: Callable[[Path], None]) -> bool:
    """Have a file: keep the one that is there, or download it from the first source that has it.

    A file that is there but fails the check is renamed to NAME.wrong. What is on its way is in the
    folder `incoming` beside `path`. Where another process fetches into the same folder, this one
    waits. Proxies are those of the environment (https_proxy, all_proxy, no_proxy ...).

    Args:
        urls: the sources, best first.
        path: where the file goes.
        check: raises InputError where the file that it is given is not the right one.

    Returns:
        Whether it was downloaded now.

    Raises:
        InputError: no source could deliver it (the message says why for each), or it cannot be
            read or written.
    """
    try:
        if _fault(path, check) is None:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(path.parent):
            fault = _fault(path, check)  # again: another process may have fetched it
            if fault is None:
                return False
            if path.exists():
                wrong = path.with_name(f"{path.name}.wrong")
                path.replace(wrong)
                _say(f"{fault}; it is {wrong.name} now, and the right one is fetched")
            _fetch_from(urls, path, check)
            return True
    except OSError as error:
        raise InputError(f"{path} cannot be read or written: {error}") from None


def _fault(path: Path, check: Callable[[Path], None]) -> str | None:
    """What is wrong with a file, None where it is right."""
    if not path.exists():
        return f"{path} does not exist"
    try:
        check(path)
    except InputError as error:
        return str(error)
    return None


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One process at a time fetches into a folder. One that is killed leaves no lock behind."""
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        _say(f"another process fetches into {folder}: waiting until it is done")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch_from(urls: Sequence[str], path: Path, check: Callable[[Path], None]) -> None:
    incoming = path.parent / "incoming" / path.name
    incoming.parent.mkdir(exist_ok=True)
    failures = []
    try:
        for url in urls:
            try:
                _download(url, incoming)
                check(incoming)
            except (requests.RequestException, InputError) as error:
                failures.append(f"{url}: {_reason(error)}")
                _say(f"  {failures[-1]}")
            else:
                incoming.replace(path)
                return
    finally:
        incoming.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty
            incoming.parent.rmdir()
    raise InputError(
        "the download failed:\n  "
        + "\n  ".join(failures)
        + f"\nrun this again later, or fetch the file by hand and put it at {path}"
    )


def _download(url: str, path: Path) -> None:
    """Get `url` into a file; what the file held before is lost."""
    # unpacked: with gzip on the way, Content-Length would say nothing about the file
    headers = {"Accept-Encoding": "identity"}
    with requests.get(url, stream=True, timeout=PATIENCE, headers=headers) as response:
        if response.status_code != requests.codes.ok:  # part of a file (206) is none either
            raise requests.HTTPError(f"{response.status_code} {response.reason}")
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        bar = tqdm(total=total, unit="B", unit_scale=True, desc=path.name, leave=False)
        with path.open("wb") as stream, bar:
            for block in response.iter_content(BLOCK):
                stream.write(block)
                bar.update(len(block))


def _reason(error: Exception) -> str:
    """An error in a few words: requests wraps what happened several times."""
    cause: BaseException = error
    while isinstance(error, requests.RequestException) and cause.__context__:
        cause = cause.__context__
    return str(error) if cause is error else f"{type(error).__name__}: {cause}"


def _say(text: str) -> None:
    console.print(text, markup=False)
