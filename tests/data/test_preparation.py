"""The whole preparation: what comes out, and that it is the same after an interruption."""

import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fairseq.data import Dictionary, data_utils

from rim_nmt.data import preparation
from rim_nmt.data.preparation import Options, prepare
from rim_nmt.data.textfiles import files_corpus
from rim_nmt.files import InputError, read_lines
from tests.conftest import ROOT, run_script
from tests.data.test_iwslt14 import archive
from tests.data.test_wmt14 import mirror

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


def run(text: Path, out: Path, workers: int = 2, pairs=("en-de", "en-fr"), **options) -> Path:
    prepare(
        out,
        {"recipe": "files"},
        lambda: files_corpus(pairs, [text / "train"], text / "valid", {"news": text / "news"}),
        Options(vocab_size=150, **options),
        workers,
    )
    return out


@pytest.fixture(scope="module")
def prepared(text, tmp_path_factory) -> Path:
    """Two pairs in one folder."""
    return run(text, tmp_path_factory.mktemp("prepared") / "out")


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
    manifest = json.loads((prepared / "manifest.json").read_text())
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
    manifest = json.loads((prepared / "manifest.json").read_text())
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
    monkeypatch.setattr(preparation, "PART", 1300)
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
        manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
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
    (destination / "preprocess.log").touch()


def test_a_folder_of_something_else_is_left_alone(text, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("mine")
    with pytest.raises(InputError, match="is there but was not prepared by this command"):
        run(text, tmp_path / "out")
    assert (tmp_path / "out" / "precious").read_text() == "mine"


def test_nothing_kept_is_an_error(text, tmp_path):
    with pytest.raises(InputError, match="none of the 3,000 training pairs en-de is kept"):
        run(text, tmp_path / "out", max_words=1)
    assert not (tmp_path / "out").exists()


def test_a_killed_preparation_ends_with_the_same_bytes(text, one_pair, tmp_path):
    """Killed with its workers each time that a further file appears; then left to finish."""
    out = tmp_path / "out"
    code = (
        "import sys; from pathlib import Path; from tests.data.test_preparation import run; "
        "run(Path(sys.argv[1]), Path(sys.argv[2]), pairs=['en-de'])"
    )
    unfinished = tmp_path / "out.unfinished"
    for appears in ("clean*", "verdicts*", "encoded*", "bin/*"):
        process = subprocess.Popen(
            [sys.executable, "-c", code, text, out],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and not any(unfinished.glob(f"work/{appears}")):
            time.sleep(0.002)
        assert process.poll() is None, f"it ended before {appears} was seen"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert not out.exists()
    run(text, out, pairs=("en-de",))
    assert content(out) == content(one_pair)
    assert list(tmp_path.iterdir()) == [out]


@pytest.fixture(scope="module")
def from_mirrors(tmp_path_factory) -> Path:
    """WMT14 in two pairs and the IWSLT14 test set with its subwords, by the real commands."""
    folder = tmp_path_factory.mktemp("mirrors")
    mirror(folder / "wmt")
    for pair in ("de-en", "fr-en"):
        (folder / "wmt" / pair / "README").write_text("not a parquet file")
    archive(folder / "iwslt" / "de-en.tgz")
    run_script(
        "prepare", "wmt14", "--pairs", "en-de,en-fr", "--local", folder / "wmt",
        "--out", folder / "wmt14", "--vocab-size", 22,
    )  # fmt: skip
    run_script(
        "prepare", "iwslt14", "--local", folder / "iwslt", "--out", folder / "iwslt14",
        "--subwords-from", folder / "wmt14", "--only-test",
    )  # fmt: skip
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
    manifest = json.loads((iwslt14 / "manifest.json").read_text())["pairs"]["en-de"]
    assert "train" not in manifest
    assert manifest["tests"]["test"]["gen_subset"] == "test"
    raw = read_lines(iwslt14 / "raw" / "test.en-de.de")
    assert raw[0] == "de 0 & one"
    unknown = sum(c not in (wmt14 / "bin/dict.de.txt").read_text() for line in raw for c in line)
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
        (["wmt14", "--character-coverage", "2"], "--character-coverage must be above 0"),
        (["wmt14", "--max-ratio", "0.5"], "--max-ratio must be 1 or more, got 0.5"),
    ],
)
def test_wrong_commands_are_one_clear_line(tmp_path, monkeypatch, capsys, arguments, message):
    from rim_nmt.cli import run_main
    from scripts import prepare as script

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["prepare.py", *arguments, "--out", "out"])
    with pytest.raises(SystemExit) as stop:
        run_main(script.main)
    assert stop.value.code == 2
    error = capsys.readouterr().err.splitlines()
    assert message in error[-1]
    assert error[-1].startswith("error: ")
    assert not (tmp_path / "out").exists()
