"""The encoder: a bidirectional first layer, then residual unidirectional ones."""

import torch
from fairseq import utils
from fairseq.models import FairseqEncoder
from fairseq.modules import FairseqDropout
from torch import Tensor, nn

from rim_nmt.models.config import RecurrentModelConfig
from rim_nmt.models.recurrent import build_recurrent_layer


class RecurrentEncoder(FairseqEncoder):
    """Source tokens to one vector per token.

        x_0 = [forward layer(embedding) ; backward layer(embedding)] + W embedding
        x_l = x_(l-1) + layer_l(LayerNorm(x_(l-1)))                       width D, left to right
        output = LayerNorm(x_last), zero at padded positions

    The directions of the first layer have width D/2 each. W embedding stands in for a residual
    connection: a mechanism that sleeps shows an old state, and without W the token of this step
    would be missing from its part of the output.

    Args:
        cfg: sizes; `encoder_*`, dropouts and the mechanism's.
        dictionary: the source dictionary.
        embed_tokens: source embeddings, V x encoder_embed_dim.

    Raises:
        ValueError: for sizes that cannot be built.
    """

    def __init__(self, cfg: RecurrentModelConfig, dictionary, embed_tokens: nn.Embedding):
        super().__init__(dictionary)
        size = cfg.encoder_hidden_size
        if size % 2:
            raise ValueError(
                f"--encoder-hidden-size {size} is odd: each direction of the first layer has half"
            )
        if cfg.encoder_layers < 1:
            raise ValueError(f"--encoder-layers must be 1 or more, got {cfg.encoder_layers}")
        self.padding_idx = dictionary.pad()
        self.embed_tokens = embed_tokens
        self.embed_scale = embed_tokens.embedding_dim**0.5
        self.dropout = FairseqDropout(cfg.dropout, module_name=self.__class__.__name__)
        width, active = embed_tokens.embedding_dim, cfg.encoder_num_active
        self.forward_layer = build_recurrent_layer(cfg, width, size // 2, active)
        self.backward_layer = build_recurrent_layer(cfg, width, size // 2, active)
        self.skip = nn.Linear(width, size)
        self.layers = nn.ModuleList(
            build_recurrent_layer(cfg, size, size, active) for _ in range(cfg.encoder_layers - 1)
        )
        # one before every further layer, one for the output
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(cfg.encoder_layers))

    def forward(
        self,
        src_tokens: Tensor,
        src_lengths: Tensor | None = None,
        need_activity: bool = False,
        **kwargs,
    ) -> dict[str, list[Tensor]]:
        """Encode a batch, padded at the left or at the right.

        Args:
            src_tokens: B x T.
            src_lengths: B; not needed, the padding says it.
            need_activity: also return which mechanisms were active.

        Returns:
            encoder_out: [T x B x D], with padding at the right whatever it was in the input;
            encoder_padding_mask: [B x T], true at padding;
            activity: one T x B x K for each RIM layer, with `need_activity`; else empty.
        """
        src_tokens = utils.convert_padding_direction(
            src_tokens, self.padding_idx, left_to_right=True
        )
        padding_mask = src_tokens.eq(self.padding_idx).t()  # T x B
        x = self.embed_scale * self.embed_tokens(src_tokens.t())  # T x B x E
        x = self.dropout(x)

        activity = []
        outputs = []
        backwards = reversal_index(padding_mask)  # T x B x 1
        flipped = x.gather(0, backwards.expand_as(x))  # T x B x E
        for layer, source in ((self.forward_layer, x), (self.backward_layer, flipped)):
            output, _, active = layer(source, padding_mask=padding_mask, need_activity=True)
            outputs.append(output)  # T x B x D/2
            activity.append(active)
        outputs[1] = outputs[1].gather(0, backwards.expand_as(outputs[1]))  # T x B x D/2
        x = self.skip(x) + self.dropout(torch.cat(outputs, dim=-1))  # T x B x D

        for further, norm in zip(self.layers, self.norms, strict=False):
            output, _, active = further(norm(x), padding_mask=padding_mask, need_activity=True)
            x = x + self.dropout(output)  # T x B x D
            activity.append(active)

        x = self.norms[-1](x).masked_fill(padding_mask.unsqueeze(-1), 0)  # T x B x D
        return {
            "encoder_out": [x],
            "encoder_padding_mask": [padding_mask.t()],  # B x T
            "activity": [a for a in activity if need_activity and a is not None],
        }

    def reorder_encoder_out(
        self, encoder_out: dict[str, list[Tensor]], new_order: Tensor
    ) -> dict[str, list[Tensor]]:
        """Select sentences along the batch axis, as beam search asks for."""
        batch_axis = {"encoder_out": 1, "encoder_padding_mask": 0, "activity": 1}
        return {
            name: [t.index_select(batch_axis[name], new_order) for t in tensors]
            for name, tensors in encoder_out.items()
        }

    def max_positions(self) -> int:
        """There are no position embeddings; long inputs only take time."""
        return int(1e5)


def reversal_index(padding_mask: Tensor) -> Tensor:
    """Index that turns every sequence round within its own length and leaves padding in place.

    It is its own inverse.

    Args:
        padding_mask: T x B, true at padding, which is at the right.

    Returns:
        T x B x 1, int64, for `torch.gather` along time.
    """
    steps = torch.arange(padding_mask.size(0), device=padding_mask.device).unsqueeze(1)  # T x 1
    lengths = (~padding_mask).sum(0)  # B
    return torch.where(padding_mask, steps, lengths - 1 - steps).unsqueeze(-1)  # T x B x 1
