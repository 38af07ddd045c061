"""Two target languages through the real commands: prepare, train, resume, translate, score."""

import json
import re

import pytest
import sacrebleu
import torch

from rim_nmt.errors import InputError
from rim_nmt.models.multilingual import MultilingualRecurrentModel
from rim_nmt.runtime.fairseq_commands import USER_DIR, fairseq_command
from rim_nmt.runtime.files import read_lines
from rim_nmt.translation.averaging import average_checkpoints
from rim_nmt.translation.model_folder import open_model, pack
from rim_nmt.translation.translator import Translator
from tests.conftest import SMALL, Trained, run_forked

TASK = ("--task", "multilingual_translation", "--lang-pairs", "en-de,en-fr")
SENTENCES = ["The dog sleeps.", "We see the house."]


def train_command(data, save_dir, max_update: int) -> list:
    """fairseq-train for a small RIM on both pairs."""
    return fairseq_command(
        "train",
        data / "bin",
        *("--user-dir", USER_DIR, "--arch", "multilingual_rim_tiny", *SMALL, *TASK),
        *("--share-all-embeddings", "--optimizer", "adam", "--lr", "0.01", "--clip-norm", 1),
        *("--dropout", 0, "--max-tokens", 400, "--seed", 1, "--save-dir", save_dir, "--cpu"),
        *("--log-format", "json", "--log-interval", 10, "--num-workers", 0),
        *("--max-update", max_update),
    )


@pytest.fixture(scope="module")
def trained(prepared_pairs, tmp_path_factory) -> Trained:
    """A small RIM after 40 updates, stopped once on the way."""
    save_dir = tmp_path_factory.mktemp("trained-on-two")
    first = run_forked(train_command(prepared_pairs, save_dir, 20))
    second = run_forked(train_command(prepared_pairs, save_dir, 40))
    return Trained(prepared_pairs, save_dir / "checkpoint_last.pt", first.stdout + second.stdout)


def load(trained, **languages) -> Translator:
    return Translator(
        trained.checkpoint,
        trained.data / "bin",
        trained.data / "sentencepiece.model",
        **languages,
    )


def translations(translator) -> list[str]:
    return [best.text for (best,) in translator.translate(SENTENCES)]


def inference(trained, target: str) -> list:
    """What fairseq's commands need to translate one of the directions."""
    return [
        *(trained.data / "bin", "--user-dir", USER_DIR, "--path", trained.checkpoint, "--cpu"),
        *(*TASK, "--source-lang", "en", "--target-lang", target, "--beam", 5),
        *("--max-len-a", 1.2, "--max-len-b", 10, "--bpe", "sentencepiece"),
        *("--sentencepiece-model", trained.data / "sentencepiece.model"),
    ]


def test_training_goes_on_and_learns_both_pairs(trained):
    assert re.search(r"Loaded checkpoint .*\(epoch 1 @ 20 updates\)", trained.log)
    losses = [float(loss) for loss in re.findall(r'"loss": "([\d.]+)"', trained.log)]
    assert len(losses) >= 4 and losses[-1] < 0.8 * losses[0]
    for part in ("enc", "dec_de", "dec_fr"):
        for figure in ("usage", "least"):
            assert f'"valid_{part}_{figure}"' in trained.log


def test_the_checkpoint_has_one_encoder_and_two_decoders(trained):
    weights = torch.load(trained.checkpoint)["model"]
    german, french = (
        {name[len("models.en-de.") :]: weight for name, weight in weights.items() if pair in name}
        for pair in ("en-de", "en-fr")
    )
    assert german.keys() == french.keys()
    shared = {"decoder.embed_tokens.weight", "decoder.output_projection.weight"}
    shared |= {name for name in german if name.startswith("encoder.")}
    for name, weight in german.items():
        assert torch.equal(weight, french[name]) == (name in shared)
        assert (weight.data_ptr() == french[name].data_ptr()) == (name in shared)


def test_generate_translates_every_sentence(trained):
    command = fairseq_command("generate", *inference(trained, "de"), "--beam", 2)
    output = run_forked(command).stdout
    numbers = sorted(int(number) for number in re.findall(r"^D-(\d+)\t", output, re.M))
    assert numbers == list(range(11))
    raw = read_lines(trained.data / "raw" / "test.en-de.de")
    for number, reference in re.findall(r"^T-(\d+)\t(.*)$", output, re.M):
        assert reference == raw[int(number)]


