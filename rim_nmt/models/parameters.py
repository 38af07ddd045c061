"""Parameters of a model, counted on the model that fairseq-train would build."""

import torch
from fairseq import models, options, tasks
from fairseq.data import Dictionary

import rim_nmt.models.multilingual  # noqa: F401  (registers the models)


def build_without_memory(
    flags: list[str], vocab_size: int, pairs: tuple[str, ...] = ("en-de",)
) -> models.BaseFairseqModel:
    """The model for a command line with --share-all-embeddings, on the meta device: sizes without
    weights.

    Args:
        flags: of fairseq-train, such as `matched_models` returns.
        vocab_size: entries of the dictionary, which all languages share.
        pairs: language pairs; with more than one, the task is `multilingual_translation`.
    """
    name = "multilingual_translation" if len(pairs) > 1 else "translation"
    args = options.parse_args_and_arch(
        options.get_training_parser(),
        ["no data", "--task", name, "--share-all-embeddings", *flags],
    )
    args.lang_pairs = list(pairs)
    dictionary = Dictionary()
    for number in range(vocab_size - dictionary.nspecial):
        dictionary.add_symbol(f"word{number}")
    languages = sorted({language for pair in pairs for language in pair.split("-")})
    task = (
        tasks.get_task(name)(args, dict.fromkeys(languages, dictionary), training=True)
        if len(pairs) > 1
        else tasks.get_task(name)(args, dictionary, dictionary)
    )
    with torch.device("meta"):
        return models.build_model(args, task)


def count_parameters(model: models.BaseFairseqModel) -> int:
    """Weights that exist; what several parts share counts once."""
    return sum(parameter.numel() for parameter in model.parameters())
