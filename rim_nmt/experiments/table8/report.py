"""The table of an experiment, from the cells that are finished: Markdown, JSON and plots. The same
cells give the same bytes."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from rim_nmt.experiments.table8.comparison import RESAMPLES, compare_means, compare_seeds
from rim_nmt.experiments.table8.recipes import BASELINE
from rim_nmt.experiments.table8.results import read_results, shared_tests, summarise
from rim_nmt.experiments.tables import figure_text, made_with, no_baseline, row_text
from rim_nmt.runtime.files import write_json, write_lines
from rim_nmt.runtime.plots import save_figure

# (model, pairs) -> its results, one for each seed
Groups = dict[tuple[str, str], list[dict]]


def write_report(cells: Path, out: Path, baseline: str = BASELINE) -> None:
    """Write table.md, table.json, scores.png and learning.png.

    Args:
        cells: the folder with a folder for each cell.
        out: where the report goes.
        baseline: the model that is compared with each other one.

    Raises:
        InputError: no cell is finished, or a test set has changed since it was scored.
    """
    results = read_results(cells)
    groups = _group(results)
    rows = [summarise(group) for group in groups.values()]
    compared = {
        "differences": compare_means(rows, baseline),
        "significance": [
            row
            for pairs in _settings(groups)
            for row in compare_seeds(cells, results, baseline, pairs)
        ],
    }
    table = {"baseline": baseline, "rows": rows, **compared, "cells": results}
    write_json(out / "table.json", table)
    write_lines(out / "table.md", _markdown(table))
    if shared_tests(rows):
        save_figure(_plot_scores(rows), out / "scores.png")
    save_figure(_plot_learning(groups), out / "learning.png")


def _group(results: Sequence[dict]) -> Groups:
    groups: Groups = defaultdict(list)
    for result in results:
        groups[result["model"], "+".join(result["pairs"])].append(result)
    return dict(groups)


def _settings(groups: Groups) -> list[str]:
    return list(dict.fromkeys(pairs for _, pairs in groups))


def _markdown(table: dict) -> list[str]:
    rows = table["rows"]
    tests = shared_tests(rows)
    head = ["trained on", "model", "parameters", "seeds", "updates", "valid loss"]
    head += [f"{test} BLEU / chrF" for test in tests]
    head += ["tokens/s", "use of mechanisms"]
    lines = [row_text(head), row_text(["---"] * len(head))]
    for row in rows:
        usage = [key for key in row["usage"] if key.endswith("_usage")]
        scores = (row["scores"][test] for test in tests)
        lines.append(
            row_text(
                [
                    " + ".join(row["pairs"]),
                    row["model"],
                    f"{row['parameters']:,}",
                    len(row["seeds"]),
                    figure_text(row["updates"], 0),
                    figure_text(row["valid_loss"], 3),
                    *(f"{figure_text(s['BLEU'], 1)} / {figure_text(s['chrF'], 1)}" for s in scores),
                    figure_text(row["tokens_per_second"], 0),
                    ", ".join(
                        f"{k.removesuffix('_usage')} {figure_text(row['usage'][k], 2)}"
                        for k in usage
                    )
                    or "-",
                ]
            )
        )
    lines += [
        "",
        "Mean ± standard deviation over seeds. Valid loss: bits per subword without label "
        "smoothing, over all pairs that were trained. Use of mechanisms: entropy over mechanisms "
        "in the most uneven layer, 1 is even. Tokens a second are the training log's median.",
        "",
        *made_with(table["cells"]),
        *no_baseline(table["baseline"], rows),
    ]
    less = f"BLEU of `{table['baseline']}` less that of the other model"
    lines += _differences(
        f"{less}: means over seeds, ± the standard error of the difference.",
        [
            (
                row,
                "{} and {}".format(*row["seeds"]),
                f"{row['difference']:+.2f} ± {row['error']:.2f}",
            )
            for row in table["differences"]
        ],
    )
    lines += _differences(
        f"{less} with the same seed, and p of the paired bootstrap ({RESAMPLES:,} samples). Cells "
        "without their translations are left out.",
        [
            (row, str(row["seed"]), f"{row['difference']:+.1f} (p = {row['p']:.3f})")
            for row in table["significance"]
        ],
    )
    return lines


def _differences(above: str, differences: Sequence[tuple[dict, str, str]]) -> list[str]:
    """A table with a row for each model and its seeds, and a column for each test set.

    Args:
        above: what the table is of, which stands before it.
        differences: what each is about, of which seeds, and how it is written; without any there
            is no table.
    """
    if not differences:
        return []
    columns = list(dict.fromkeys((row["pairs"], row["test"]) for row, *_ in differences))
    heads = [f"{test} ({pairs.replace('+', ' + ')})" for pairs, test in columns]
    head = row_text(["against", "seeds", *heads])
    lines = ["", above, "", head, row_text(["---"] * (2 + len(columns)))]
    found: dict[tuple, dict[tuple, str]] = defaultdict(dict)
    for row, seeds, text in differences:
        found[row["model"], seeds][row["pairs"], row["test"]] = text
    for about, texts in found.items():
        lines.append(row_text([*about, *(texts.get(column, "") for column in columns)]))
    return lines


def _plot_scores(rows: list[dict]) -> Figure:
    """BLEU of every model, a panel for each test set, bars by what was trained on."""
    tests = shared_tests(rows)
    settings = list(dict.fromkeys(" + ".join(row["pairs"]) for row in rows))
    models = list(dict.fromkeys(row["model"] for row in rows))
    height = 0.8 / len(settings)
    size = (1.5 + 3 * len(tests), 1.2 + 0.28 * len(models) * len(settings))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(tests), squeeze=False, sharey=True)[0]
    for axes, test in zip(panels, tests, strict=True):
        for place, setting in enumerate(settings):
            here = [row for row in rows if " + ".join(row["pairs"]) == setting]
            bars = axes.barh(
                [models.index(row["model"]) + (place + 0.5) * height - 0.4 for row in here],
                [row["scores"][test]["BLEU"]["mean"] for row in here],
                height=0.92 * height,
                xerr=[row["scores"][test]["BLEU"]["spread"] or 0 for row in here],
                label=setting,
            )
            axes.bar_label(bars, fmt="%.1f", padding=2, fontsize=8)
        axes.margins(x=0.15)  # for the labels
        axes.set_title(test)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_yticks(range(len(models)), models)
    panels[0].invert_yaxis()  # the first model on top
    figure.supxlabel("BLEU")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, title="trained on", loc="outside right center")
    return figure


def _plot_learning(groups: Groups) -> Figure:
    """Validation loss against updates and, below, against hours: a column for each setting, a line
    for each training. Hours are updates at the median speed: validations, and what slowed a machine
    down for a while, are not in them. Cells of earlier versions do not know them."""
    settings = _settings(groups)
    models = list(dict.fromkeys(model for model, _ in groups))
    units: dict[str, Callable[[dict], float]] = {"updates": lambda _: 1}
    if all(result.get("seconds_per_update") for results in groups.values() for result in results):
        units["hours"] = lambda result: result["seconds_per_update"] / 3600
    size = (1 + 4.4 * len(settings), 3.6 * len(units))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(units), len(settings), squeeze=False, sharey=True)
    for row, (unit, of_update) in zip(panels, units.items(), strict=True):
        for axes, setting in zip(row, settings, strict=True):
            for (model, pairs), results in groups.items():
                for number, result in enumerate(results if pairs == setting else ()):
                    axes.plot(
                        [update * of_update(result) for update, _ in result["valid"]],
                        [loss for _, loss in result["valid"]],
                        color=f"C{models.index(model)}",  # they repeat after ten
                        linestyle="-" if models.index(model) < 10 else "--",
                        label=model if number == 0 else None,
                    )
            axes.set_title(f"trained on {setting.replace('+', ' + ')}")
            axes.set_xlabel(unit)
            axes.set_yscale("log", base=2)  # else the first losses leave no room for the last
            axes.yaxis.set_major_locator(MultipleLocator(0.5))
            axes.yaxis.set_major_formatter("{x:.1f}")
            axes.grid(alpha=0.3)
            axes.legend()
    figure.supylabel("validation loss, bits per subword")
    return figure
