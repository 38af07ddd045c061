"""Checkpoints load with torch's protection on, code hidden in one does not run, and none takes far
more memory than its size."""

import argparse
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from fairseq import checkpoint_utils
from fairseq.modules import SinusoidalPositionalEmbedding

import rim_nmt.plugin.register  # noqa: F401
from rim_nmt.errors import InputError
from rim_nmt.plugin import checkpoint_safety
from rim_nmt.plugin.checkpoint_outline import CheckpointError
from rim_nmt.runtime.fairseq_commands import USER_DIR, fairseq_command
from rim_nmt.translation.averaging import average_checkpoints
from rim_nmt.translation.translator import Translator
from tests.conftest import run_command
from tests.plugin.checkpoint_fuzz import Payload, rewrite
from tests.plugin.small_checkpoints import Files, as_arguments, make_files


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Files:
    return make_files(tmp_path_factory.mktemp("small"))


class Call:
    """Is unpickled as a call, with a state that is set afterwards."""

    def __init__(self, function, *arguments, state=None):
        self.how = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.how


def stored(content=None, **entries) -> dict:
    """A checkpoint with one more entry."""
    return {
        "model": {"w": torch.ones(2)},
        "cfg": {},
        "args": None,
        "extra_state": content,
    } | entries


def both_load(path: Path) -> tuple:
    """What torch and what we read."""
    return torch.load(path, weights_only=True)["extra_state"], checkpoint_safety.load(path)[
        "extra_state"
    ]


def test_what_fairseq_stores_can_be_loaded(tmp_path):
    content = {
        "args": argparse.Namespace(arch="rim"),
        "extra_state": {
            "best": np.float64(3.5),
            "history": np.arange(4),
            "flags": np.array([True]),
        },
        "model": {"w": torch.ones(2)},
    }
    torch.save(content, tmp_path / "checkpoint.pt")
    loaded = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert loaded["extra_state"]["best"] == 3.5
    assert loaded["extra_state"]["history"].tolist() == [0, 1, 2, 3]


def test_a_foreign_callable_is_refused_and_does_not_run(tmp_path):
    mark = tmp_path / "the payload ran"
    torch.save({"model": {}, "args": None, "cfg": Payload(mark)}, tmp_path / "crafted.pt")
    with pytest.raises(pickle.UnpicklingError, match="mkdir"):
        checkpoint_utils.load_checkpoint_to_cpu(str(tmp_path / "crafted.pt"))
    assert not mark.exists()
    # the file is what it claims to be: without the protection the payload runs
    torch.load(tmp_path / "crafted.pt", weights_only=False)
    assert mark.exists()


NUMBERS = [
    *(np.float64(3.5), np.float32(-1), np.int64(7), np.bool_(True), np.uint8(3)),
    *(np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3))),
    *(np.array([True, False]), np.array(5), np.arange(3, dtype=">i4"), np.float16([1, np.nan])),
]


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
@pytest.mark.parametrize("place", [b"numpy._core.multiarray", b"numpy.core.multiarray"])
def test_numpy_numbers_of_both_versions_are_what_they_were(value, place, tmp_path):
    written = io.BytesIO()
    torch.save(stored(value), written)
    renamed = rewrite(
        written.getvalue(),
        "data.pkl",
        lambda content: content.replace(b"numpy._core.multiarray", place),
    )
    assert place in renamed or place == b"numpy._core.multiarray"
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(renamed)
    for loaded in both_load(path):
        assert loaded.dtype == value.dtype.newbyteorder("=")  # numpy swaps bytes where needed
        np.testing.assert_array_equal(loaded, value)
        assert loaded.flags.f_contiguous == value.flags.f_contiguous
        # and goes into the next checkpoint as numpy's own
        torch.save(stored(loaded), tmp_path / "again.pt")
        np.testing.assert_array_equal(both_load(tmp_path / "again.pt")[1], value)
        assert b"rim_nmt" not in (tmp_path / "again.pt").read_bytes()


