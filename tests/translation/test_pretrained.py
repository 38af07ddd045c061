"""The models that come with the package: whole, small, described, and as their cards say."""

import re

import pytest

from rim_nmt.translation.model_folder import DEFAULT, PRETRAINED, open_model, pretrained_models

MODELS = pretrained_models()


@pytest.fixture(scope="module", params=MODELS)
def folder(request):
    return PRETRAINED / request.param


def test_one_of_them_is_taken_unless_another_is_named():
    assert DEFAULT in MODELS
    translator = open_model()
    assert (translator.source_lang, translator.target_lang) == ("en", "de")


def test_they_are_small(folder):
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 20e6


def test_their_cards_say_what_they_were_trained_on(folder):
    card = (folder / "README.md").read_text(encoding="utf-8")
    head = card.split("---\n")[1]
    for line in ("license: ", "language:", "pipeline_tag: translation"):
        assert line in head
    for what in ("CC BY 2.0", "sacreBLEU", "rim-nmt train", "seed"):
        assert what in card


def test_the_translations_in_their_cards_are_theirs(folder):
    card = (folder / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", card.split("## Twenty")[1], flags=re.MULTILINE)
    sources, translations = zip(*rows[2:], strict=True)  # after the heading and its rule
    assert len(sources) == 20
    given = [best.text for (best,) in open_model(folder).translate(list(sources))]
    same = sum(ours == shown for ours, shown in zip(given, translations, strict=True))
    assert same >= 18  # processors round differently, and two translations may be as good
