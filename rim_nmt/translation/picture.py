"""An explanation as a picture."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from rim_nmt.translation.explanation import Explanation
from rim_nmt.translation.knock_outs import KnockOuts

COLOURS = LinearSegmentedColormap.from_list("wants", ["#f2f2f2", "#1f5fa8"])


def picture(explanation: Explanation) -> Figure:
    """The mechanisms of every RIM layer over the pieces (blue: how much each wanted the input; a
    dot where it was active), and the attention of the translation over the source.

    Args:
        explanation: of one sentence.
    """
    layers = [
        (layer, pieces)
        for side, pieces in ((explanation.encoder, explanation.source),
                             (explanation.decoder, explanation.target))
        for layer in side
    ]  # fmt: skip
    source, target = explanation.source, explanation.target
    heights = [len(layer.wants[0]) for layer, _ in layers] + [len(target)]
    longest = max(len(source), len(target))
    figure = Figure(
        figsize=(2 + 0.45 * longest, 1 + sum(0.28 * rows + 0.75 for rows in heights)),
        layout="constrained",
        facecolor="white",
    )
    figure.suptitle("blue: how much it wants the piece; dot: it is active", fontsize=8)
    axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for axis, (layer, pieces) in zip(axes, layers, strict=False):
        columns = range(len(layer.wants[0]))
        axis.imshow(
            [[wants[k] for wants in layer.wants] for k in columns],
            cmap=COLOURS, vmin=0, vmax=1, aspect="auto",
        )  # fmt: skip
        dots = [(t, k) for t, active in enumerate(layer.active) for k in columns if active[k]]
        axis.scatter(*zip(*dots, strict=True), s=14, color="black")
        axis.set_title(layer.name, loc="left", fontsize=9)
        axis.set_ylabel("mechanism", fontsize=8)
        axis.set_yticks(list(columns))
        _name_columns(axis, pieces)
    axes[-1].imshow(explanation.attention, cmap=COLOURS, vmin=0, vmax=1, aspect="auto")
    axes[-1].set_title("attention over the source", loc="left", fontsize=9)
    axes[-1].set_yticks(range(len(target)), [_plain(piece) for piece in target])
    _name_columns(axes[-1], source)
    return figure


def knock_outs_picture(found: KnockOuts) -> Figure:
    """The BLEU that is lost without each mechanism: a row for each layer; bold where chance gives
    as much in less than one case of a hundred."""
    layers = found.by_layer()
    most = max(map(len, layers.values()))
    losses = [
        [each.lost for each in row] + [math.nan] * (most - len(row)) for row in layers.values()
    ]
    figure = Figure(
        figsize=(2 + 0.8 * most, 1.2 + 0.5 * len(layers)), layout="constrained", facecolor="white"
    )
    axis = figure.subplots()
    darkest = max(1.0, *(each.lost for each in found.knock_outs))
    axis.imshow(losses, cmap=COLOURS, vmin=0, vmax=darkest, aspect="auto")
    for y, row in enumerate(layers.values()):
        for x, each in enumerate(row):
            axis.text(
                x, y, f"{each.lost:.1f}", ha="center", va="center", fontsize=9,
                color="white" if each.lost > darkest / 2 else "black",
                weight="bold" if each.is_clear else "normal",
            )  # fmt: skip
    axis.set_title(f"BLEU lost without a mechanism (of {found.bleu:.1f})", loc="left", fontsize=9)
    axis.set_yticks(range(len(layers)), list(layers))
    axis.set_xticks(range(most))
    axis.set_xlabel("mechanism", fontsize=8)
    axis.tick_params(labelsize=8, length=0)
    return figure


def _name_columns(axis: Axes, pieces: Sequence[str]) -> None:
    axis.set_xticks(
        range(len(pieces)),
        [_plain(piece) for piece in pieces],
        rotation=45,
        ha="right",
        rotation_mode="anchor",
    )
    axis.tick_params(labelsize=8, length=0)
    for side in ("top", "right", "left", "bottom"):
        axis.spines[side].set_visible(False)


def _plain(piece: str) -> str:
    return piece.replace("$", r"\$")
