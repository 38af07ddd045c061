"""A model as one folder: packed, opened, and refused where it is not whole."""

import pytest
import torch

from rim_nmt.errors import InputError
from rim_nmt.translation.model_folder import open_model, pack
from tests.conftest import OLD_CHECKPOINT

SENTENCES = ["Our father begins to read a newspaper.", "The dog sleeps."]


@pytest.fixture
def packed(old_prepared, tmp_path):
    pack(OLD_CHECKPOINT, old_prepared, tmp_path / "model")
    return tmp_path / "model"


def test_a_packed_model_translates_as_before(packed, old_checkpoint):
    translator = open_model(packed)
    assert (translator.source_lang, translator.target_lang) == ("en", "de")
    for (ours,), (before,) in zip(
        translator.translate(SENTENCES), old_checkpoint().translate(SENTENCES), strict=True
    ):
        assert ours.text == before.text
        assert ours.score == pytest.approx(before.score, abs=0.01)


def test_it_is_half_as_large_and_says_nothing_of_where_it_was_made(packed):
    assert (packed / "model.pt").stat().st_size < 0.6 * OLD_CHECKPOINT.stat().st_size
    state = torch.load(packed / "model.pt", weights_only=False)
    assert {weight.dtype for weight in state["model"].values()} == {torch.float16}
    settings = state["cfg"]
    assert settings["task"]["data"] == "" and settings["common"]["user_dir"] is None
    assert settings["checkpoint"]["save_dir"] == "checkpoints"
    assert sorted(path.name for path in packed.iterdir()) == [
        "dict.de.txt",
        "dict.en.txt",
        "model.json",
        "model.pt",
        "sentencepiece.model",
    ]


def test_what_names_share_is_stored_once_also_after_a_gpu(packed, old_prepared, tmp_path):
    state = torch.load(OLD_CHECKPOINT, weights_only=False)
    # fairseq copies each name's weights from a GPU by themselves
    state["model"] = {name: weight.clone() for name, weight in state["model"].items()}
    torch.save(state, tmp_path / "from-gpu.pt")
    pack(tmp_path / "from-gpu.pt", old_prepared, tmp_path / "other")
    sizes = [(folder / "model.pt").stat().st_size for folder in (packed, tmp_path / "other")]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.01)


def test_a_folder_that_is_there_is_left_alone(packed, old_prepared):
    before = {path: path.read_bytes() for path in packed.iterdir()}
    with pytest.raises(InputError, match="is there already"):
        pack(OLD_CHECKPOINT, old_prepared, packed)
    assert {path: path.read_bytes() for path in packed.iterdir()} == before


def test_weights_that_do_not_fit_are_refused_and_nothing_is_left(old_prepared, tmp_path):
    state = torch.load(OLD_CHECKPOINT, weights_only=False)
    name, weight = next(iter(state["model"].items()))
    weight[0, 0] = 1e6
    torch.save(state, tmp_path / "large.pt")
    with pytest.raises(InputError, match=f"{name} has numbers that float16 cannot hold"):
        pack(tmp_path / "large.pt", old_prepared, tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["large.pt"]


@pytest.mark.parametrize("name", ["model.pt", "dict.en.txt", "sentencepiece.model"])
def test_changed_and_missing_files_are_refused(packed, name):
    path = packed / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{name} is not what model.json says"):
        open_model(packed)
    path.unlink()
    with pytest.raises(InputError, match=f"{name} is missing"):
        open_model(packed)


def test_another_folder_is_no_model(tmp_path):
    with pytest.raises(InputError, match="no model folder"):
        open_model(tmp_path)