def test_interactive_translate_and_hub_agree(trained, call_script):
    text = "\n".join(SENTENCES) + "\n"
    # lines together in a batch, as ours: the longest one says where babbling is cut
    batch = ("--buffer-size", 2, "--batch-size", 2)
    command = fairseq_command("interactive", *inference(trained, "fr"), *batch)
    theirs = re.findall(r"^D-\d+\t[-\d.]+\t(.*)$", run_forked(command, input=text).stdout, re.M)
    ours = call_script(
        "translate", "--checkpoint", trained.checkpoint, "--data", trained.data,
        "--target-lang", "fr", "--no-split", input=text,
    ).splitlines()  # fmt: skip
    hub = MultilingualRecurrentModel.from_pretrained(
        str(trained.checkpoint.parent),
        trained.checkpoint.name,
        str(trained.data / "bin"),
        source_lang="en",
        target_lang="fr",
        bpe="sentencepiece",
        sentencepiece_model=str(trained.data / "sentencepiece.model"),
    )
    assert len(ours) == 2 and ours == theirs
    together = hub.translate(SENTENCES, beam=5, max_len_a=1.2, max_len_b=10)
    assert together == translations(load(trained, target_lang="fr"))
    assert together != translations(load(trained, target_lang="de"))


def test_score_of_one_direction(trained, tmp_path, call_script):
    call_script(
        "score", "--checkpoint", trained.checkpoint, "--data", trained.data,
        "--target-lang", "fr", "--test", "test", "--out", tmp_path,
    )  # fmt: skip
    report = json.loads((tmp_path / "test.en-fr.json").read_text(encoding="utf-8"))
    hypotheses = read_lines(tmp_path / "test.en-fr.hyp")
    references = read_lines(trained.data / "raw" / "test.en-fr.fr")
    assert report["pair"] == "en-fr" and report["sentences"] == 11
    expected = sacrebleu.corpus_bleu(hypotheses, [references]).score
    assert report["BLEU"]["score"] == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(
    ("languages", "given"),
    [
        ({}, "no language"),
        ({"target_lang": "es"}, "--target-lang es"),
        ({"source_lang": "en"}, "--source-lang en"),
        ({"source_lang": "fr", "target_lang": "de"}, "--source-lang fr --target-lang de"),
    ],
)
def test_languages_that_do_not_name_a_pair_are_refused(trained, languages, given):
    with pytest.raises(InputError, match=rf"translates en-de, en-fr, got {given}: choose one"):
        load(trained, **languages)


def test_averages_serve_both_directions_and_store_shared_weights_once(trained, tmp_path):
    average_checkpoints([trained.checkpoint] * 2, tmp_path / "average.pt")
    given, averaged = (
        torch.load(path)["model"] for path in (trained.checkpoint, tmp_path / "average.pt")
    )
    assert all(torch.equal(given[name], averaged[name]) for name in given)
    stored = [len({w.data_ptr() for w in weights.values()}) for weights in (given, averaged)]
    assert stored[0] == stored[1] < len(given)
    average = Trained(trained.data, tmp_path / "average.pt", "")
    for target in ("de", "fr"):
        expected = translations(load(trained, target_lang=target))
        assert translations(load(average, target_lang=target)) == expected


@pytest.mark.slow
def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(prepared_pairs, trained, tmp_path):
    """Stopped in the middle of the first epoch: the same weights, bit for bit."""
    run_forked(train_command(prepared_pairs, tmp_path, 40))
    undisturbed = torch.load(tmp_path / "checkpoint_last.pt")["model"]
    resumed = torch.load(trained.checkpoint)["model"]
    assert [name for name in resumed if not torch.equal(resumed[name], undisturbed[name])] == []


@pytest.mark.parametrize("target", ["de", "fr"])
def test_it_is_packed_for_one_of_its_pairs(trained, tmp_path, target):
    pack(trained.checkpoint, trained.data, tmp_path / "model", target)
    packed = open_model(tmp_path / "model", "cpu")
    assert (packed.source_lang, packed.target_lang) == ("en", target)
    whole = Translator.from_folder(trained.checkpoint, trained.data, "cpu", target_lang=target)
    weights, rounded = (t._hub.models[0].state_dict() for t in (whole, packed))
    assert weights.keys() == rounded.keys()
    assert all(torch.equal(rounded[name], weights[name].half().float()) for name in weights)
    assert all(best.text for (best,) in packed.translate(SENTENCES))
