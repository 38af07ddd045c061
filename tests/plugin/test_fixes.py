"""What the plugin puts right in fairseq."""

import contextlib
import functools
import logging
import shutil
import warnings
from pathlib import Path

import fairseq.trainer
import numpy as np
import pytest
import torch
from fairseq import options, tasks
from fairseq.data import LanguagePairDataset, data_utils
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.file_io import PathManager
from fairseq.trainer import Trainer

import rim_nmt.plugin.register  # noqa: F401
from rim_nmt.plugin import fixes as fairseq_fixes
from tests.models.conftest import SYMBOLS, make_task


@pytest.mark.parametrize("count", [1, 7, 8, 60, 64])
@pytest.mark.parametrize("limits", [{"max_tokens": 50}, {"max_sentences": 16}, {}])
def test_no_sentence_is_dropped(count, limits):
    batches = data_utils.batch_by_size(
        np.arange(count), lambda index: 3, required_batch_size_multiple=8, **limits
    )
    assert np.concatenate(batches).tolist() == list(range(count))
    if "max_tokens" in limits:
        assert max(len(batch) for batch in batches) * 3 <= 50


def test_the_fix_is_still_needed():
    """Without it, 60 sentences become 56. When this fails, fairseq was repaired: drop the fix."""
    unfixed = data_utils.batch_by_size.__wrapped__
    batches = unfixed(
        np.arange(60), lambda index: 3, max_sentences=8, required_batch_size_multiple=8
    )
    assert sum(len(batch) for batch in batches) == 56


def test_the_root_logger_is_not_left_at_debug():
    assert logging.getLogger().level != logging.DEBUG


def test_a_checkpoint_is_copied_whole_or_not_at_all(tmp_path, monkeypatch):
    new, last = tmp_path / "checkpoint_1_20.pt", tmp_path / "checkpoint_last.pt"
    new.write_bytes(b"new" * 1000)
    last.write_bytes(b"old")

    def killed(source, target):
        Path(target).write_bytes(Path(source).read_bytes()[:100])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", killed)
        with pytest.raises(KeyboardInterrupt):
            PathManager.copy(str(new), str(last), overwrite=True)
    assert last.read_bytes() == b"old"
    assert PathManager.copy(str(new), str(last), overwrite=True)
    assert last.read_bytes() == new.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [new.name, last.name]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("\nThe version_base parameter is not specified.\nPlease specify", False),
        ("\n'config' is validated against ConfigStore schema with the same name.", False),
        ("\nThe strict flag in the compose API is deprecated.\nSee", False),
        ("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", False),
        ("CUDA is not available or torch_xla is imported. Disabling autocast.", False),
        ("`torch.cuda.amp.GradScaler(args...)` is deprecated. Please use", False),
        ("\nThe learning rate is deprecated.", True),
    ],
)
def test_warnings_of_every_command_are_not_shown_and_others_are(message, shown):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fairseq_fixes.apply()
        warnings.warn(message, stacklevel=1)
    assert bool(caught) == shown


# Training in bfloat16 on a processor

SIZES = (
    "--encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 16 --decoder-embed-dim 16 "
    "--encoder-ffn-embed-dim 32 --decoder-ffn-embed-dim 32 "
    "--encoder-attention-heads 2 --decoder-attention-heads 2"
)
PAIR = "--source-lang en --target-lang de --arch "
TRAINED = {
    "rim": f"{PAIR} rim_tiny",
    "rim-plain": f"{PAIR} rim_tiny --rim-kernel plain",
    "lstm-twin": f"{PAIR} rnn_lstm_tiny",
    "fairseq-lstm": f"{PAIR} lstm --encoder-hidden-size 16 --decoder-hidden-size 16 "
    "--encoder-embed-dim 16 --decoder-embed-dim 16 --decoder-out-embed-dim 16",
    "transformer": f"{PAIR} transformer {SIZES}",
    "two-pairs": "--task multilingual_translation --lang-pairs en-de,en-fr "
    f"--arch multilingual_transformer --share-encoders {SIZES}",
}
CLIP = 0.01


@pytest.fixture
def _fast_bfloat16(monkeypatch):
    """Products are the same on any processor, only slow on many. Not every one has LSTMs."""
    monkeypatch.setattr(fairseq_fixes, "bfloat16_obstacle", lambda: None)


@functools.cache
def lstm_obstacle() -> str | None:
    """Why PyTorch cannot train its LSTM in bfloat16 on this processor; None if it can."""
    lstm = torch.nn.LSTM(4, 4)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            lstm(torch.zeros(3, 2, 4))[0].sum().backward()
    except RuntimeError as error:
        if "could not create a primitive" not in str(error):
            raise
        return str(error).partition(". ")[0]
    return None


def set_up(flags: str, folder: Path) -> tuple[Trainer, dict]:
    """What fairseq-train does before the first update, and a batch."""
    dictionary = make_task().target_dictionary
    for language in ("en", "de", "fr"):
        dictionary.save(str(folder / f"dict.{language}.txt"))
    command = [
        *(str(folder), "--save-dir", str(folder), "--cpu", "--max-tokens", "100"),
        *("--optimizer", "adam", "--lr", "0.001", "--clip-norm", str(CLIP)),
        *("--criterion", "label_smoothed_cross_entropy", "--label-smoothing", "0.1"),
        *flags.split(),
    ]
    cfg = convert_namespace_to_omegaconf(
        options.parse_args_and_arch(options.get_training_parser(), command)
    )
    torch.manual_seed(1)
    sources, targets = (
        [torch.tensor([*torch.randint(4, 4 + SYMBOLS, (n,)), 2]) for n in lengths]
        for lengths in ((5, 3, 7), (4, 6, 2))
    )
    pairs = LanguagePairDataset(
        *(sources, [len(s) for s in sources], dictionary),
        *(targets, [len(t) for t in targets], dictionary),
    )
    batch = pairs.collater([pairs[index] for index in range(3)])
    task = tasks.setup_task(cfg.task)
    if "lang_pairs" in cfg.task:
        batch = dict.fromkeys(("en-de", "en-fr"), batch)
    model = task.build_model(cfg.model)
    return Trainer(cfg, task, model, task.build_criterion(cfg.criterion)), batch


