"""The user's prepared folder, and the test sets that are made of its first one."""

from dataclasses import dataclass
from pathlib import Path

from rim_nmt.data.parallel import Sentences, languages
from rim_nmt.experiments.shifts.damage import damaged_texts
from rim_nmt.experiments.shifts.lengths import binned
from rim_nmt.experiments.table8.texts import prepared_text
from rim_nmt.runtime.files import read_json, read_parallel, write_lines
from rim_nmt.translation.scoring import raw_test_set


@dataclass(frozen=True)
class Folder:
    """A prepared folder, of which the first pair is translated.

    Args:
        path: where it is.
        pair: its first pair.
        tests: its own test sets for that pair; the first one is in domain.
        damaged: the first test set with damaged source, by the name of the damage.
        bins: the first test set by length.
    """

    path: Path
    pair: str
    tests: tuple[str, ...]
    damaged: dict[str, Sentences]
    bins: dict[str, Sentences]

    @property
    def made(self) -> dict[str, Sentences]:
        """The test sets that the folder does not have, by the name that scores have."""
        return {
            **{f"noise.{name}": text for name, text in self.damaged.items()},
            **{f"length.{name}": text for name, text in self.bins.items()},
        }

    def where(self, test: str, out: Path) -> str:
        """How `rim-nmt score` is told of a test set."""
        return f"{test}={out / test}" if test in self.made else test

    def write(self, out: Path) -> None:
        """Write the test sets that the folder does not have."""
        for test, sides in self.made.items():
            for language, lines in zip(languages(self.pair), sides, strict=True):
                write_lines(out / f"{test}.{self.pair}.{language}", lines)


def open_folder(path: Path) -> Folder:
    """Read a prepared folder's first test set.

    Raises:
        InputError: it is no prepared folder, or has no test set for its first pair.
    """
    pair = prepared_text(path).pairs[0]
    # in the order in which they were given, which decides what is in domain
    tests = tuple(read_json(path / "manifest.json")["pairs"][pair]["tests"])
    sources, references = read_parallel(*raw_test_set(path, tests[0], *languages(pair)))
    damaged = {name: (lines, references) for name, lines in damaged_texts(sources).items()}
    return Folder(path, pair, tests, damaged, binned((sources, references)))
