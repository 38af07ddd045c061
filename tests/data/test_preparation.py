"""The whole preparation: what comes out, and that it is the same after an interruption."""

import contextlib
import functools
import json
import locale
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fairseq.data import Dictionary, data_utils

from rim_nmt.cli.main import main
from rim_nmt.data import arrow, preparation
from rim_nmt.data.preparation import Options, prepare
from rim_nmt.data.textfiles import files_corpus
from rim_nmt.errors import InputError
from rim_nmt.runtime.files import folder_lock, read_lines
from tests.conftest import ROOT, forked_commands
from tests.data.test_iwslt14 import archive
from tests.data.test_wmt14 import mirror
from tests.forked import FORKS

WORDS = {
    "en": [
        "the",
        "house",
        "is",
        "old",
        "and",
        "we",
        "see",
        "a",
        "green",
        "tree",
        "but",
        "they",
        "go",
        "there",
    ],
    "de": [
        "das",
        "Haus",
        "ist",
        "alt",
        "und",
        "wir",
        "sehen",
        "einen",
        "grünen",
        "Baum",
        "aber",
        "sie",
        "gehen",
    ],
    "fr": [
        "la",
        "maison",
        "est",
        "vieille",
        "et",
        "nous",
        "voyons",
        "un",
        "arbre",
        "vert",
        "mais",
        "ils",
        "vont",
    ],
}
NASTY = ["\u2028", "\t", "\u00a0", "\x85", "\r", "\x0b", "\u200b", "\ufeff", "\x00", "e\u0301", ""]


def write_text(folder: Path, pair: str, name: str, count: int, seed: int) -> Path:
    """Pairs that carry the same number on both sides, among them duplicates, empty sides, pairs
    of very different length, and characters that could tear lines apart."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    sides: dict[str, list[str]] = {language: [] for language in pair.split("-")}
    for i in range(count):
        number = rng.randrange(count) if rng.random() < 0.1 else i
        length = random.Random(number).randint(4, 12)  # equal numbers are equal pairs
        for language, lines in sides.items():
            words = [WORDS[language][(number * 7 + j) % 13] for j in range(length)]
            words.insert(2, f"<{number}>")
            lines.append((rng.choice(NASTY) + " ").join(words))
        if rng.random() < 0.1:
            rng.choice(list(sides.values()))[-1] = rng.choice(
                ["", " \u200b", f"<{number}>", f"<{number}> " * 300]
            )
    for language, lines in sides.items():
        text = "".join(f"{line}\n" for line in lines)
        (folder / f"{name}.{pair}.{language}").write_bytes(text.encode())
    return folder / name


def numbers(lines: list[str]) -> list[str]:
    """The numbers in lines of pieces."""
    joined = [line.replace(" ", "") for line in lines]
    return [line[line.index("<") + 1 : line.index(">")] for line in joined]


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    for pair in ("en-de", "en-fr"):
        write_text(folder, pair, "train", 3000, seed=1)
        write_text(folder, pair, "valid", 40, seed=2)
        write_text(folder, pair, "news", 50, seed=3)
    return folder


def run(
    text: Path,
    out: Path,
    workers: int = 2,
    pairs=("en-de", "en-fr"),
    forked: bool = True,
    **options,
) -> Path:
    with forked_commands() if forked else contextlib.nullcontext():
        prepare(
            out,
            {"recipe": "files"},
            lambda: files_corpus(pairs, [text / "train"], text / "valid", {"news": text / "news"}),
            Options(vocab_size=150, **options),
            workers,
        )
    return out


def run_in_a_session_of_its_own(*arguments, **more) -> None:
    """`run`, by the real fairseq-preprocess, in a process that may be killed with its children."""
    os.setsid()
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    run(*arguments, forked=False, **more)


@pytest.fixture(scope="module")
def prepared(text, tmp_path_factory) -> Path:
    """Two pairs in one folder."""
    return run(text, tmp_path_factory.mktemp("prepared") / "out", workers=1)


@pytest.fixture(scope="module")
def one_pair(text, tmp_path_factory) -> Path:
    return run(text, tmp_path_factory.mktemp("one_pair") / "out", pairs=("en-de",))


def content(folder: Path) -> dict[str, bytes]:
    """Every file but the log."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "prepare.log"
    }


