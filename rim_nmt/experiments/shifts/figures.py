"""What models keep out of their domain, in figures: from the scores of finished cells."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from rim_nmt.experiments.shifts.intervals import over_seeds, over_sentences, resampled
from rim_nmt.experiments.shifts.shift import Shift
from rim_nmt.experiments.table8.results import (
    METRICS,
    has_translations,
    read_results,
    translations,
)
from rim_nmt.experiments.tables import figure
from rim_nmt.runtime.files import read_lines

MEASURES = ("inside", "outside", "kept")
LEAST_INSIDE = 1.0  # a lower score is noise, and so would be what is kept of it


@dataclass(frozen=True)
class Scored:
    """The finished cells of a training that have both test sets of a shift.

    Args:
        shift: which one.
        cells: the folder with a folder for each cell.
        models: model -> seed -> the cell's result.
    """

    shift: Shift
    cells: Path
    models: dict[str, dict[int, dict]]

    @property
    def tests(self) -> tuple[str, str]:
        """The test sets in domain and out of it."""
        return self.shift.inside, self.shift.outside

    @property
    def results(self) -> list[dict]:
        """Of all of these cells."""
        return [result for seeds in self.models.values() for result in seeds.values()]

    @property
    def sentences(self) -> int:
        """Of the test set out of domain."""
        return self.results[0]["scores"][self.shift.outside]["sentences"]

    def values(self, model: str, metric: str, measure: str) -> dict[int, float]:
        """A figure by seed. What is kept of a score below `LEAST_INSIDE` is left out."""
        found = {}
        for seed, result in self.models[model].items():
            inside, outside = (result["scores"][test][metric]["score"] for test in self.tests)
            figures = {"inside": inside, "outside": outside}
            if inside >= LEAST_INSIDE:
                figures["kept"] = outside / inside
            if measure in figures:
                found[seed] = figures[measure]
        return found

    def samples(self, model: str, metric: str, measure: str, seed: int) -> np.ndarray:
        """The same of resampled test sets, for one seed."""
        result = self.models[model][seed]
        inside, outside = (
            resampled(
                tuple(translations(self.cells, result, test)),
                tuple(read_lines(Path(result["scores"][test]["reference"]))),
            )[metric]
            for test in self.tests
        )
        with np.errstate(divide="ignore", invalid="ignore"):  # samples may have a score of 0
            return {"inside": inside, "outside": outside, "kept": outside / inside}[measure]


def read_scored(shifts: Sequence[Shift], out: Path) -> list[Scored]:
    """What is finished of an experiment, in the order of its shifts.

    Args:
        shifts: from `find_shifts`.
        out: the folder of the experiment.
    """
    found = []
    results: dict[str, list[dict]] = {}
    for shift in shifts:
        cells = out / shift.training / "cells"
        if shift.training not in results:
            finished = any(cells.glob("*/result.json"))
            results[shift.training] = read_results(cells) if finished else []
        models: dict[str, dict[int, dict]] = {}
        for result in results[shift.training]:
            if {shift.inside, shift.outside} <= result["scores"].keys():
                models.setdefault(result["model"], {})[result["seed"]] = result
        if models:
            found.append(Scored(shift, cells, models))
    return found


def summarise(scored: Scored) -> list[dict]:
    """A row for each model: means and spreads over its seeds; None where nothing can be said."""
    return [
        {
            **_about(scored),
            "model": model,
            "seeds": list(seeds),
            **_by_measure(partial(_figure, scored, model)),
        }
        for model, seeds in scored.models.items()
    ]


def differences(scored: Scored, baseline: str) -> list[dict]:
    """A row for each other model: the baseline's figures less its, with 95 % confidence intervals:
    over seeds, or by the paired bootstrap over sentences where both have but one seed. That needs
    their translations; without them there is no difference to tell."""
    rows = []
    mine = scored.models.get(baseline, {})
    for model, theirs in scored.models.items():
        seeds = sorted(mine.keys() & theirs.keys())
        if model != baseline and seeds:
            rows.append(
                {
                    **_about(scored),
                    "against": model,
                    "seeds": seeds,
                    **_by_measure(partial(_difference, scored, (baseline, model), seeds)),
                }
            )
    return rows


def _about(scored: Scored) -> dict:
    shift = scored.shift
    return {
        "way": shift.way,
        "shift": shift.name,
        "sentences": scored.sentences,
        "training": shift.training,
    }


def _by_measure(work: Callable[[str, str], dict | None]) -> dict:
    return {metric: {measure: work(metric, measure) for measure in MEASURES} for metric in METRICS}


def _figure(scored: Scored, model: str, metric: str, measure: str) -> dict | None:
    values = scored.values(model, metric, measure).values()
    return figure(list(values)) if values else None


def _difference(
    scored: Scored, models: tuple[str, str], seeds: Sequence[int], metric: str, measure: str
) -> dict | None:
    """Mean of the differences of two models, and the interval, with what it is over."""
    mine, theirs = (scored.values(model, metric, measure) for model in models)
    found = {s: mine[s] - theirs[s] for s in seeds if s in mine and s in theirs}
    if not found:
        return None
    if len(found) > 1:
        over, (low, high) = "seeds", over_seeds(list(found.values()))
    else:
        (seed,) = found
        if not all(has_translations(scored.cells, scored.models[m][seed]) for m in models):
            return None
        one, other = (scored.samples(model, metric, measure, seed) for model in models)
        over, (low, high) = "sentences", over_sentences(one - other)
    return {"mean": statistics.mean(found.values()), "low": low, "high": high, "over": over}
