"""Models of equal size have equally many parameters."""

import pytest

from rim_nmt.mechanism import RIMLayer
from rim_nmt.models.matched_sizes import SIZES, matched_models
from rim_nmt.models.model import ARCHITECTURES
from rim_nmt.models.multilingual import MULTILINGUAL_ARCHITECTURES
from rim_nmt.models.parameters import build_without_memory, count_parameters
from rim_nmt.models.recurrent import PlainRNN

ONE = ("en-de",)
TWO = ("en-de", "fr-en")  # neither source nor target is the same


@pytest.mark.parametrize("pairs", [ONE, TWO])
@pytest.mark.parametrize("size", SIZES)
def test_twins_have_equal_parameter_counts(size, pairs):
    """LSTM within 2 %, Transformer within 5 %, for every vocabulary: embeddings apart."""
    counts, widths, models = {}, {}, {}
    for name, flags in matched_models(size, multilingual=len(pairs) > 1).items():
        models[name] = build_without_memory(flags, 50, pairs)
        embedding = models[name].encoder.embed_tokens.weight
        counts[name] = count_parameters(models[name]) - embedding.numel()
        widths[name] = embedding.size(1)
    assert abs(counts["lstm"] / counts["rim"] - 1) < 0.02, counts
    assert abs(counts["transformer"] / counts["rim"] - 1) < 0.05, counts
    if len(pairs) == 1:
        assert abs(counts["fairseq-lstm"] / counts["rim"] - 1) < 0.03, counts
    assert len(set(widths.values())) == 1, widths
    assert type(models["rim"].decoder.first_layer) is RIMLayer
    assert type(models["lstm"].decoder.first_layer) is PlainRNN
    for model in models.values() if len(pairs) > 1 else ():
        german, french = (model.models[pair] for pair in pairs)
        assert german.encoder is french.encoder and german.decoder is not french.decoder


@pytest.mark.parametrize("kind", ["rim", "lstm"])
@pytest.mark.parametrize("size", SIZES)
def test_the_multi_task_model_has_the_sizes_of_the_model_for_one_pair(size, kind):
    one = build_without_memory(matched_models(size)[kind], 50)
    multi = build_without_memory(matched_models(size, multilingual=True)[kind], 50, TWO)
    for pair in TWO:
        shapes = {name: p.shape for name, p in multi.models[pair].named_parameters()}
        assert shapes == {name: p.shape for name, p in one.named_parameters()}


def test_every_architecture_has_a_size():
    """`rim` is the defaults of the configuration."""
    for multilingual, known in (
        (False, {"rim", *ARCHITECTURES}),
        (True, MULTILINGUAL_ARCHITECTURES),
    ):
        named = [
            matched_models(size, multilingual)[kind][1]
            for size in SIZES
            for kind in ("rim", "lstm")
        ]
        assert sorted(named) == sorted(known)


def test_no_such_size():
    with pytest.raises(ValueError, match="no size 'huge': expected one of tiny, iwslt, base, wmt"):
        matched_models("huge")


def test_the_table_of_a_vocabulary(call_script):
    """rim_tiny with the dictionary of the demo has 934,016 parameters."""
    table = call_script("parameters", "--vocab-size", 1404)
    rows = [line.split() for line in table.splitlines()[2:]]
    assert ["tiny", "1", "rim", "934,016", "1.0000"] in rows
    assert len(rows) == len(SIZES) * (4 + 3)
    assert all(abs(float(row[-1]) - 1) < 0.05 for row in rows)
