"""The table is a function of the stored cells, and its figures are theirs."""

import json
import statistics

import pytest
import sacrebleu
from matplotlib.image import imread

from rim_nmt.errors import InputError
from rim_nmt.experiments.table8.comparison import compare_means, compare_seeds
from rim_nmt.experiments.table8.report import write_report
from rim_nmt.experiments.table8.results import read_results, summarise
from rim_nmt.runtime.files import read_json, write_json, write_lines

SENTENCES = [
    f"the {noun} {verb} a {thing} ."
    for noun in ("cat", "dog", "man", "girl")
    for verb in ("sees", "finds", "wants")
    for thing in ("book", "ball", "house")
]


def store(
    cells, model: str, seed: int, wrong: int, pairs=("en-de",), usage=None, first: int = 0
) -> dict:
    """A finished cell of which `wrong` translations, from the `first` on, miss the reference."""
    reference = cells.parent / "test.de"
    write_lines(reference, SENTENCES)
    hypotheses = [
        "nothing of the kind" if first <= number < first + wrong else sentence
        for number, sentence in enumerate(SENTENCES)
    ]
    scores = {}
    for name, metric in (("BLEU", sacrebleu.BLEU()), ("chrF", sacrebleu.CHRF())):
        score = round(metric.corpus_score(hypotheses, [SENTENCES]).score, 2)
        scores[name] = {"score": score, "signature": f"{name} signature"}
    result = {
        "model": model,
        "pairs": list(pairs),
        "seed": seed,
        "parameters": 1000,
        "updates": 20,
        "tokens_per_second": 300 + seed,
        "seconds_per_update": 0.5,
        "valid": [[10, 5.0], [20, 4.0 + wrong / 10 + seed / 100]],
        "valid_loss": 4.0 + wrong / 10 + seed / 100,
        "usage": usage or {},
        "scores": {
            "test": {
                **scores,
                "reference": str(reference),
                "sentences": len(SENTENCES),
                "translations": "scores/test.hyp",
            },
        },
        "date": "2026-01-01",
        "torch": "2.13.0",
        "hardware": "a processor",
    }
    folder = cells / f"{model}.{'+'.join(pairs)}.seed{seed}"
    write_json(folder / "result.json", result)
    write_lines(folder / "scores" / "test.hyp", hypotheses)
    return result


@pytest.fixture
def cells(tmp_path):
    folder = tmp_path / "cells"
    for seed in (1, 2):
        store(folder, "rim", seed, wrong=seed, usage={"enc_usage": 0.9, "dec_usage": 0.8})
        store(folder, "lstm", seed, wrong=10)
    store(folder, "transformer", 1, wrong=1, first=7)
    store(folder, "rim", 1, wrong=0, pairs=("en-de", "en-fr"), usage={"enc_usage": 0.7})
    return folder


def test_learning_is_shown_against_hours_where_every_cell_knows_them(cells, tmp_path):
    write_report(cells, tmp_path / "with")
    path = cells / "rim.en-de.seed1/result.json"
    result = read_json(path)
    del result["seconds_per_update"]  # as it was written before there was this figure
    write_json(path, result)
    write_report(cells, tmp_path / "without")
    heights = [imread(tmp_path / name / "learning.png").shape[0] for name in ("with", "without")]
    assert heights[0] == 2 * heights[1]


def test_the_same_cells_give_the_same_bytes(cells, tmp_path):
    names = ("table.md", "table.json", "scores.png", "learning.png")
    for out in ("first", "second"):
        write_report(cells, tmp_path / out)
    for name in names:
        first, second = ((tmp_path / out / name).read_bytes() for out in ("first", "second"))
        assert first == second and first
    store(cells, "lstm", 3, wrong=0)
    write_report(cells, tmp_path / "third")
    for name in names:
        assert (tmp_path / "third" / name).read_bytes() != (tmp_path / "first" / name).read_bytes()


def test_mean_and_spread_over_seeds(cells):
    results = [r for r in read_results(cells) if r["model"] == "rim" and len(r["pairs"]) == 1]
    scores = [r["scores"]["test"]["BLEU"]["score"] for r in results]
    row = summarise(results)
    assert row["seeds"] == [1, 2]
    assert row["scores"]["test"]["BLEU"]["mean"] == pytest.approx(sum(scores) / 2)
    assert row["scores"]["test"]["BLEU"]["spread"] == pytest.approx(statistics.stdev(scores))
    assert row["usage"]["enc_usage"] == {"mean": 0.9, "spread": 0.0}
    assert summarise(results[:1])["valid_loss"]["spread"] is None