def test_pairs_stay_aligned_through_every_step(prepared):
    manifest = json.loads((prepared / "manifest.json").read_text(encoding="utf-8"))
    for pair in ("en-de", "en-fr"):
        counts = manifest["pairs"][pair]["train"]
        assert counts["read"] == 3000 == sum(counts.values()) - counts["read"]
        for reason in ("empty side", "too long", "length ratio", "duplicate"):
            assert counts[reason] > 20, reason
        sides = [read_lines(prepared / "pieces" / f"train.{pair}.{s}") for s in pair.split("-")]
        assert len(sides[0]) == len(sides[1]) == counts["kept"]
        assert numbers(sides[0]) == numbers(sides[1])
        assert len(set(zip(*sides, strict=True))) == counts["kept"]
        for split, size in (("train", counts["kept"]), ("valid", 40), ("test", 50)):
            for language in pair.split("-"):
                dictionary = Dictionary.load(str(prepared / "bin" / f"dict.{language}.txt"))
                binarised = data_utils.load_indexed_dataset(
                    str(prepared / "bin" / f"{split}.{pair}.{language}"), dictionary
                )
                assert len(binarised) == size
                if split == "train":
                    side = sides[pair.split("-").index(language)]
                    for i in (0, size - 1):
                        assert dictionary.string(binarised[i]) == side[i]


def test_all_languages_share_one_dictionary_of_the_subwords(prepared):
    dictionaries = {p.read_bytes() for p in (prepared / "bin").glob("dict.*.txt")}
    assert len(list((prepared / "bin").glob("dict.*.txt"))) == 3
    assert len(dictionaries) == 1
    manifest = json.loads((prepared / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["dictionary"] % 8 == 0
    assert 0 <= manifest["dictionary"] - manifest["subwords"] - 4 < 8 + 4


def test_held_out_text_is_kept_as_it_came(text, prepared):
    for name in ("valid", "news"):
        for side in ("en-de.en", "en-de.de", "en-fr.en", "en-fr.fr"):
            raw = (prepared / "raw" / f"{name}.{side}").read_bytes()
            assert raw.replace(b"\r", b"") == (text / f"{name}.{side}").read_bytes().replace(
                b"\r", b""
            )


def test_the_number_of_workers_does_not_matter(text, one_pair, tmp_path):
    out = run(text, tmp_path / "out", workers=1, pairs=("en-de",))
    assert content(out) == content(one_pair)


def test_the_number_of_parts_does_not_matter(text, one_pair, tmp_path, monkeypatch):
    monkeypatch.setattr(arrow, "PART", 1300)
    out = run(text, tmp_path / "out", workers=2, pairs=("en-de",))
    assert content(out) == content(one_pair)


def test_the_dictionary_is_the_one_of_fairseq_preprocess(one_pair, tmp_path):
    """For one pair and full coverage of characters."""
    dictionary = Dictionary()
    for language in ("en", "de"):
        path = str(one_pair / "pieces" / f"train.en-de.{language}")
        Dictionary.add_file_to_dictionary(path, dictionary, str.split, 1)
    dictionary.finalize(padding_factor=8)
    dictionary.save(str(tmp_path / "dict.txt"))
    assert (tmp_path / "dict.txt").read_bytes() == (one_pair / "bin" / "dict.en.txt").read_bytes()


def test_the_same_options_do_nothing_and_others_are_refused(text, prepared, capsys):
    before = {path: path.stat().st_mtime_ns for path in prepared.rglob("*")}
    run(text, prepared)
    assert "nothing to do" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"(?s)max_words: 250 there, 9 asked.*--overwrite"):
        run(text, prepared, max_words=9)
    assert {path: path.stat().st_mtime_ns for path in prepared.rglob("*")} == before


def test_changed_text_is_noticed_and_prepared_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "preprocess", fake_preprocess)
    text = write_text(tmp_path, "en-de", "t", 300, seed=1)

    def prepare_it(**more):
        files = functools.partial(files_corpus, ["en-de"], [text], text, {})
        prepare(tmp_path / "out", {}, files, Options(vocab_size=100), **more)
        manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
        return manifest["pairs"]["en-de"]["train"]["read"]

    assert prepare_it() == 300
    before = content(tmp_path / "out")
    write_text(tmp_path, "en-de", "t", 400, seed=1)
    with pytest.raises(InputError, match=r"t\.en-de\.de changed since .*--overwrite"):
        prepare_it()
    assert content(tmp_path / "out") == before
    assert prepare_it(overwrite=True) == 400


