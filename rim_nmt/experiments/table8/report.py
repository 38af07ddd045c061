"""The table of an experiment, from the cells that are finished: Markdown, JSON and plots. The same
cells give the same bytes."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import sacrebleu
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from sacrebleu.significance import PairedTest

from rim_nmt.errors import InputError
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
    if rows[0]["scores"]:
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

    def figure(values: list[float]) -> dict:
        spread = statistics.stdev(values) if len(values) > 1 else None
        return {"mean": statistics.mean(values), "spread": spread}

    return {
        **{key: first[key] for key in ("model", "pairs", "parameters")},
        "seeds": [result["seed"] for result in results],
        "updates": figure([result["updates"] for result in results]),
        "valid_loss": figure([result["valid_loss"] for result in results]),
        "tokens_per_second": figure([result["tokens_per_second"] for result in results]),
        "usage": {key: figure([r["usage"][key] for r in results]) for key in first["usage"]},
        "scores": {
            test: {m: figure([r["scores"][test][m]["score"] for r in results]) for m in METRICS}
            for test in first["scores"]
        },
    }


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
        of a difference of this size where there is none.

    Raises:
        InputError: the translations do not fit the test set any more.
    """
    here = [result for result in results if "+".join(result["pairs"]) == pairs]
    rows = []
    for mine in (result for result in here if result["model"] == baseline):
        others = [r for r in here if r["seed"] == mine["seed"] and r["model"] != baseline]
        for test, scores in mine["scores"].items() if others else ():
            references = read_lines(Path(scores["reference"]))
            systems = [(r["model"], _translations(cells, r, test)) for r in (mine, *others)]
            if any(len(lines) != len(references) for _, lines in systems):
                raise InputError(
                    f"{scores['reference']} has {len(references)} lines, but not every translation "
                    f"of {test} in {cells} has: it was scored with another test set"
                )
            _, found = PairedTest(
                systems, {"BLEU": sacrebleu.BLEU()}, [references], "bs", n_samples=RESAMPLES
            )()
            own, *theirs = found["BLEU"]
            for (model, _), result in zip(systems[1:], theirs, strict=True):
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


def _translations(cells: Path, result: dict, test: str) -> list[str]:
    name = f"{result['model']}.{'+'.join(result['pairs'])}.seed{result['seed']}"
    return read_lines(cells / name / result["scores"][test]["translations"])


def _group(results: Sequence[dict]) -> Groups:
    groups: Groups = defaultdict(list)
    for result in results:
        groups[result["model"], "+".join(result["pairs"])].append(result)
    return dict(groups)


def _settings(groups: Groups) -> list[str]:
    return list(dict.fromkeys(pairs for _, pairs in groups))


def _markdown(rows: list[dict], significance: list[dict], results: list[dict]) -> list[str]:
    tests = list(rows[0]["scores"])
    head = ["trained on", "model", "parameters", "seeds", "updates", "valid loss"]
    head += [f"{test} BLEU / chrF" for test in tests]
    head += ["tokens/s", "use of mechanisms"]
    lines = [_row(head), _row(["---"] * len(head))]
    for row in rows:
        usage = [key for key in row["usage"] if key.endswith("_usage")]
        scores = (row["scores"][test] for test in tests)
        lines.append(
            _row(
                [
                    " + ".join(row["pairs"]),
                    row["model"],
                    f"{row['parameters']:,}",
                    len(row["seeds"]),
                    _figure(row["updates"], 0),
                    _figure(row["valid_loss"], 3),
                    *(f"{_figure(s['BLEU'], 1)} / {_figure(s['chrF'], 1)}" for s in scores),
                    _figure(row["tokens_per_second"], 0),
                    ", ".join(
                        f"{k.removesuffix('_usage')} {_figure(row['usage'][k], 2)}" for k in usage
                    )
                    or "-",
                ]
            )
        )
    signatures = dict.fromkeys(
        results[0]["scores"][test][metric]["signature"] for test in tests for metric in METRICS
    )
    dates = sorted({result["date"] for result in results})
    lines += [
        "",
        "Mean ± standard deviation over seeds. Valid loss: bits per subword without label "
        "smoothing, over all pairs that were trained. Use of mechanisms: entropy over mechanisms "
        "in the most uneven layer, 1 is even. Tokens a second are the training log's median.",
        "",
        *(f"- `{signature}`" for signature in signatures),
        f"- {', '.join(dict.fromkeys(result['hardware'] for result in results))}; torch "
        f"{', '.join(dict.fromkeys(result['torch'] for result in results))}; {dates[0]}"
        + (f" to {dates[-1]}" if len(dates) > 1 else ""),
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
        lines += [_row(["against", "seed", *heads]), _row(["---"] * (2 + len(columns)))]
        for model, seed in dict.fromkeys((row["model"], row["seed"]) for row in significance):
            found = {
                (row["pairs"], row["test"]): f"{row['difference']:+.1f} (p = {row['p']:.3f})"
                for row in significance
                if (row["model"], row["seed"]) == (model, seed)
            }
            lines.append(_row([model, seed, *(found.get(column, "") for column in columns)]))
    return lines


def _figure(figure: dict, digits: int) -> str:
    text = f"{figure['mean']:,.{digits}f}"
    return text if figure["spread"] is None else f"{text} ± {figure['spread']:,.{digits}f}"


def _row(cells: Sequence) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _plot_scores(rows: list[dict]) -> Figure:
    """BLEU of every model, a panel for each test set, bars by what was trained on."""
    tests = list(rows[0]["scores"])
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
    figure.legend(*panels[0].get_legend_handles_labels(), title="trained on", loc="outside right")
    return figure


def _plot_learning(groups: Groups) -> Figure:
    """Validation loss against updates, a panel for each setting, a line for each training."""
    settings = _settings(groups)
    models = list(dict.fromkeys(model for model, _ in groups))
    figure = Figure(figsize=(1 + 4.4 * len(settings), 3.6), layout="constrained")
    panels = figure.subplots(1, len(settings), squeeze=False, sharey=True)[0]
    for axes, setting in zip(panels, settings, strict=True):
        for (model, pairs), results in groups.items():
            for number, result in enumerate(results if pairs == setting else ()):
                axes.plot(
                    *zip(*result["valid"], strict=True),
                    color=f"C{models.index(model)}",  # they repeat after ten
                    linestyle="-" if models.index(model) < 10 else "--",
                    label=model if number == 0 else None,
                )
        axes.set_title(f"trained on {setting.replace('+', ' + ')}")
        axes.set_xlabel("updates")
        axes.set_yscale("log", base=2)  # else the first losses leave no room for the last
        axes.yaxis.set_major_locator(MultipleLocator(0.5))
        axes.yaxis.set_major_formatter("{x:.1f}")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.supylabel("validation loss, bits per subword")
    return figure
