"""Train a model on a prepared folder: fairseq-train with this plugin and defaults for its size.

Every flag of fairseq-train may follow the folder, and replaces the default. The whole command is
printed, so that it can be copied and changed. The same command again goes on from the last
checkpoint.
"""

import argparse
import shlex
from pathlib import Path

from rim_nmt.cli.shared import add_device, add_verbosity
from rim_nmt.errors import InputError
from rim_nmt.experiments.training_flags import KEPT, SCHEDULES, default_flags, merged, value_of
from rim_nmt.models.matched_sizes import SIZES, matched_models

_COLUMNS = ("size", "lr", "warmup-updates", "max-update", "max-tokens", "dropout")
_TABLE = "\n".join(
    "  {:6} {:>7} {:>15} {:>11} {:>11} {:>8}".format(*row)
    for row in (
        _COLUMNS,
        *(
            (size, *(str(getattr(each, name.replace("-", "_"))) for name in _COLUMNS[1:]))
            for size, each in SCHEDULES.items()
        ),
    )
)
EXAMPLES = f"""\
examples:
  rim-nmt train data/mine
  rim-nmt train data/mine --model lstm --seed 2 --out runs/lstm
  rim-nmt train data/wmt14 --size wmt --fp16 --update-freq 4
  rim-nmt train data/mine --num-mechanisms 8 --num-active 5 --dry-run

defaults, by size; each is a flag, as in --lr 0.001:
{_TABLE}

For all sizes: Adam with betas (0.9, 0.98), gradients clipped at norm 1, inverse square root decay,
label smoothing 0.1, shared embeddings, seed 1. Validation comes with a checkpoint; training ends
after 10 validations without a better loss. The last {KEPT} checkpoints are kept, for `rim-nmt
average`. With --max-update, warm-up and validation interval are at most a tenth of it; with
--max-epoch, validation and checkpoints come at the ends of epochs.

`rim-nmt train --help-all` lists every flag of fairseq-train and of the model (it takes seconds).
"""


