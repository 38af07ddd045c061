"""`rim-nmt inspect`: a sentence, a text, and files of both."""

import json

import pytest

SENTENCE = "Our father begins to read a newspaper."


@pytest.fixture
def inspect(call_script, model_folder):
    def call(*arguments) -> str:
        return call_script("inspect", "--model", model_folder, *arguments)

    return call


def test_a_sentence_is_shown_and_written(inspect, tmp_path):
    shown = inspect(
        SENTENCE, "--json", tmp_path / "a.json", "--picture", tmp_path / "a.png"
    )  # fmt: skip
    about = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert about["translation"] in shown
    assert all(layer["name"] in shown for layer in about["encoder"] + about["decoder"])
    assert len(about["encoder"][0]["active"]) == len(about["source"])
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_mechanism_that_sleeps_is_never_active(inspect, tmp_path):
    inspect("--disable", "decoder.1:0", SENTENCE, "--json", tmp_path / "a.json")
    about = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert not any(active[0] for active in about["decoder"][1]["active"])


def test_a_text_gives_statistics(inspect, tmp_path):
    pytest.importorskip("HanTa", reason="the tagger is an extra")
    for name, lines in (
        ("en", [SENTENCE, "", "The dog sleeps."]),
        ("de", ["Er liest.", "", "Ja."]),
    ):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    shown = inspect(
        *("--test", tmp_path / "en", "--reference", tmp_path / "de", "--json", tmp_path / "a.json")
    )
    layers = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["layers"]
    assert [layer["name"] for layer in layers] == [
        *("encoder.forward", "encoder.backward", "encoder.1", "decoder.0", "decoder.1")
    ]
    assert all(f"{layer['name']}: word class and active set share" in shown for layer in layers)
    assert layers[0]["tokens"] == 12 and layers[-1]["tokens"] == 5
    assert layers[0]["by_class"]["punctuation"][0] == 2


def test_what_each_mechanism_is_worth(inspect, tmp_path):
    shown = inspect("--beam", 1, SENTENCE).splitlines()[0]
    for name, line in (("en", SENTENCE), ("de", shown)):
        (tmp_path / name).write_text(f"{line}\n", encoding="utf-8")
    text = ("--test", tmp_path / "en", "--reference", tmp_path / "de")
    files = ("--json", tmp_path / "a.json", "--picture", tmp_path / "a.png")
    assert "decoder.1" in inspect(*text, "--knock-outs", "--beam", 1, *files)
    found = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert found["bleu"] == 100 and found["sentences"] == 1
    names = [each["mechanism"] for each in found["knock_outs"]]
    assert names[0] == "encoder.forward:0" and names[-1] == "decoder.1:2" and len(names) == 15
    assert any(each["lost"] > 0 and each["changed"] == 1 for each in found["knock_outs"])
    assert all(each["lost"] == round(100 - each["bleu"], 2) for each in found["knock_outs"])
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a sentence"),
        ([SENTENCE, "--test", "x"], "give a sentence"),
        ([SENTENCE, "--reference", "x"], "--reference goes with --test FILE"),
        (["--test", "x", "--picture", "y"], "--picture goes with a sentence"),
        ([SENTENCE, "--picture", "y.pdf"], "--picture y.pdf: expected a name that ends in .png"),
        (["--test", "nowhere"], "nowhere does not exist"),
        ([SENTENCE, "--knock-outs"], "--knock-outs goes with --test FILE"),
        (["--test", "x", "--knock-outs"], "--knock-outs needs --reference"),
        ([" "], "it is blank"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(inspect, capsys, arguments, message):
    with pytest.raises(SystemExit) as stop:
        inspect(*arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
