"""The table of an experiment, from the cells that are finished: Markdown, JSON and plots. The same
cells give the same bytes."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import sacrebleu
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from sacrebleu.significance import PairedTest, Result

from rim_nmt.errors import InputError
from rim_nmt.experiments.tables import figure, figure_text, made_with, row_text
from rim_nmt.experiments.training_cell import cell_name
from rim_nmt.runtime.files import read_json, read_lines, write_json, write_lines
from rim_nmt.runtime.plots import save_figure

METRICS = ("BLEU", "chrF")
RESAMPLES = 1000  # of the test set, for the paired bootstrap

# (model, pairs) -> its results, one for each seed
Groups = dict[tuple[str, str], list[dict]]


def write_report(cells: Path, out: Path) -> None:
    """Write table.md, table.json, scores.png and learning.png.

    Args:
        cells: the folder with a folder for each cell.
        out: where the report goes.

    Raises:
        InputError: no cell is finished, or a test set has changed since it was scored.
    """
    results = read_results(cells)
    groups = _group(results)
    significance = [
        row for pairs in _settings(groups) for row in compare(cells, results, "rim", pairs)
    ]
    rows = [summarise(group) for group in groups.values()]
    write_json(out / "table.json", {"rows": rows, "significance": significance, "cells": results})
    write_lines(out / "table.md", _markdown(rows, significance, results))
    if shared_tests(rows):
        save_figure(_plot_scores(rows), out / "scores.png")
    save_figure(_plot_learning(groups), out / "learning.png")


def read_results(cells: Path) -> list[dict]:
    """result.json of every finished cell, in the order: RIM, its twins, other models; pairs; seed.

    Raises:
        InputError: there are none.
    """
    found = [read_json(path) for path in cells.glob("*/result.json")]
    if not found:
        raise InputError(f"no cell in {cells} is finished")
    order = ("rim", "lstm", "transformer", "fairseq-lstm")

    def key(result: dict) -> tuple:
        model = result["model"]
        place = order.index(model) if model in order else len(order)
        return len(result["pairs"]), result["pairs"], place, model, result["seed"]

    return sorted(found, key=key)


def summarise(results: Sequence[dict]) -> dict:
    """Mean and spread of one model over its seeds.

    Args:
        results: of cells that differ in the seed only.

    Returns:
        What the table says of them; "spread" is the standard deviation, None for one seed.
    """
    first = results[0]
    return {
        **{key: first[key] for key in ("model", "pairs", "parameters")},
        "seeds": [result["seed"] for result in results],
        "updates": figure([result["updates"] for result in results]),
        "valid_loss": figure([result["valid_loss"] for result in results]),
        "tokens_per_second": figure([result["tokens_per_second"] for result in results]),
        "usage": {key: figure([r["usage"][key] for r in results]) for key in first["usage"]},
        "scores": {
            test: {m: figure([r["scores"][test][m]["score"] for r in results]) for m in METRICS}
            for test in shared_tests(results)
        },
    }


def shared_tests(results: Sequence[dict]) -> list[str]:
    """The test sets that all of some results or rows have; some may have been scored on more."""
    first, *others = (result["scores"] for result in results)
    return [test for test in first if all(test in scores for scores in others)]


def compare(cells: Path, results: Sequence[dict], baseline: str, pairs: str) -> list[dict]:
    """BLEU of one model less that of every other one, seed by seed, with sacreBLEU's paired
    bootstrap (Koehn, 2004).

    Args:
        cells: the folder with a folder for each cell.
        results: from `read_results`.
        baseline: the model that is compared.
        pairs: what both were trained on, as in the cells' names.

    Returns:
        A row for each test set, model and seed that both have: difference, and p, the probability
        of a difference of this size where there is none. Cells of which the translations are gone
        and only result.json is kept are left out.

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


def translations(cells: Path, result: dict, test: str) -> list[str]:
    """What a finished cell made of a test set, line by line.

    Args:
        cells: the folder with a folder for each cell.
        result: of the cell, from `read_results`.
        test: the name of the test set.

    Raises:
        InputError: it does not fit the test set any more.
    """
    folder, scores = _folder(cells, result), result["scores"][test]
    lines = read_lines(folder / scores["translations"])
    references = read_lines(Path(scores["reference"]))
    if len(lines) != len(references):
        raise InputError(
            f"{scores['reference']} has {len(references)} lines, but the translation of {test} in "
            f"{folder} has {len(lines)}: it was scored with another test set"
        )
    return lines


def has_translations(cells: Path, result: dict) -> bool:
    """Whether a cell has its translations still; for most figures result.json is enough."""
    folder = _folder(cells, result)
    return all((folder / scores["translations"]).exists() for scores in result["scores"].values())


def _folder(cells: Path, result: dict) -> Path:
    return cells / cell_name(result["model"], result["pairs"], result["seed"])


def _group(results: Sequence[dict]) -> Groups:
    groups: Groups = defaultdict(list)
    for result in results:
        groups[result["model"], "+".join(result["pairs"])].append(result)
    return dict(groups)


def _settings(groups: Groups) -> list[str]:
    return list(dict.fromkeys(pairs for _, pairs in groups))


def _markdown(rows: list[dict], significance: list[dict], results: list[dict]) -> list[str]:
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
        *made_with(results),
    ]
    if significance:
        lines += [
            "",
            f"BLEU of `rim` less that of the other model with the same seed, and p of the paired "
            f"bootstrap ({RESAMPLES:,} samples):",
            "",
        ]
        columns = list(dict.fromkeys((row["pairs"], row["test"]) for row in significance))
        heads = [f"{test} ({pairs.replace('+', ' + ')})" for pairs, test in columns]
        lines += [row_text(["against", "seed", *heads]), row_text(["---"] * (2 + len(columns)))]
        for model, seed in dict.fromkeys((row["model"], row["seed"]) for row in significance):
            found = {
                (row["pairs"], row["test"]): f"{row['difference']:+.1f} (p = {row['p']:.3f})"
                for row in significance
                if (row["model"], row["seed"]) == (model, seed)
            }
            lines.append(row_text([model, seed, *(found.get(column, "") for column in columns)]))
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