class _HelpAll(argparse.Action):
    """Prints the help of fairseq-train with the flags of an architecture, and ends."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, nargs=0, **options)

    def __call__(self, parser, namespace, values, option_string=None):
        _print_all_flags(namespace.size, namespace.model)
        parser.exit()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`; `fairseq_flags` gets those that are not known here."""
    parser.usage = "rim-nmt train DATA [options] [any flag of fairseq-train]"
    parser.set_defaults(fairseq_flags=[])
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="a folder that `rim-nmt prepare` made"
    )
    parser.add_argument("--size", choices=SIZES, default="tiny", help="of the model (%(default)s)")
    parser.add_argument(
        "--model",
        choices=tuple(matched_models("tiny")),
        default="rim",
        help="those of a size have about equally many parameters (%(default)s)",
    )
    parser.add_argument(
        "--pairs",
        metavar="PAIRS",
        help="language pairs of DATA, separated by commas (default: all, by one model)",
    )
    parser.add_argument(
        "--out",
        "--save-dir",
        type=Path,
        metavar="FOLDER",
        help="checkpoints and train.log (default: runs/DATA/MODEL-SIZE)",
    )
    add_device(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the command and do nothing")
    add_verbosity(parser)
    parser.add_argument(
        "--help-all",
        action=_HelpAll,
        help="list every flag of fairseq-train, and of the model (give --model before it)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Train, or go on.

    Raises:
        InputError: the folder is no prepared one, flags do not fit, or the training failed.
    """
    pairs = _pairs(arguments)
    model = f"{arguments.model}-{arguments.size}"
    out = arguments.out or Path("runs") / arguments.data.resolve().name / model
    command = _command(arguments, pairs, out)
    if arguments.dry_run:
        print(shlex.join(command))
        return
    _train(command, arguments.data, out)
    _say_what_next(arguments, out, pairs)


def _pairs(arguments: argparse.Namespace) -> list[str]:
    """The language pairs to train on."""
    from rim_nmt.data.prepared_folder import MANIFEST
    from rim_nmt.runtime.files import read_json

    data = arguments.data
    if not (data / MANIFEST).is_file():
        known = f"{data} is no prepared folder, there is no {MANIFEST} in it"
        if (data.parent / MANIFEST).is_file():
            raise InputError(f"{known}: give {data.parent}")
        raise InputError(
            f"{known}: expected DATA before the flags of fairseq-train, a folder that "
            "`rim-nmt prepare` made"
        )
    there = list(read_json(data / MANIFEST)["pairs"])
    chosen = list(dict.fromkeys(arguments.pairs.split(","))) if arguments.pairs else there
    for pair in chosen:
        if pair not in there:
            raise InputError(f"--pairs {arguments.pairs}: {data} has {', '.join(there)}")
        if not (data / "bin" / f"train.{pair}.{pair.split('-')[0]}.idx").is_file():
            raise InputError(f"{data} has no training text for {pair}")
    flags = arguments.fairseq_flags
    languages = [f for f in ("--source-lang", "--target-lang", "-s", "-t") if f in flags]
    if len(chosen) > 1 and languages:
        raise InputError(
            f"{languages[0]}: {data} has several pairs, {', '.join(there)}: choose one with --pairs"
        )
    return chosen


def _command(arguments: argparse.Namespace, pairs: list[str], out: Path) -> list[str]:
    """The command line of fairseq-train."""
    from rim_nmt.runtime.fairseq_commands import USER_DIR, fairseq_command

    given = arguments.fairseq_flags
    groups = default_flags(arguments.size, arguments.model, pairs, out, _max_update(given))
    flags = merged(groups, given)
    # a log that the progress bar can read, unless it is for the user
    logged = ["--log-format", "simple" if arguments.verbose else "json"]
    return fairseq_command(
        "train",
        arguments.data / "bin",
        *("--user-dir", USER_DIR),
        *([] if "--log-format" in given else logged),
        *([] if "--cpu" in given or _has_gpu(arguments.device) else ["--cpu"]),
        *flags,
    )


def _has_gpu(device: str | None) -> bool:
    """Whether to train on a GPU."""
    if device not in (None, "cpu", "cuda"):
        raise InputError(f"--device {device}: expected cpu or cuda; CUDA_VISIBLE_DEVICES chooses")
    if device == "cpu":
        return False
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: there is no GPU that this PyTorch can use")
    return torch.cuda.is_available()


def _train(command: list[str], data: Path, out: Path) -> None:
    """Run the command, with a log that begins with it, unless the log says that it is done."""
    from rim_nmt.data.prepared_folder import check_vocabulary, note_vocabulary
    from rim_nmt.runtime.console import console, training_progress
    from rim_nmt.runtime.fairseq_commands import show, train
    from rim_nmt.runtime.files import folder_lock

    log = out / "train.log"
    with folder_lock(out):
        if _is_done(command, log):
            console.print(f"{out} is trained already with these flags: nothing to do")
            return
        show(command)
        if (out / "checkpoint_last.pt").exists():
            check_vocabulary(data, out)
            console.print(f"going on from {out / 'checkpoint_last.pt'}")
        out.mkdir(parents=True, exist_ok=True)
        note_vocabulary(data, out)
        with log.open("a", encoding="utf-8") as stream:
            print(_first_line(command), file=stream)
        with training_progress() as progress:
            train(command, log, _max_update(command) or 0, progress)


def _first_line(command: list[str]) -> str:
    return f"$ {shlex.join(command)}"


def _is_done(command: list[str], log: Path) -> bool:
    """Whether the last training in a log is the same and came to its end. fairseq-train would make
    one update more."""
    if not log.exists():
        return False
    from rim_nmt.runtime.fairseq_commands import says_done

    text = log.read_text(encoding="utf-8", errors="replace")
    _, begun, last = f"\n{text}".rpartition(f"\n{_first_line(command)}\n")
    return bool(begun) and "\n$ " not in last and says_done(last)


def _max_update(flags: list[str]) -> int | None:
    """The updates that flags ask for; None where they do not, or fairseq-train will refuse them."""
    updates = value_of("--max-update", flags)
    return int(updates) if updates and updates.isdigit() else None


def _say_what_next(arguments: argparse.Namespace, out: Path, pairs: list[str]) -> None:
    """Where the best checkpoint is, and how to translate with it."""
    from rim_nmt.runtime.console import console
    from rim_nmt.runtime.fairseq_commands import rim_command, show

    best = out / "checkpoint_best.pt"
    if not best.exists():  # --disable-validation, say
        best = out / "checkpoint_last.pt"
    if arguments.quiet:
        print(best)
        return
    console.print(f"best checkpoint: {best}", markup=False)
    console.print("to translate with it:")
    target = ("--target-lang", pairs[0].split("-")[1]) if len(pairs) > 1 else ()
    show(rim_command("translate", "--checkpoint", best, "--data", arguments.data, *target))


def _print_all_flags(size: str, model: str) -> None:
    """The help of fairseq-train: of its own flags, and of those that a model adds."""
    from fairseq import options

    import rim_nmt.plugin.register  # noqa: F401  (adds the architectures)
    from rim_nmt.plugin.fixes import quiet_fairseq

    quiet_fairseq()
    parser = options.get_training_parser()
    parser.prog, parser.usage = "fairseq-train", "rim-nmt train DATA [any flag of these]"
    arch = matched_models(size)[model][:2]
    options.parse_args_and_arch(parser, ["DATA", *arch, "--optimizer", "adam"])
    parser.print_help()
