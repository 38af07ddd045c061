"""The report on the shifts: a table and a picture, from the cells that are finished. The same cells
give the same bytes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rim_nmt.errors import InputError
from rim_nmt.experiments.shifts.damage import SEED
from rim_nmt.experiments.shifts.figures import (
    LEAST_INSIDE,
    MEASURES,
    Scored,
    differences,
    read_scored,
    summarise,
)
from rim_nmt.experiments.shifts.lengths import SHORT
from rim_nmt.experiments.shifts.shift import Shift
from rim_nmt.experiments.table8.comparison import RESAMPLES
from rim_nmt.experiments.table8.recipes import BASELINE
from rim_nmt.experiments.table8.results import METRICS
from rim_nmt.experiments.tables import figure_text, made_with, no_baseline, row_text
from rim_nmt.runtime.files import write_json, write_lines
from rim_nmt.runtime.plots import save_figure

LEAST_PLACES = 4  # of groups of bars that a panel has room for
DIGITS = {"inside": 1, "outside": 1, "kept": 3}


def write_report(shifts: Sequence[Shift], out: Path, baseline: str = BASELINE) -> None:
    """Write table.md, table.json and kept.png below `out/report`.

    Args:
        shifts: from `find_shifts`.
        out: the folder of the experiment.
        baseline: the model that is compared with each other one.

    Raises:
        InputError: no cell is finished, or a test set has changed since it was scored.
    """
    scored = read_scored(shifts, out)
    if not scored:
        raise InputError(f"no cell in {out} is finished")
    rows = [row for each in scored for row in summarise(each)]
    against = [row for each in scored for row in differences(each, baseline)]
    table = {"damage_seed": SEED, "baseline": baseline, "rows": rows, "differences": against}
    write_json(out / "report/table.json", table)
    write_lines(out / "report/table.md", _markdown(table, scored))
    save_figure(_plot(rows), out / "report/kept.png")


def _markdown(table: dict, scored: Sequence[Scored]) -> list[str]:
    lines = [
        *_table(table["rows"], "model", figure_text),
        "",
        "Mean ± standard deviation over seeds. Inside: the score in domain. Outside: the score out "
        f"of it. Kept: outside / inside, where inside is at least {LEAST_INSIDE:g}. Sentences: of "
        "the test set out of domain.",
        "",
        "Noise is in the source alone: insert-5 has a word of the same text inserted before 5 % of "
        "the words; drop: dropped; typo: two letters swapped; upper, lower: in capitals, in small "
        f"letters. The words are drawn from seed {SEED}. Lengths are in words of the source; "
        f'"short" are pairs of at most {SHORT} words on both sides.',
        "",
    ]
    if table["differences"]:
        lines += [
            f"`{table['baseline']}` less the other model with the same seed, with 95 % confidence "
            "intervals: Student's t over seeds; with one seed the paired bootstrap over sentences "
            f"({RESAMPLES:,} samples), where the translations are kept.",
            "",
            *_table(table["differences"], "against", _difference_text),
            "",
        ]
    return [
        *lines,
        *made_with([result for each in scored for result in each.results]),
        *no_baseline(table["baseline"], table["rows"]),
    ]


def _table(rows: list[dict], model: str, text: Callable[[dict, int], str]) -> list[str]:
    head = ["way", "shift", "sentences", "trained on", model, "seeds"]
    head += [f"{metric} {measure}" for metric in METRICS for measure in MEASURES]
    lines = [row_text(head), row_text(["---"] * len(head))]
    for row in rows:
        figures = (
            text(value, DIGITS[measure]) if (value := row[metric][measure]) else "-"
            for metric in METRICS
            for measure in MEASURES
        )
        about = (row[key] for key in ("way", "shift", "sentences", "training", model))
        lines.append(row_text([*about, len(row["seeds"]), *figures]))
    return lines


def _difference_text(value: dict, digits: int) -> str:
    mean, low, high = (f"{value[key]:+.{digits}f}" for key in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


def _plot(rows: list[dict]) -> Figure:
    """What is kept of BLEU: a panel for each way, bars for each model; their error bars are the
    standard deviation over seeds, where there are several."""
    ways = list(dict.fromkeys(row["way"] for row in rows))
    models = list(dict.fromkeys(row["model"] for row in rows))
    width = 0.8 / len(models)
    figure = Figure(figsize=(10, 2.8 * len(ways)), layout="constrained")
    for axes, way in zip(figure.subplots(len(ways), squeeze=False)[:, 0], ways, strict=True):
        here = [row for row in rows if row["way"] == way and row["BLEU"]["kept"]]
        places = list(dict.fromkeys((row["shift"], row["training"]) for row in here))
        for number, model in enumerate(models):
            mine = [row for row in here if row["model"] == model]
            spreads = [row["BLEU"]["kept"]["spread"] or 0 for row in mine]
            axes.bar(
                [
                    places.index((row["shift"], row["training"])) + (number + 0.5) * width - 0.4
                    for row in mine
                ],
                [row["BLEU"]["kept"]["mean"] for row in mine],
                width=0.92 * width,
                yerr=spreads if any(spreads) else None,
                color=f"C{number}",
            )
        names = [f"{name}\n({training})" if way == "length" else name for name, training in places]
        axes.set_xticks(range(len(places)), names, fontsize=8)
        # bars that are left out leave their room; a single group does not fill the panel
        axes.set_xlim(-0.5, max(len(places), LEAST_PLACES) - 0.5)
        axes.axhline(1, color="black", linestyle=":", linewidth=1)
        axes.set_title(way)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supylabel("BLEU outside / inside")
    several = any(len(row["seeds"]) > 1 for row in rows)
    figure.legend(
        handles=[Patch(color=f"C{number}", label=model) for number, model in enumerate(models)],
        title="± standard deviation over seeds" if several else "one seed",
        loc="outside upper center",
        ncols=len(models),
    )
    return figure
