"""Fetching files: a download that was interrupted goes on, and what arrives is checked."""

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from rim_nmt.commands import console
from rim_nmt.files import InputError

BLOCK = 1 << 20  # bytes


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def accept(incoming: Path, expected: str, path: Path) -> None:
    """Give a downloaded file its name if it is the one that is meant; remove it otherwise.

    Args:
        incoming: where the download put it.
        expected: its SHA-256.
        path: its name.

    Raises:
        InputError: its SHA-256 is another one.
    """
    found = sha256(incoming)
    if found != expected:
        incoming.unlink()
        raise InputError(
            f"{path} did not arrive as it should: SHA-256 {found}, expected {expected}; "
            "run this again to fetch it again"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    incoming.replace(path)


def fetch(urls: Sequence[str], path: Path) -> None:
    """Download a file from the first of several sources that has it.

    What an interrupted download left in PATH.part is kept and continued. An existing `path` is
    not fetched again.

    Args:
        urls: the sources, best first.
        path: where the file goes.

    Raises:
        InputError: no source could deliver it; the message says why for each.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    failures = []
    for url in urls:
        try:
            _download(url, part)
        except (OSError, http.client.HTTPException) as error:
            console.print(f"  {url}: {error}")
            failures.append(f"{url}: {error}")
        else:
            part.replace(path)
            return
    raise InputError(
        "the download failed:\n  "
        + "\n  ".join(failures)
        + f"\nfetch the file by hand, put it at {path}, and run this again"
    )


def _download(url: str, part: Path) -> None:
    """Get `url` into the file `part`, from where it stops."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return  # the whole file was there already
    with response:
        continued = response.status == http.HTTPStatus.PARTIAL_CONTENT
        have = have if continued else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with (
            part.open("ab" if continued else "wb") as stream,
            tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=part.stem) as bar,
        ):
            while block := response.read(BLOCK):
                stream.write(block)
                bar.update(len(block))
    if total is not None and part.stat().st_size != total:
        raise http.client.IncompleteRead(b"", total - part.stat().st_size)
