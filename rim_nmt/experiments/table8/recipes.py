"""How every model of a table is trained: a recipe for each scale."""

import dataclasses
from dataclasses import dataclass

from rim_nmt.errors import InputError

DEFAULT_MODELS = ("rim", "lstm", "transformer")
MODELS = (*DEFAULT_MODELS, "fairseq-lstm")
BASELINE = "rim"  # what a report compares with the others, if the user names none


@dataclass(frozen=True)
class Recipe:
    """How every model of an experiment is trained: the same for all but for what was tuned.

    Args:
        size: of the models, a key of `matched_models`.
        max_update: updates.
        warmup_updates: of the learning rate, which then falls linearly to zero at `max_update`.
        interval: updates between two validations, each with a checkpoint.
        average: the mean of so many last checkpoints is scored; of a tenth of the training, where
            the learning rate is low: over more the mean was worse than the last one.
        patience: validations without a better loss after which training ends.
        max_tokens: of a batch, on the longer side, padding included.
        lr: learning rate, by model.
        dropout: by model.
        scored: whether test sets are translated; without, the validation loss is all.
        more: further flags of fairseq-train.
    """

    size: str
    max_update: int
    warmup_updates: int
    interval: int
    max_tokens: int
    lr: dict[str, float]
    dropout: dict[str, float]
    average: int = 3
    patience: int = 10
    scored: bool = True
    more: tuple = ("--num-workers", 0)

    def adapted(
        self,
        lr: dict[str, float],
        dropout: dict[str, float],
        max_update: int | None,
        amp: bool = False,
    ) -> "Recipe":
        """Another recipe with these values, where they are given. With another number of updates,
        warm-up and validation keep their share of it.

        Raises:
            InputError: mixed precision for a recipe that has it already.
        """
        if amp and "--fp16" in self.more:
            raise InputError("--amp: this scale trains in float16 as it is")
        changed = dataclasses.replace(
            self,
            lr={**self.lr, **lr},
            dropout={**self.dropout, **dropout},
            more=(*self.more, "--amp") if amp else self.more,
        )
        if max_update is None:
            return changed
        share = max_update / self.max_update
        return dataclasses.replace(
            changed,
            max_update=max_update,
            warmup_updates=max(1, round(share * self.warmup_updates)),
            interval=max(1, round(share * self.interval)),
        )


def per_model(value: float) -> dict[str, float]:
    """The same value for every model."""
    return dict.fromkeys(MODELS, value)


RECIPES = {
    "tiny": Recipe(
        size="tiny",
        max_update=600,
        warmup_updates=100,
        interval=40,
        max_tokens=1500,
        lr=per_model(0.004),
        dropout=per_model(0.1),
        average=2,
    ),
    "screening": Recipe(
        size="tiny",
        max_update=1000,
        warmup_updates=100,
        interval=100,
        max_tokens=1500,
        lr=per_model(0.004),
        dropout=per_model(0.1),
        average=1,
        scored=False,
    ),
    "small": Recipe(
        size="tiny",
        max_update=3000,
        warmup_updates=300,
        interval=100,
        max_tokens=1500,
        lr=per_model(0.004),
        dropout=per_model(0.1),
    ),
    "converged": Recipe(
        size="tiny",
        max_update=16_000,
        warmup_updates=400,
        interval=400,
        max_tokens=1500,
        lr=per_model(0.002),
        dropout=per_model(0.2),
    ),
    "paper": Recipe(
        size="wmt",
        max_update=100_000,
        warmup_updates=4000,
        interval=1000,
        max_tokens=8192,
        lr=per_model(0.0007),
        dropout=per_model(0.1),
        average=10,
        more=("--fp16", "--num-workers", 4),
    ),
}
