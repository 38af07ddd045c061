"""The calls that `Translator` takes: files as text or paths, one sentence or several."""

import shutil
from pathlib import Path

import pytest

import rim_nmt
from rim_nmt import Translator
from rim_nmt.errors import InputError
from tests.conftest import ROOT

SENTENCES = ["Our father begins to read a newspaper.", "", "The dog sleeps."]
OLD = ROOT / "tests/plugin/before_rooms"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A prepared folder, as far as translating needs it."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "bin").mkdir()
    for language in ("en", "de"):
        shutil.copy(OLD / "dict.txt", folder / "bin" / f"dict.{language}.txt")
    (folder / "bin" / "test.en-de.en.bin").touch()  # its name says the languages
    shutil.copy(OLD / "sentencepiece.model", folder)
    return folder


@pytest.fixture(scope="module")
def translator(prepared) -> Translator:
    return Translator.from_folder(OLD / "checkpoint.pt", prepared, device="cpu")


def test_it_is_the_packages_translator():
    from rim_nmt.translation import translator as module

    assert rim_nmt.Translator is module.Translator


def test_folders_and_files_can_be_text(prepared, translator):
    data, subwords = prepared / "bin", prepared / "sentencepiece.model"
    expected = list(translator.translate(SENTENCES))
    for other in (
        Translator(str(OLD / "checkpoint.pt"), str(data), str(subwords), "cpu"),
        Translator(OLD / "checkpoint.pt", data, subwords, "cpu"),
        Translator.from_folder(str(OLD / "checkpoint.pt"), str(prepared), target_lang="de"),
        Translator.from_folder(f"{OLD}/checkpoint.pt:{OLD}/checkpoint.pt", prepared),
    ):
        for (mine,), (best,) in zip(other.translate(SENTENCES), expected, strict=True):
            assert mine.text == best.text
            assert mine.score == pytest.approx(best.score, abs=1e-4)


def test_a_run_stands_for_its_best_checkpoint_else_the_last(prepared, tmp_path):
    with pytest.raises(InputError, match="neither checkpoint_best"):
        Translator.from_folder(tmp_path, prepared)
    shutil.copy(OLD / "checkpoint.pt", tmp_path / "checkpoint_last.pt")
    assert Translator.from_folder(str(tmp_path), prepared).pairs == ["en-de"]
    (tmp_path / "checkpoint_best.pt").write_text("no checkpoint", encoding="utf-8")
    with pytest.raises(InputError, match=r"checkpoint_best\.pt"):
        Translator.from_folder(tmp_path, prepared)


def test_what_is_missing_is_named(prepared, tmp_path):
    with pytest.raises(InputError, match=r"no checkpoint at .*no\.pt"):
        Translator.from_folder(tmp_path / "no.pt", prepared)
    with pytest.raises(InputError, match="no dictionary in"):
        Translator.from_folder(OLD / "checkpoint.pt", str(tmp_path))


def test_one_sentence_has_one_answer(translator):
    several = list(translator.translate(SENTENCES, beam=3, nbest=2))
    for sentence, expected in zip(SENTENCES, several, strict=True):
        one = translator.translate(sentence, beam=3, nbest=2)
        assert isinstance(one, list) and len(one) == 2
        assert [translation.text for translation in one] == [t.text for t in expected]
    assert translator.translate("") == [rim_nmt.translation.translator.Translation("", 0.0)]
    assert list(translator.translate([])) == []
    with pytest.raises(InputError, match="1 <= nbest <= beam"):
        translator.translate("The dog sleeps.", beam=1, nbest=2)


def test_tuples_are_several_sentences_and_come_one_by_one(translator):
    results = translator.translate(tuple(SENTENCES))
    assert len(next(results)) == 1
    assert len(list(results)) == 2
