"""The translation model: padding, incremental decoding, sharing, sizes, learning."""

import time
from dataclasses import asdict

import pytest
import torch
from fairseq.models import build_model
from omegaconf import OmegaConf

from rim_nmt.mechanism import RIMLayer
from rim_nmt.mechanism.dynamics import LSTMDynamics
from rim_nmt.models.config import RecurrentModelConfig
from rim_nmt.models.encoder import reversal_index
from rim_nmt.models.model import RecurrentModel
from tests.models.conftest import LEARNER, assert_learns, loss_on, make_model, make_task, pad_at

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@torch.no_grad()
def test_padding_side_and_batch_size_do_not_matter(model, sentences, targets):
    right, _ = model(pad_at(sentences, "right"), None, targets)
    left, _ = model(pad_at(sentences, "left"), None, targets)
    torch.testing.assert_close(left, right, rtol=0, atol=0)
    for row, sentence in enumerate(sentences):
        alone, _ = model(sentence.unsqueeze(0), None, targets[row : row + 1])
        torch.testing.assert_close(alone[0], right[row], **CLOSE)


@torch.no_grad()
def test_encoder_output_is_zero_at_padding_only(model, sentences):
    encoded = model.encoder(pad_at(sentences, "left"))
    output, mask = encoded["encoder_out"][0], encoded["encoder_padding_mask"][0]
    lengths = [len(sentence) for sentence in sentences]
    assert mask.logical_not().sum(1).tolist() == lengths
    for row, length in enumerate(lengths):
        assert (output[length:, row] == 0).all()
        assert (output[:length, row] != 0).any(-1).all()


@torch.no_grad()
def test_both_directions_reach_every_token(model, sentences):
    """A change of the first or last word changes the encoding of all the others."""
    sentence = sentences[2].unsqueeze(0)
    before = model.encoder(sentence)["encoder_out"][0]
    for position in (0, sentence.size(1) - 1):
        changed = sentence.clone()
        changed[0, position] = 4 if sentence[0, position] != 4 else 5
        after = model.encoder(changed)["encoder_out"][0]
        assert (after != before).any(-1).all()


@torch.no_grad()
def test_decoder_does_not_look_ahead(model, sentences, targets):
    source = pad_at(sentences, "right")
    before, _ = model(source, None, targets)
    changed = targets.clone()
    changed[:, 4] = (changed[:, 4] - 4 + 1) % 30 + 4
    after, _ = model(source, None, changed)
    assert torch.equal(before[:, :4], after[:, :4])
    assert (before[:, 4:] != after[:, 4:]).any(-1).all()


@torch.no_grad()
def test_incremental_decoding_equals_full_decoding(model, sentences, targets):
    source = pad_at(sentences, "left")
    full, extra = model(source, None, targets)
    encoded, state = model.encoder(source), {}
    for step in range(targets.size(1)):
        logits, step_extra = model.decoder(targets[:, : step + 1], encoded, incremental_state=state)
        assert logits.shape[1] == 1
        torch.testing.assert_close(logits[:, 0], full[:, step], **CLOSE)
        torch.testing.assert_close(step_extra["attn"][0][:, 0], extra["attn"][0][:, step], **CLOSE)


@torch.no_grad()
def test_a_prefix_may_be_decoded_at_once(model, sentences, targets):
    """Forced prefixes give several tokens before the first state exists."""
    source = pad_at(sentences, "right")
    full, _ = model(source, None, targets)
    encoded, state = model.encoder(source), {}
    prefix, _ = model.decoder(targets[:, :4], encoded, incremental_state=state)
    torch.testing.assert_close(prefix, full[:, :4], **CLOSE)
    following, _ = model.decoder(targets[:, :5], encoded, incremental_state=state)
    torch.testing.assert_close(following[:, 0], full[:, 4], **CLOSE)


@torch.no_grad()
def test_reordering_the_state_is_decoding_the_reordered_batch(model, sentences, targets):
    """As beam search does it: hypotheses are dropped, doubled and change places."""
    source = pad_at(sentences, "right")
    order = torch.tensor([2, 0, 0, 3, 2])
    encoded, state = model.encoder(source), {}
    for step in range(3):
        model.decoder(targets[:, : step + 1], encoded, incremental_state=state)
    model.decoder.reorder_incremental_state_scripting(state, order)
    reordered = model.encoder.reorder_encoder_out(encoded, order)
    logits, _ = model.decoder(targets[order, :4], reordered, incremental_state=state)
    full, _ = model(source[order], None, targets[order])
    torch.testing.assert_close(logits[:, 0], full[:, 3], **CLOSE)


@torch.no_grad()
def test_attention_is_a_distribution_over_the_real_source(model, sentences, targets):
    _, extra = model(pad_at(sentences, "left"), None, targets)
    attention = extra["attn"][0]  # B x T x S
    torch.testing.assert_close(attention.sum(-1), torch.ones(4, 7))
    for row, sentence in enumerate(sentences):
        assert (attention[row, :, len(sentence) :] == 0).all()


