"""The multi-task model: what its pairs share, loading, learning."""

import time
from types import SimpleNamespace

import pytest
import torch
from fairseq.logging import metrics

from rim_nmt.mechanism import RIMLayer
from rim_nmt.models.multilingual import MultilingualRecurrentModel
from rim_nmt.models.parameters import build_without_memory
from tests.models.conftest import LEARNER, assert_learns, loss_on, make_task, pad_at, small_config

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
PAIRS = ("en-de", "en-fr")


def make_multilingual(*pairs: str, dicts: dict | None = None, **flags):
    """A small model for pairs (en-de and en-fr unless given) with one joint dictionary."""
    pairs = pairs or PAIRS
    joint = make_task().source_dictionary
    languages = {language for pair in pairs for language in pair.split("-")}
    task = SimpleNamespace(
        model_lang_pairs=list(pairs), dicts={**dict.fromkeys(languages, joint), **(dicts or {})}
    )
    return MultilingualRecurrentModel.build_model(small_config(**flags), task)


def numbers(module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_pairs_share_the_encoder_and_the_decoder_of_their_target_language():
    model = make_multilingual("en-de", "en-fr", "fr-de")
    encoders = [model.models[pair].encoder for pair in model.models]
    assert all(encoder is encoders[0] for encoder in encoders)
    german, french, also_german = (model.models[pair].decoder for pair in model.models)
    assert german is also_german
    assert not {id(p) for p in german.parameters()} & {id(p) for p in french.parameters()}
    assert numbers(model) == numbers(encoders[0]) + numbers(german) + numbers(french)


def test_a_pair_is_the_model_for_one_pair():
    """The same parts in the same sizes: what is shared is all that is different."""
    model = make_multilingual()
    alone = make_multilingual("en-de")
    shapes = {name: p.shape for name, p in alone.models["en-de"].named_parameters()}
    assert shapes == {name: p.shape for name, p in model.models["en-fr"].named_parameters()}


def test_embedding_sharing():
    apart = make_multilingual()
    embeddings = [apart.models[pair].decoder.embed_tokens for pair in PAIRS]
    assert len({id(e) for e in [*embeddings, apart.encoder.embed_tokens]}) == 3
    shared = make_multilingual(share_all_embeddings=True)
    for pair in PAIRS:
        decoder = shared.models[pair].decoder
        assert decoder.embed_tokens.weight is shared.encoder.embed_tokens.weight
        assert decoder.output_projection.weight is shared.encoder.embed_tokens.weight
    assert numbers(shared) == numbers(apart) - 4 * apart.encoder.embed_tokens.weight.numel()


def test_dictionaries_that_do_not_fit_are_refused():
    other = make_task(31).source_dictionary
    with pytest.raises(ValueError, match=r"de and en share one encoder.*\(34 and 35 entries\)"):
        make_multilingual("de-fr", "en-fr", dicts={"en": other})
    make_multilingual(dicts={"fr": other})  # embeddings of its own
    with pytest.raises(ValueError, match=r"--share-all-embeddings.*\(34 and 35 entries\)"):
        make_multilingual(dicts={"fr": other}, share_all_embeddings=True)


@pytest.mark.parametrize("kind", ["rim", "lstm"])
def test_a_training_step_on_one_pair_changes_the_encoder_and_its_decoder_only(
    kind, sentences, targets
):
    model = make_multilingual(recurrent_layer=kind)
    before = {name: p.clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    logits, _ = model.models["en-fr"](pad_at(sentences, "left"), None, targets)
    logits.logsumexp(-1).sum().backward()
    optimizer.step()
    changed = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    german = {name for name in before if name.startswith("models.en-de.decoder.")}
    assert changed == set(before) - german


@torch.no_grad()
@pytest.mark.parametrize("pair", PAIRS)
def test_incremental_decoding_equals_full_decoding(pair, sentences, targets):
    model = make_multilingual().eval().models[pair]
    source = pad_at(sentences, "left")
    full, _ = model(source, None, targets)
    encoded, state = model.encoder(source), {}
    for step in range(targets.size(1)):
        logits, _ = model.decoder(targets[:, : step + 1], encoded, incremental_state=state)
        torch.testing.assert_close(logits[:, 0], full[:, step], **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("shared", [False, True])
def test_weights_of_two_pairs_serve_a_model_of_one(pair, shared, sentences, targets):
    both = make_multilingual(share_all_embeddings=shared).eval()
    state = both.state_dict()
    one = make_multilingual(pair, share_all_embeddings=shared).eval()
    one.load_state_dict(state)
    assert list(state) == list(both.state_dict())  # what was given is left alone
    source = pad_at(sentences, "left")
    expected, _ = both.models[pair](source, None, targets)
    output, _ = one.models[pair](source, None, targets)
    assert torch.equal(output, expected)
    # what fairseq's generator calls
    assert one.encoder is one.models[pair].encoder and one.decoder is one.models[pair].decoder
    assert one.max_positions() == {pair: (100000, 100000)}


def test_weights_of_other_pairs_are_refused():
    state = make_multilingual().state_dict()
    with pytest.raises(
        ValueError, match="not trained on fr-en: expected pairs out of en-de, en-fr"
    ):
        make_multilingual("fr-en").load_state_dict(state)
    with pytest.raises(RuntimeError, match=r"Missing key.*decoder\.skip\.bias"):
        make_multilingual().load_state_dict({k: v for k, v in state.items() if "skip" not in k})


def test_validation_logs_the_decoders_apart(sentences, targets):
    model = make_multilingual().eval()
    with metrics.aggregate(new_root=True) as logged:
        for pair in PAIRS:
            model.models[pair](pad_at(sentences, "left"), None, targets)
    figures = logged.get_smoothed_values()
    parts = ("enc", "dec_de", "dec_fr")
    assert set(figures) == {f"{part}_{f}" for part in parts for f in ("usage", "least")}


def test_the_command_line_goes_before_the_architecture():
    flags = ["--arch", "multilingual_rim_tiny", "--encoder-layers", "2", "--num-active", "1"]
    model = build_without_memory(flags, 50, PAIRS)
    assert len(model.encoder.layers) == 1  # besides the first one
    layers = [m for m in model.modules() if isinstance(m, RIMLayer)]
    assert {layer.num_active for layer in layers} == {1}
    assert {layer.num_mechanisms for layer in layers} == {4}


def test_learns_to_copy_and_to_reverse():
    """From any seed, two tasks at once, one with fewer examples: one encoder serves both."""
    seed = time.time_ns() % 2**31
    torch.manual_seed(seed)
    model = make_multilingual(**LEARNER)

    def losses() -> list[torch.Tensor]:
        many, few = torch.randint(4, 14, (64, 4)), torch.randint(4, 14, (40, 4))
        copying = loss_on(model.models["en-de"], many, many)
        return [copying, loss_on(model.models["en-fr"], few, few.flip(1))]

    assert_learns(model, losses, seed)
