"""The real commands, from raw text to a score, on a small generated corpus."""

import json
import re

import pytest
import sacrebleu
import torch

from rim_nmt.errors import InputError
from rim_nmt.models.model import RecurrentModel
from rim_nmt.plugin.processor import bfloat16_obstacle
from rim_nmt.runtime.fairseq_commands import USER_DIR, fairseq_command
from rim_nmt.runtime.files import read_lines
from rim_nmt.translation import translator as translator_module
from rim_nmt.translation.averaging import average_checkpoints
from rim_nmt.translation.translator import Translator
from tests.conftest import run_command, run_forked, run_script, train_command

SENTENCES = ["The dog sleeps.", "Anna reads the book because she is happy.", "We see the house."]


@pytest.fixture(scope="module")
def translator(trained) -> Translator:
    return Translator(
        trained.checkpoint, trained.data / "bin", trained.data / "sentencepiece.model"
    )


def bpe(trained) -> list:
    return ["--bpe", "sentencepiece", "--sentencepiece-model", trained.data / "sentencepiece.model"]


def test_training_learns_and_logs_the_use_of_mechanisms(trained):
    losses = [float(loss) for loss in re.findall(r'"loss": "([\d.]+)"', trained.log)]
    assert losses[-1] < 0.75 * losses[0]
    for figure in ("enc_usage", "enc_least", "dec_usage", "dec_least"):
        assert f'"valid_{figure}"' in trained.log


def test_generate_translates_every_sentence(trained):
    """21 sentences: not a multiple of the 8 to which fairseq would cut them."""
    command = fairseq_command(
        "generate", trained.data / "bin", "--user-dir", USER_DIR, "--path", trained.checkpoint,
        "--beam", 2, "--max-len-a", 1.2, "--max-len-b", 10, "--cpu", *bpe(trained),
    )  # fmt: skip
    output = run_command(command).stdout
    numbers = sorted(int(number) for number in re.findall(r"^D-(\d+)\t", output, re.M))
    assert numbers == list(range(21))
    assert "▁" not in "".join(re.findall(r"^D-.*", output, re.M))


def test_interactive_translates_raw_text_as_our_command_does(trained):
    text = "\n".join(SENTENCES) + "\n"
    command = fairseq_command(
        "interactive", trained.data / "bin", "--user-dir", USER_DIR, "--path", trained.checkpoint,
        "--beam", 5, "--max-len-a", 1.2, "--max-len-b", 10, "--source-lang", "en",
        "--target-lang", "de", "--cpu", *bpe(trained),
    )  # fmt: skip
    output = run_forked(command, input=text).stdout
    theirs = re.findall(r"^D-\d+\t([-\d.]+)\t(.*)$", output, re.M)
    ours = run_script(
        "translate", "--checkpoint", trained.checkpoint, "--data", trained.data, input=text
    ).stdout.splitlines()
    assert [translation for _, translation in theirs] == ours
    assert len(ours) == 3


def test_validate_and_hub(trained, translator):
    command = fairseq_command(
        "validate", trained.data / "bin", "--user-dir", USER_DIR, "--task", "translation",
        "--path", trained.checkpoint, "--cpu", "--max-tokens", 400,
    )  # fmt: skip
    run_forked(command)
    hub = RecurrentModel.from_pretrained(
        str(trained.checkpoint.parent),
        trained.checkpoint.name,
        str(trained.data / "bin"),
        user_dir=str(USER_DIR),
        bpe="sentencepiece",
        sentencepiece_model=str(trained.data / "sentencepiece.model"),
    )
    ours = [best.text for (best,) in translator.translate(SENTENCES)]
    assert hub.translate(SENTENCES, beam=5, max_len_a=1.2, max_len_b=10) == ours


def test_score_reports_what_sacrebleu_says(trained, tmp_path, call_script):
    output = call_script(
        "score", "--checkpoint", trained.checkpoint, "--data", trained.data,
        "--test", "test", "transfer", "--out", tmp_path,
    )  # fmt: skip
    for name, count in (("test", 21), ("transfer", 10)):
        report = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        hypotheses = read_lines(tmp_path / f"{name}.hyp")
        references = read_lines(trained.data / "raw" / f"{name}.en-de.de")
        assert len(hypotheses) == len(references) == report["sentences"] == count
        expected = sacrebleu.corpus_bleu(hypotheses, [references]).score
        assert report["BLEU"]["score"] == pytest.approx(expected, abs=0.006)
        assert "tok:13a" in report["BLEU"]["signature"]
        assert report["BLEU"]["signature"] in output


def test_batches_do_not_change_translations(translator, trained, monkeypatch):
    # by the longest sentence of a batch, as otherwise, babbling would be cut at different places
    monkeypatch.setattr(translator_module, "MAX_LENGTH", {"max_len_a": 0, "max_len_b": 25})
    sentences = read_lines(trained.data / "raw" / "test.en-de.en")
    together = list(translator.translate(sentences))
    alone = [next(translator.translate([sentence])) for sentence in sentences]
    for (one,), (other,) in zip(together, alone, strict=True):
        assert one.text == other.text
        assert one.score == pytest.approx(other.score, abs=1e-3)