def test_reversal_index_is_its_own_inverse(sentences):
    batch = pad_at(sentences, "right").t()  # T x B
    index = reversal_index(batch.eq(1)).squeeze(-1)
    flipped = batch.gather(0, index)
    for column, sentence in enumerate(sentences):
        assert flipped[: len(sentence), column].tolist() == sentence.tolist()[::-1]
    assert torch.equal(flipped.gather(0, index), batch)


def test_every_parameter_gets_a_gradient(model, sentences, targets):
    model.train()
    logits, _ = model(pad_at(sentences, "left"), None, targets)
    logits.logsumexp(-1).sum().backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


def test_embedding_sharing():
    apart = make_model()
    assert apart.encoder.embed_tokens is not apart.decoder.embed_tokens
    assert apart.decoder.output_projection.weight is not apart.decoder.embed_tokens.weight
    output = make_model(share_decoder_input_output_embed=True)
    assert output.decoder.output_projection.weight is output.decoder.embed_tokens.weight
    assert output.encoder.embed_tokens.weight is not output.decoder.embed_tokens.weight
    everything = make_model(share_all_embeddings=True)
    assert everything.encoder.embed_tokens.weight is everything.decoder.embed_tokens.weight
    assert everything.decoder.output_projection.weight is everything.encoder.embed_tokens.weight


@pytest.mark.parametrize(
    ("flags", "numbers"),
    [
        ({"encoder_hidden_size": 35}, ["35"]),
        ({"encoder_layers": 0}, ["0"]),
        ({"decoder_layers": 0}, ["0"]),
        ({"decoder_hidden_size": 27}, ["27", "4"]),
        ({"decoder_hidden_size": 28}, ["28", "3"]),
        ({"num_active": 4}, ["4", "3"]),
        ({"encoder_num_active": 4}, ["4", "3"]),
        ({"decoder_num_active": 0}, ["0"]),
        ({"share_all_embeddings": True, "encoder_embed_dim": 16}, ["16", "20"]),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_their_numbers(flags, numbers):
    with pytest.raises(ValueError) as error:
        make_model(**flags)
    for number in numbers:
        assert number in str(error.value)


@pytest.mark.parametrize(
    ("flags", "of_encoder", "of_decoder"),
    [
        ({"encoder_num_active": 3, "decoder_num_active": 1}, 3, 1),
        ({"decoder_num_active": 3}, 2, 3),
    ],
)
def test_encoder_and_decoder_may_have_other_numbers_of_active_mechanisms(
    flags, of_encoder, of_decoder
):
    model = make_model(num_active=2, **flags)
    for part, expected in ((model.encoder, of_encoder), (model.decoder, of_decoder)):
        layers = [module for module in part.modules() if isinstance(module, RIMLayer)]
        assert {layer.num_active for layer in layers} == {expected}


def test_mechanisms_may_be_always_active():
    torch.manual_seed(1)
    model = make_model(num_active=2, num_always=1)
    layers = [module for module in model.modules() if isinstance(module, RIMLayer)]
    assert layers and {layer.num_always for layer in layers} == {1}
    x = torch.randn(7, 5, layers[0].input_size)  # T x B x I
    _, _, activity = layers[0](x, need_activity=True)
    assert activity[..., 0].all() and not activity[..., 1:].all((0, 1)).any()
    assert (activity.sum(-1) == 2).all()


def test_the_context_may_be_an_input_of_its_own():
    model = make_model(separate_context=True, decoder_layers=3)
    slots = [m.input_attention.num_slots for m in model.modules() if isinstance(m, RIMLayer)]
    assert sorted(slots) == [1] * (len(slots) - 2) + [2, 2]
    for layer in model.decoder.layers:
        assert layer.input_attention.num_slots == 2


@pytest.mark.parametrize("architecture", ["rim", "rim_tiny"])
def test_a_flag_that_an_older_checkpoint_does_not_have_takes_its_default(architecture):
    values = {**asdict(RecurrentModelConfig()), "_name": architecture, "encoder_hidden_size": 48}
    del values["rim_dynamics"]
    saved = OmegaConf.create(values)
    OmegaConf.set_struct(saved, True)
    model = build_model(saved, make_task())
    assert model.encoder.forward_layer.hidden_size == 24
    assert isinstance(model.encoder.forward_layer.dynamics, LSTMDynamics)


def test_shared_embeddings_need_one_dictionary():
    task, other = make_task(30), make_task(31)
    task.target_dictionary = other.target_dictionary
    cfg = RecurrentModelConfig(share_all_embeddings=True)
    with pytest.raises(ValueError, match="--joined-dictionary"):
        RecurrentModel.build_model(cfg, task)


@pytest.mark.parametrize("kind", ["rim", "lstm"])
def test_learns_to_reverse(kind):
    """From any seed: reversing five symbols needs the attention and both recurrences."""
    seed = time.time_ns() % 2**31
    torch.manual_seed(seed)
    model = make_model(recurrent_layer=kind, **LEARNER)

    def losses() -> list[torch.Tensor]:
        symbols = torch.randint(4, 14, (64, 5))
        return [loss_on(model, symbols, symbols.flip(1))]

    assert_learns(model, losses, seed)
