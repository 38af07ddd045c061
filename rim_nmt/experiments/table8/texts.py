"""What a table is trained and tested on: the embedded corpus, WMT14 and TED talks, or a folder that
the user has prepared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rim_nmt.data.parallel import languages
from rim_nmt.errors import InputError
from rim_nmt.runtime.fairseq_commands import rim_command, run, show
from rim_nmt.runtime.files import read_json, read_lines, write_lines
from rim_nmt.toy import corpus


@dataclass(frozen=True)
class Text:
    """Prepared text, and how to prepare it.

    Args:
        folder: the prepared folder that is trained on.
        pairs: its language pairs; the first one is tested.
        tests: name of a test set -> how `rim-nmt score` is told of it.
        generate: makes raw text that the commands need.
        commands: prepare it; none where the user has done so.
    """

    folder: Path
    pairs: tuple[str, ...]
    tests: dict[str, str]
    generate: Callable[[], None] | None = None
    commands: Sequence[list[str]] = ()

    @property
    def settings(self) -> list[tuple[str, ...]]:
        """What can be trained on: the first pair alone, and all pairs together."""
        return list(dict.fromkeys([self.pairs[:1], self.pairs]))

    def prepare(self, log: Path) -> None:
        """Run what prepares it; `rim-nmt prepare` does nothing where that has been done.

        Raises:
            InputError: a command failed.
        """
        if self.generate and not self.folder.exists():
            self.generate()
        for command in self.commands:
            show(command)
            run(command, log)


def tiny_text(out: Path) -> Text:
    """The embedded corpus. Its second pair translates into a made-up language: English with the
    words backwards, under qaa, a code that ISO 639 leaves to private use."""
    text, folder = out / "text", out / "data"
    names = ("train", "valid", "test", "transfer")

    def generate() -> None:
        corpus.write(text, seed=1)
        for name in names:
            lines = read_lines(text / f"{name}.en")
            write_lines(text / f"{name}.en-qaa.en", lines)
            backwards = (" ".join(reversed(line.split())) for line in lines)
            write_lines(text / f"{name}.en-qaa.qaa", backwards)

    command = rim_command(
        "prepare",
        *("files", "--pairs", "en-de,en-qaa", "--vocab-size", 1400, "--no-filter"),
        *("--train", text / "train", "--valid", text / "valid"),
        *("--test", f"test={text / 'test'}", "--test", f"transfer={text / 'transfer'}"),
        *("--out", folder),
    )
    tests = {name: name for name in names[2:]}
    return Text(folder, ("en-de", "en-qaa"), tests, generate, [command])


def paper_text(out: Path) -> Text:
    """WMT14 from the hub with both pairs, and IWSLT14's test set in its subwords."""
    wmt, ted = out / "data", out / "data-iwslt14"
    commands = [
        rim_command("prepare", "wmt14", "--pairs", "en-de,en-fr", "--out", wmt),
        rim_command("prepare", "iwslt14", "--subwords-from", wmt, "--only-test", "--out", ted),
    ]
    tests = {"newstest2014": "newstest2014", "iwslt14": f"iwslt14={ted / 'raw' / 'test'}"}
    return Text(wmt, ("en-de", "en-fr"), tests, commands=commands)


def prepared_text(folder: Path) -> Text:
    """A folder that `rim-nmt prepare` made; every test set that it has for its first pair.

    Raises:
        InputError: it is not such a folder, or has no test set.
    """
    manifest = folder / "manifest.json"
    if not manifest.exists():
        raise InputError(f"{manifest} does not exist: prepare the text with `rim-nmt prepare`")
    pairs = tuple(read_json(manifest)["pairs"])
    source, _ = languages(pairs[0])
    raw = sorted(folder.glob(f"raw/*.{pairs[0]}.{source}"))
    names = [path.name.removesuffix(f".{pairs[0]}.{source}") for path in raw]
    tests = {name: name for name in names if name != "valid"}
    if not tests:
        raise InputError(f"{folder} has no test set for {pairs[0]}: prepare it with --test")
    return Text(folder, pairs, tests)


def find_text(scale: str, prepared: Path | None, out: Path) -> Text:
    """The text of a scale, or the prepared folder that the user gives instead.

    Raises:
        InputError: the scale has no text of its own, or the folder is not a prepared one.
    """
    if prepared:
        return prepared_text(prepared)
    if scale in ("screening", "small", "converged"):
        raise InputError(
            f"the {scale} scale trains on text of your own: prepare it with "
            "`rim-nmt prepare files` and give that folder as --data"
        )
    return {"tiny": tiny_text, "paper": paper_text}[scale](out)
