"""Models of equal size: RIM, its LSTM twin, and fairseq's Transformer and LSTM in matching
dimensions.

Embeddings are equally wide in all of them, so that with --share-all-embeddings the counts of
parameters match for every vocabulary; `rim-nmt parameters` prints them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class _Transformer:
    """Dimensions of encoder and decoder. The inner width of the feed-forward layers makes the
    number of parameters equal; the multi-task model, with its second decoder, needs another."""

    layers: int
    width: int
    heads: int
    inner: int
    inner_multilingual: int


@dataclass(frozen=True)
class _InputFeedingLSTM:
    """Dimensions of fairseq's `lstm`: `layers` in encoder and in decoder; the encoder is
    bidirectional, with half of `width` in each direction."""

    layers: int
    width: int


# what ends the names of our architectures, and fairseq's models
_SIZES = {
    "tiny": (
        "_tiny",
        _Transformer(2, 128, 4, inner=340, inner_multilingual=444),
        _InputFeedingLSTM(1, 200),
    ),
    "iwslt": (
        "_iwslt_en_de",
        _Transformer(3, 256, 4, inner=856, inner_multilingual=896),
        _InputFeedingLSTM(2, 392),
    ),
    "base": (
        "",
        _Transformer(2, 512, 8, inner=1152, inner_multilingual=1216),
        _InputFeedingLSTM(2, 560),
    ),
    "wmt": (
        "_wmt_en_de",
        _Transformer(6, 512, 8, inner=1824, inner_multilingual=1888),
        _InputFeedingLSTM(4, 828),
    ),
}
SIZES = tuple(_SIZES)


def matched_models(size: str, multilingual: bool = False) -> dict[str, list[str]]:
    """The flags of fairseq-train that choose a model: --arch and dimensions, nothing else.

    Equal counts of parameters need --share-all-embeddings besides; a multi-task model also needs
    --task multilingual_translation and --lang-pairs with two target languages.

    Args:
        size: one of `SIZES`.
        multilingual: the multi-task model instead of the one for a single pair.

    Returns:
        Flags of "rim", "lstm" and "transformer"; for a single pair also of "fairseq-lstm", which
        feeds the attention's result back into its decoder.

    Raises:
        ValueError: no such size.
    """
    if size not in _SIZES:
        raise ValueError(f"no size {size!r}: expected one of {', '.join(_SIZES)}")
    suffix, transformer, feeding = _SIZES[size]
    if multilingual:
        rim, lstm = f"multilingual_rim{suffix}", f"multilingual_lstm{suffix}"
        arch = ["--arch", "multilingual_transformer", "--share-encoders"]
        inner = transformer.inner_multilingual
    else:
        rim, lstm = f"rim{suffix}", f"rnn_lstm{suffix}"
        arch = ["--arch", "transformer"]
        inner = transformer.inner
    dimensions = {
        "layers": transformer.layers,
        "embed-dim": transformer.width,
        "ffn-embed-dim": inner,
        "attention-heads": transformer.heads,
    }
    flags = [
        part
        for name, value in dimensions.items()
        for side in ("encoder", "decoder")
        for part in (f"--{side}-{name}", str(value))
    ]
    # normalised before each layer, without which short trainings do not get off the ground
    flags += ["--encoder-normalize-before", "--decoder-normalize-before"]
    models = {"rim": ["--arch", rim], "lstm": ["--arch", lstm], "transformer": [*arch, *flags]}
    if not multilingual:
        models["fairseq-lstm"] = _input_feeding_flags(feeding, transformer.width)
    return models


def _input_feeding_flags(lstm: _InputFeedingLSTM, embed_dim: int) -> list[str]:
    flags = ["--arch", "lstm", "--encoder-bidirectional"]
    for name, value in {
        "encoder-embed-dim": embed_dim,
        "decoder-embed-dim": embed_dim,
        "decoder-out-embed-dim": embed_dim,
        "encoder-layers": lstm.layers,
        "decoder-layers": lstm.layers,
        "encoder-hidden-size": lstm.width // 2,
        "decoder-hidden-size": lstm.width,
    }.items():
        flags += [f"--{name}", str(value)]
    return flags