def weights(trainer: Trainer) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in trainer.model.parameters()]


@pytest.mark.usefixtures("_fast_bfloat16")
@pytest.mark.parametrize("flags", TRAINED.values(), ids=TRAINED.keys())
def test_amp_on_a_processor_trains_in_bfloat16(flags, tmp_path):
    """Products are in bfloat16; weights, gradients, Adam's state, loss and validation are not."""
    if flags == TRAINED["lstm-twin"] and lstm_obstacle():
        pytest.skip(f"no LSTM in bfloat16 on this processor: {lstm_obstacle()}")
    losses = []
    for amp, expected in (("", torch.float32), (" --amp", torch.bfloat16)):
        trainer, batch = set_up(flags + amp, tmp_path)
        logits, loss = [], []
        for module in trainer.model.modules():
            if hasattr(module, "output_layer"):  # a decoder
                module.register_forward_hook(lambda *call, to=logits: to.append(call[2][0].dtype))
        trainer.criterion.register_forward_hook(lambda *call, to=loss: to.append(call[2][0]))
        for _ in range(3):
            trainer.train_step([batch])
        assert set(logits) == {expected}
        logits.clear()
        trainer.valid_step(batch)
        assert set(logits) == {torch.float32}

        assert {y.dtype for y in loss} == {torch.float32}
        losses.append(torch.stack(loss).detach())
        parameters = list(trainer.model.parameters())
        gradients = [p.grad for p in parameters if p.grad is not None]
        states = [s for state in trainer.optimizer.optimizer.state.values() for s in state.values()]
        states = [s for s in states if isinstance(s, torch.Tensor)]
        assert len(states) >= 2 * len(gradients)
        assert {y.dtype for y in (*parameters, *gradients, *states)} == {torch.float32}
        norm = torch.nn.utils.get_total_norm(gradients).item()
        assert norm == pytest.approx(CLIP, rel=1e-3)  # --clip-norm
    # before the first update, which is the sign of each gradient in Adam, the weights are the same;
    # logits have 8 significant bits: each is off by 2^-9 of itself at most
    torch.testing.assert_close(losses[1][0], losses[0][0], rtol=2**-9, atol=0)
    assert losses[1][-1] < losses[1][0]


@pytest.mark.usefixtures("_fast_bfloat16")
@pytest.mark.parametrize("flags", [TRAINED["rim"], TRAINED["two-pairs"]], ids=["rim", "two-pairs"])
def test_only_the_loss_is_computed_under_autocast(flags, tmp_path, monkeypatch):
    """Not its gradients: their products take what the forward pass took."""
    trainer, batch = set_up(f"{flags} --amp", tmp_path)
    backward = type(trainer.optimizer).backward
    states = []

    def recording(optimizer, loss):
        states.append(torch.is_autocast_enabled("cpu"))
        backward(optimizer, loss)

    monkeypatch.setattr(type(trainer.optimizer), "backward", recording)
    trainer.criterion.register_forward_hook(
        lambda *call: states.append(torch.is_autocast_enabled("cpu"))
    )
    trainer.train_step([batch])
    assert states == [True, False] * (len(states) // 2) and states


@pytest.mark.usefixtures("_fast_bfloat16")
def test_a_gradient_that_is_not_finite_ends_the_training_in_bfloat16(tmp_path, monkeypatch):
    """As in float32, and before it reaches the weights."""
    # fairseq's search for the place fails, in float32 too, where an encoder returns lists
    monkeypatch.setattr(fairseq.trainer, "NanDetector", contextlib.nullcontext)
    trainer, batch = set_up(f"{TRAINED['rim']} --amp", tmp_path)
    trainer.train_step([batch])
    with torch.no_grad():
        trainer.model.decoder.skip.bias[0] = torch.inf
    before = weights(trainer)
    with pytest.raises(FloatingPointError):
        trainer.train_step([batch])
    assert all(torch.equal(new, old) for new, old in zip(weights(trainer), before, strict=True))


@pytest.mark.usefixtures("_fast_bfloat16")
def test_training_in_bfloat16_resumes_bit_for_bit(tmp_path):
    flags = f"{TRAINED['rim']} --amp"
    place = {"epoch": 1, "version": 2, "iterations_in_epoch": 2}
    trainer, batch = set_up(flags, tmp_path)
    trainer.train_step([batch])
    trainer.consolidate_optimizer()
    trainer.save_checkpoint(str(tmp_path / "one.pt"), {"train_iterator": place})
    trainer.train_step([batch])
    resumed, _ = set_up(flags, tmp_path)
    resumed.load_checkpoint(str(tmp_path / "one.pt"))
    resumed.train_step([batch])
    assert resumed.get_num_updates() == 2
    pairs = zip(weights(resumed), weights(trainer), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)


def test_amp_is_refused_where_float32_is_faster(tmp_path, monkeypatch):
    monkeypatch.setattr(fairseq_fixes, "bfloat16_obstacle", lambda: "this abacus is slow")
    trainer, _ = set_up(f"{TRAINED['rim']} --amp", tmp_path)
    with pytest.raises(ValueError, match="this abacus is slow: leave --amp away"):
        trainer.get_lr()  # fairseq-train asks for it before the first batch
    trainer, _ = set_up(TRAINED["rim"], tmp_path)
    assert trainer.get_lr() == 0.001
