"""What a model did with a sentence, as told by `Translator.explain`."""

import math

import pytest
import torch

from rim_nmt.errors import InputError
from rim_nmt.mechanism.observation import wants_of
from rim_nmt.translation.explanation import Explanation, words
from rim_nmt.translation.translator import Translator

SENTENCE = "Our father begins to read a newspaper."


@pytest.fixture(scope="module")
def translator(old_checkpoint) -> Translator:
    return old_checkpoint()


@pytest.fixture(scope="module")
def explanation(translator) -> Explanation:
    return translator.explain(SENTENCE)


def test_it_explains_the_translation_that_it_gives(translator, explanation):
    ((best,),) = translator.translate([SENTENCE])
    assert explanation.text == best.text
    assert sum(explanation.scores) / len(explanation.scores) == pytest.approx(best.score, abs=1e-5)


def test_a_given_translation_is_explained(translator):
    given = translator.explain(SENTENCE, "Unser Vater liest.")
    assert given.text == "Unser Vater liest."
    assert all(math.isfinite(score) and score <= 0 for score in given.scores)


def test_there_is_a_row_for_each_piece(explanation):
    source, target = len(explanation.source), len(explanation.target)
    assert explanation.source[-1] == explanation.target[-1] == "</s>"
    attention = torch.tensor(explanation.attention)
    assert attention.shape == (target, source)
    torch.testing.assert_close(attention.sum(1), torch.ones(target))
    names = [layer.name for layer in explanation.encoder]
    assert names == ["encoder.forward", "encoder.backward", "encoder.1"]
    assert [layer.name for layer in explanation.decoder] == ["decoder.0", "decoder.1"]
    for side, length in ((explanation.encoder, source), (explanation.decoder, target)):
        for layer in side:
            assert (
                torch.tensor(layer.active).shape == torch.tensor(layer.wants).shape == (length, 3)
            )


def test_active_are_those_that_want_it_most(explanation):
    for layer in (*explanation.encoder, *explanation.decoder):
        for active, wants in zip(layer.active, layer.wants, strict=True):
            assert sum(active) == 2
            asleep = [want for want, on in zip(wants, active, strict=True) if not on]
            assert max(asleep) <= min(w for w, on in zip(wants, active, strict=True) if on)


def test_the_backward_layer_is_told_in_the_order_of_the_sentence(translator, explanation):
    backward = explanation.encoder[1]
    model = translator._hub.models[0]
    tokens = translator.encode(SENTENCE)
    x = model.encoder.embed_scale * model.encoder.embed_tokens(tokens[-1:, None])
    # it starts at the end of the sentence, where its state is zero: it wants nothing more than
    # anything else, one half
    assert backward.wants[-1] == pytest.approx([0.5] * 3)
    assert backward.wants[0] != pytest.approx([0.5] * 3)
    activity = model.encoder.backward_layer(x, need_activity=True)[2]  # 1 x 1 x K
    assert activity[0, 0].tolist() == backward.active[-1]


def test_watching_changes_nothing(translator):
    model = translator._hub.models[0]
    layers = list(model.recurrent_layers().values())
    kernels = [layer.kernel for layer in layers]
    before = [best.text for (best,) in translator.translate([SENTENCE])]
    with wants_of(model):
        assert [best.text for (best,) in translator.translate([SENTENCE])] == before
    assert [layer.kernel for layer in layers] == kernels
    assert all("attend" not in vars(layer.input_attention) for layer in layers)


def test_a_mechanism_that_is_kept_asleep_is_never_active(old_checkpoint):
    translator = old_checkpoint()
    before = translator.explain(SENTENCE, "Unser Vater liest.")
    translator.keep_asleep(["decoder.1:2", "encoder.backward:0", "encoder.backward:2"])
    after = translator.explain(SENTENCE, "Unser Vater liest.")
    names = {layer.name: layer for layer in (*after.encoder, *after.decoder)}
    for name, layer in names.items():
        active = torch.tensor(layer.active).sum(0)
        asleep = {"decoder.1": [2], "encoder.backward": [0, 2]}.get(name, [])
        assert active[asleep].eq(0).all()
        assert active.sum() == (3 - len(asleep) if asleep else 2) * len(layer.active)
    assert before.encoder[0] == after.encoder[0]
    assert before.scores != after.scores
    ((best,),) = translator.translate([SENTENCE])
    assert best.score == pytest.approx(
        sum(translator.explain(SENTENCE).scores) / best.pieces, abs=1e-5
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["decoder.7:0"], "decoder.7:0: expected LAYER:NUMBER with a layer out of encoder.forward"),
        (["decoder.1"], "decoder.1: expected LAYER:NUMBER"),
        (["decoder.1:3"], r"decoder.1: got mechanisms \[3\], expected some of 0 to 2"),
        (["decoder.1:0", "decoder.1:1", "decoder.1:2"], "all 3 mechanisms of a layer cannot sleep"),
    ],
)
def test_only_what_is_there_can_be_kept_asleep(old_checkpoint, names, message):
    with pytest.raises(InputError, match=message):
        old_checkpoint().keep_asleep(names)


def test_words_are_made_of_their_pieces(explanation):
    found = words(explanation.source)
    assert [word.text for word in found] == [*SENTENCE.split(), ""]
    assert [n for word in found for n in word.pieces] == list(range(len(explanation.source)))


def test_each_word_of_the_translation_is_aligned_with_one_of_the_source(explanation):
    pairs = explanation.alignment()
    assert [target for _, target in pairs] == list(range(len(explanation.text.split())))
    assert {source for source, _ in pairs} <= set(range(len(SENTENCE.split())))


def test_alignment_follows_the_attention():
    made = Explanation(
        source=["▁a", "▁b", "c", "</s>"],
        target=["▁x", "y", "▁z", "</s>"],
        scores=[0.0] * 4,
        attention=[[0.2, 0.2, 0.2, 0.4], [0.3, 0.4, 0.3, 0], [0.9, 0.1, 0, 0], [0, 0, 0, 1]],
        encoder=[],
        decoder=[],
    )
    assert made.text == "xy z"
    assert made.alignment() == [(1, 0), (0, 1)]
    assert made.as_dict()["translation"] == "xy z"


@pytest.mark.parametrize(("sentence", "translation"), [(" ", None), ("A dog.", " ")])
def test_there_must_be_something_to_explain(translator, sentence, translation):
    with pytest.raises(InputError, match="blank"):
        translator.explain(sentence, translation)
