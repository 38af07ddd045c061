"""What is wrong with a checkpoint, a dictionary or a subword model is one clear line."""

import re
from pathlib import Path

import pytest
import torch

from rim_nmt.errors import InputError
from rim_nmt.translation.averaging import average_checkpoints
from rim_nmt.translation.translator import Translator
from tests.plugin.small_checkpoints import Files, as_arguments, make_files


@pytest.fixture
def files(tmp_path) -> Files:
    return make_files(tmp_path)


def refused(load, message: str) -> None:
    """It ends with one line that says this."""
    with pytest.raises(InputError) as caught:
        load()
    assert re.search(message, str(caught.value)), str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def translate(files: Files, path: Path):
    return lambda: Translator(path, files.data, files.subwords, device="cpu")


def average(path: Path):
    return lambda: average_checkpoints([path], path.with_name("average.pt"))


NOTHING = "expected the entries model and cfg"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], f"{NOTHING}.*got a list"),
        (torch.ones(3), f"{NOTHING}.*got a Tensor"),
        ("text", f"{NOTHING}.*got a str"),
        ({}, f"{NOTHING}.*got nothing"),
        ({"net": {}, "epoch": 3}, f"{NOTHING}.*got net, epoch"),
        ({"model": {"w": torch.ones(2)}}, f"{NOTHING}.*got model"),
        ({"cfg": {}, "epoch": 3}, f"{NOTHING}.*got cfg, epoch"),
        ({"cfg": {}, "model": [torch.ones(2)]}, "its model is a list, expected named weights"),
        ({"cfg": {}, "model": {"w": 1.5}}, "its model has a float named 'w', expected named"),
        ({"cfg": {}, "model": {3: torch.ones(2)}}, "its model has a Tensor named 3"),
        ({"cfg": "text", "model": {"w": torch.ones(2)}}, "its configuration is a str"),
        ({"cfg": {"a": torch.ones(2)}, "model": {}}, "configuration has a Tensor as a"),
    ],
)
def test_what_is_no_checkpoint_is_refused_by_all(files, content, message, tmp_path):
    path = files.save(tmp_path / "foreign.pt", content)
    for load in (translate(files, path), average(path)):
        refused(load, f"foreign.pt cannot be loaded: .*{message}")
    assert not (tmp_path / "average.pt").exists()


def test_a_text_file_is_no_checkpoint(files, tmp_path):
    (tmp_path / "text.pt").write_text("hello\n")
    for load in (translate(files, tmp_path / "text.pt"), average(tmp_path / "text.pt")):
        refused(load, r"text.pt cannot be loaded: it is no checkpoint: torch.save did not write it")


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_weights_that_are_no_numbers_are_named(files, value, tmp_path):
    name = "encoder.embed_tokens.weight"
    files.state["model"][name][5, 2] = value
    path = files.save(tmp_path / "broken.pt")
    numbers = files.state["model"][name].numel()
    for load in (translate(files, path), average(path)):
        refused(load, f"broken.pt: 1 of the {numbers} numbers in the weight {name} are NaN or inf")


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.arange(3), "has no weights in floating point"),
        (torch.ones(2, dtype=torch.complex64), "has no weights in floating point"),
    ],
)
def test_only_weights_in_floating_point_are_averaged(weight, message, files, tmp_path):
    files.state["model"] = {"w": weight}
    refused(average(files.save(tmp_path / "whole.pt")), f"whole.pt {message}")
    files.state["model"]["v"] = torch.ones(2)
    path = files.save(tmp_path / "mixed.pt")
    if weight.is_complex():
        refused(average(path), "mixed.pt: the weight w is torch.complex64, expected real numbers")
    else:  # what counts something is kept
        average(path)()
        assert torch.equal(torch.load(tmp_path / "average.pt")["model"]["w"], weight)


def test_where_an_average_cannot_be_written_is_found_before_the_work(files, tmp_path):
    missing = tmp_path / "missing.pt"  # would be the next error
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for out, message in (
        (tmp_path / "file" / "out.pt", "file/out.pt cannot be written: "),
        (tmp_path / "folder", "folder cannot be written: .*folder"),
        (tmp_path / ("x" * 300), "cannot be written: "),
    ):
        refused(lambda out=out: average_checkpoints([missing], out), message)
    refused(lambda: average_checkpoints([missing], tmp_path / "out.pt"), "no checkpoint at .*mis")
    assert not (tmp_path / "out.pt").exists()


