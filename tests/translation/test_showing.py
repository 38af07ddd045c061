"""Explanations in a terminal and as a picture."""

import io

import pytest
from rich.console import Console

from rim_nmt.runtime.plots import save_figure
from rim_nmt.translation.explanation import Explanation
from rim_nmt.translation.knock_outs import KnockOut, KnockOuts
from rim_nmt.translation.picture import knock_outs_picture, picture
from rim_nmt.translation.terminal import in_terminal


@pytest.fixture(scope="module")
def explanation(old_checkpoint) -> Explanation:
    return old_checkpoint().explain("Our father begins to read [a] $newspaper$.")


def test_in_a_terminal_every_layer_has_a_row_for_each_mechanism(explanation):
    output = io.StringIO()
    Console(file=output, width=300).print(in_terminal(explanation))
    text = output.getvalue()
    assert text.startswith(explanation.text)
    for layer in (*explanation.encoder, *explanation.decoder):
        part = text.split(layer.name)[1].splitlines()
        for mechanism, row in enumerate(part[2:5]):
            number, *cells = row.split()
            assert int(number) == mechanism
            assert [cell[0] == "●" for cell in cells] == [a[mechanism] for a in layer.active]
            assert [int(cell[1:]) for cell in cells] == [
                round(100 * wants[mechanism]) for wants in layer.wants
            ]


def test_the_picture_has_a_strip_for_each_layer_and_the_attention(explanation, tmp_path):
    figure = picture(explanation)
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        *(layer.name for layer in (*explanation.encoder, *explanation.decoder)),
        "attention over the source",
    ]
    dots = figure.axes[0].collections[0].get_offsets()
    active = explanation.encoder[0].active
    assert {(int(t), int(k)) for t, k in dots} == {
        (t, k) for t, row in enumerate(active) for k, on in enumerate(row) if on
    }
    save_figure(figure, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_in_the_picture_of_knock_outs_the_largest_loss_is_darkest_and_chance_is_not_bold():
    losses = {"decoder.0:0": (2.0, 0.001), "decoder.0:1": (-0.1, 0.4), "decoder.1:0": (0.9, 0.02)}
    rows = [KnockOut(name, 30 - lost, lost, p, 0.5) for name, (lost, p) in losses.items()]
    (axis,) = knock_outs_picture(KnockOuts(30.0, "nrefs:1", 100, rows)).axes
    assert axis.images[0].get_clim() == (0, 2)
    shown = [(text.get_text(), text.get_color(), text.get_weight()) for text in axis.texts]
    assert shown == [
        ("2.0", "white", "bold"),
        ("-0.1", "black", "normal"),
        ("0.9", "black", "normal"),
    ]
