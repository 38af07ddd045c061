"""Checkpoints of earlier versions go on working."""

import pytest

# by the checkpoint in before_rooms, then
TRANSLATED = {
    "Tomorrow the woman will play the piano loudly.": (
        "Wir haben das Molt spie aufstehen.",
        -1.154312,
    ),
    "Our father begins to read a newspaper.": ("Unser Vater gesschicken anen.", -1.155203),
}


def test_a_checkpoint_from_before_the_modules_moved_translates_as_it_did(old_checkpoint):
    translator = old_checkpoint()
    for (best,), (text, score) in zip(
        translator.translate(list(TRANSLATED)), TRANSLATED.values(), strict=True
    ):
        assert best.text == text
        assert best.score == pytest.approx(score, abs=1e-4)
