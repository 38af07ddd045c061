"""The copying task as a command: which cells there are, training what is not trained yet, and the
report."""

import argparse
import math
from pathlib import Path

from rim_nmt.errors import InputError

MODELS = ("rim", "rim-no-communication", "rim-no-input-attention", "lstm-half", "lstm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/copying"),
        metavar="FOLDER",
        help="folder of the experiment (%(default)s)",
    )
    parser.add_argument(
        "--models",
        nargs="+",
        default=list(MODELS),
        metavar="MODEL",
        help=f"{', '.join(MODELS)} (these are the default), rim-linear, or rim-all-active",
    )
    parser.add_argument(
        "--width",
        type=int,
        default=600,
        help="of every model but lstm-half; a multiple of 6 (%(default)s, the paper's)",
    )
    parser.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="train with seeds 1 to N (%(default)s)"
    )
    parser.add_argument(
        "--max-update",
        type=int,
        default=20_000,
        help="stop there what has not been learned; with a higher number it goes on (%(default)s)",
    )
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (%(default)s)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what is there and what is not")
    parser.add_argument(
        "--report-to", type=Path, metavar="DIR", help="copy the table and the plots there"
    )
    task = parser.add_argument_group("the task and its training; for all cells in --out the same")
    task.add_argument("--digits", type=int, default=10, help="to be remembered (%(default)s)")
    task.add_argument("--span", type=int, default=50, help="dormant steps trained (%(default)s)")
    task.add_argument(
        "--test-span", type=int, default=200, help="dormant steps tested (%(default)s)"
    )
    task.add_argument(
        "--curve-spans",
        type=int,
        nargs="*",
        default=[25, 75, 100, 150, 300, 400],
        metavar="SPAN",
        help="further ones for the curve (25 75 100 150 300 400)",
    )
    task.add_argument("--batch-size", type=int, default=64, help="sequences (%(default)s)")
    task.add_argument("--lr", type=float, default=1e-3, help="of Adam (%(default)s)")
    task.add_argument(
        "--stop-below",
        type=float,
        default=1e-3,
        metavar="LOSS",
        help="validation loss in nats at which a model has learned the task (%(default)s)",
    )
    task.add_argument(
        "--eval-interval",
        type=int,
        default=100,
        metavar="UPDATES",
        help="between two evaluations, each with a checkpoint (%(default)s)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Train the cells that are not trained yet, one after the other, and write the report.

    Raises:
        InputError: an option is out of range, a model cannot be built, or --out holds cells that
            were trained with other settings.
    """
    _check(arguments)
    import torch  # takes seconds: --help should not

    from rim_nmt.experiments.copying.report import write_report
    from rim_nmt.experiments.copying.task import CopyingModel
    from rim_nmt.experiments.copying.training import check_settings, state_of, train_cell
    from rim_nmt.experiments.reports import announce_report
    from rim_nmt.plugin.memory import keep_freed_memory
    from rim_nmt.plugin.processor import one_thread_unless_told
    from rim_nmt.runtime.console import console

    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: there is no GPU that this PyTorch can use")
    one_thread_unless_told()
    keep_freed_memory()
    cells = _cells(arguments)
    for settings in cells:  # before hours are spent on the first
        with torch.device("meta"):
            CopyingModel(settings.model, settings.width)
        check_settings(arguments.out, settings)
    for settings in cells:
        state = state_of(arguments.out, settings, arguments.max_update)
        console.print(f"{settings.cell}: {state}")
        if arguments.dry_run:
            continue
        result = train_cell(arguments.out, settings, arguments.max_update, arguments.device)
        if result is None:
            console.print("  another process is at work on it")
            continue
        losses = ", ".join(
            f"{result['loss'][str(span)]:.4f} at span {span}"
            for span in (settings.span, settings.test_span)
        )
        learned = "learned" if result["learned"] else "not learned"
        console.print(f"  {learned} after {result['updates']:,} updates; test loss {losses}")
    if arguments.dry_run:
        return
    report = arguments.out / "report"
    write_report(arguments.out, report)
    announce_report(report, arguments.report_to)


def _check(arguments: argparse.Namespace) -> None:
    least = {"width": 1, "seeds": 1, "max_update": 1, "digits": 1, "batch_size": 1}
    least |= {"eval_interval": 1, "span": 0, "test_span": 0}
    given = [(name, getattr(arguments, name), bound) for name, bound in least.items()]
    given += [("curve_spans", span, 0) for span in arguments.curve_spans]
    for name, value, bound in given:
        if value < bound:
            flag = name.replace("_", "-")
            raise InputError(f"--{flag} must be {bound} or more, got {value}")
    if not 0 < arguments.lr < math.inf:
        raise InputError(f"--lr must be a number above 0, got {arguments.lr}")
    if not 0 <= arguments.stop_below < math.inf:
        raise InputError(f"--stop-below must be a number from 0 on, got {arguments.stop_below}")


def _cells(arguments: argparse.Namespace) -> list:
    """Settings of every cell: seed by seed, so that the first results are a whole table."""
    from rim_nmt.experiments.copying.training import Settings

    task = ("digits", "span", "test_span", "batch_size", "lr", "stop_below", "eval_interval")
    shared = {name: getattr(arguments, name) for name in task}
    shared["curve_spans"] = tuple(arguments.curve_spans)
    cells = []
    for seed in range(1, arguments.seeds + 1):
        for model in arguments.models:
            half = model == "lstm-half"
            width = arguments.width // 2 if half else arguments.width
            cells.append(Settings("lstm" if half else model, width, seed, **shared))
    return cells
