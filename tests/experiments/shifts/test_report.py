"""The report's figures are those of the stored cells."""

import json
import statistics

import numpy as np
import pytest
import sacrebleu

from rim_nmt.errors import InputError
from rim_nmt.experiments.shifts.intervals import over_seeds, over_sentences, resampled
from rim_nmt.experiments.shifts.report import write_report
from rim_nmt.experiments.shifts.shift import Shift
from rim_nmt.runtime.files import write_json, write_lines

SHIFTS = [
    Shift("domain", "talks", "everything", "news", "talks"),
    Shift("noise", "drop-5", "everything", "news", "noise.drop-5"),
    Shift("combinations", "transfer", "combinations", "test", "transfer"),
]
REFERENCES = [f"the {noun} sees a {thing} ." for noun in "abcdef" for thing in "ghijkl"]


def store(out, training: str, model: str, seed: int, **scores: float) -> None:
    """A finished cell with these scores; in sentences, so many of them are translated rightly."""
    reference = out / "reference"
    write_lines(reference, REFERENCES)
    folder = out / training / "cells" / f"{model}.en-de.seed{seed}"
    about = {}
    for test, score in scores.items():
        right = round(score * len(REFERENCES) / 100)
        write_lines(
            folder / f"scores/{test}.hyp",
            [*REFERENCES[:right], *["wrong"] * (len(REFERENCES) - right)],
        )
        about[test] = {
            "BLEU": {"score": score, "signature": "BLEU signature"},
            "chrF": {"score": score + 10, "signature": "chrF signature"},
            "reference": str(reference),
            "sentences": len(REFERENCES),
            "translations": f"scores/{test}.hyp",
        }
    result = {"model": model, "pairs": ["en-de"], "seed": seed, "scores": about}
    result |= {"date": f"2026-01-0{seed}", "torch": "2.13.0", "hardware": "a processor"}
    write_json(folder / "result.json", result)


def report(out, *baseline: str) -> tuple[dict, str]:
    write_report(SHIFTS, out, *baseline)
    table = json.loads((out / "report/table.json").read_text(encoding="utf-8"))
    return table, (out / "report/table.md").read_text(encoding="utf-8")


@pytest.fixture
def out(tmp_path):
    for seed, inside, outside in ((1, 40.0, 20.0), (2, 44.0, 24.2), (3, 42.0, 25.2)):
        store(tmp_path, "everything", "rim", seed, news=inside, talks=outside)
    for seed, inside, outside in ((1, 50.0, 20.0), (2, 50.0, 22.5), (3, 50.0, 25.0)):
        store(tmp_path, "everything", "lstm", seed, news=inside, talks=outside)
    store(tmp_path, "everything", "transformer", 1, news=0.9, talks=1.0)  # nothing to keep
    return tmp_path


def test_means_spreads_and_what_is_kept(out):
    table, text = report(out)
    rim, lstm, transformer = table["rows"]  # nothing else is finished
    assert [row["model"] for row in table["rows"]] == ["rim", "lstm", "transformer"]
    assert (rim["way"], rim["shift"], rim["seeds"]) == ("domain", "talks", [1, 2, 3])
    assert rim["BLEU"]["inside"] == {"mean": 42.0, "spread": 2.0}
    assert rim["BLEU"]["outside"]["mean"] == pytest.approx(69.4 / 3)
    assert rim["BLEU"]["kept"] == pytest.approx({"mean": 0.55, "spread": 0.05})
    assert lstm["BLEU"]["kept"] == pytest.approx({"mean": 0.45, "spread": 0.05})
    kept = [30 / 50, 34.2 / 54, 35.2 / 52]
    assert rim["chrF"]["kept"]["mean"] == pytest.approx(statistics.mean(kept))
    assert transformer["BLEU"]["kept"] is None
    assert (
        "| domain | talks | 36 | everything | rim | 3 | 42.0 ± 2.0 | 23.1 ± 2.8 | 0.550 ± 0.050 "
        in text
    )
    assert "| transformer | 1 | 0.9 | 1.0 | - | 10.9 | 11.0 | 1.009 |" in text
    assert table["damage_seed"] == 1 and "seed 1" in text
    assert "`chrF signature`" in text and "2026-01-01 to 2026-01-03" in text


