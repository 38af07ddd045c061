"""The calls that `Translator` takes: files as text or paths, one sentence or several."""

import shutil

import pytest

import rim_nmt
from rim_nmt import Translator
from rim_nmt.errors import InputError
from tests.conftest import OLD_CHECKPOINT

SENTENCES = ["Our father begins to read a newspaper.", "", "The dog sleeps."]


@pytest.fixture(scope="module")
def translator(old_prepared) -> Translator:
    return Translator.from_folder(OLD_CHECKPOINT, old_prepared, device="cpu")


def test_it_is_the_packages_translator():
    from rim_nmt.translation import translator as module

    assert rim_nmt.Translator is module.Translator


def test_folders_and_files_can_be_text(old_prepared, translator):
    data, subwords = old_prepared / "bin", old_prepared / "sentencepiece.model"
    expected = list(translator.translate(SENTENCES))
    for other in (
        Translator(str(OLD_CHECKPOINT), str(data), str(subwords), "cpu"),
        Translator(OLD_CHECKPOINT, data, subwords, "cpu"),
        Translator.from_folder(str(OLD_CHECKPOINT), str(old_prepared), target_lang="de"),
        Translator.from_folder(f"{OLD_CHECKPOINT}:{OLD_CHECKPOINT}", old_prepared),
    ):
        for (mine,), (best,) in zip(other.translate(SENTENCES), expected, strict=True):
            assert mine.text == best.text
            assert mine.score == pytest.approx(best.score, abs=1e-4)


def test_a_run_stands_for_its_best_checkpoint_else_the_last(old_prepared, tmp_path):
    with pytest.raises(InputError, match="neither checkpoint_best"):
        Translator.from_folder(tmp_path, old_prepared)
    shutil.copy(OLD_CHECKPOINT, tmp_path / "checkpoint_last.pt")
    assert Translator.from_folder(str(tmp_path), old_prepared).pairs == ["en-de"]
    (tmp_path / "checkpoint_best.pt").write_text("no checkpoint", encoding="utf-8")
    with pytest.raises(InputError, match=r"checkpoint_best\.pt"):
        Translator.from_folder(tmp_path, old_prepared)


def test_what_is_missing_is_named(old_prepared, tmp_path):
    with pytest.raises(InputError, match=r"no checkpoint at .*no\.pt"):
        Translator.from_folder(tmp_path / "no.pt", old_prepared)
    with pytest.raises(InputError, match="no dictionary in"):
        Translator.from_folder(OLD_CHECKPOINT, str(tmp_path))


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
