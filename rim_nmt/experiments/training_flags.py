"""The flags of fairseq-train for one training of each size, and how the user's own replace them.

"tiny" was tried on 29,000 captions with the RIM and with the LSTM: both still gained a little when
they reached its last update. "wmt" has the updates and batches of the paper's scale of Table 8.
"iwslt" and "base" lie between them and were not tuned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rim_nmt.errors import InputError
from rim_nmt.models.matched_sizes import matched_models

NEVER = 1_000_000  # epochs
KEPT = 10  # last checkpoints, to be averaged


@dataclass(frozen=True)
class Schedule:
    """What depends on the size of a model.

    Args:
        lr: the highest learning rate, at the end of the warm-up.
        warmup_updates: of the learning rate, which then falls with the root of the updates.
        max_update: updates, if the validation loss improves until then.
        interval: updates between two validations, each with a checkpoint.
        max_tokens: of a batch, on the longer side, padding included.
        dropout: on embeddings and layer outputs.
    """

    lr: float
    warmup_updates: int
    max_update: int
    interval: int
    max_tokens: int
    dropout: float


SCHEDULES = {
    "tiny": Schedule(0.002, 400, 40_000, 400, 1500, 0.2),
    "iwslt": Schedule(0.001, 1000, 60_000, 500, 4096, 0.3),
    "base": Schedule(0.0007, 4000, 100_000, 1000, 8192, 0.1),
    "wmt": Schedule(0.0007, 4000, 100_000, 1000, 8192, 0.1),
}


@dataclass(frozen=True)
class Group:
    """Flags that go together; one that the user gives is left out.

    Args:
        flags: flag -> its value, None for a flag without one.
        heads: where the user gives one of these, such as another optimiser, all of them are left
            out.
    """

    flags: Mapping[str, object]
    heads: tuple[str, ...] = ()


def default_flags(
    size: str, model: str, pairs: Sequence[str], save_dir: Path, max_update: int | None = None
) -> list[Group]:
    """Everything that fairseq-train is told unless the user says otherwise.

    Args:
        size: a key of `SCHEDULES`.
        model: a key of `matched_models`.
        pairs: language pairs, such as "en-de"; with several, the multi-task model.
        save_dir: where checkpoints go.
        max_update: updates, if not those of the schedule; warm-up and validation interval are at
            most a tenth of them.

    Raises:
        InputError: there is no such model for several pairs.
    """
    several = len(pairs) > 1
    models = matched_models(size, several)
    if model not in models:
        raise InputError(
            f"--model {model} is for one language pair, got {', '.join(pairs)}: choose one of them "
            "with --pairs, or another model"
        )
    schedule = SCHEDULES[size]
    updates = schedule.max_update if max_update is None else max_update
    warmup = min(schedule.warmup_updates, max(1, updates // 10))
    interval = min(schedule.interval, max(1, updates // 10))
    source, target = pairs[0].split("-")
    if several:
        task = Group(
            {"--task": "multilingual_translation", "--lang-pairs": ",".join(pairs)}, ("--task",)
        )
    else:
        task = Group({"--source-lang": source, "--target-lang": target})
    return [
        task,
        Group(_by_flag(models[model]), ("--arch", "-a")),
        Group({"--share-all-embeddings": None, "--dropout": schedule.dropout}),
        Group(
            {"--criterion": "label_smoothed_cross_entropy", "--label-smoothing": 0.1},
            ("--criterion",),
        ),
        Group({"--optimizer": "adam", "--adam-betas": "(0.9, 0.98)"}, ("--optimizer",)),
        Group({"--lr": schedule.lr, "--clip-norm": 1.0}),
        Group({"--lr-scheduler": "inverse_sqrt", "--warmup-updates": warmup}, ("--lr-scheduler",)),
        Group({"--max-tokens": schedule.max_tokens, "--max-update": updates, "--patience": 10}),
        Group(
            {
                "--validate-interval-updates": interval,
                "--save-interval-updates": interval,
                "--keep-interval-updates": KEPT,
                # not at the ends of epochs too, which would count towards --patience
                "--validate-interval": NEVER,
                "--save-interval": NEVER,
            },
            ("--max-epoch", "--validate-interval", "--save-interval"),
        ),
        Group({"--no-epoch-checkpoints": None}, ("--keep-last-epochs",)),
        Group({"--seed": 1, "--ddp-backend": "legacy_ddp"}),  # which the multi-task model needs
        Group({"--log-interval": 20, "--save-dir": save_dir}),
    ]


def merged(groups: Sequence[Group], given: Sequence[str]) -> list[str]:
    """The flags of the groups that the user's do not replace, then the user's.

    Args:
        groups: from `default_flags`.
        given: flags as the user wrote them, "--flag value" or "--flag=value".
    """
    named = {part.partition("=")[0] for part in given if part.startswith("-")}
    flags: list[str] = []
    for group in groups:
        if named.isdisjoint(group.heads):
            for flag, value in group.flags.items():
                if flag not in named:
                    flags += [flag] if value is None else [flag, str(value)]
    return [*flags, *given]


def value_of(flag: str, flags: Sequence[str]) -> str | None:
    """The value that a flag has on a command line: the last one counts."""
    for index in reversed(range(len(flags))):
        name, joined, value = flags[index].partition("=")
        if name == flag:
            return value if joined else next(iter(flags[index + 1 :]), None)
    return None


def _by_flag(flags: Sequence[str]) -> dict[str, str | None]:
    """["--arch", "rim", "--share-encoders"] as flag -> value."""
    found: dict[str, str | None] = {}
    for part in flags:
        if part.startswith("--"):
            found[part] = None
        else:
            found[next(reversed(found))] = part
    return found