def test_the_table_shows_every_row_in_order(cells, tmp_path):
    write_report(cells, tmp_path / "out")
    text = (tmp_path / "out" / "table.md").read_text(encoding="utf-8")
    rows = [line.split(" | ")[:2] for line in text.splitlines()[2:6]]
    assert rows == [
        ["| en-de", "rim"],
        ["| en-de", "lstm"],
        ["| en-de", "transformer"],
        ["| en-de + en-fr", "rim"],
    ]
    written = json.loads((tmp_path / "out" / "table.json").read_text(encoding="utf-8"))
    rim = written["rows"][0]["scores"]["test"]["BLEU"]
    assert f"{rim['mean']:.1f} ± {rim['spread']:.1f}" in text
    assert "BLEU signature" in text and "chrF signature" in text


def test_significance_is_by_seed_and_signed(cells):
    rows = compare_seeds(cells, read_results(cells), "rim", "en-de")
    found = {(row["model"], row["seed"]): row for row in rows}
    assert set(found) == {("lstm", 1), ("lstm", 2), ("transformer", 1)}
    better, same = found["lstm", 1], found["transformer", 1]
    assert better["difference"] > 10 and better["p"] < 0.01
    assert same["difference"] == 0 and same["p"] > 0.1
    backwards = compare_seeds(cells, read_results(cells), "lstm", "en-de")
    assert {-row["difference"] for row in backwards if row["model"] == "rim"} == {
        found["lstm", seed]["difference"] for seed in (1, 2)
    }


def test_means_are_compared_where_both_have_several_seeds(cells, tmp_path):
    write_report(cells, tmp_path / "out", "lstm")
    written = read_json(tmp_path / "out/table.json")
    (row,) = written["differences"]  # the Transformer has one seed
    assert (row["test"], row["pairs"], row["model"]) == ("test", "en-de", "rim")
    assert row["seeds"] == [2, 2]
    rim, lstm, *_ = (each["scores"]["test"]["BLEU"]["mean"] for each in written["rows"])
    assert row["difference"] == pytest.approx(lstm - rim, abs=0.005)
    text = (tmp_path / "out/table.md").read_text(encoding="utf-8")
    assert f"| rim | 2 and 2 | {row['difference']:+.2f} ± {row['error']:.2f} |" in text
    assert "of `lstm` less" in text
    write_report(cells, tmp_path / "none", "gru")
    text = (tmp_path / "none/table.md").read_text(encoding="utf-8")
    assert "No cell of `gru` is finished" in text and "less that" not in text


def test_the_error_of_a_difference_is_that_of_both_means():
    figures = {
        "rim": (30.0, 0.6, [1, 2, 3]),
        "lstm": (31.0, 0.4, [1, 2]),
        "other": (9.0, None, [1]),
    }
    rows = [
        {
            "model": model,
            "pairs": ["en-de"],
            "seeds": seeds,
            "scores": {"news": {"BLEU": {"mean": mean, "spread": spread}}},
        }
        for model, (mean, spread, seeds) in figures.items()
    ]
    (row,) = compare_means(rows, "rim")
    assert (row["model"], row["difference"], row["seeds"]) == ("lstm", -1.0, [3, 2])
    assert row["error"] == pytest.approx((0.36 / 3 + 0.16 / 2) ** 0.5, abs=0.005)
    assert compare_means(rows, "other") == []
    other_text = {**rows[1], "pairs": ["en-fr"]}
    assert compare_means([rows[0], other_text], "rim") == []


def test_without_translations_a_cell_is_in_the_table_but_not_in_the_bootstrap(cells, tmp_path):
    (cells / "lstm.en-de.seed1/scores/test.hyp").unlink()
    rows = compare_seeds(cells, read_results(cells), "rim", "en-de")
    assert {(row["model"], row["seed"]) for row in rows} == {("lstm", 2), ("transformer", 1)}
    (cells / "rim.en-de.seed2/scores/test.hyp").unlink()
    rows = compare_seeds(cells, read_results(cells), "rim", "en-de")
    assert {(row["model"], row["seed"]) for row in rows} == {("transformer", 1)}
    write_report(cells, tmp_path / "out")
    written = json.loads((tmp_path / "out/table.json").read_text(encoding="utf-8"))
    assert written["rows"][1]["model"] == "lstm" and written["rows"][1]["seeds"] == [1, 2]


def test_a_test_set_that_has_changed_is_refused(cells, tmp_path):
    write_lines(cells.parent / "test.de", SENTENCES[1:])
    with pytest.raises(InputError) as error:
        write_report(cells, tmp_path / "out")
    assert f"{len(SENTENCES) - 1} lines" in str(error.value)


def test_nothing_finished_is_said(tmp_path):
    with pytest.raises(InputError) as error:
        write_report(tmp_path / "cells", tmp_path / "out")
    assert str(tmp_path / "cells") in str(error.value)
