"""The translation model and its named architectures."""

import contextlib
import dataclasses

from fairseq.models import (
    FairseqEncoderDecoderModel,
    register_model,
    register_model_architecture,
)
from omegaconf import OmegaConf, open_dict
from torch import nn

from rim_nmt.models.config import RecurrentModelConfig
from rim_nmt.models.decoder import RecurrentDecoder
from rim_nmt.models.encoder import RecurrentEncoder
from rim_nmt.models.usage_logging import log_usage


@register_model("rim", dataclass=RecurrentModelConfig)
class RecurrentModel(FairseqEncoderDecoderModel):
    """Encoder and decoder of one kind of recurrent layer (`--recurrent-layer rim|lstm|gru`).

    Args:
        encoder: from `build_encoder`.
        decoder: from `build_decoder`.
        decoder_name: what the decoder is called in the log.
    """

    def __init__(
        self, encoder: RecurrentEncoder, decoder: RecurrentDecoder, decoder_name: str = "dec"
    ):
        super().__init__(encoder, decoder)
        self.decoder_name = decoder_name

    @classmethod
    def build_model(cls, cfg: RecurrentModelConfig, task) -> "RecurrentModel":
        """Build for a task that has a source and a target dictionary.

        Raises:
            ValueError: for sizes that cannot be built, or embeddings that cannot be shared.
        """
        fill_in_defaults(cfg)
        encoder = build_encoder(cfg, task.source_dictionary)
        return cls(encoder, build_decoder(cfg, task.target_dictionary, encoder))

    def recurrent_layers(self) -> dict[str, nn.Module]:
        """The recurrent layers by name, in the order in which they compute: encoder.forward and
        encoder.backward (the two directions of the first layer), encoder.1 and on; decoder.0 (below
        the attention over the source) and on."""
        encoder = [self.encoder.forward_layer, self.encoder.backward_layer, *self.encoder.layers]
        decoder = [self.decoder.first_layer, *self.decoder.layers]
        names = ["forward", "backward", *range(1, len(encoder) - 1)]
        return {
            **{f"encoder.{name}": layer for name, layer in zip(names, encoder, strict=True)},
            **{f"decoder.{number}": layer for number, layer in enumerate(decoder)},
        }

    def forward(self, src_tokens, src_lengths, prev_output_tokens, **kwargs):
        """Logits B x T x V for a batch with known targets, and the decoder's extra outputs.

        In evaluation mode (validation) the use of the mechanisms goes to the log.
        """
        log = not self.training
        encoder_out = self.encoder(src_tokens, src_lengths, need_activity=log)
        logits, extra = self.decoder(prev_output_tokens, encoder_out, need_activity=log)
        if encoder_out["activity"]:
            log_usage("enc", encoder_out["activity"])
            log_usage(self.decoder_name, extra["activity"])
        return logits, extra


def fill_in_defaults(cfg) -> None:
    """Values that the configuration in an older checkpoint does not have yet. fairseq fills them
    in by itself where the architecture bears the model's name, but not for other architectures."""
    with open_dict(cfg) if OmegaConf.is_config(cfg) else contextlib.nullcontext():
        for field in dataclasses.fields(RecurrentModelConfig):
            if not hasattr(cfg, field.name):
                setattr(cfg, field.name, field.default)


def build_encoder(cfg: RecurrentModelConfig, dictionary) -> RecurrentEncoder:
    """An encoder with embeddings for the source dictionary.

    Raises:
        ValueError: for sizes that cannot be built.
    """
    return RecurrentEncoder(cfg, dictionary, build_embedding(dictionary, cfg.encoder_embed_dim))


def build_decoder(
    cfg: RecurrentModelConfig, dictionary, encoder: RecurrentEncoder
) -> RecurrentDecoder:
    """A decoder for the target dictionary that reads what `encoder` returns, with its embeddings
    where the configuration shares them.

    Raises:
        ValueError: for sizes that cannot be built, or embeddings that cannot be shared.
    """
    if not cfg.share_all_embeddings:
        embedding = build_embedding(dictionary, cfg.decoder_embed_dim)
    elif encoder.dictionary != dictionary:
        raise ValueError(
            "--share-all-embeddings needs one dictionary for all languages, but they differ "
            f"({len(encoder.dictionary)} and {len(dictionary)} entries): run fairseq-preprocess "
            "with --joined-dictionary"
        )
    elif cfg.encoder_embed_dim != cfg.decoder_embed_dim:
        raise ValueError(
            "--share-all-embeddings needs equal widths, got --encoder-embed-dim "
            f"{cfg.encoder_embed_dim} and --decoder-embed-dim {cfg.decoder_embed_dim}"
        )
    else:
        embedding = encoder.embed_tokens
    return RecurrentDecoder(
        cfg,
        dictionary,
        embedding,
        encoder_size=cfg.encoder_hidden_size,
        share_output=cfg.share_all_embeddings or cfg.share_decoder_input_output_embed,
    )


def build_embedding(dictionary, size: int) -> nn.Embedding:
    """Embeddings with standard deviation size^-0.5, zero for padding.

    The models multiply them by sqrt(size), so that layers see inputs of unit scale while the
    same matrix is a well-scaled output projection.
    """
    embedding = nn.Embedding(len(dictionary), size, padding_idx=dictionary.pad())
    nn.init.normal_(embedding.weight, std=size**-0.5)
    nn.init.zeros_(embedding.weight[dictionary.pad()])
    return embedding


def _sizes(embed: int, hidden: int, encoder_layers: int, decoder_layers: int, **more) -> dict:
    """One width for embeddings and one for layers, the same in encoder and decoder."""
    return {
        "encoder_embed_dim": embed,
        "encoder_hidden_size": hidden,
        "encoder_layers": encoder_layers,
        "decoder_embed_dim": embed,
        "decoder_hidden_size": hidden,
        "decoder_layers": decoder_layers,
        **more,
    }


# What suits a model that is trained in minutes: few mechanisms, few and narrow heads.
_TINY_MECHANISMS = {
    "num_mechanisms": 4,
    "num_active": 3,
    "input_heads": 2,
    "input_key_size": 32,
    "comm_heads": 2,
    "comm_key_size": 16,
    "comm_value_size": 12,
}

# The LSTM twins differ in the kind of layer and in its width, chosen for an equal number of
# parameters (tests hold them to 2 %).
ARCHITECTURES = {
    "rim_tiny": _sizes(128, 192, 1, 2, **_TINY_MECHANISMS),
    "rim_iwslt_en_de": _sizes(256, 384, 2, 2, num_active=5),
    "rim_wmt_en_de": _sizes(512, 1024, 4, 4, num_mechanisms=8, num_active=5),
    "rnn_lstm": _sizes(512, 512, 2, 2, recurrent_layer="lstm"),
    "rnn_lstm_tiny": _sizes(128, 152, 1, 2, recurrent_layer="lstm"),
    "rnn_lstm_iwslt_en_de": _sizes(256, 360, 2, 2, recurrent_layer="lstm"),
    "rnn_lstm_wmt_en_de": _sizes(512, 724, 4, 4, recurrent_layer="lstm"),
}


def register_architectures(model: str, architectures: dict[str, dict]) -> None:
    """Make every entry of a table of sizes an `--arch` of a registered model."""
    for name, sizes in architectures.items():

        def architecture(cfg, sizes=sizes) -> None:
            for field, value in sizes.items():
                setattr(cfg, field, getattr(cfg, field, value))  # the command line has precedence

        register_model_architecture(model, name)(architecture)


register_architectures("rim", ARCHITECTURES)
