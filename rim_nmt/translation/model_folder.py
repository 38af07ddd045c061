"""A model as one folder: all that translating needs and nothing else, each file with its hash.

model.json              languages, and the SHA-256 of every file
model.pt                weights in float16 and the model's settings, a checkpoint of fairseq
sentencepiece.model     subwords
dict.LANG.txt           dictionaries
"""

from pathlib import Path

import torch

from rim_nmt.errors import InputError
from rim_nmt.plugin import checkpoint_safety
from rim_nmt.runtime.files import atomic_path, copy_file, is_vacant, read_json, sha256, write_json
from rim_nmt.translation.checks import find_checkpoint
from rim_nmt.translation.translator import Translator

ABOUT = "model.json"
WEIGHTS = "model.pt"
SUBWORDS = "sentencepiece.model"
# those that come with the package; their folders have cards that say what they were trained on
PRETRAINED = Path(__file__).parents[1] / "pretrained"
DEFAULT = "everyday"

# where a model was trained is nobody's business: parts of fairseq's settings, and paths in them
_SETTINGS = ("task", "common", "checkpoint", "model")
_PLACES = {"data": "", "user_dir": None, "save_dir": "checkpoints"}


def pack(checkpoint: Path, prepared: Path, out: Path, target_lang: str | None = None) -> None:
    """Write a model folder. The model is loaded from it once, as a test.

    Args:
        checkpoint: a trained model, best an average; a training's folder stands for its best.
        prepared: the folder that it was trained on.
        out: the model folder, which must not be there yet.
        target_lang: which language, where it was trained on several.

    Raises:
        InputError: a file is missing or wrong, weights do not fit into float16, or `out` is there.
    """
    if not is_vacant(out):
        raise InputError(f"{out} is there already: name another folder")
    checkpoint = Path(find_checkpoint(checkpoint))
    translator = Translator.from_folder(checkpoint, prepared, "cpu", target_lang=target_lang)
    state = checkpoint_safety.load(checkpoint)
    with atomic_path(out) as temporary:
        temporary.mkdir()
        languages = {"source_lang": translator.source_lang, "target_lang": translator.target_lang}
        torch.save(_stripped(state, languages), temporary / WEIGHTS)
        copy_file(prepared / SUBWORDS, temporary / SUBWORDS)
        # fairseq builds a model of several pairs with the dictionaries of all of them
        for language in sorted({part for pair in translator.pairs for part in pair.split("-")}):
            name = f"dict.{language}.txt"
            copy_file(prepared / "bin" / name, temporary / name)
        _write_about(temporary, languages)
        open_model(temporary, "cpu")


def _stripped(state: dict, languages: dict[str, str]) -> dict:
    """A checkpoint without what only a training needs, its weights in float16."""
    cfg = state.get("cfg") or {}
    parts = {"args": state.get("args"), **{part: cfg.get(part) for part in _SETTINGS}}
    for part, settings in parts.items():
        if settings:
            fields = settings if isinstance(settings, dict) else vars(settings)
            fields.update((name, value) for name, value in _PLACES.items() if name in fields)
            if part in ("args", "task"):
                fields.update(languages)
    history = [{**entry, "lr_scheduler_state": {}} for entry in state["optimizer_history"]]
    return {
        "args": state.get("args"),
        "cfg": state.get("cfg"),
        "model": _halved(state["model"]),
        "optimizer_history": history[-1:],
        "extra_state": {},
        "last_optimizer_state": None,
    }


def _halved(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights in float16. Equal ones are stored once: embeddings that are shared come from a GPU
    as a copy for each of their names."""
    halved: dict[str, torch.Tensor] = {}
    for name, weight in weights.items():
        half = weight.half() if weight.is_floating_point() else weight
        if not half.isfinite().all():
            raise InputError(f"the weight {name} has numbers that float16 cannot hold")
        halved[name] = next((each for each in halved.values() if _are_equal(each, half)), half)
    return halved


def _are_equal(x: torch.Tensor, y: torch.Tensor) -> bool:
    return x.dtype == y.dtype and torch.equal(x, y)


def _write_about(folder: Path, languages: dict[str, str]) -> None:
    files = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    write_json(folder / ABOUT, {**languages, "files": files})


def open_model(model: Path | str = DEFAULT, device: str | None = None) -> Translator:
    """A packed model.

        >>> open_model().translate("Where is the station?")[0].text
        'Wo ist der Bahnhof?'

    Args:
        model: a folder that `pack` made, or the name of a model that comes with the package. For a
            folder of such a name write ./NAME.
        device: as for `Translator`.

    Raises:
        InputError: it is no model folder, or a file is missing or is not what it was.
    """
    folder = PRETRAINED / model if str(model) in pretrained_models() else Path(model)
    about_path = folder / ABOUT
    if not about_path.is_file():
        raise InputError(
            f"{folder} is no model folder, there is no {ABOUT} in it: give a folder that "
            f"`rim-nmt pack` made, or {' or '.join(pretrained_models())}"
        )
    about = read_json(about_path)
    for name, expected in about["files"].items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"{path} is missing: get the model folder again")
        if sha256(path) != expected:
            raise InputError(f"{path} is not what {ABOUT} says: get the model folder again")
    return Translator(
        folder / WEIGHTS,
        folder,
        folder / SUBWORDS,
        device,
        about["source_lang"],
        about["target_lang"],
    )


def pretrained_models() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(path.parent.name for path in PRETRAINED.glob(f"*/{ABOUT}"))
