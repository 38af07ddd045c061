#!/usr/bin/env python3
"""Draw docs/pictures/mechanism.png: one step of a RIM layer, and who is active in a sentence.

After `make demo` (seed 1), from the root of the repository:

    OMP_NUM_THREADS=1 .venv/bin/python docs/pictures/mechanism.py
"""

import argparse
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from rim_nmt import Translator
from rim_nmt.translation.explanation import Explanation

COLOURS = ("#2166ac", "#d6604d", "#4d9221", "#8073ac")
ASLEEP = "#e4e4e4"
INK = "#222222"
STRIPS = {
    "encoder.forward": "encoder, left to right",
    "encoder.backward": "encoder, right to left",
    "decoder.0": "decoder, first layer",
    "decoder.1": "decoder, second layer",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentence", default="The old teacher does not read the book.")
    parser.add_argument("--step", type=int, default=3, help="of the decoder, drawn at the top")
    parser.add_argument(
        "--checkpoint", type=Path, default=Path("runs/demo/rim_tiny/checkpoint_best.pt")
    )
    parser.add_argument("--data", type=Path, default=Path("data/demo"))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    arguments = parser.parse_args()
    translator = Translator.from_folder(arguments.checkpoint, arguments.data)
    explanation = translator.explain(arguments.sentence, beam=1)
    print(explanation.text)
    draw(explanation, arguments.sentence, arguments.step).savefig(
        arguments.out, dpi=170, transparent=True, metadata={"Software": None}
    )


def draw(explanation: Explanation, sentence: str, step: int) -> Figure:
    """One step at the top; below it a strip of mechanisms x pieces for each layer. Columns are the
    pieces that encoder and decoder read."""
    source = [*explanation.source[:-1], "end"]
    target = ["start", *explanation.target[:-1]]
    figure = Figure(figsize=(8, 5.3))
    # a card of its own, which reads the same on light and dark pages
    figure.add_artist(
        FancyBboxPatch(
            (0.012, 0.015), 0.976, 0.97, boxstyle="round,pad=0,rounding_size=0.02",
            mutation_aspect=8 / 5.3, facecolor="white", edgecolor="#bbbbbb", linewidth=1, zorder=-1,
        )
    )  # fmt: skip
    first = explanation.decoder[0]
    schematic = figure.add_axes((0.02, 0.44, 0.96, 0.53))
    _draw_step(schematic, first.wants[step], first.active[step], target[step])

    for index, layer in enumerate((*explanation.encoder, *explanation.decoder)):
        column, row = divmod(index, 2)
        tokens = target if column else source
        strip = figure.add_axes((0.055 + 0.475 * column, 0.265 - 0.185 * row, 0.42, 0.095))
        _draw_strip(strip, layer.active, tokens, STRIPS[layer.name], labelled=row == 0)
        if layer is first:  # the step at the top
            strip.add_patch(
                Rectangle(
                    (step, 0), 1, len(first.active[step]), fill=False, edgecolor=INK, linewidth=1.2
                )
            )
    figure.text(0.055, 0.405, sentence, fontsize=9.5, color=INK, weight="bold")
    figure.text(0.53, 0.405, explanation.text, fontsize=9.5, color=INK, weight="bold")
    figure.text(
        0.5, 0.032, 
        "colour: the mechanism is active at this piece; grey: it sleeps and keeps its state",
        ha="center", fontsize=8, color=INK,
    )  # fmt: skip
    return figure


def _draw_step(axes: Axes, wants: list[float], active: list[bool], piece: str) -> None:
    """Input attention, selection, dynamics and communication, a row for each mechanism."""
    count = len(wants)
    axes.set(xlim=(0, 16), ylim=(-0.95, count + 0.75))
    axes.axis("off")
    titles = (
        (1.5, "state"),
        (4.9, "1  input attention:\nwho wants the input?"),
        (7.95, f"2  selection:\n{sum(active)} of {count} are active"),
        (10.6, "3  each its own\nLSTM"),
        (13.0, "4  active ones\nread from all"),
        (15.1, "new\nstate"),
    )
    for x, title in titles:
        axes.text(x, count + 0.2, title, ha="center", va="center", fontsize=8, color=INK)

    axes.text(
        3.3, -0.62, f"input x, here the piece “{_plain(piece)}”", ha="left", va="center",
        fontsize=8.5, color=INK,
        bbox={"boxstyle": "round,pad=0.35", "facecolor": "#fff3c4", "edgecolor": INK},
    )  # fmt: skip
    _arrow(axes, (4.9, -0.3), (4.9, 0.0), INK)
    for k, (p, on) in enumerate(zip(wants, active, strict=True)):
        y = count - 1 - k + 0.35
        colour = COLOURS[k % len(COLOURS)] if on else "#999999"
        _state(axes, 1.5, y, k, COLOURS[k % len(COLOURS)], filled=True)
        _arrow(axes, (1.95, y), (3.5, y), colour)
        axes.add_patch(Rectangle((3.6, y - 0.2), 2.6, 0.4, facecolor="#f1f1f1"))
        axes.add_patch(Rectangle((3.6, y - 0.2), 2.6 * p, 0.4, facecolor=colour))
        axes.text(6.3, y, f"{p:.2f}", ha="left", va="center", fontsize=8, color=INK)
        word = "active" if on else "asleep"
        axes.text(7.95, y, word, ha="center", va="center", fontsize=8.5, color=colour)
        if on:
            _arrow(axes, (8.75, y), (9.75, y), colour)
            axes.text(
                10.6, y, f"LSTM {k}", ha="center", va="center", fontsize=8.5, color="white",
                bbox={"boxstyle": "round,pad=0.3", "facecolor": colour, "edgecolor": "none"},
            )  # fmt: skip
            for other in range(count):
                _arrow(axes, (11.5, count - 1 - other + 0.35), (14.4, y), colour, thin=other != k)
        else:
            axes.plot((8.75, 11.5), (y, y), color=colour, linestyle=":", linewidth=1.4)
            _arrow(axes, (11.5, y), (14.4, y), colour, style=":")
            axes.text(
                10.15,
                y + 0.17,
                "unchanged",
                ha="center",
                va="bottom",
                fontsize=7.5,
                color="#666666",
            )
        _state(axes, 15.1, y, k, COLOURS[k % len(COLOURS)], filled=True)


def _state(axes: Axes, x: float, y: float, k: int, colour: str, filled: bool) -> None:
    axes.add_patch(Circle((x, y), 0.33, facecolor=colour if filled else "white", edgecolor=colour))
    axes.text(x, y, f"h{k}", ha="center", va="center", fontsize=8, color="white")


def _arrow(axes: Axes, start, end, colour, thin: bool = False, style: str = "-") -> None:
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=5 if thin else 8, color=colour,
            linewidth=0.5 if thin else 1.4, linestyle=style, alpha=0.55 if thin else 1,
            shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip


def _draw_strip(
    axes: Axes, activity: list[list[bool]], tokens: list[str], name: str, labelled: bool
) -> None:
    """A row for each mechanism, a column for each piece."""
    steps, count = len(activity), len(activity[0])
    for step in range(steps):
        for k in range(count):
            colour = COLOURS[k % len(COLOURS)] if activity[step][k] else ASLEEP
            axes.add_patch(Rectangle((step + 0.04, count - 1 - k + 0.06), 0.92, 0.88, color=colour))
    axes.set(xlim=(0, steps), ylim=(0, count), yticks=[])
    axes.set_xticks([step + 0.5 for step in range(steps)])
    labels = [_plain(token) for token in tokens]
    axes.set_xticklabels(labels if labelled else [], fontsize=6.9, color=INK)
    axes.tick_params(length=0, pad=2)
    axes.set_title(name, fontsize=8, color=INK, loc="left", pad=2)
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _plain(token: str) -> str:
    """A piece without the mark of a word's beginning."""
    return token.replace("▁", "")


if __name__ == "__main__":
    main()