def test_differences_over_seeds(out):
    table, text = report(out)
    lstm, _ = table["differences"]
    assert (lstm["against"], lstm["seeds"]) == ("lstm", [1, 2, 3])
    # differences -10, -6, -8: their standard deviation is 2, t of two degrees of freedom 4.30265
    half = 4.302652730 * 2 / 3**0.5
    inside = {"mean": -8.0, "low": -8 - half, "high": -8 + half}
    assert {**lstm["BLEU"]["inside"], "over": 0} == pytest.approx({**inside, "over": 0})
    # 0.1 with every seed
    assert lstm["BLEU"]["kept"]["low"] == pytest.approx(0.1)
    assert lstm["BLEU"]["kept"]["over"] == "seeds"
    assert "-8.0 [-13.0, -3.0]" in text and "+0.100 [+0.100, +0.100]" in text


def test_any_model_is_compared(out):
    forth, back = (report(out, model)[0]["differences"][0] for model in ("rim", "lstm"))
    assert (forth["against"], back["against"]) == ("lstm", "rim")
    for measure in ("inside", "kept"):
        one, other = (row["BLEU"][measure] for row in (forth, back))
        assert (one["low"], one["high"]) == pytest.approx((-other["high"], -other["low"]))
    table, text = report(out, "gru")
    assert not table["differences"] and "No cell of `gru` is finished" in text


def test_differences_of_one_seed_are_over_sentences(out):
    table, _ = report(out)
    _, transformer = table["differences"]
    assert (transformer["against"], transformer["seeds"]) == ("transformer", [1])
    inside = transformer["BLEU"]["inside"]
    assert inside["over"] == "sentences" and inside["mean"] == pytest.approx(39.1)
    assert 0 < inside["low"] < inside["high"] < 60
    assert transformer["BLEU"]["kept"] is None


def test_without_translations_seeds_are_compared_and_sentences_are_not(out):
    before, _ = report(out)
    for model in ("rim", "lstm", "transformer"):
        for path in out.glob(f"everything/cells/{model}.*/scores/*.hyp"):
            path.unlink()
    table, _ = report(out)
    assert table["rows"] == before["rows"]
    assert table["differences"][0] == before["differences"][0]  # lstm, three seeds
    assert table["differences"][1]["BLEU"] == dict.fromkeys(("inside", "outside", "kept"))


def test_the_table_is_of_what_is_finished(out):
    store(out, "combinations", "rim", 1, test=90.0, transfer=45.0)
    store(out, "everything", "rim", 1, **{"news": 40.0, "talks": 20.0, "noise.drop-5": 30.0})
    table, _ = report(out)
    rows = [(row["way"], row["model"], row["BLEU"]["kept"]) for row in table["rows"][3:]]
    assert rows == [
        ("noise", "rim", {"mean": 0.75, "spread": None}),
        ("combinations", "rim", {"mean": 0.5, "spread": None}),
    ]
    assert len(table["differences"]) == 2
    with pytest.raises(InputError) as error:
        write_report(SHIFTS, out / "elsewhere")
    assert "no cell" in str(error.value)


def test_the_same_cells_give_the_same_bytes(out):
    kept = []
    for _ in range(2):
        report(out)
        kept.append({path.name: path.read_bytes() for path in (out / "report").iterdir()})
    assert kept[0] == kept[1] and set(kept[0]) == {"table.md", "table.json", "kept.png"}


def test_resampled_scores_are_sacrebleus_and_paired():
    hypotheses = tuple(line if i % 3 else "wrong" for i, line in enumerate(REFERENCES))
    scores = resampled(hypotheses, tuple(REFERENCES))
    whole = sacrebleu.BLEU().corpus_score(hypotheses, [REFERENCES]).score
    low, high = over_sentences(scores["BLEU"])
    assert low < whole < high
    better = resampled(tuple(REFERENCES), tuple(REFERENCES))
    assert np.allclose(better["chrF"], 100)
    assert over_sentences(better["BLEU"] - better["BLEU"]) == (0, 0)


def test_samples_with_a_score_of_nothing_are_left_out():
    kept = np.array([np.nan, np.inf, -np.inf, *np.linspace(0, 1, 41)])
    assert over_sentences(kept) == pytest.approx((0.025, 0.975))


def test_the_interval_of_two_seeds_is_wide():
    assert over_seeds([1.0, 3.0]) == pytest.approx((2 - 12.70620474, 2 + 12.70620474))
    assert over_seeds([1.0] * 40) == (1.0, 1.0)
