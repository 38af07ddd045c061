"""Compiling C++ once for this machine: a shared library is built when it is first needed and kept
in the user's cache folder, where it is only loaded again if it is whole and nobody else could have
written it."""

import ctypes
import hashlib
import logging
import os
import platform
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rim_nmt.runtime.files import atomic_path

logger = logging.getLogger(__name__)

TIMEOUT = 600  # seconds for a compiler that hangs
_DIGEST = hashlib.sha256().digest_size


class CompilationError(Exception):
    """There is no library; the message says why, in one line."""


def load_library(source: Path, flags: Sequence[str]) -> ctypes.CDLL:
    """The library of a C++ file, compiled where it has not been before.

    The compiler is `CXX`, else g++, else c++. It compiles for this processor, or for the one that
    `RIM_KERNEL_MARCH` names, such as x86-64-v3. The library is kept under a name that changes with
    all of this, in `rim_nmt/kernels` below XDG_CACHE_HOME or ~/.cache; where that folder cannot be
    used, it is compiled for this process alone.

    Args:
        source: the C++ file.
        flags: the compiler's, for a shared library.

    Raises:
        CompilationError: it could not be compiled or loaded.
    """
    try:
        compiler = _compiler()
        target = f"-march={os.environ.get('RIM_KERNEL_MARCH') or 'native'}"
        command = [*compiler, target, str(source), *flags]
        folder = _private_folder()
        if folder is None:
            logger.warning(
                "compiling for this process alone: no cache folder that only this user can write "
                "to (XDG_CACHE_HOME, or .cache in the home folder)"
            )
            with tempfile.TemporaryDirectory(prefix="rim_nmt-") as private:
                built = Path(private) / f"{source.stem}.so"
                _compile(command, built)
                return ctypes.CDLL(str(built))
        built = folder / f"{source.stem}-{_fingerprint(compiler, command, source)}.so"
        if not _is_ours(built):
            with atomic_path(built) as temporary:
                _compile(command, temporary)
        return ctypes.CDLL(str(built))
    except subprocess.TimeoutExpired:
        raise CompilationError(f"the compiler did not end within {TIMEOUT} s") from None
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        raise CompilationError(reason.strip().splitlines()[0]) from None


def _compiler() -> list[str]:
    """The compiler's command.

    Raises:
        ValueError: CXX is not a command line.
    """
    try:
        chosen = shlex.split(os.environ.get("CXX", ""))
    except ValueError as error:
        raise ValueError(f"CXX={os.environ['CXX']!r} is not a command: {error}") from None
    return chosen or [shutil.which("g++") or "c++"]


def _compile(command: Sequence[str], library: Path) -> None:
    """Run the compiler and write behind the library, where loaders do not look, its digest."""
    subprocess.run(
        [*command, "-o", str(library)],
        check=True,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=TIMEOUT,
    )
    with library.open("ab") as stream:
        stream.write(hashlib.sha256(library.read_bytes()).digest())
    library.chmod(0o700)


def _is_ours(library: Path) -> bool:
    """Whether a library is there, whole, and not of another user's making."""
    try:
        if not _is_private(library, stat.S_ISREG):
            return False
        content = library.read_bytes()
    except FileNotFoundError:
        return False
    return hashlib.sha256(content[:-_DIGEST]).digest() == content[-_DIGEST:]


def _private_folder() -> Path | None:
    """The folder where libraries are kept, made if it is missing; None where there is none that
    only this user can write to."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
        # a relative one counts for nothing, by the XDG specification
        folder = (cache if cache.is_absolute() else Path.home() / ".cache") / "rim_nmt/kernels"
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        writable = os.access(folder, os.W_OK)
        return folder if writable and _is_private(folder, stat.S_ISDIR) else None
    except (OSError, RuntimeError):  # RuntimeError: this user has no home
        return None


def _is_private(path: Path, is_kind) -> bool:
    """Whether a path itself (no link) is of a kind, and nobody but this user and root may write."""
    about = path.lstat()
    owned = about.st_uid in (0, os.geteuid())
    return is_kind(about.st_mode) and owned and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _fingerprint(compiler: Sequence[str], command: Sequence[str], source: Path) -> str:
    """Changes with whatever the compiled library depends on."""
    version = subprocess.run(
        [*compiler, "--version"], capture_output=True, timeout=TIMEOUT, check=True
    ).stdout
    parts = (
        source.read_bytes(),
        command,
        version,
        platform.machine(),
        _processor(),
        platform.libc_ver(),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _processor() -> str:
    """What -march=native depends on: the instructions that the processor has."""
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    # "flags" on x86, "Features" on ARM; with the model, which chooses how to schedule them
    lines = re.findall(r"^(?:flags|Features|model name|CPU part)\s*:.*", about, re.MULTILINE)
    return "\n".join(dict.fromkeys(lines)) or platform.processor()