def fake_preprocess(command, log, destination, pieces):
    """What takes seconds to start is not what is tested."""
    destination.mkdir()
    source, target = (
        command[command.index(flag) + 1] for flag in ("--source-lang", "--target-lang")
    )
    names = [f"dict.{source}.txt", f"dict.{target}.txt", f"train.{source}-{target}.{target}.bin"]
    for name in (*names, "preprocess.log"):
        (destination / name).touch()


def test_a_folder_of_something_else_is_left_alone(text, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="is there but was not prepared by this command"):
        run(text, tmp_path / "out")
    assert (tmp_path / "out" / "precious").read_text(encoding="utf-8") == "mine"


def prepare_small(folder: Path, out: Path, train: str = "t", **more) -> dict:
    """Prepare 300 pairs without fairseq; returns the manifest."""
    files = functools.partial(files_corpus, ["en-de"], [folder / train], folder / "t", {})
    overwrite = more.pop("overwrite", False)
    recipe = {"train": train}
    prepare(out, recipe, files, Options(**{"vocab_size": 100, **more}), overwrite=overwrite)
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture
def small(tmp_path, monkeypatch) -> Path:
    """A folder with text for `prepare_small`."""
    monkeypatch.setattr(preparation, "preprocess", fake_preprocess)
    write_text(tmp_path, "en-de", "t", 300, seed=1)
    return tmp_path


def test_a_mistake_leaves_nothing_and_the_corrected_command_goes_on(small, capsys):
    before = sorted(small.iterdir())
    with pytest.raises(InputError, match="no training text"):
        prepare_small(small, small / "out", train="typo")
    with pytest.raises(InputError, match="none of the 300 training pairs"):
        prepare_small(small, small / "out", max_words=1)
    assert sorted(small.iterdir()) == before
    with pytest.raises(InputError, match="vocabulary size 9000 is too high"):
        prepare_small(small, small / "out", vocab_size=9000)
    capsys.readouterr()
    manifest = prepare_small(small, small / "out")
    shown = capsys.readouterr().out
    assert "going on" in shown and "read and clean" not in shown
    assert manifest["subwords"] <= 100 and manifest["options"]["vocab_size"] == 100
    assert sorted(small.iterdir()) == sorted([*before, small / "out"])


def test_other_options_do_not_destroy_what_was_begun(small):
    with pytest.raises(InputError, match="too high"):
        prepare_small(small, small / "out", vocab_size=9000)
    begun = content(small / "out.unfinished")
    with pytest.raises(InputError, match=r"(?s)out\.unfinished was prepared with other.*max_words"):
        prepare_small(small, small / "out", max_words=99)
    assert content(small / "out.unfinished") == begun
    assert prepare_small(small, small / "out", max_words=99, overwrite=True)


@pytest.mark.parametrize("name", ["precious", "manifest.json", "begun.json", "options.json"])
@pytest.mark.parametrize("folder", ["out", "out.unfinished"])
def test_folders_of_the_user_are_never_touched(small, folder, name):
    (small / folder).mkdir()
    (small / folder / name).write_text('{"options": 1}', encoding="utf-8")
    for more in ({}, {"overwrite": True}):
        with pytest.raises(InputError, match=f"{folder} .*not .*by this command"):
            prepare_small(small, small / "out", **more)
    assert (small / folder / name).read_text(encoding="utf-8") == '{"options": 1}'
    assert not (small / ({"out", "out.unfinished"} - {folder}).pop()).exists()


def test_what_the_user_put_into_a_prepared_folder_is_not_overwritten(small):
    prepare_small(small, small / "out")
    (small / "out" / "notes").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be replaced: it also holds notes"):
        prepare_small(small, small / "out", max_words=99, overwrite=True)
    assert (small / "out" / "notes").read_text(encoding="utf-8") == "mine"
    assert (small / "out" / "manifest.json").exists()


