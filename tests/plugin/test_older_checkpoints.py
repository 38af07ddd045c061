"""Checkpoints of earlier versions go on working."""

import shutil
from pathlib import Path

import pytest

from rim_nmt.translation.translator import Translator

# fairseq-train with version 0.1.0 (commit 56e7088, before the modules moved), as tests/conftest.py
# trains, for 300 updates; what it translated then
BEFORE_ROOMS = Path(__file__).with_name("before_rooms")
TRANSLATED = {
    "Tomorrow the woman will play the piano loudly.": (
        "Wir haben das Molt spie aufstehen.",
        -1.154312,
    ),
    "Our father begins to read a newspaper.": ("Unser Vater gesschicken anen.", -1.155203),
}


def test_a_checkpoint_from_before_the_modules_moved_translates_as_it_did(tmp_path):
    for language in ("en", "de"):
        shutil.copy(BEFORE_ROOMS / "dict.txt", tmp_path / f"dict.{language}.txt")
    (tmp_path / "test.en-de.en.bin").touch()  # its name says the languages
    translator = Translator(
        BEFORE_ROOMS / "checkpoint.pt", tmp_path, BEFORE_ROOMS / "sentencepiece.model"
    )
    for (best,), (text, score) in zip(
        translator.translate(list(TRANSLATED)), TRANSLATED.values(), strict=True
    ):
        assert best.text == text
        assert best.score == pytest.approx(score, abs=1e-4)
