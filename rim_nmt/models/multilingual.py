"""The multi-task model: one encoder for all languages, one decoder for each target language."""

from collections import OrderedDict

from fairseq.dataclass.utils import gen_parser_from_dataclass
from fairseq.models import FairseqMultiModel, register_model
from torch import nn

from rim_nmt.models.config import RecurrentModelConfig
from rim_nmt.models.model import (
    ARCHITECTURES,
    RecurrentModel,
    build_decoder,
    build_encoder,
    fill_in_defaults,
    register_architectures,
)


@register_model("multilingual_rim")
class MultilingualRecurrentModel(FairseqMultiModel):
    """Models for several language pairs, for fairseq's task `multilingual_translation`.

    All pairs have one encoder, and pairs with the same target language one decoder. That is what
    this model is, so it has none of the flags --share-encoders, --share-encoder-embeddings,
    --share-decoders and --share-decoder-embeddings of fairseq's `multilingual_transformer`; its
    flags are those of the models for one pair. With --share-all-embeddings the encoder, all
    decoders and all output projections use one matrix.

    Args:
        models: a model for each pair, by the name of the pair ("en-de").
    """

    def __init__(self, models: dict[str, RecurrentModel]):
        super().__init__(
            {pair: model.encoder for pair, model in models.items()},
            {pair: model.decoder for pair, model in models.items()},
        )
        self.models = nn.ModuleDict(models)  # in place of fairseq's, which do not log

    @staticmethod
    def add_args(parser) -> None:
        """The flags of `RecurrentModelConfig`. The task writes into the model's configuration,
        which only the older kind of configuration allows, so fairseq does not add them itself."""
        gen_parser_from_dataclass(parser, RecurrentModelConfig(), delete_default=True)

    @classmethod
    def build_model(cls, args, task) -> "MultilingualRecurrentModel":
        """Build for the pairs of a `multilingual_translation` task.

        Raises:
            ValueError: for sizes that cannot be built, embeddings that cannot be shared, or source
                languages with different dictionaries.
        """
        fill_in_defaults(args)
        pairs = [pair.split("-") for pair in task.model_lang_pairs]
        first = pairs[0][0]
        for source, _ in pairs:
            if task.dicts[source] != task.dicts[first]:
                raise ValueError(
                    f"the source languages {first} and {source} share one encoder, but their "
                    f"dictionaries differ ({len(task.dicts[first])} and {len(task.dicts[source])} "
                    "entries): prepare all pairs with one joint dictionary"
                )
        encoder = build_encoder(args, task.dicts[first])
        targets = dict.fromkeys(target for _, target in pairs)
        decoders = {target: build_decoder(args, task.dicts[target], encoder) for target in targets}
        return cls(
            OrderedDict(
                (
                    f"{source}-{target}",
                    RecurrentModel(encoder, decoders[target], decoder_name=f"dec_{target}"),
                )
                for source, target in pairs
            )
        )

    def load_state_dict(self, state_dict: dict, strict: bool = True, **kwargs):
        """Take the weights of the pairs that are built here: one for translating, all for training.

        Raises:
            ValueError: the weights are of other pairs.
        """
        trained = dict.fromkeys(name.split(".")[1] for name in state_dict)
        missing = [pair for pair in self.models if pair not in trained]
        if missing:
            raise ValueError(
                f"the checkpoint was not trained on {', '.join(missing)}: expected pairs out of "
                f"{', '.join(trained)} (see --lang-pairs, --source-lang and --target-lang)"
            )
        built = {
            name: weight for name, weight in state_dict.items() if name.split(".")[1] in self.models
        }
        return super().load_state_dict(built, strict, **kwargs)


# Sizes are those of the models for one pair.
MULTILINGUAL_ARCHITECTURES = {
    f"multilingual_{name.removeprefix('rnn_')}": sizes
    for name, sizes in {"rim": {}, **ARCHITECTURES}.items()
}
register_architectures("multilingual_rim", MULTILINGUAL_ARCHITECTURES)