def test_two_preparations_of_a_folder_exclude_each_other(small, monkeypatch):
    monkeypatch.setattr("rim_nmt.runtime.files.PATIENCE", 0.1)
    with (
        folder_lock(small / "out"),
        pytest.raises(InputError, match=rf"process {os.getpid()} .*is at work on .*out"),
    ):
        prepare_small(small, small / "out")
    prepare_small(small, small / "out")
    assert not [path for path in small.rglob("*") if "lock" in path.name]


def test_both_directions_in_one_folder(small):
    """Pairs that share a target: fairseq-preprocess refuses a folder with its dictionary."""
    for language in ("en", "de"):
        source = small / f"t.en-de.{language}"
        (small / f"t.de-en.{language}").write_bytes(source.read_bytes())
    files = functools.partial(files_corpus, ["en-de", "de-en"], [small / "t"], small / "t", {})
    prepare(small / "out", {}, files, Options(vocab_size=100))
    names = {path.name for path in (small / "out" / "bin").iterdir()}
    assert names == {"dict.en.txt", "dict.de.txt", "train.en-de.de.bin", "train.de-en.en.bin"}
    for language in ("en", "de"):
        sides = [small / "out" / "pieces" / f"train.{p}.{language}" for p in ("en-de", "de-en")]
        assert sides[0].read_bytes() == sides[1].read_bytes() != b""


@pytest.mark.parametrize(
    "env",
    [
        pytest.param({"LC_ALL": "en_US.ISO-8859-1"}, marks=pytest.mark.slow),
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
    ],
)
def test_the_locale_does_not_matter(text, one_pair, tmp_path, env):
    name = env["LC_ALL"]
    if name == "C" and not f"{ROOT} {sys.prefix}".isascii():
        pytest.skip("in ASCII alone torch cannot be imported from a folder with such a name")
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:
        pytest.skip(f"this system has no locale {name}")
    finally:
        locale.setlocale(locale.LC_CTYPE, "")
    command = [sys.executable, "-m", "rim_nmt", "prepare", "files", "--train", text / "train"]
    command += ["--valid", text / "valid", "--test", f"news={text / 'news'}", "--vocab-size", 150]
    done = subprocess.run(
        [str(part) for part in (*command, "--workers", 2, "--out", tmp_path / "out")],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "0", **env},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "┏".encode() in done.stdout
    found, expected = content(tmp_path / "out"), content(one_pair)
    manifests = [json.loads(each.pop("manifest.json")) for each in (found, expected)]
    assert found == expected
    assert manifests[0]["pairs"] == manifests[1]["pairs"]


def test_nothing_kept_is_an_error(text, tmp_path):
    with pytest.raises(InputError, match="none of the 3,000 training pairs en-de is kept"):
        run(text, tmp_path / "out", max_words=1)
    assert not (tmp_path / "out").exists()


def test_a_killed_preparation_ends_with_the_same_bytes(text, one_pair, tmp_path):
    """Killed with its workers each time that a further file appears; then left to finish."""
    out = tmp_path / "out"
    unfinished = tmp_path / "out.unfinished"
    for appears in ("clean*", "verdicts*", "encoded*", "bin/*"):
        process = FORKS.Process(
            target=run_in_a_session_of_its_own, args=(text, out), kwargs={"pairs": ["en-de"]}
        )
        process.start()
        while process.is_alive() and not any(unfinished.glob(f"work/{appears}")):
            time.sleep(0.002)
        assert process.is_alive(), f"it ended before {appears} was seen"
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        assert not out.exists()
    run(text, out, pairs=("en-de",))
    assert content(out) == content(one_pair)
    assert list(tmp_path.iterdir()) == [out]


