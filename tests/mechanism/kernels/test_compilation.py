"""The library that is compiled once: kept, loaded only where it is whole and private, made anew
otherwise."""

import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rim_nmt.mechanism.kernels import compilation
from rim_nmt.mechanism.kernels.compilation import CompilationError, load_library

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None, reason="no g++ that could compile anything"
)

FLAGS = ("-shared", "-fPIC", "-O1")


@pytest.fixture(autouse=True)
def source(tmp_path, monkeypatch) -> Path:
    """A small file to compile, and a cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("RIM_KERNEL_MARCH", raising=False)
    path = tmp_path / "answer.cpp"
    path.write_text('extern "C" int answer() { return 42; }\n', encoding="utf-8")
    return path


@pytest.fixture
def runs(monkeypatch) -> list[list[str]]:
    """The compilers' command lines."""
    commands = []
    run = compilation.subprocess.run

    def record(command, **more):
        if "--version" not in command:
            commands.append(command)
        return run(command, **more)

    monkeypatch.setattr(compilation.subprocess, "run", record)
    return commands


def kept(tmp_path: Path) -> Path:
    """The one library in the cache, beside which there is nothing."""
    (library,) = (tmp_path / "cache/rim_nmt/kernels").iterdir()
    return library


def test_it_is_compiled_once(source, runs, tmp_path):
    for _ in range(2):
        assert load_library(source, FLAGS).answer() == 42
    assert len(runs) == 1
    assert "-march=native" in runs[0]
    assert kept(tmp_path).name.startswith("answer-")


@pytest.mark.parametrize("size", [0, 1, 40, 5000, -33, -1])
def test_a_library_that_is_not_whole_is_made_anew(size, source, runs, tmp_path):
    load_library(source, FLAGS)
    library = kept(tmp_path)
    cut = library.with_name("cut")  # not in place: the whole one is mapped into memory
    cut.write_bytes(library.read_bytes()[:size])
    cut.chmod(0o700)
    cut.replace(library)
    assert load_library(source, FLAGS).answer() == 42
    assert len(runs) == 2
    load_library(source, FLAGS)
    assert len(runs) == 2


def test_a_changed_byte_is_seen(source, runs, tmp_path):
    load_library(source, FLAGS)
    library = kept(tmp_path)
    content = bytearray(library.read_bytes())
    content[len(content) // 2] ^= 1
    library.unlink()
    library.write_bytes(content)
    library.chmod(0o700)
    load_library(source, FLAGS)
    assert len(runs) == 2


def test_what_others_could_have_written_is_not_loaded(source, runs, tmp_path):
    load_library(source, FLAGS)
    library = kept(tmp_path)
    library.chmod(0o722)
    load_library(source, FLAGS)
    assert len(runs) == 2
    assert stat.S_IMODE(library.stat().st_mode) == 0o700
    elsewhere = tmp_path / "elsewhere.so"
    library.rename(elsewhere)
    library.symlink_to(elsewhere)
    load_library(source, FLAGS)
    assert len(runs) == 3
    assert not library.is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_user_owns_is_not_loaded(source, runs, tmp_path, caplog):
    load_library(source, FLAGS)
    os.chown(kept(tmp_path), 12345, -1)
    load_library(source, FLAGS)
    assert len(runs) == 2
    assert not caplog.messages
    os.chown(kept(tmp_path).parent, 12345, -1)
    assert load_library(source, FLAGS).answer() == 42
    assert len(runs) == 3
    assert "for this process alone" in caplog.text


def test_a_folder_that_others_can_write_to_is_not_used(source, tmp_path, caplog):
    (tmp_path / "cache/rim_nmt/kernels").mkdir(parents=True)
    (tmp_path / "cache/rim_nmt/kernels").chmod(0o777)
    assert load_library(source, FLAGS).answer() == 42
    assert not list((tmp_path / "cache/rim_nmt/kernels").iterdir())
    assert "for this process alone" in caplog.text


def test_what_is_kept_is_private_whatever_the_umask(source, runs, tmp_path):
    before = os.umask(0)
    try:
        load_library(source, FLAGS)
    finally:
        os.umask(before)
    load_library(source, FLAGS)
    assert len(runs) == 1
    for path in (kept(tmp_path), kept(tmp_path).parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.parametrize("place", ["a file", "no home"])
def test_without_a_cache_it_is_compiled_for_the_process(place, source, tmp_path, monkeypatch):
    if place == "a file":
        monkeypatch.setenv("XDG_CACHE_HOME", str(source))
    else:
        # as where HOME is not set and the user has no entry among the system's
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")

        def home():
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.setattr(Path, "home", home)
    monkeypatch.chdir(tmp_path)
    assert load_library(source, FLAGS).answer() == 42
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.cpp"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("CXX", "g++ -O0"), ("RIM_KERNEL_MARCH", "x86-64-v2")],
)
def test_the_name_changes_with_the_compiler_and_the_processor(
    variable, value, source, runs, monkeypatch, tmp_path
):
    if value == "x86-64-v2" and os.uname().machine != "x86_64":
        pytest.skip("a name of another architecture")
    load_library(source, FLAGS)
    monkeypatch.setenv(variable, value)
    load_library(source, FLAGS)
    assert len(runs) == 2
    assert len(list((tmp_path / "cache/rim_nmt/kernels").iterdir())) == 2
    assert value.split()[-1] in " ".join(runs[1])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("g++ '", r"CXX=\"g\+\+ '\" is not a command: No closing quotation"),
        ("no-such-compiler", "No such file or directory: 'no-such-compiler'"),
        ("false", "returned non-zero exit status 1"),
    ],
)
def test_a_compiler_that_is_none_is_said(value, message, source, monkeypatch):
    monkeypatch.setenv("CXX", value)
    with pytest.raises(CompilationError, match=message):
        load_library(source, FLAGS)


def test_an_error_of_the_compiler_is_one_line_and_leaves_nothing(source, tmp_path):
    source.write_text("this is no C++\n", encoding="utf-8")
    with pytest.raises(CompilationError, match=r"^\S*answer.cpp:1:1: error: .*$") as caught:
        load_library(source, FLAGS)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cache/rim_nmt/kernels").iterdir())


def test_several_at_once(source, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        libraries = list(pool.map(lambda _: load_library(source, FLAGS), range(4)))
    assert [library.answer() for library in libraries] == 4 * [42]
    assert kept(tmp_path).exists()
