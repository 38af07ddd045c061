"""`rim-nmt translate`: files and pipes, formats, and what goes wrong."""

import io
import json
import shutil
import sys

import pytest

from rim_nmt.cli.main import main
from tests.conftest import OLD_CHECKPOINT

TEXT = "Our father begins to read a newspaper.  The dog sleeps.\n\nTomorrow the woman will sing.\n"


@pytest.fixture
def translate(call_script, model_folder):
    def call(*arguments, input: str = "") -> str:
        return call_script("translate", "--model", model_folder, *arguments, input=input)

    return call


def test_a_pipe_and_a_file_give_the_same(translate, tmp_path):
    (tmp_path / "text.en").write_text(TEXT, encoding="utf-8")
    piped = translate(input=TEXT)
    assert piped.count("\n") == 3 and "\n\n" in piped and ".  " in piped
    out = tmp_path / "text.de"
    assert translate("--input", tmp_path / "text.en", "--output", out) == ""
    assert out.read_text(encoding="utf-8") == piped
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.de", "text.en"]


def test_the_input_is_not_replaced_by_its_translation(refused, tmp_path):
    text = tmp_path / "text.en"
    text.write_text(TEXT, encoding="utf-8")
    (tmp_path / "link").symlink_to(text)
    for output in (text, tmp_path / "link"):
        assert "is --input" in refused("translate", "--input", text, "--output", output)
    assert text.read_text(encoding="utf-8") == TEXT


def test_without_splitting_a_line_is_one_sentence(translate):
    split, whole = (translate(*flags, input=TEXT).splitlines()[0] for flags in ([], ["--no-split"]))
    assert split != whole and "  " not in whole


def test_n_best_lines_are_numbered(translate):
    rows = [row.split("\t") for row in translate("--nbest", 2, input=TEXT).splitlines()]
    assert [row[0] for row in rows] == ["1", "1", "2", "2", "3", "3"]
    assert float(rows[0][1]) >= float(rows[1][1])


def test_tables_and_json_lines(translate):
    plain = translate(input=TEXT).splitlines()
    header, *rows = translate("--format", "tsv", "--alignment", input=TEXT).splitlines()
    assert header.split("\t")[0] == "line"
    assert [row.split("\t")[4] for row in rows] == plain
    lines = [json.loads(row) for row in translate("--format", "jsonl", input=TEXT).splitlines()]
    assert [line["translation"] for line in lines] == plain
    assert [line["source"] for line in lines] == TEXT.splitlines()


def test_a_stop_keeps_what_is_finished(translate, tmp_path, monkeypatch, capsys):
    def stops(*_, **__):
        yield from list(whole(*_, **__))[:2]
        raise KeyboardInterrupt

    from rim_nmt.translation import stream

    whole = stream.translate_stream
    monkeypatch.setattr(stream, "translate_stream", stops)
    (tmp_path / "text.en").write_text(TEXT, encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        translate("--input", tmp_path / "text.en", "--output", tmp_path / "text.de")
    assert stop.value.code == 130
    assert not (tmp_path / "text.de").exists()
    assert (tmp_path / "text.de.unfinished").read_text(encoding="utf-8").count("\n") == 2
    assert "holds the 2 lines that are finished" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "nowhere.en"], "--input nowhere.en does not exist"),
        (["--nbest", "6"], "--nbest 6 must be from 1 to --beam 5"),
        (["--checkpoint", "x.pt"], "which model?"),
        (["--disable", "decoder.1"], "expected LAYER:NUMBER"),
        (["--strict"], "line 2 of the input has a sentence of"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(translate, capsys, arguments, message):
    long = "A dog.\n" + "dog " * 1100 + "\n"
    with pytest.raises(SystemExit) as stop:
        translate(*arguments, input=long if arguments == ["--strict"] else TEXT)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ["--checkpoint", "x"],
        ["--data", "x"],
        ["--model", "x", "--checkpoint", "x", "--data", "x"],
    ],
)
def test_a_model_must_be_named(call_script, capsys, wrong):
    with pytest.raises(SystemExit):
        call_script("translate", *wrong, input=TEXT)
    assert "Give --model MODEL, or --checkpoint FILE and --data FOLDER" in capsys.readouterr().err


def test_languages_that_the_model_does_not_have_are_refused(translate, capsys):
    assert translate("--target-lang", "de", input="A dog.\n")
    with pytest.raises(SystemExit):
        translate("--target-lang", "fr", input=TEXT)
    assert "translates from en to de" in capsys.readouterr().err


def test_the_folder_of_a_training_stands_for_its_best_checkpoint(
    translate, call_script, old_prepared, tmp_path
):
    shutil.copyfile(OLD_CHECKPOINT, tmp_path / "checkpoint_best.pt")
    given = ("--checkpoint", tmp_path, "--data", old_prepared)
    assert call_script("translate", *given, input=TEXT) == translate(input=TEXT)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("quiet", [True, False])
def test_a_prompt_on_a_terminal(translate, model_folder, monkeypatch, capsys, quiet):
    sentences = ["Tomorrow the woman will sing.", "The dog sleeps."]
    first, second = translate(input="\n".join(sentences)).splitlines()
    monkeypatch.setattr(sys, "stdin", Terminal(f"{sentences[0]}\n\n{sentences[1]}\n"))
    main(["translate", "--model", str(model_folder), *(["--quiet"] if quiet else [])])
    greeting = "" if quiet else "Type a sentence to translate it (en to de); Ctrl-D ends.\n"
    assert capsys.readouterr().out == f"{greeting}> {first}\n> > {second}\n> \n"


def test_a_closed_input_is_named(refused, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input is closed" in refused("translate", "--model", "m")