@pytest.fixture(scope="module")
def from_mirrors(tmp_path_factory) -> Path:
    """WMT14 in two pairs and the IWSLT14 test set with its subwords, by the commands."""
    folder = tmp_path_factory.mktemp("mirrors")
    mirror(folder / "wmt")
    for pair in ("de-en", "fr-en"):
        (folder / "wmt" / pair / "README").write_text("not a parquet file", encoding="utf-8")
    archive(folder / "iwslt" / "de-en.tgz")
    wmt14 = ["--pairs", "en-de,en-fr", "--local", folder / "wmt", "--vocab-size", 22]
    one = ["--workers", 1]  # starts sooner
    iwslt14 = ["--local", folder / "iwslt", "--subwords-from", folder / "wmt14", "--only-test"]
    with forked_commands():
        for name, options in (("wmt14", wmt14), ("iwslt14", iwslt14)):
            main([str(part) for part in ("prepare", name, *options, *one, "--out", folder / name)])
    return folder


def test_wmt14_in_two_pairs_is_what_multilingual_translation_reads(from_mirrors):
    names = {path.name for path in (from_mirrors / "wmt14" / "bin").iterdir()}
    for pair in ("en-de", "en-fr"):
        for split in ("train", "valid", "test"):
            for language in pair.split("-"):
                assert f"{split}.{pair}.{language}.idx" in names
    assert {"dict.en.txt", "dict.de.txt", "dict.fr.txt"} <= names


def test_the_transfer_test_set_has_the_subwords_of_the_training(from_mirrors):
    wmt14, iwslt14 = from_mirrors / "wmt14", from_mirrors / "iwslt14"
    for name in ("sentencepiece.model", "bin/dict.en.txt", "bin/dict.de.txt"):
        assert (wmt14 / name).read_bytes() == (iwslt14 / name).read_bytes()
    dictionary = Dictionary.load(str(iwslt14 / "bin" / "dict.de.txt"))
    binarised = data_utils.load_indexed_dataset(str(iwslt14 / "bin/test.en-de.de"), dictionary)
    assert len(binarised) == 10
    manifest = json.loads((iwslt14 / "manifest.json").read_text(encoding="utf-8"))["pairs"]["en-de"]
    assert "train" not in manifest
    assert manifest["tests"]["test"]["gen_subset"] == "test"
    raw = read_lines(iwslt14 / "raw" / "test.en-de.de")
    assert raw[0] == "de 0 & one"
    unknown = sum(
        c not in (wmt14 / "bin/dict.de.txt").read_text(encoding="utf-8")
        for line in raw
        for c in line
    )
    assert (manifest["tests"]["test"]["unknown_characters"]["de"] > 0) == (unknown > 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wmt14", "--pairs", "en-cs"], "en-cs: expected one of en-de, en-fr"),
        (["wmt14", "--local", "nowhere"], "nowhere: no de-en/train-00000"),
        (["iwslt14", "--only-test"], "--only-test needs --subwords-from"),
        (["iwslt14", "--subwords-from", "nowhere"], "nowhere: expected a prepared folder"),
        (["files"], "--train is missing"),
        (["files", "--train", "nowhere"], "--valid is missing"),
        (["files", "--train", "x", "--valid", "x", "--pairs", "en"], "'en': expected two"),
        (["files", "--train", "x", "--valid", "x", "--test", "x"], "expected NAME=PREFIX"),
        (["files", "--train", "nowhere", "--valid", "x"], "no training text for en-de"),
        (["wmt14", "--vocab-size", "0"], "--vocab-size must be 1 or more, got 0"),
        (["wmt14", "--character-coverage", "2"], "--character-coverage must be from 0.98"),
        (["wmt14", "--character-coverage", "0.5"], "must be from 0.98 to 1, got 0.5"),
        (["wmt14", "--max-ratio", "0.5"], "--max-ratio must be 1 or more, got 0.5"),
        (["wmt14", "--max-ratio", "nan"], "--max-ratio must be 1 or more, got nan"),
        (["files", "--train", "x", "--valid", "x", "--test", "a,b=x"], "--test a,b=x: expected"),
        (["files", "--train", "x", "--valid", "x", "--test", "a/b=x"], "--test a/b=x: expected"),
        (["files", "--train", "x", "--valid", "x", "--pairs", "en/x-de"], "'en/x-de': expected"),
    ],
)
def test_wrong_commands_are_one_clear_line(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["prepare", *arguments, "--out", "out"])
    assert stop.value.code == 2
    error = capsys.readouterr().err.splitlines()
    assert message in error[-1]
    assert error[-1].startswith("error: ")
    assert not (tmp_path / "out").exists()
