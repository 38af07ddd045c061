"""What is checked before a model translates: device, dictionaries, subwords, and whether they
belong to the checkpoint."""

from pathlib import Path

import sentencepiece
import torch
from fairseq.data import Dictionary
from fairseq.models import ARCH_MODEL_REGISTRY, MODEL_REGISTRY

from rim_nmt.errors import InputError
from rim_nmt.plugin.checkpoint_outline import one_line

TASKS = ("translation", "multilingual_translation")  # that a checkpoint may be for


def choose_device(device: str | None) -> str:
    """A device that this PyTorch can compute on.

    Args:
        device: its name; None takes a GPU where there is one.

    Raises:
        InputError: there is no such device.
    """
    gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    known = ["cpu", *(["cuda", *gpus] if gpus else [])]
    if device is None:
        return "cuda" if gpus else "cpu"
    if device not in known:
        raise InputError(f"--device {device}: this PyTorch can compute on {', '.join(known)}")
    return device


def find_checkpoint(checkpoint: Path | str) -> Path | str:
    """What a folder of a training stands for: its best checkpoint, or its last where no validation
    chose one. A file stays as it is.

    Raises:
        InputError: the folder has neither.
    """
    folder = Path(checkpoint)
    if not folder.is_dir():
        return checkpoint
    names = ("checkpoint_best.pt", "checkpoint_last.pt")
    found = [folder / name for name in names if (folder / name).is_file()]
    if not found:
        raise InputError(f"{folder} has neither {' nor '.join(names)}: train a model first")
    return found[0]


def dictionary_sizes(data: Path) -> dict[str, int]:
    """How many entries the dictionary of each language has."""
    sizes = {}
    for path in data.glob("dict.*.txt"):
        try:
            sizes[path.name.split(".")[1]] = len(Dictionary.load(str(path)))
        except Exception as error:  # fairseq raises this very class where the encoding is wrong
            raise InputError(
                f"{path} is no dictionary, expected lines of a piece and its count, as "
                f"fairseq-preprocess writes them: {one_line(error)}"
            ) from error
    if not sizes:
        raise InputError(
            f"no dictionary in {data}: expected dict.LANG.txt, as fairseq-preprocess writes it"
        )
    return sizes


def check_subwords(model: Path) -> None:
    """See that a file is a SentencePiece model.

    Raises:
        InputError: it is not, or is missing.
    """
    if not model.is_file():
        raise InputError(f"no SentencePiece model at {model}")
    try:
        sentencepiece.SentencePieceProcessor(model_file=str(model)).encode("a")
    except Exception as error:
        raise InputError(f"{model} is no SentencePiece model: {one_line(error)}") from error


def _setting(state: dict, group: str, name: str):
    """A value in a checkpoint's configuration of either kind, None where it is missing."""
    settings = state.get("args") or (state.get("cfg") or {}).get(group)
    return settings.get(name) if isinstance(settings, dict) else getattr(settings, name, None)


def pairs_of_the_task(state: dict, checkpoint: Path) -> list[str]:
    """The pairs of a `multilingual_translation` checkpoint, nothing for one of `translation`."""
    task = _setting(state, "task", "_name") or _setting(state, "task", "task") or TASKS[0]
    if task not in TASKS:
        raise InputError(
            f"{checkpoint} is for the task {task!s:.80}, expected {' or '.join(TASKS)}"
        )
    pairs = _setting(state, "task", "lang_pairs") or []
    pairs = pairs.split(",") if isinstance(pairs, str) else list(pairs)
    if not all(isinstance(pair, str) and pair.count("-") == 1 for pair in pairs):
        raise InputError(f"{checkpoint} is for {pairs!r:.80}, expected pairs such as en-de")
    return pairs


def check_architecture(state: dict, checkpoint: Path) -> None:
    """See that there is such a model.

    Raises:
        InputError: neither fairseq nor the plugin has it.
    """
    architecture = str(_setting(state, "model", "_name") or _setting(state, "model", "arch"))
    if architecture not in ARCH_MODEL_REGISTRY and architecture not in MODEL_REGISTRY:
        raise InputError(
            f"{checkpoint} has a model of the architecture {architecture!r:.80}, which neither "
            "fairseq nor this plugin has"
        )


def check_embeddings(
    state: dict, checkpoint: Path, data: Path, dictionaries: dict[str, int], languages: dict
) -> None:
    """See that the dictionaries of the data are as long as those that the model was trained on.

    Raises:
        InputError: they have not.
    """
    pair = f"models.{languages['source_lang']}-{languages['target_lang']}." if languages else ""
    for side, coder in (("source", "encoder"), ("target", "decoder")):
        language = languages.get(f"{side}_lang") or _setting(state, "task", f"{side}_lang")
        weight = state["model"].get(f"{pair}{coder}.embed_tokens.weight")
        found = dictionaries.get(language)
        if weight is not None and found is not None and len(weight) != found:
            raise InputError(
                f"{checkpoint} was trained with {len(weight)} entries in the {side} dictionary, "
                f"but {data / f'dict.{language}.txt'} has {found}: give the data that it was "
                "trained on"
            )