def test_blank_lines_stay_blank_and_nbest_is_sorted(translator):
    blank, full = translator.translate(["  ", "The dog sleeps."], beam=4, nbest=3)
    assert [translation.text for translation in blank] == [""] * 3
    assert len({translation.text for translation in full}) == 3
    scores = [translation.score for translation in full]
    assert scores == sorted(scores, reverse=True)


@torch.no_grad()
def test_beam_one_is_greedy(translator):
    hub = translator._hub
    for sentence in SENTENCES:
        source = hub.encode(sentence)
        encoded = hub.models[0].encoder(source.unsqueeze(0))
        end, pad = hub.tgt_dict.eos(), hub.tgt_dict.pad()
        tokens = [end]
        while len(tokens) == 1 or (tokens[-1] != end and len(tokens) < 60):
            logits, _ = hub.models[0].decoder(torch.tensor([tokens]), encoded)
            logits = logits[0, -1]
            logits[pad] = -torch.inf
            if len(tokens) == 1 or len(tokens) > 1.2 * len(source) + 10:
                logits[end] = -torch.inf if len(tokens) == 1 else torch.inf
            tokens.append(logits.argmax().item())
        ((best,),) = translator.translate([sentence], beam=1)
        assert best.text == hub.decode(torch.tensor(tokens[1:]))


def test_averages_and_ensembles_of_one_model_are_that_model(trained, translator, tmp_path):
    average_checkpoints([trained.checkpoint], tmp_path / "one.pt")
    average_checkpoints([trained.checkpoint] * 3, tmp_path / "three.pt")
    expected = [best.text for (best,) in translator.translate(SENTENCES)]
    for checkpoint in (
        tmp_path / "one.pt",
        tmp_path / "three.pt",
        f"{trained.checkpoint}:{trained.checkpoint}",
    ):
        other = Translator(checkpoint, trained.data / "bin", trained.data / "sentencepiece.model")
        assert [best.text for (best,) in other.translate(SENTENCES)] == expected
    weights = [torch.load(path)["model"] for path in (trained.checkpoint, tmp_path / "one.pt")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_averaging_is_the_mean_and_refuses_other_models(trained, tmp_path):
    state = torch.load(trained.checkpoint)
    first = {name: weight.clone() for name, weight in state["model"].items()}
    for name, weight in first.items():
        state["model"][name] = weight + 1
    torch.save(state, tmp_path / "plus.pt")
    average_checkpoints([trained.checkpoint, tmp_path / "plus.pt"], tmp_path / "mean.pt")
    mean = torch.load(tmp_path / "mean.pt")["model"]
    for name, weight in first.items():
        torch.testing.assert_close(mean[name], weight + 0.5)
    state["model"].popitem()
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(InputError, match="other weights"):
        average_checkpoints([trained.checkpoint, tmp_path / "other.pt"], tmp_path / "no.pt")
    assert not (tmp_path / "no.pt").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--checkpoint": "missing.pt"}, "no checkpoint at .*missing.pt"),
        ({"--data": "missing"}, "no dictionary in missing/bin"),
        ({"--beam": "0"}, "--beam must be 1 or more, got 0"),
        ({"--nbest": "9"}, "--nbest 9 must be from 1 to --beam 5"),
    ],
)
def test_bad_arguments_are_one_line_and_status_2(trained, change, message, call_script, capsys):
    arguments = {"--checkpoint": trained.checkpoint, "--data": trained.data, **change}
    with pytest.raises(SystemExit) as stop:
        call_script("translate", *(part for pair in arguments.items() for part in pair), input="\n")
    errors = capsys.readouterr().err
    assert stop.value.code == 2
    assert re.search(message, errors)
    assert len(errors.splitlines()) == 1


def test_a_missing_subword_model_is_named(trained, tmp_path):
    with pytest.raises(InputError, match="no SentencePiece model"):
        Translator(trained.checkpoint, trained.data / "bin", tmp_path / "missing.model")


def test_a_file_that_is_no_checkpoint_is_named(trained, tmp_path):
    (tmp_path / "no.pt").write_text("hello", encoding="utf-8")
    with pytest.raises(InputError, match=r"no\.pt cannot be loaded"):
        Translator(tmp_path / "no.pt", trained.data / "bin", trained.data / "sentencepiece.model")


def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(prepared, trained, tmp_path):
    """Stopped in the middle of an epoch and started again: the same weights, bit for bit."""
    often = ("--save-interval-updates", 25)
    run_forked(train_command(prepared, tmp_path, "--max-update", 30, *often))
    done = run_forked(train_command(prepared, tmp_path, "--max-update", 100, *often))
    assert "Loaded checkpoint" in done.stdout + done.stderr
    resumed = torch.load(tmp_path / "checkpoint_last.pt")["model"]
    undisturbed = torch.load(trained.checkpoint)["model"]
    different = [name for name in resumed if not torch.equal(resumed[name], undisturbed[name])]
    assert different == []


def test_amp_on_a_processor_trains_or_says_why_not(prepared, tmp_path):
    command = train_command(prepared, tmp_path, "--max-update", 2, "--amp")
    done = run_forked(command, check=False)
    obstacle = bfloat16_obstacle()
    if obstacle is None:
        assert done.returncode == 0
    else:
        assert done.returncode == 1
        assert f"{obstacle}: leave --amp away" in done.stderr.splitlines()[-1]
    assert (tmp_path / "checkpoint_last.pt").exists() == (obstacle is None)
