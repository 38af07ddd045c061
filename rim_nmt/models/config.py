"""The flags of the recurrent models. Defaults are the architecture `rim`."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

from fairseq.dataclass import ChoiceEnum, FairseqDataclass

from rim_nmt.mechanism.communication import PROJECTIONS
from rim_nmt.mechanism.kernels import KERNELS
from rim_nmt.mechanism.layer import DYNAMICS

if TYPE_CHECKING:
    LayerKind = str
    DynamicsKind = str
    ProjectionKind = str
    KernelKind = str
else:  # fairseq makes a flag with choices of them
    LayerKind = ChoiceEnum(["rim", "lstm", "gru"])
    DynamicsKind = ChoiceEnum(DYNAMICS)
    ProjectionKind = ChoiceEnum(PROJECTIONS)
    KernelKind = ChoiceEnum(KERNELS)


def _flag(default, help_text: str):
    return field(default=default, metadata={"help": help_text})


@dataclass
class RecurrentModelConfig(FairseqDataclass):
    """Sizes and dropouts of encoder, decoder and mechanisms.

    A checkpoint stores every value, but a value added later is filled from its default here when
    an old checkpoint is loaded: a default, once released, must not change.
    """

    recurrent_layer: LayerKind = _flag("rim", "kind of recurrent layer in encoder and decoder")
    encoder_embed_dim: int = _flag(512, "width of the source embeddings")
    encoder_hidden_size: int = _flag(
        600, "width D of the encoder layers; the first one has two directions of D/2"
    )
    encoder_layers: int = _flag(2, "encoder layers, the bidirectional first one included")
    decoder_embed_dim: int = _flag(512, "width of the target embeddings")
    decoder_hidden_size: int = _flag(600, "width D of the decoder layers")
    decoder_layers: int = _flag(2, "decoder layers, the one below the attention included")
    decoder_attention_heads: int = _flag(4, "heads of the attention over the source")
    dropout: float = _flag(0.1, "dropout on embeddings and layer outputs")
    attention_dropout: float = _flag(0.0, "dropout on the weights of the attention over the source")
    share_decoder_input_output_embed: bool = _flag(
        False, "use the target embeddings as the output projection too"
    )
    share_all_embeddings: bool = _flag(
        False, "one matrix for source and target embeddings and the output projection"
    )
    num_mechanisms: int = _flag(6, "mechanisms K in a RIM layer; D must be divisible by it")
    num_active: int = _flag(4, "mechanisms A that are active at a step")
    num_always: int = _flag(0, "of these, mechanisms that are active at every step: the first ones")
    encoder_num_active: Optional[int] = _flag(  # noqa: UP045  (fairseq reads the annotation)
        None, "another A for the encoder (default: --num-active)"
    )
    decoder_num_active: Optional[int] = _flag(  # noqa: UP045
        None, "another A for the decoder (default: --num-active)"
    )
    rim_dynamics: DynamicsKind = _flag("lstm", "cell inside each mechanism")
    separate_context: bool = _flag(
        False,
        "RIM layers above the attention choose between two inputs, the layer below and the "
        "context, which are one input otherwise",
    )
    input_heads: int = _flag(4, "heads of a RIM layer's input attention")
    input_key_size: int = _flag(64, "width of its queries and keys in each head")
    input_value_size: Optional[int] = _flag(  # noqa: UP045  (fairseq reads the annotation)
        None, "width of its values in each head (default: D/K, the width of a mechanism)"
    )
    input_dropout: float = _flag(0.1, "dropout on the input attention")
    comm_heads: int = _flag(4, "heads of the communication; 0 switches communication off")
    comm_key_size: int = _flag(32, "width of its queries and keys in each head")
    comm_value_size: int = _flag(32, "width of its values in each head")
    comm_dropout: float = _flag(0.1, "dropout on the communication attention")
    comm_projection: ProjectionKind = _flag(
        "gated", "how what was communicated is mapped back to the width of a mechanism"
    )
    rim_kernel: KernelKind = _flag(
        "auto",
        "how RIM layers are computed: in plain PyTorch, or by the kernels compiled at first use "
        "for CPUs (compiled) or GPUs (triton)",
    )
