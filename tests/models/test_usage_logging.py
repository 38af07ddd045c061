"""The use of the mechanisms in fairseq's log."""

import math

import torch
from fairseq.logging import metrics

from rim_nmt.models.usage_logging import log_usage
from tests.models.conftest import make_model, pad_at


def activity(*counts: int) -> torch.Tensor:
    """T x 1 x K in which mechanism k is active `counts[k]` times."""
    steps = torch.arange(max(counts)).unsqueeze(1)
    return (steps < torch.tensor(counts)).unsqueeze(1)


def test_figures_are_of_all_batches_and_of_the_worst_layer():
    with metrics.aggregate(new_root=True) as logged:
        log_usage("enc", [activity(4, 0), activity(3, 3)])
        log_usage("enc", [activity(0, 4), activity(9, 1)])
    figures = logged.get_smoothed_values()
    # layer 0 is even over both batches; layer 1 has counts 12 and 4
    entropy = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    assert figures == {"enc_usage": round(entropy, 4), "enc_least": 0.25}


def test_validation_logs_and_training_does_not(sentences, targets):
    model, source = make_model(), pad_at(sentences, "left")
    with metrics.aggregate(new_root=True) as logged:
        model.train()(source, None, targets)
    assert logged.get_smoothed_values() == {}
    with metrics.aggregate(new_root=True) as logged:
        model.eval()(source, None, targets)
    figures = logged.get_smoothed_values()
    assert set(figures) == {"enc_usage", "enc_least", "dec_usage", "dec_least"}
    # two of three mechanisms are active at a step: between two used alone and even use
    assert math.log(2) / math.log(3) - 1e-3 <= figures["enc_usage"] <= 1
    assert 0 <= figures["dec_least"] <= 1 / 3 + 1e-4


def test_padding_is_not_counted(sentences, targets):
    model, source = make_model().eval(), pad_at(sentences, "left")
    active = model.encoder(source, need_activity=True)["activity"]
    tokens = sum(len(sentence) for sentence in sentences)
    assert [a.sum().item() for a in active] == [2 * tokens] * 3


def test_a_plain_rnn_logs_nothing(sentences, targets):
    model = make_model(recurrent_layer="lstm").eval()
    with metrics.aggregate(new_root=True) as logged:
        model(pad_at(sentences, "left"), None, targets)
    assert logged.get_smoothed_values() == {}
