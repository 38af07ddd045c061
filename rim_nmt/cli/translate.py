"""Translate text: a file, a pipe, or at a prompt. One line in, one line out, in their order.

Lines are cut into sentences, translated, and put together again with their white space.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rim_nmt.cli.shared import add_model_arguments, add_verbosity, load_translator
from rim_nmt.errors import InputError

EXAMPLES = """\
examples:
  echo "Where is the station?" | rim-nmt translate
  rim-nmt translate --input letter.en --output letter.de
  rim-nmt translate --checkpoint runs/mine --data data/mine < text.en > text.de
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    add_model_arguments(parser)
    files = parser.add_argument_group("text")
    files.add_argument("--input", type=Path, metavar="FILE", help="read this, not standard input")
    files.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write this, not standard output; until it is finished it is called FILE.unfinished",
    )
    files.add_argument(
        "--format",
        choices=("text", "tsv", "jsonl"),
        default="text",
        help="text: translations; tsv and jsonl: with numbers, sources and scores (%(default)s)",
    )
    files.add_argument(
        "--nbest",
        type=int,
        default=1,
        metavar="N",
        help="translations of each line (%(default)s); with more than one, a line of text has "
        "NUMBER, SCORE and TEXT with tabs between them",
    )
    files.add_argument(
        "--alignment",
        action="store_true",
        help="also write which words belong together, as 0-0 1-2: the attention's view",
    )
    files.add_argument("--no-split", action="store_true", help="every line is one sentence")
    files.add_argument(
        "--strict",
        action="store_true",
        help="stop at a line that is not UTF-8 or is longer than the model takes; without, wrong "
        "bytes are replaced and long sentences are cut, with a warning",
    )
    add_verbosity(parser)


def run(arguments: argparse.Namespace) -> None:
    """Translate what comes in.

    Raises:
        InputError: the model cannot be loaded, or a file cannot be read or written; with --strict,
            a line cannot be translated.
    """
    if not 1 <= arguments.nbest <= max(arguments.beam, 1):
        raise InputError(f"--nbest {arguments.nbest} must be from 1 to --beam {arguments.beam}")
    if arguments.input is None and sys.stdin is None:
        raise InputError("standard input is closed: give --input FILE")
    if arguments.input and not arguments.input.is_file():
        raise InputError(f"--input {arguments.input} does not exist")
    if arguments.input and arguments.output and _are_one(arguments.input, arguments.output):
        raise InputError(
            f"--output {arguments.output} is --input, which would be lost: name another file"
        )
    prompting = not arguments.input and not arguments.output and sys.stdin.isatty()
    if arguments.output:
        from rim_nmt.runtime.files import check_writable

        check_writable(arguments.output.parent)
    translator = load_translator(arguments)
    with _writer(arguments.output) as write:
        if prompting:
            _prompt(translator, arguments, write)
        else:
            _translate_file(translator, arguments, write)


def _are_one(path: Path, other: Path) -> bool:
    return other.exists() and path.samefile(other)


def _translate_file(translator, arguments: argparse.Namespace, write: Callable) -> None:
    from rim_nmt.runtime.console import ProgressBar
    from rim_nmt.translation.formats import heading, written

    with contextlib.ExitStack() as stack:
        stream, total = sys.stdin.buffer if sys.stdin else None, None
        if arguments.input:
            with arguments.input.open("rb") as counted:
                total = sum(1 for _ in counted)
            stream = stack.enter_context(arguments.input.open("rb"))
        # no bar where it would stand between the translations
        shown = not arguments.quiet and (arguments.output or not sys.stdout.isatty())
        bar = stack.enter_context(
            ProgressBar(desc="translating", unit=" lines", total=total, disable=not shown)
        )
        for text in heading(arguments.format):
            write(text)
        for line in _lines(translator, stream, arguments):
            for text in written(line, arguments.format, arguments.nbest):
                write(text)
            bar.update()


def _lines(translator, stream, arguments: argparse.Namespace) -> Iterator:
    from rim_nmt.translation.stream import translate_stream

    return translate_stream(
        translator,
        stream,
        beam=arguments.beam,
        nbest=arguments.nbest,
        split=not arguments.no_split,
        strict=arguments.strict,
        align=arguments.alignment,
    )


@contextlib.contextmanager
def _writer(output: Path | None) -> Iterator[Callable[[str], None]]:
    """What writes a line: to standard output, or to a file that gets its name in the end."""
    if output is None:
        yield lambda line: print(line, flush=True)
        return
    from rim_nmt.runtime.files import publish

    unfinished = output.with_name(f"{output.name}.unfinished")
    count = 0
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as stream:

            def write(line: str) -> None:
                nonlocal count
                stream.write(f"{line}\n")
                stream.flush()
                count += 1

            yield write
    except BaseException:
        if count:
            print(f"{unfinished} holds the {count} lines that are finished", file=sys.stderr)
        else:
            unfinished.unlink(missing_ok=True)
        raise
    publish(unfinished, output)


def _prompt(translator, arguments: argparse.Namespace, write: Callable) -> None:
    """Answer at a prompt until Ctrl-D."""
    import readline  # noqa: F401  (editing and history at the prompt)

    from rim_nmt.translation.formats import written

    if not arguments.quiet:
        print(
            f"Type a sentence to translate it ({translator.source_lang} to "
            f"{translator.target_lang}); Ctrl-D ends."
        )
    while True:
        try:
            text = input("> ")
        except EOFError:
            print()
            return
        try:
            if text.strip():
                (line,) = _lines(translator, [text.encode("utf-8", "replace")], arguments)
                for text in written(line, arguments.format, arguments.nbest):
                    write(text)
        except InputError as error:
            print(error)
