"""Random sentences."""

from __future__ import annotations

import random

from rim_nmt.toy.sampling import Sampler
from rim_nmt.toy.sampling.dice import Dice


def test_no_sentence_has_two_translations(monkeypatch):
    """Few words make the same English arise from many trees; its German must be the same."""
    pick = Dice.pick
    monkeypatch.setattr(
        Dice, "pick", lambda self, all_: pick(self, all_[:: max(1, (len(all_) + 1) // 2)])
    )
    monkeypatch.setattr(Sampler, "_in_domain", lambda self, sentence, english: True)
    for transfer, draws, fewest in ((False, 2_000, 100), (True, 300, 0)):
        sampler, german = Sampler(random.Random(11), transfer), {}
        for _ in range(draws):
            example = sampler.example()
            assert german.setdefault(example.english, example.german) == example.german
        assert len(german) <= draws - fewest