_reconstruct = np._core.multiarray._reconstruct
_scalar = np._core.multiarray.scalar
FLOAT = np.dtype("f8")
FLOAT_STATE = (3, "<", None, None, None, -1, -1, 0)
ATTACKS = {
    "an array of pointers": Call(np.ndarray, (1,), "O", b"A" * 8),
    "what was in memory": Call(np.ndarray, (1000,)),
    "a type of objects": Call(np.dtype, "O", False, True),
    "a type of fields": Call(np.dtype, [("a", "O")], False, True),
    "a long type": Call(np.dtype, "V1000000", False, True),
    "a float that has objects": Call(
        np.dtype, "f8", False, True, state=(3, "<", None, ("a",), {"a": (FLOAT, 0)}, 8, 8, 63)
    ),
    "a float of subarrays": Call(
        np.dtype, "f8", False, True, state=(3, "<", (FLOAT, (9,)), None, None, 72, 8, 0)
    ),
    "a number that is an object": Call(_scalar, np.dtype("O"), b"A" * 8),
    "a number of no type": Call(_scalar, "f8", b"A" * 8),
    "a number that is too short": Call(_scalar, FLOAT, b"A" * 7),
    "a number without content": Call(_scalar, FLOAT),
    "an array that is too short": Call(
        _reconstruct, np.ndarray, (0,), b"b", state=(1, (9,), FLOAT, False, b"A" * 8)
    ),
    "an array of negative size": Call(
        _reconstruct, np.ndarray, (0,), b"b", state=(1, (-1, -1), FLOAT, False, b"A" * 8)
    ),
    "an array of a list of objects": Call(
        _reconstruct, np.ndarray, (0,), b"b", state=(1, (1,), np.dtype("O"), False, ["x"])
    ),
    "an array of a list of numbers": Call(
        _reconstruct, np.ndarray, (0,), b"b", state=(1, (1,), FLOAT, False, [1.0])
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_numpy_is_not_called_in_other_ways_than_it_is_meant(attack, tmp_path):
    path = tmp_path / "crafted.pt"
    torch.save(stored([ATTACKS[attack]]), path)
    for load in (lambda: torch.load(path, weights_only=True), lambda: checkpoint_safety.load(path)):
        with pytest.raises((pickle.UnpicklingError, TypeError, ValueError)):
            load()


def test_numpys_own_names_cannot_be_called(tmp_path):
    """`np.ndarray` is named where an array is rebuilt; calling it gives an empty array at most."""
    torch.save(stored(Call(np.ndarray)), tmp_path / "crafted.pt")
    with pytest.raises(TypeError):
        np.ndarray()
    assert torch.load(tmp_path / "crafted.pt", weights_only=True)["extra_state"].size == 0


def tensor(numel: int, shape: tuple, stride: tuple, offset: int = 0) -> Call:
    storage = torch.zeros(numel).storage()
    return Call(
        torch._utils._rebuild_tensor_v2, storage, offset, shape, stride, False, OrderedDict()
    )


def many_calls() -> dict:
    """A hundred thousand times the same long text, as bytes: 10 GB from 1 MB."""
    import _codecs

    text = "A" * 100_000
    return {number: Call(_codecs.encode, text, "latin1") for number in range(100_000)}


def nested(value, times: int):
    for _ in range(times):
        value = [value, value]
    return value


MANY = torch.ones(10_000)
ENDLESS: dict = {}
ENDLESS["again"] = ENDLESS
BOMBS = {
    "larger than its numbers": (stored(tensor(4, (10**9,), (1,))), "larger than its part"),
    "beyond its numbers": (stored(tensor(4, (2,), (1,), offset=3)), "larger than its part"),
    "one number repeated": (stored(torch.ones(1).expand(10**6, 10**6)), "larger than its part"),
    "of negative size": (stored(tensor(4, (-1,), (1,))), "tensor of another kind"),
    "many views": (stored([MANY[n:] for n in range(100)]), "far more than its"),
    "a tensor by its size": (stored(Call(torch.FloatTensor, 10**9)), "FloatTensor"),
    "bytes by their number": (stored(Call(bytearray, 10**9)), "bytearray"),
    "many calls": (stored(many_calls()), "unpacks to far more"),
    "another codec": (
        stored(Call(__import__("_codecs").encode, "x", "idna")),
        "bytes in another encoding",
    ),
    "settings without end": (stored(cfg={"task": ENDLESS}), "has no end"),
    "settings that double": (stored(cfg={"task": nested("x", 45)}), "has no end"),
    "settings that refer": (stored(cfg={"task": {"data": "${oc.env:HOME}"}}), "refers to"),
    "too many layers": (stored(cfg={"model": {"encoder_layers": 10**9}}), "encoder_layers="),
    "a changed class": (
        stored(Call(argparse.Namespace, state=(None, {"x": 1}))),
        "changes what it holds",
    ),
}


@pytest.mark.parametrize("new_format", [True, False])
@pytest.mark.parametrize("bomb", BOMBS)
def test_what_needs_more_memory_than_its_size_is_refused_before(bomb, new_format, tmp_path):
    path = tmp_path / "bomb.pt"
    content, message = BOMBS[bomb]
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    assert path.stat().st_size < 4_000_000
    with pytest.raises(InputError, match=message):
        checkpoint_utils.load_checkpoint_to_cpu(str(path))


def packed(data: bytes) -> bytes:
    return rewrite(data, "data/0", lambda _: bytes(10**7), zipfile.ZIP_DEFLATED)


def overlapping(data: bytes) -> bytes:
    """Every part at the place of the first one, which is long."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, bytes(10**6) if entry.endswith("data/0") else old.read(entry))
        first = new.getinfo(next(name for name in new.namelist() if name.endswith("data/0")))
        for number in range(1, 50):
            copy = zipfile.ZipInfo(first.filename.removesuffix("0") + str(number))
            for name in ("header_offset", "CRC", "compress_size", "file_size"):
                setattr(copy, name, getattr(first, name))
            new.filelist.append(copy)
    return result.getvalue()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (packed, "is packed"),
        (overlapping, "claims to hold more"),
        (lambda data: rewrite(data, "data/0", lambda _: bytes(3)), "part 0 should have"),
        (lambda data: rewrite(data, "data.pkl", lambda _: b""), "damaged or no checkpoint"),
        (lambda data: data[:-30], "damaged or no checkpoint"),
        (lambda data: rewrite(data, "/data.pkl", lambda text: text)[:4] + b"x", "damaged"),
        (lambda data: b"", "the file is empty"),
        (lambda data: b"hello\n", "torch.save did not write it"),
    ],
)
def test_files_that_are_not_as_torch_writes_them_are_refused(files, change, message, tmp_path):
    path = files.save(tmp_path / "bad.pt")
    path.write_bytes(change(path.read_bytes()))

    def average(path):
        average_checkpoints([path], tmp_path / "mean.pt")

    for load in (checkpoint_safety.load, average):
        with pytest.raises(CheckpointError, match=message) as caught:
            load(path)
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("at", [0.2, 0.5, 0.99])
def test_the_older_format_cut_short_is_refused(files, at, tmp_path):
    path = files.save(tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * at)])
    with pytest.raises(CheckpointError, match=r"damaged|ends in the middle"):
        checkpoint_safety.load(path)


def test_views_and_shared_weights_load_from_both_formats(tmp_path):
    base = torch.arange(12.0)
    content = {"a": base[2:8].view(2, 3), "b": base.view(3, 4).t(), "c": base, "d": torch.tensor(1)}
    for new_format in (True, False):
        path = tmp_path / "checkpoint.pt"
        torch.save(stored(model=content), path, _use_new_zipfile_serialization=new_format)
        for name, weight in checkpoint_safety.load(path)["model"].items():
            assert torch.equal(weight, content[name])


def translations(path: Path, files: Files) -> list[str]:
    translator = Translator(path, files.data, files.subwords, device="cpu")
    return [best.text for (best,) in translator.translate(["the dog sleeps", "a cat"], beam=2)]


def test_all_forms_of_a_checkpoint_translate_alike(files, tmp_path):
    path = tmp_path / "checkpoint.pt"
    expected = translations(files.save(path), files)
    assert any(expected)
    old = {"_use_new_zipfile_serialization": False}
    assert translations(files.save(path, **old), files) == expected
    assert translations(files.save(path, as_arguments(files.state), **old), files) == expected
    average_checkpoints([path, path], tmp_path / "average.pt")
    assert translations(tmp_path / "average.pt", files) == expected


def with_settings(files: Files, group: str, **settings) -> dict:
    """The checkpoint with some settings replaced."""
    cfg = files.state["cfg"]
    return {**files.state, "cfg": {**cfg, group: {**cfg[group], **settings}}}


def with_code(files: Files, kind: str, code: str) -> dict:
    """A checkpoint with code where fairseq would evaluate a text."""
    if kind == "the task":
        task = argparse.Namespace(
            _name="multilingual_translation", task="multilingual_translation", data="bin",
            lang_pairs="en-de", left_pad_source=code, left_pad_target="False",
            source_lang=None, target_lang=None,
        )  # fmt: skip
        return {**files.state, "cfg": {**files.state["cfg"], "task": task}}
    arch, flag = {
        "an LSTM": ("lstm", "decoder_attention"),
        "a convolutional model": ("fconv", "encoder_layers"),
        "a convolutional model's attention": ("fconv", "decoder_attention"),
        "a Transformer": ("transformer", "adaptive_softmax_cutoff"),
        "a story model": ("fconv_self_att", "pretrained"),
    }[kind]
    layers = (
        {"encoder_layers": "[(16, 3)]", "decoder_layers": "[(16, 3)]"} if arch == "fconv" else {}
    )
    model = argparse.Namespace(_name=arch, arch=arch, **{**SMALL, **layers, flag: code})
    return {**files.state, "cfg": {**files.state["cfg"], "model": model}}


SMALL = {
    **{"criterion": "cross_entropy", "dropout": 0.1},
    **{"max_source_positions": 100, "max_target_positions": 100},
    **{"encoder_embed_dim": 16, "decoder_embed_dim": 16, "decoder_out_embed_dim": 16},
    **{"encoder_ffn_embed_dim": 16, "encoder_attention_heads": 2, "decoder_attention_heads": 2},
}


KINDS = [
    *("the task", "an LSTM", "a convolutional model", "a convolutional model's attention"),
    *("a Transformer", "a story model"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_code_in_a_configuration_does_not_run(files, kind, tmp_path):
    mark = tmp_path / "the code ran"
    code = f"__import__('os').mkdir({str(mark)!r})"
    path = files.save(tmp_path / "crafted.pt", with_code(files, kind, code))
    with pytest.raises(InputError, match=r"ValueError: .*mkdir.* is no literal"):
        Translator(path, files.data, files.subwords, device="cpu")
    average_checkpoints([path], tmp_path / "average.pt")
    assert not mark.exists()
    eval(code)
    assert mark.exists()


def test_code_in_a_configuration_does_not_run_in_fairseqs_commands(files, tmp_path):
    mark = tmp_path / "the code ran"
    code = f"__import__('os').mkdir({str(mark)!r})"
    path = files.save(tmp_path / "crafted.pt", with_code(files, "an LSTM", code))
    command = fairseq_command(
        "generate", files.data, "--user-dir", USER_DIR, "--path", path, "--cpu",
        "--source-lang", "en", "--target-lang", "de",
    )  # fmt: skip
    done = run_command(command, check=False)
    assert done.returncode == 1
    assert "is no literal" in done.stderr.splitlines()[-1]
    assert not mark.exists()


def test_a_model_far_larger_than_its_weights_is_not_built(files, tmp_path):
    path = files.save(
        tmp_path / "crafted.pt",
        with_settings(files, "model", encoder_embed_dim=10**7, encoder_hidden_size=6 * 10**6),
    )
    with pytest.raises(InputError, match="far larger than its weights"):
        checkpoint_utils.load_model_ensemble_and_task(
            [str(path)], arg_overrides={"data": str(files.data)}
        )


def test_sinusoids_are_computed_when_they_are_needed():
    few = SinusoidalPositionalEmbedding(4, padding_idx=1, init_size=10**9)
    assert len(few.weights) <= 10_000
    expected = SinusoidalPositionalEmbedding.get_embedding(11_002, 4, padding_idx=1)
    assert torch.equal(few(torch.full((1, 11_000), 5))[0], expected[2:])


def test_files_that_a_configuration_names_are_not_read(files, tmp_path):
    """The first embeddings of a training are not needed: the checkpoint has the trained ones."""
    model = argparse.Namespace(
        _name="lstm", arch="lstm", **SMALL, encoder_embed_path=os.devnull,
        decoder_embed_path=str(tmp_path / "missing"),
    )  # fmt: skip
    state = {**files.state, "cfg": {**files.state["cfg"], "model": model}}
    path = files.save(tmp_path / "lstm.pt", state)
    with pytest.raises(InputError, match="loading state_dict"):  # it is a RIM's: built, not loaded
        Translator(path, files.data, files.subwords, device="cpu")


def test_a_module_that_a_configuration_names_is_not_imported(files, tmp_path):
    mark = tmp_path / "it was imported"
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "__init__.py").write_text(f"open({str(mark)!r}, 'w')")
    state = with_settings(files, "common", user_dir=str(tmp_path / "plugin"))
    assert any(translations(files.save(tmp_path / "checkpoint.pt", state), files))
    assert not mark.exists()


def test_how_to_search_is_not_for_the_checkpoint_to_say(files, tmp_path):
    path = tmp_path / "checkpoint.pt"
    expected = translations(files.save(path), files)
    state = with_settings(files, "generation", replace_unk="/dev/zero", min_len=10**6)
    assert translations(files.save(path, state), files) == expected


def test_a_checkpoint_that_loads_itself_is_refused(files, tmp_path):
    path = tmp_path / "itself.pt"
    state = with_code(files, "a story model", "True")
    state["cfg"]["model"].pretrained_checkpoint = str(path)
    with pytest.raises(InputError, match=r"itself.pt cannot be loaded: it loads .*itself.pt"):
        Translator(files.save(path, state), files.data, files.subwords, device="cpu")


DOUBLED = b")" + b"".join(b"q%ch%c\x86" % (number, number) for number in range(60))  # 2^60 parts


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"}" + DOUBLED + b"K\x01s.", "has a tuple as a key"),
        (b"}(" + DOUBLED + b"K\x01u.", "has a tuple as a key"),
        (b"ccollections\nOrderedDict\n((" + DOUBLED + b"N\x86ltR.", "damaged or no checkpoint"),
        (b"(" + DOUBLED + b"NNNNtQ.", "refers to something that is no part of it"),
        (b"c_codecs\nencode\n(X\x01\x00\x00\x00x" + DOUBLED + b"tR.", "another encoding"),
        (b"cnumpy\ndtype\n(" + DOUBLED + b"tR.", "no type of numbers"),
        (b"(icollections\nOrderedDict\n.", "damaged or no checkpoint"),
        (b"ccollections\nOrderedDict\n(N(tRb.", "damaged or no checkpoint"),
        (b"\x8d" + b"\xff" * 7 + b"\x7fx.", "damaged or no checkpoint"),
        (b"r\xff\xff\xff\xff.", "damaged or no checkpoint"),
        (b"]q\x01h\x01a.", "got a list"),
    ],
)
def test_pickles_that_never_end_or_take_much_are_refused_at_once(files, content, message, tmp_path):
    path = files.save(tmp_path / "crafted.pt")
    path.write_bytes(rewrite(path.read_bytes(), "data.pkl", lambda _: b"\x80\x02" + content))
    with pytest.raises(CheckpointError, match=message):
        checkpoint_safety.load(path)
