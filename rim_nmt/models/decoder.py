"""The decoder: recurrent layers with attention over the source after the first one."""

import torch
from fairseq.models import FairseqIncrementalDecoder
from fairseq.modules import FairseqDropout, MultiheadAttention
from torch import Tensor, nn

from rim_nmt.models.config import RecurrentModelConfig
from rim_nmt.models.recurrent import build_recurrent_layer


class RecurrentDecoder(FairseqIncrementalDecoder):
    """Previous target tokens and the encoded source to a distribution over the next token.

        h_0 = layer_0(embedding) + W embedding             (as in `RecurrentEncoder`)
        context = attention(query = LayerNorm(h_0), keys and values = encoder output)
        h_l = h_(l-1) + layer_l([LayerNorm(h_(l-1)) ; context])
        logits = output projection(W [LayerNorm(h_last) ; context])

    There is no input feeding: nothing but the recurrences depends on the previous step, so in
    training the attention runs over all steps at once. Recurrent states start at zero.

    Args:
        cfg: sizes; `decoder_*`, dropouts and the mechanism's.
        dictionary: the target dictionary.
        embed_tokens: target embeddings, V x decoder_embed_dim.
        encoder_size: width of the encoder's output.
        share_output: use `embed_tokens` as the output projection.

    Raises:
        ValueError: for sizes that cannot be built.
    """

    def __init__(
        self,
        cfg: RecurrentModelConfig,
        dictionary,
        embed_tokens: nn.Embedding,
        encoder_size: int,
        share_output: bool,
    ):
        super().__init__(dictionary)
        size = cfg.decoder_hidden_size
        if cfg.decoder_layers < 1:
            raise ValueError(f"--decoder-layers must be 1 or more, got {cfg.decoder_layers}")
        if cfg.decoder_attention_heads < 1 or size % cfg.decoder_attention_heads:
            raise ValueError(
                f"--decoder-hidden-size {size} is not divisible by "
                f"--decoder-attention-heads {cfg.decoder_attention_heads}"
            )
        self.padding_idx = dictionary.pad()
        self.embed_tokens = embed_tokens
        self.embed_scale = embed_tokens.embedding_dim**0.5
        self.dropout = FairseqDropout(cfg.dropout, module_name=self.__class__.__name__)
        width, active = embed_tokens.embedding_dim, cfg.decoder_num_active
        self.first_layer = build_recurrent_layer(cfg, width, size, active)
        self.skip = nn.Linear(width, size)
        slots = 2 if cfg.separate_context else 1
        self.layers = nn.ModuleList(
            build_recurrent_layer(cfg, 2 * size, size, active, slots)
            for _ in range(cfg.decoder_layers - 1)
        )
        # one before the attention and every further layer, one for the output
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(cfg.decoder_layers + 1))
        self.attention = MultiheadAttention(
            size,
            cfg.decoder_attention_heads,
            kdim=encoder_size,
            vdim=encoder_size,
            dropout=cfg.attention_dropout,
            encoder_decoder_attention=True,
        )
        self.to_embedding = nn.Linear(2 * size, embed_tokens.embedding_dim)
        self.output_projection = nn.Linear(
            embed_tokens.embedding_dim, embed_tokens.num_embeddings, bias=False
        )
        if share_output:
            self.output_projection.weight = embed_tokens.weight
        else:
            nn.init.normal_(self.output_projection.weight, std=embed_tokens.embedding_dim**-0.5)

    def forward(
        self,
        prev_output_tokens: Tensor,
        encoder_out: dict[str, list[Tensor]],
        incremental_state: dict | None = None,
        features_only: bool = False,
        need_activity: bool = False,
        **kwargs,
    ) -> tuple[Tensor, dict[str, list]]:
        """Logits for every position, or with `incremental_state` for the newest one.

        Args:
            prev_output_tokens: B x T, shifted right, padded at the right.
            encoder_out: from `RecurrentEncoder`.
            incremental_state: the state of step-by-step decoding, read and updated.
            features_only: return what the output projection takes instead of logits.
            need_activity: also return which mechanisms were active.

        Returns:
            B x T x V (B x T x decoder_embed_dim with `features_only`), and a dictionary with
            attn: [B x T x S], mean over heads; activity: one T x B x K for each RIM layer.
        """
        x, extra = self.extract_features(
            prev_output_tokens, encoder_out, incremental_state, need_activity
        )
        return (x if features_only else self.output_layer(x)), extra

    def extract_features(
        self,
        prev_output_tokens: Tensor,
        encoder_out: dict[str, list[Tensor]],
        incremental_state: dict | None = None,
        need_activity: bool = False,
        **kwargs,
    ) -> tuple[Tensor, dict[str, list]]:
        """As `forward` with `features_only`."""
        states = self._get_states(incremental_state)
        if states is not None:  # everything before the newest token is in the states
            prev_output_tokens = prev_output_tokens[:, -1:]
        states = states or [None] * (1 + len(self.layers))
        padding_mask = prev_output_tokens.eq(self.padding_idx).t()  # T x B
        x = self.embed_scale * self.embed_tokens(prev_output_tokens.t())  # T x B x E
        x = self.dropout(x)

        output, state, active = self.first_layer(x, states[0], padding_mask, need_activity=True)
        x = self.skip(x) + self.dropout(output)  # T x B x D
        new_states, activity = [state], [active]
        source = encoder_out["encoder_out"][0]  # S x B x encoder_size
        context, attention = self.attention(
            query=self.norms[0](x),
            key=source,
            value=source,
            key_padding_mask=encoder_out["encoder_padding_mask"][0],
            incremental_state=incremental_state,
            static_kv=True,
            need_weights=not self.training,
        )  # T x B x D, B x T x S
        context = self.dropout(context)

        for layer, norm, state in zip(self.layers, self.norms[1:], states[1:], strict=False):
            output, state, active = layer(
                torch.cat([norm(x), context], dim=-1), state, padding_mask, need_activity=True
            )
            x = x + self.dropout(output)  # T x B x D
            new_states.append(state)
            activity.append(active)

        x = self.to_embedding(torch.cat([self.norms[-1](x), context], dim=-1))  # T x B x E
        x = self.dropout(x).transpose(0, 1)  # B x T x E
        self._set_states(incremental_state, new_states)
        return x, {
            "attn": [attention],
            "activity": [a for a in activity if need_activity and a is not None],
        }

    def output_layer(self, features: Tensor, **kwargs) -> Tensor:
        """B x T x E -> B x T x V."""
        return self.output_projection(features)

    def reorder_incremental_state(self, incremental_state: dict, new_order: Tensor) -> None:
        """Select hypotheses along the batch axis; the attention's cache does so by itself."""
        states = self._get_states(incremental_state)
        if states is not None:
            self._set_states(
                incremental_state,
                [
                    s.index_select(1, new_order)
                    if isinstance(s, Tensor)
                    else tuple(part.index_select(1, new_order) for part in s)
                    for s in states
                ],
            )

    def max_positions(self) -> int:
        """There are no position embeddings; long outputs only take time."""
        return int(1e5)

    def _get_states(self, incremental_state: dict | None) -> list | None:
        """One state per recurrent layer, or None at the start (or outside of decoding)."""
        if incremental_state is None:
            return None
        saved = self.get_incremental_state(incremental_state, "recurrent")
        if saved is None:
            return None
        states = []
        for layer in range(1 + len(self.layers)):
            h, c = saved[f"h{layer}"], saved[f"c{layer}"]  # each 1 x B x D; a GRU has no c
            states.append(h if c is None else (h, c))
        return states

    def _set_states(self, incremental_state: dict | None, states: list) -> None:
        """Store what `_get_states` returns; fairseq wants a flat dictionary of tensors."""
        if incremental_state is None:
            return
        saved: dict[str, Tensor | None] = {}
        for layer, state in enumerate(states):
            h, c = (state, None) if isinstance(state, Tensor) else state
            saved[f"h{layer}"], saved[f"c{layer}"] = h, c
        self.set_incremental_state(incremental_state, "recurrent", saved)
