#!/usr/bin/env python3
"""Draw docs/pictures/mechanism.png: one step of a RIM layer, and who is active in a sentence.

After `make demo` (seed 1), from the root of the repository:

    OMP_NUM_THREADS=1 .venv/bin/python docs/pictures/mechanism.py
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import sentencepiece
import torch
from fairseq.checkpoint_utils import load_model_ensemble_and_task
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import rim_nmt.plugin.register  # noqa: F401  (registers the models)

COLOURS = ("#2166ac", "#d6604d", "#4d9221", "#8073ac")
ASLEEP = "#e4e4e4"
INK = "#222222"
MAX_LENGTH = 40


@dataclass
class Run:
    """What a model did with a sentence.

    Args:
        source, target: pieces that encoder and decoder read.
        translation: raw text.
        activity: T x K for each RIM layer, by the name of the strip.
        relevance: T x K, how much the mechanisms of the decoder's first layer want each input.
    """

    source: list[str]
    target: list[str]
    translation: str
    activity: dict[str, torch.Tensor]
    relevance: torch.Tensor


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
    run = translate(arguments.sentence, arguments.checkpoint, arguments.data)
    print(run.translation)
    draw(run, arguments.sentence, arguments.step).savefig(
        arguments.out, dpi=170, transparent=True, metadata={"Software": None}
    )


@torch.no_grad()
def translate(sentence: str, checkpoint: Path, data: Path) -> Run:
    """Translate greedily and keep which mechanisms were active."""
    (model,), _, task = load_model_ensemble_and_task(
        [str(checkpoint)], arg_overrides={"data": str((data / "bin").resolve())}
    )
    model.eval()
    subwords = sentencepiece.SentencePieceProcessor(model_file=str(data / "sentencepiece.model"))
    pieces = subwords.encode(sentence, out_type=str)
    source = task.source_dictionary.encode_line(
        " ".join(pieces), add_if_not_exist=False, append_eos=True
    )
    encoded = model.encoder(source.long().unsqueeze(0), need_activity=True)

    wanted = []
    first = model.decoder.first_layer
    first.kernel = "plain"  # whose parts can be watched
    attend = first.input_attention.attend

    def watched(state, key):
        wanted.append(attend(state, key))  # K x B x N x M
        return wanted[-1]

    first.input_attention.attend = watched
    read = [task.target_dictionary.eos()]
    while len(read) < MAX_LENGTH:
        wanted.clear()
        logits, extra = model.decoder(torch.tensor([read]), encoded, need_activity=True)
        best = int(logits[0, -1].argmax())
        if best == task.target_dictionary.eos():
            break
        read.append(best)

    forward, backward = (layer[:, 0] for layer in encoded["activity"])
    lower, upper = (layer[:, 0] for layer in extra["activity"])
    target = [task.target_dictionary[token] for token in read[1:]]
    return Run(
        source=[*pieces, "end"],
        target=["start", *target],
        translation=subwords.decode(target),
        activity={
            "encoder, left to right": forward,
            "encoder, right to left": backward.flip(0),
            "decoder, layer 1": lower,
            "decoder, layer 2": upper,
        },
        relevance=torch.stack([p[:, 0, 0].mean(-1) for p in wanted]),
    )


def draw(run: Run, sentence: str, step: int) -> Figure:
    """One step at the top; below it a strip of mechanisms x pieces for each layer."""
    figure = Figure(figsize=(8, 5.3))
    # a card of its own, which reads the same on light and dark pages
    figure.add_artist(
        FancyBboxPatch(
            (0.012, 0.015), 0.976, 0.97, boxstyle="round,pad=0,rounding_size=0.02",
            mutation_aspect=8 / 5.3, facecolor="white", edgecolor="#bbbbbb", linewidth=1, zorder=-1,
        )
    )  # fmt: skip
    active = run.activity["decoder, layer 1"][step]
    schematic = figure.add_axes((0.02, 0.44, 0.96, 0.53))
    _draw_step(schematic, run.relevance[step], active, run.target[step])

    for index, (name, activity) in enumerate(run.activity.items()):
        column, row = divmod(index, 2)
        tokens = run.target if column else run.source
        strip = figure.add_axes((0.055 + 0.475 * column, 0.265 - 0.185 * row, 0.42, 0.095))
        _draw_strip(strip, activity, tokens, name, labelled=row == 0)
        if name == "decoder, layer 1":  # the step at the top
            strip.add_patch(
                Rectangle((step, 0), 1, len(active), fill=False, edgecolor=INK, linewidth=1.2)
            )
    figure.text(0.055, 0.405, sentence, fontsize=9.5, color=INK, weight="bold")
    figure.text(0.53, 0.405, run.translation, fontsize=9.5, color=INK, weight="bold")
    figure.text(
        0.5, 0.032, 
        "colour: the mechanism is active at this piece; grey: it sleeps and keeps its state",
        ha="center", fontsize=8, color=INK,
    )  # fmt: skip
    return figure


def _draw_step(axes: Axes, relevance: torch.Tensor, active: torch.Tensor, piece: str) -> None:
    """Input attention, selection, dynamics and communication, a row for each mechanism."""
    count = len(relevance)
    axes.set(xlim=(0, 16), ylim=(-0.95, count + 0.75))
    axes.axis("off")
    titles = (
        (1.5, "state"),
        (4.9, "1  input attention:\nwho wants the input?"),
        (7.95, f"2  selection:\n{int(active.sum())} of {count} are active"),
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
    for k, (p, on) in enumerate(zip(relevance.tolist(), active.tolist(), strict=True)):
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
                10.6, y, f"LSTM {k + 1}", ha="center", va="center", fontsize=8.5, color="white",
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
    axes.text(x, y, f"h{k + 1}", ha="center", va="center", fontsize=8, color="white")


def _arrow(axes: Axes, start, end, colour, thin: bool = False, style: str = "-") -> None:
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=5 if thin else 8, color=colour,
            linewidth=0.5 if thin else 1.4, linestyle=style, alpha=0.55 if thin else 1,
            shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip


def _draw_strip(
    axes: Axes, activity: torch.Tensor, tokens: list[str], name: str, labelled: bool
) -> None:
    """A row for each mechanism, a column for each piece."""
    steps, count = activity.shape
    for step in range(steps):
        for k in range(count):
            colour = COLOURS[k % len(COLOURS)] if activity[step, k] else ASLEEP
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
