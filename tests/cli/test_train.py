"""`rim-nmt train`: the command that it makes of its arguments, and a training from end to end."""

import shlex
import shutil

import pytest

from rim_nmt.cli.main import main
from rim_nmt.runtime.files import read_lines, write_lines
from tests.conftest import SMALL, forked_commands


@pytest.fixture
def command_of(capsys):
    """The command of a dry run."""

    def call(*arguments) -> list[str]:
        main(["train", *(str(argument) for argument in arguments), "--dry-run", "--device", "cpu"])
        return shlex.split(capsys.readouterr().out)

    return call


def value(flag: str, command: list[str]) -> str:
    assert command.count(flag) == 1, flag
    return command[command.index(flag) + 1]


def test_one_pair_is_found_in_the_folder(command_of, looks_prepared):
    data = looks_prepared("de-nl")
    command = command_of(data)
    assert str(data / "bin") in command and "--cpu" in command
    assert (value("--source-lang", command), value("--target-lang", command)) == ("de", "nl")
    assert value("--arch", command) == "rim_tiny"
    assert value("--user-dir", command).endswith("user_dir")
    assert value("--save-dir", command) == "runs/data/rim-tiny"
    assert not (data / "runs").exists()


def test_several_pairs_are_trained_together_or_one_is_chosen(command_of, looks_prepared, refused):
    data = looks_prepared("en-de", "en-fr")
    command = command_of(data, "--model", "lstm", "--size", "iwslt")
    assert value("--task", command) == "multilingual_translation"
    assert value("--lang-pairs", command) == "en-de,en-fr"
    assert value("--arch", command) == "multilingual_lstm_iwslt_en_de"
    assert "--source-lang" not in command
    command = command_of(data, "--pairs", "en-fr")
    assert value("--target-lang", command) == "fr" and value("--arch", command) == "rim_tiny"
    assert "several pairs" in refused("train", data, "--target-lang", "fr")
    assert "en-nl: " in refused("train", data, "--pairs", "en-nl")
    assert "for one language pair" in refused("train", data, "--model", "fairseq-lstm")


def test_flags_of_fairseq_replace_the_defaults(command_of, looks_prepared):
    data = looks_prepared("en-de")
    command = command_of(
        data, "--lr", 0.5, "--max-update=50", "--clip-norm", -1, "--num-active", 2, "--cpu"
    )
    assert value("--lr", command) == "0.5" and command.count("--cpu") == 1
    assert value("--clip-norm", command) == "-1" and value("--num-active", command) == "2"
    assert "--max-update=50" in command and "--max-update" not in command
    assert value("--warmup-updates", command) == value("--save-interval-updates", command) == "5"


@pytest.mark.parametrize("option", ["--out", "--save-dir"])
def test_the_folder_of_the_checkpoints(command_of, looks_prepared, option):
    assert value("--save-dir", command_of(looks_prepared("en-de"), option, "here")) == "here"


def test_what_cannot_be_trained_on_is_named(refused, looks_prepared, tmp_path):
    data = looks_prepared("en-de")
    assert f"give {data}" in refused("train", data / "bin")
    assert "DATA before the flags" in refused("train", "--lr", "0.1", data)
    assert "is no prepared folder" in refused("train", tmp_path)
    assert "expected cpu or cuda" in refused("train", data, "--device", "tpu")
    (data / "bin" / "train.en-de.en.idx").unlink()
    assert "no training text for en-de" in refused("train", data)


def test_every_flag_is_listed_on_request(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "--help-all"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    for flag in ("--num-mechanisms", "--comm-heads", "--update-freq", "--clip-norm"):
        assert f"  {flag} " in text
    assert "mechanisms K in a RIM layer" in text


def test_it_trains_goes_on_and_says_how_to_translate(prepared, tmp_path, call_script, refused):
    out = tmp_path / "out"
    common = ["train", prepared, "--out", out, "--device", "cpu", *SMALL, "--num-workers", 0]
    common += ["--validate-interval-updates", 3, "--save-interval-updates", 3]
    said = call_script(*common, "--max-update", 6)
    shown = [line.removeprefix("$ ") for line in said.splitlines() if line.startswith("$ ")]
    assert len(shown) == 2 and "--max-update 6" in shown[0]
    assert said.count("valid perplexity") == 2
    assert (out / "train.log").read_text(encoding="utf-8").startswith(f"$ {shown[0]}\n")

    best = out / "checkpoint_best.pt"
    assert f"best checkpoint: {best}" in said
    words = shlex.split(shown[1])
    assert words[1:4] == ["-m", "rim_nmt", "translate"] and str(best) in words
    translation = call_script(*words[3:], "--beam", 1, input="The dog sleeps.\n")
    assert translation.count("\n") == 1

    other = tmp_path / "other"  # as many words, other words
    shutil.copytree(prepared, other)
    dictionary = other / "bin/dict.de.txt"
    first, second, *rest = read_lines(dictionary)
    write_lines(dictionary, [second, first, *rest])
    refusal = f"{dictionary} is not what {out} was trained with"
    assert refusal in refused("translate", "--checkpoint", out, "--data", other)
    assert refusal in refused("train", other, "--out", out, "--device", "cpu", *SMALL)

    modified = best.stat().st_mtime_ns
    assert "trained already" in call_script(*common, "--max-update", 6)
    assert best.stat().st_mtime_ns == modified
    assert call_script(*common, "--max-update", 6, "--quiet") == f"{best}\n"
    with forked_commands():
        said = call_script(*common, "--max-update", 7, "--verbose")
    assert f"going on from {out / 'checkpoint_last.pt'}" in said
    assert "valid perplexity" not in said  # that is for fairseq's own log to say
    assert "Loaded checkpoint" in (out / "train.log").read_text(encoding="utf-8")
