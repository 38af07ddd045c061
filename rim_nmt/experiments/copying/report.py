"""The copying experiment's table and plots, made of nothing but what the trained cells hold."""

import math
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rim_nmt.errors import InputError
from rim_nmt.experiments.copying.task import NUM_DIGITS
from rim_nmt.experiments.copying.training import read_log
from rim_nmt.runtime.files import read_json, write_json, write_lines
from rim_nmt.runtime.plots import save_figure

PAPER = (
    "The paper (Table 1; spans 50 and 200): RIM of width 600 0.00 and 0.00, LSTM of width 600 0.00 "
    "and 3.56, Transformer 0.00 and 0.54."
)


@dataclass(frozen=True)
class Cell:
    """What the files of a trained cell say."""

    settings: dict
    result: dict
    log: list[dict]

    @property
    def name(self) -> str:
        """Model and width, without the seed."""
        return f"{self.settings['model']} {self.settings['width']}"


def write_report(out: Path, destination: Path) -> None:
    """Write table.md, table.json, span.png, learning.png and activity.png.

    From the same cells come the same bytes.

    Args:
        out: the folder of the cells; those without a result are left out.
        destination: where to write.

    Raises:
        InputError: no cell has a result.
    """
    groups = read_groups(out)
    if not groups:
        raise InputError(f"{out} holds no trained cell")
    write_json(destination / "table.json", {"rows": [_row(cells) for cells in groups.values()]})
    write_lines(destination / "table.md", _table(groups))
    save_figure(_plot_spans(groups), destination / "span.png")
    save_figure(_plot_learning(groups), destination / "learning.png")
    rims = [cell for cells in groups.values() for cell in cells if "activity" in cell.result]
    if rims:
        save_figure(_plot_activity(rims[0]), destination / "activity.png")


def read_groups(out: Path) -> dict[str, list[Cell]]:
    """The trained cells of each model and width, ordered by model, width and seed."""
    cells = []
    for path in out.glob("*/seed*/result.json"):
        settings = read_json(path.parent / "settings.json")
        result = read_json(path)
        cells.append(Cell(settings, result, read_log(path.parent)))
    # rim before its variants; RIMs before LSTMs, as in the paper's table
    cells.sort(
        key=lambda cell: (
            cell.settings["model"] == "lstm",
            *(cell.settings[name] for name in ("model", "width", "seed")),
        )
    )
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.name, []).append(cell)
    return groups


def _row(cells: list[Cell]) -> dict:
    """A line of the table: one value for each seed."""
    first = cells[0]
    return {
        "model": first.settings["model"],
        "width": first.settings["width"],
        "parameters": first.result["parameters"],
        "seeds": [cell.settings["seed"] for cell in cells],
        **{
            name: [cell.result[name] for cell in cells]
            for name in ("learned", "updates", "cpu_seconds", "device")
        },
        "loss": {span: [cell.result["loss"][span] for cell in cells] for span in _spans(cells)},
    }


def _spans(cells: list[Cell]) -> list[str]:
    return list(cells[0].result["loss"])


def _table(groups: dict[str, list[Cell]]) -> list[str]:
    some = next(iter(groups.values()))
    settings, spans = some[0].settings, _spans(some)
    lines = [
        f"Cross-entropy (nats) of the {settings['digits']} steps in which digits are due, for each "
        f"dormant span; trained with span {settings['span']}. Guessing is "
        f"{math.log(NUM_DIGITS):.2f}. Of several seeds the mean, least and greatest in brackets.",
        "",
        f"| model | width | parameters | learned | updates | CPU hours | {' | '.join(spans)} |",
        f"| --- | --- | --- | --- | --- | --- |{' --- |' * len(spans)}",
    ]
    for cells in groups.values():
        row = _row(cells)
        values = [
            row["model"],
            str(row["width"]),
            f"{row['parameters']:,}",
            f"{sum(row['learned'])} of {len(cells)}",
            _several(row["updates"], ",.0f"),
            _several([seconds / 3600 for seconds in row["cpu_seconds"]], ".2f"),
            *(_several(row["loss"][span], ".3f") for span in spans),
        ]
        lines.append(f"| {' | '.join(values)} |")
    learned = f"validation loss below {settings['stop_below']:g}"
    return [*lines, "", f"Learned: {learned}; training ended there.", "", PAPER]


def _several(values: list[float], form: str) -> str:
    if len(values) == 1:
        return format(values[0], form)
    return f"{mean(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def _plot_spans(groups: dict[str, list[Cell]]) -> Figure:
    """Loss against dormant span: a line for each model, thin ones for its seeds."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axis = figure.subplots()
    for colour, (name, cells) in enumerate(groups.items()):
        spans = _spans(cells)
        places = [int(span) for span in spans]
        losses = _row(cells)["loss"]
        if len(cells) > 1:
            for cell in cells:
                values = cell.result["loss"].values()
                axis.plot(places, list(values), color=f"C{colour}", alpha=0.3, linewidth=1)
        means = [mean(losses[span]) for span in spans]
        axis.plot(places, means, color=f"C{colour}", marker="o", label=name)
    trained = next(iter(groups.values()))[0].settings["span"]
    axis.axvline(trained, color="black", linestyle=":", label="span of training")
    axis.set_xlabel("dormant span (steps)")
    _loss_axis(axis)
    axis.legend(fontsize="small")
    return figure


def _plot_learning(groups: dict[str, list[Cell]]) -> Figure:
    """Validation loss against updates, at the span of training and at that of the test."""
    settings = next(iter(groups.values()))[0].settings
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    kinds = (("loss", settings["span"]), ("test_span_loss", settings["test_span"]))
    for axis, (kind, span) in zip(axes, kinds, strict=True):
        for colour, (name, cells) in enumerate(groups.items()):
            for i, cell in enumerate(cells):
                updates = [line["updates"] for line in cell.log]
                losses = [line[kind] for line in cell.log]
                label = None if i else name
                axis.plot(updates, losses, color=f"C{colour}", linewidth=1, label=label)
        axis.set(xlabel="updates", title=f"dormant span {span}")
        _loss_axis(axis)
    axes[0].legend(fontsize="small")
    return figure


def _loss_axis(axis: Axes) -> None:
    axis.axhline(math.log(NUM_DIGITS), color="black", linestyle="--", linewidth=1, label="guessing")
    axis.set_yscale("log")
    axis.set_ylabel("cross-entropy of the copied digits (nats)")
    axis.grid(alpha=0.3)


def _plot_activity(cell: Cell) -> Figure:
    """Which mechanism was active when, as the paper's Figure 2."""
    active = [[int(mark) for mark in line] for line in cell.result["activity"]]
    digits, span = cell.settings["digits"], cell.settings["span"]
    figure = Figure(figsize=(11, 2.4), layout="constrained")
    axis = figure.subplots()
    axis.imshow(active, aspect="auto", cmap="Greys", vmin=0, vmax=1.3, interpolation="nearest")
    axis.set(
        xlabel="step",
        ylabel="mechanism",
        yticks=range(len(active)),
        yticklabels=range(1, len(active) + 1),
        title=f"{cell.name}, seed {cell.settings['seed']}: {digits} digits, {span} dormant steps, "
        f"marker, {digits} digits due; dark is active",
    )
    for step in (digits, digits + span, digits + span + 1):
        axis.axvline(step - 0.5, color="C3", linewidth=1)
    return figure