def test_a_full_disk_is_one_line_and_leaves_nothing(files, tmp_path, monkeypatch):
    path = files.save(tmp_path / "whole.pt")

    def full(*_):
        raise RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/1")

    monkeypatch.setattr("torch.save", full)
    refused(average(path), "average.pt cannot be written: .*failed writing")
    assert not (tmp_path / "average.pt").exists()


def test_averages_of_shared_weights_stay_shared(files, tmp_path):
    paths = []
    for number in range(2):
        shared = torch.full((100, 100), float(number))
        files.state["model"] = {"a": shared, "b": shared, "t": shared.t(), "c": shared.clone()}
        paths.append(files.save(tmp_path / f"{number}.pt"))
    average_checkpoints(paths, tmp_path / "average.pt")
    mean = torch.load(tmp_path / "average.pt")["model"]
    assert mean["a"].data_ptr() == mean["b"].data_ptr() != mean["c"].data_ptr()
    assert all((weight == 0.5).all() for weight in mean.values())


def change(files: Files, group: str, **settings) -> None:
    files.state["cfg"][group] |= settings


def test_tasks_and_architectures_that_are_not_there_are_named(files, tmp_path):
    change(files, "model", _name="no_such_arch")
    path = files.save(tmp_path / "arch.pt")
    refused(translate(files, path), "architecture 'no_such_arch', which neither fairseq nor this")
    path = files.save(tmp_path / "arguments.pt", as_arguments(files.state))
    Translator(path, files.data, files.subwords, device="cpu")
    change(files, "model", _name={"a": 1})
    refused(translate(files, files.save(path)), "architecture .*'a': 1.*, which neither")
    change(files, "task", _name="language_modeling")
    path = files.save(tmp_path / "task.pt")
    refused(translate(files, path), "is for the task language_modeling, expected translation or")


@pytest.mark.parametrize(("side", "language"), [("source", "en"), ("target", "de")])
def test_dictionaries_of_another_size_are_named_with_both_sizes(files, side, language, tmp_path):
    path = files.save(tmp_path / "checkpoint.pt")
    dictionary = files.data / f"dict.{language}.txt"
    dictionary.write_text(dictionary.read_text() + "more 1\nand_more 1\n")
    refused(
        translate(files, path),
        f"was trained with 33 entries in the {side} dictionary, but .*{dictionary.name} has 35",
    )


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"one\n", b"a 1\na 1\n", b"a b\n", b"\0" * 100, b"a 1 \n\n"]
)
def test_a_broken_dictionary_is_named(files, content, tmp_path):
    path = files.save(tmp_path / "checkpoint.pt")
    (files.data / "dict.de.txt").write_bytes(content)
    refused(translate(files, path), r"dict.de.txt is no dictionary, expected lines of a piece and")


@pytest.mark.parametrize("content", [b"", b"hello\n", None])
def test_a_broken_subword_model_is_named(files, content, tmp_path):
    path = files.save(tmp_path / "checkpoint.pt")
    whole = files.subwords.read_bytes()
    files.subwords.write_bytes(whole[: len(whole) // 2] if content is None else content)
    refused(translate(files, path), r"sentencepiece.model is no SentencePiece model: ")


@pytest.mark.parametrize(
    "entry",
    [
        *("optimizer_history", "extra_state", "cfg.task", "cfg.model", "cfg.generation"),
        *("cfg.task.source_lang", "cfg.task._name", "cfg.model.encoder_layers"),
    ],
)
@pytest.mark.parametrize("value", [None, 3, "text", [], {}])
def test_entries_of_another_kind_end_with_one_line_or_do_not_matter(files, entry, value, tmp_path):
    *above, name = entry.split(".")
    part = files.state
    for step in above:
        part = part[step]
    part[name] = value
    path = files.save(tmp_path / "checkpoint.pt")
    if (entry, value) == ("extra_state", {}):
        translate(files, path)()
    else:
        refused(translate(files, path), "checkpoint.pt")
