"""Explanations in a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rim_nmt.translation.explanation import Explanation, LayerActivity
from rim_nmt.translation.knock_outs import KnockOuts
from rim_nmt.translation.specialisation import LayerStatistics


def in_terminal(explanation: Explanation) -> RenderableType:
    """Tables for rich: each side's mechanisms over its pieces, with how much each wanted it in
    hundredths, the active ones marked by ●; and the pieces of the translation with their
    probabilities and where the decoder looked.

    Args:
        explanation: of one sentence.
    """
    parts: list[RenderableType] = [Text(explanation.text, style="bold")]
    for side, pieces in (("encoder", explanation.source), ("decoder", explanation.target)):
        for layer in getattr(explanation, side):
            parts += [Text(""), _strip(layer, pieces)]
    return Group(*parts, Text(""), _pieces(explanation))


def _strip(layer: LayerActivity, pieces: Sequence[str]) -> Table:
    table = Table(title=layer.name, title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("")
    for piece in pieces:
        table.add_column(Text(piece), justify="center", no_wrap=True)
    for mechanism in range(len(layer.wants[0])):
        cells = []
        for active, wants in zip(layer.active, layer.wants, strict=True):
            want = wants[mechanism]
            if active[mechanism]:
                cells.append(Text(f"●{100 * want:.0f}", style="bold green"))
            else:
                cells.append(Text(f"·{100 * want:.0f}", style="dim"))
        table.add_row(f"{mechanism}", *cells)
    return table


def _pieces(explanation: Explanation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("piece", "probability", "looked at"):
        table.add_column(heading, justify="right" if heading == "probability" else "left")
    for piece, score, looks in zip(
        explanation.target, explanation.scores, explanation.attention, strict=True
    ):
        most = sorted(range(len(looks)), key=looks.__getitem__, reverse=True)[:3]
        seen = "  ".join(f"{explanation.source[n]} {looks[n]:.0%}" for n in most if looks[n] > 0.05)
        table.add_row(Text(piece), f"{2**score:.0%}", Text(seen))
    return table


def statistics_in_terminal(layer: LayerStatistics, words: int = 10) -> RenderableType:
    """A table for rich: the share of tokens at which each mechanism of a layer was active; a line
    where they are the same at all tokens.

    Args:
        layer: its figures.
        words: how many of the most frequent words are shown.
    """
    if not layer.entropy:
        return Text(f"{layer.name}: the same mechanisms are active at every token\n")
    title = Text(
        f"{layer.name}: word class and active set share {layer.information:.3f} bits of "
        f"{layer.entropy:.3f} (by chance {layer.chance:.3f}; p = {layer.p_value:.3f})"
    )
    table = Table()
    mechanisms = len(next(iter(layer.by_class.values()))[1])
    table.add_column("")
    for heading in ("tokens", *map(str, range(mechanisms))):
        table.add_column(heading, justify="right")
    few = dict(list(layer.by_word.items())[:words])
    for heading, part in (
        ("word class", layer.by_class),
        ("word", few),
        ("place in the sentence", layer.by_position),
    ):
        table.add_row(Text(heading, style="italic"))
        for name, (count, shares) in part.items():
            table.add_row(Text(name), f"{count:,}", *(f"{share:.0%}" for share in shares))
        table.add_section()
    return Group(title, table)


def knock_outs_in_terminal(found: KnockOuts) -> RenderableType:
    """A table for rich: the BLEU that is lost without each mechanism, a row for each layer; bold
    where chance gives as much in less than one case of a hundred."""
    layers = found.by_layer()
    table = Table()
    table.add_column("lost without")
    for number in range(max(map(len, layers.values()))):
        table.add_column(f"{number}", justify="right")
    for name, row in layers.items():
        cells = [Text(f"{each.lost:.1f}", style="bold" if each.is_clear else "") for each in row]
        table.add_row(name, *cells)
    title = f"BLEU {found.bleu:.1f} with every mechanism, {found.sentences:,} sentences"
    return Group(Text(title), table)
