# PYTHON_ARGCOMPLETE_OK
"""`rim-nmt`: one program, with a subcommand for each job.

A subcommand is a module of this package. Its docstring is the description, EXAMPLES is what stands
below the options; `add_arguments(parser)` defines these, and `run(arguments)` does the work. A new
one needs a module and a line in COMMANDS. Modules import what takes time in `run` alone, so that
`--help` and completion are quick.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from rim_nmt import __version__
from rim_nmt.cli.shared import run_main
from rim_nmt.errors import InputError

COMMANDS = {
    "prepare": "clean parallel text, learn subwords, binarise it for fairseq",
    "train": "train a model on a prepared folder, by fairseq-train",
    "score": "BLEU and chrF of a model on test sets",
    "translate": "translate text: a file, a pipe, or at a prompt",
    "inspect": "see what the mechanisms did, at a sentence or over a text",
    "serve": "a page for translating in the browser",
    "pack": "put a trained model into one folder",
    "average": "average the weights of several checkpoints",
    "parameters": "count the parameters of every model and size",
    "experiment": "run an experiment of the paper, from training to table",
    "demo": "see the whole job on a small made-up corpus",
}
DESCRIPTION = "Translation with Recurrent Independent Mechanisms, on top of fairseq."
EXAMPLES = """\
examples:
  rim-nmt prepare files --train my/train --valid my/valid --pairs en-de --out data/mine
  rim-nmt train data/mine --size tiny --out runs/mine
  echo "The dog sleeps." | \\
      rim-nmt translate --checkpoint runs/mine/checkpoint_best.pt --data data/mine

`rim-nmt COMMAND --help` explains a command. To complete commands and options with the Tab key, put
this line into ~/.bashrc:
  eval "$(register-python-argcomplete rim-nmt)"
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Args:
        argv: the subcommand and its arguments; those of this process, if None.

    Raises:
        SystemExit: it failed; `run_main` says with which status.
    """
    run_main(lambda: _run(list(sys.argv[1:] if argv is None else argv)))


def _run(argv: list[str]) -> None:
    # the shell asks for what may follow COMP_LINE, a line that begins with the name of the program
    asked = os.environ.get("COMP_LINE", "").split()[1:] if "_ARGCOMPLETE" in os.environ else argv
    parser, command = build_parser(asked[0] if asked else None)
    _complete(parser)
    arguments, rest = parser.parse_known_args(argv)
    if hasattr(arguments, "fairseq_flags"):
        arguments.fairseq_flags = rest
    elif rest:
        arguments.refuse(f"unrecognized arguments: {' '.join(rest)}")
    assert command is not None  # the parser has ended where it is none
    try:
        if hasattr(arguments, "quiet"):
            from rim_nmt.runtime.console import set_verbosity

            set_verbosity(arguments.quiet, arguments.verbose)
        command.run(arguments)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "rim_nmt"):
            raise
        raise InputError(
            f"this needs {package}, which is not installed: pip install 'rim-nmt[experiments,page]'"
        ) from error


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help texts of subcommands begin on the same line: argparse forgets that they are indented."""

    def __init__(self, prog: str):
        super().__init__(prog)
        self._action_max_length = 14


def build_parser(chosen: str | None) -> tuple[argparse.ArgumentParser, ModuleType | None]:
    """The parser of the whole program, with the arguments of one subcommand.

    Args:
        chosen: the subcommand, or something else.

    Returns:
        The parser, and the module of the subcommand; None where it is none.
    """
    style: dict[str, Any] = {"formatter_class": _Help, "allow_abbrev": False}
    parser = argparse.ArgumentParser("rim-nmt", description=DESCRIPTION, epilog=EXAMPLES, **style)
    parser.add_argument("--version", action="version", version=f"rim-nmt {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    module = None
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, **style)
        if name == chosen:
            module = importlib.import_module(f"rim_nmt.cli.{name}")
            command.description, command.epilog = module.__doc__, module.EXAMPLES
            module.add_arguments(command)
            command.set_defaults(refuse=command.error)
    return parser, module


def _complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and end, where it is the shell that asks."""
    if "_ARGCOMPLETE" in os.environ:
        try:
            import argcomplete
        except ImportError:
            return
        argcomplete.autocomplete(parser)
