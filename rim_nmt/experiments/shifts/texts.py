"""What is trained on for the shifts: the user's folder, its short sentences, the made-up corpus."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rim_nmt.data.cleaning import normalise
from rim_nmt.data.parallel import languages
from rim_nmt.data.subwords import decode_line
from rim_nmt.errors import InputError
from rim_nmt.experiments.shifts.folder import Folder
from rim_nmt.experiments.shifts.lengths import SHORT, short_pairs
from rim_nmt.experiments.shifts.shift import Shift
from rim_nmt.experiments.table8.texts import Text, tiny_text
from rim_nmt.runtime.fairseq_commands import rim_command
from rim_nmt.runtime.files import iterate_lines, write_lines


def find_texts(folder: Folder, shifts: Sequence[Shift], out: Path) -> dict[str, Text]:
    """The text of every training that the shifts need, with the test sets that they need of it.

    Args:
        folder: the user's.
        shifts: from `find_shifts`.
        out: of the experiment; what is made goes below it.

    Returns:
        The name of a training, as `Shift` has it -> its text.
    """
    tests: dict[str, dict[str, str]] = {}
    for shift in shifts:
        for test in (shift.inside, shift.outside):
            wheres = tests.setdefault(shift.training, {})
            wheres[test] = folder.where(test, out / "tests")
    make = {
        "everything": lambda tests: Text(folder.path, (folder.pair,), tests),
        "short": lambda tests: short_text(folder, tests, out / "short"),
        "combinations": lambda _: tiny_text(out / "combinations"),
    }
    return {training: make[training](wheres) for training, wheres in tests.items()}


def short_text(folder: Folder, tests: dict[str, str], out: Path) -> Text:
    """The pairs of a prepared folder of which both sides are short, in its own subwords.

    Args:
        folder: the user's.
        tests: as for `Text`.
        out: raw and prepared text go below it.
    """
    source, target = languages(folder.pair)

    def generate() -> None:
        for name, kind, text in (("train", "pieces", decode_line), ("valid", "raw", normalise)):
            sides = (
                map(text, iterate_lines(folder.path / kind / f"{name}.{folder.pair}.{language}"))
                for language in (source, target)
            )
            write_lines(out / "text" / f"{name}.tsv", _short_lines(zip(*sides, strict=True), name))

    command = rim_command(
        "prepare",
        *("files", "--pairs", folder.pair, "--no-filter", "--subwords-from", folder.path),
        *("--train", out / "text/train.tsv", "--valid", out / "text/valid.tsv"),
        *("--out", out / "data"),
    )
    return Text(out / "data", (folder.pair,), tests, generate, [command])


def _short_lines(pairs: Iterable[tuple[str, str]], name: str) -> Iterator[str]:
    """Short pairs as lines with a tab between the sides."""
    empty = True
    for sides in short_pairs(pairs):
        empty = False
        yield "\t".join(sides)
    if empty:
        raise InputError(f"no pair of the {name} text has at most {SHORT} words on both sides")
