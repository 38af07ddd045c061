"""Is one model better than another? Differences of means over seeds, and with the same seed."""

from collections.abc import Sequence
from pathlib import Path

import sacrebleu
from sacrebleu.significance import PairedTest, Result

from rim_nmt.experiments.table8.results import has_translations, shared_tests, translations
from rim_nmt.runtime.files import read_lines

RESAMPLES = 1000  # of the test set, for the paired bootstrap


def compare_means(rows: Sequence[dict], baseline: str) -> list[dict]:
    """BLEU of one model less that of every other one that was trained on the same: differences of
    means over seeds, with their standard error, sqrt(s1^2 / n1 + s2^2 / n2).

    Args:
        rows: from `summarise`.
        baseline: the model that is compared.

    Returns:
        A row for each test set and each other model, where both have two seeds or more.
    """
    several = [row for row in rows if len(row["seeds"]) > 1]
    return [
        {
            "test": test,
            "pairs": "+".join(mine["pairs"]),
            "model": other["model"],
            "seeds": [len(mine["seeds"]), len(other["seeds"])],
            **_difference(mine, other, test),
        }
        for mine in several
        if mine["model"] == baseline
        for other in several
        if other["model"] != baseline and other["pairs"] == mine["pairs"]
        for test in shared_tests([mine, other])
    ]


def compare_seeds(cells: Path, results: Sequence[dict], baseline: str, pairs: str) -> list[dict]:
    """BLEU of one model less that of every other one, seed by seed, with sacreBLEU's paired
    bootstrap (Koehn, 2004).

    Args:
        cells: the folder with a folder for each cell.
        results: from `read_results`.
        baseline: the model that is compared.
        pairs: what both were trained on, as in the cells' names.

    Returns:
        A row for each test set, model and seed that both have: difference, and p, the probability
        of a difference of this size where there is none. Cells of which only result.json is kept,
        and not the translations, are left out.

    Raises:
        InputError: the translations do not fit the test set any more.
    """
    here = [
        result
        for result in results
        if "+".join(result["pairs"]) == pairs and has_translations(cells, result)
    ]
    rows = []
    for mine in (result for result in here if result["model"] == baseline):
        others = [r for r in here if r["seed"] == mine["seed"] and r["model"] != baseline]
        for test in shared_tests([mine, *others]) if others else ():
            references = read_lines(Path(mine["scores"][test]["reference"]))
            systems: list[tuple[str, Sequence[str]]] = [
                (r["model"], translations(cells, r, test)) for r in (mine, *others)
            ]
            _, found = PairedTest(
                systems, {"BLEU": sacrebleu.BLEU()}, [references], "bs", n_samples=RESAMPLES
            )()
            own, *theirs = (result for result in found["BLEU"] if isinstance(result, Result))
            for (model, _), result in zip(systems[1:], theirs, strict=True):
                assert result.p_value is not None  # only the baseline has none
                rows.append(
                    {
                        "test": test,
                        "pairs": pairs,
                        "model": model,
                        "seed": mine["seed"],
                        "difference": round(own.score - result.score, 2),
                        "p": round(result.p_value, 4),
                    }
                )
    return rows


def _difference(mine: dict, other: dict, test: str) -> dict:
    one, two = (row["scores"][test]["BLEU"] for row in (mine, other))
    variances = (one["spread"] ** 2 / len(mine["seeds"]), two["spread"] ** 2 / len(other["seeds"]))
    return {
        "difference": round(one["mean"] - two["mean"], 2),
        "error": round(sum(variances) ** 0.5, 2),
    }
