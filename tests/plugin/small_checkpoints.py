"""A small model as fairseq stores it, with its data, made without a training."""

import argparse
import io
from dataclasses import dataclass
from pathlib import Path

import sentencepiece
import torch
from fairseq.data import Dictionary
from fairseq.dataclass.configs import FairseqConfig
from fairseq.tasks.translation import TranslationConfig
from omegaconf import OmegaConf

from rim_nmt.models.model import RecurrentModel
from tests.models.conftest import small_config

TEXT = ["the dog sleeps", "a cat sees the small house", "we read this good book", "no fox jumps"]


@dataclass(frozen=True)
class Files:
    """A checkpoint's content, and where the data that goes with it is."""

    state: dict
    data: Path
    subwords: Path

    def save(self, path: Path, state=None, **how) -> Path:
        """Write a checkpoint: this state, or another one."""
        torch.save(self.state if state is None else state, path, **how)
        return path


def make_files(folder: Path) -> Files:
    """The data, and the state of a model of random weights for it."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT * 5), model_writer=model, vocab_size=32, minloglevel=2
    )
    (folder / "sentencepiece.model").write_bytes(model.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    dictionary = Dictionary()
    for number in range(3, len(pieces)):
        dictionary.add_symbol(pieces.id_to_piece(number))
    (folder / "bin").mkdir()
    for language in ("en", "de"):
        dictionary.save(str(folder / "bin" / f"dict.{language}.txt"))
    settings = small_config(encoder_layers=1)
    task = argparse.Namespace(source_dictionary=dictionary, target_dictionary=dictionary)
    torch.manual_seed(1)
    weights = RecurrentModel.build_model(settings, task).state_dict()
    translation = TranslationConfig(data="bin", source_lang="en", target_lang="de")
    cfg = _plain(FairseqConfig(task=translation))
    cfg["model"] = {**_plain(settings), "_name": "rim"}
    cfg["task"]["_name"] = "translation"
    state = {
        "args": None,
        "cfg": cfg,
        "model": weights,
        "criterion": None,
        "optimizer_history": [
            {
                "criterion_name": "CrossEntropyCriterion",
                "optimizer_name": "FairseqAdam",
                "lr_scheduler_state": {"best": None},
                "num_updates": 10,
            }
        ],
        "task_state": {},
        "extra_state": {"train_iterator": {"epoch": 1, "iterations_in_epoch": 0}, "best": 3.5},
        "last_optimizer_state": None,
    }
    return Files(state, folder / "bin", folder / "sentencepiece.model")


def _plain(settings) -> dict:
    return OmegaConf.to_container(OmegaConf.structured(settings), resolve=True, enum_to_str=True)


def as_arguments(state: dict) -> dict:
    """The same checkpoint as older versions of fairseq stored it: with a command line."""
    settings = {name: value for name, value in state["cfg"]["model"].items() if name != "_name"}
    args = argparse.Namespace(
        **settings, arch="rim", task="translation", source_lang="en", target_lang="de", data="bin"
    )
    return {**state, "cfg": None, "args": args}
