"""A prepared folder's bookkeeping: by what it is known, with which options and sources it was made,
whether it can be gone on with, and how it gets its name."""

import contextlib
import shutil
from pathlib import Path

from rim_nmt.errors import InputError
from rim_nmt.runtime.files import (
    folder_lock,
    is_vacant,
    publish,
    read_json,
    remove_marked,
    sha256,
    write_json,
)

MANIFEST = "manifest.json"  # by which a prepared folder is known
BEGUN = "begun.json"  # by which one that is being prepared is known
WORK = "work"
VOCABULARY = "vocabulary.json"  # beside a training's checkpoints: the hashes of what follows
MADE = ("raw", "sentencepiece.model", "pieces", "bin", "prepare.log", MANIFEST)
SUBWORD_OPTIONS = {"vocab_size", "character_coverage", "subword_sample", "subwords_from"}


def unfinished_path(out: Path) -> Path:
    return out.with_name(f"{out.name}.unfinished")


def is_ours(folder: Path, mark: str) -> bool:
    """Whether this command made a folder: its mark says with which options."""
    with contextlib.suppress(InputError, OSError):
        content = read_json(folder / mark)
        return isinstance(content, dict) and {"options", "sources"} <= content.keys()
    return False


def _strange(folder: Path) -> list[str]:
    """What is in a prepared folder that this command did not put there."""
    return sorted(path.name for path in folder.iterdir() if path.name not in (*MADE, BEGUN, WORK))


def check_replaceable(out: Path) -> None:
    """See that nothing is lost with a prepared folder but what this command made.

    Raises:
        InputError: it holds something else.
    """
    if strange := _strange(out):
        raise InputError(
            f"{out} cannot be replaced: it also holds {', '.join(strange)}, which this command did "
            "not make; move that away, or name another folder"
        )


def made_with(recorded: Path, asked: dict, overwrite: bool) -> bool:
    """Whether a folder was made with the options that are asked for now.

    Raises:
        InputError: it was not, and it is not to be overwritten.
    """
    differences = _differences(recorded, asked)
    if differences and not overwrite:
        raise InputError(
            f"{recorded.parent} was prepared with other options:\n"
            + "\n".join(differences.values())
            + "\n--overwrite prepares it anew; or choose another --out"
        )
    return not differences


def _differences(recorded: Path, asked: dict) -> dict[str, str]:
    """The options that a folder was not made with, and a line for people to read on each."""
    made = read_json(recorded)["options"]
    return {
        name: f"  {name}: {made.get(name)} there, {asked.get(name)} asked for"
        for name in sorted({*made, *asked})
        if made.get(name) != asked.get(name)
    }


def can_go_on(unfinished: Path, asked: dict, overwrite: bool) -> bool:
    """Whether what was begun is of use: so far, the options of subwords may be others than now
    where there are no subwords yet.

    Raises:
        InputError: as for `_same`.
    """
    differing = _differences(unfinished / BEGUN, asked).keys()
    if differing <= SUBWORD_OPTIONS and not (unfinished / "sentencepiece.model").exists():
        return True
    return made_with(unfinished / BEGUN, asked, overwrite)


def unchanged(out: Path, overwrite: bool) -> bool:
    """Whether those sources of a prepared folder that are still on disk are what they were.

    Raises:
        InputError: they are not, and the folder is not to be overwritten.
    """
    sources = read_json(out / MANIFEST)["sources"]
    changed = [
        name
        for name, checksum in sources.items()
        if Path(name).is_file() and sha256(Path(name)) != checksum
    ]
    if changed and not overwrite:
        raise InputError(
            f"{', '.join(changed)} changed since {out} was prepared: --overwrite prepares it anew"
        )
    return not changed


def same_sources(begun: Path, sources: dict[str, str], overwrite: bool) -> bool:
    """Whether an unfinished preparation has the sources that it was begun with.

    Raises:
        InputError: they have changed, and it is not to be overwritten.
    """
    before = read_json(begun)["sources"]
    changed = [name for name in {**before, **sources} if sources.get(name) != before.get(name)]
    if changed and not overwrite:
        raise InputError(
            f"{', '.join(changed)} changed since this preparation was begun; --overwrite begins it "
            "again"
        )
    return not changed


def finish(unfinished: Path, out: Path) -> None:
    """Give the finished folder its name, in the place of an older one.

    Raises:
        InputError: what has the name was not made by this command.
    """
    shutil.rmtree(unfinished / WORK, ignore_errors=True)
    (unfinished / BEGUN).unlink(missing_ok=True)
    if not is_vacant(out):
        if not is_ours(out, MANIFEST):
            raise InputError(f"{unfinished} is ready, but {out} is there: move that away")
        check_replaceable(out)
        remove_marked(out, MANIFEST)
    publish(unfinished, out)


def remove_prepared(out: Path, recipe: dict) -> None:
    """Remove a prepared folder, finished or not.

    Args:
        out: the folder. What this command did not make is left alone.
        recipe: what it was prepared from; one that was prepared from something else stays.

    Raises:
        InputError: it is being prepared.
    """
    with folder_lock(out):
        for folder, mark in ((out, MANIFEST), (unfinished_path(out), BEGUN)):
            if is_ours(folder, mark):
                made = read_json(folder / mark)["options"]
                if recipe.items() <= made.items() and not _strange(folder):
                    remove_marked(folder, mark)


def note_vocabulary(prepared: Path, training: Path) -> None:
    """Write down beside a training's checkpoints which subwords and dictionaries it has: another
    dictionary of the same length would give other words, and nobody would be told."""
    files = [prepared / "sentencepiece.model", *sorted((prepared / "bin").glob("dict.*.txt"))]
    hashes = {path.name: sha256(path) for path in files if path.is_file()}
    write_json(training / VOCABULARY, hashes)


def check_vocabulary(prepared: Path, training: Path) -> None:
    """See that subwords and dictionaries are those of a training, where it has them written down.

    Raises:
        InputError: they are others.
    """
    if not (training / VOCABULARY).is_file():
        return
    for name, expected in read_json(training / VOCABULARY).items():
        path = prepared / name if name.endswith(".model") else prepared / "bin" / name
        if path.is_file() and sha256(path) != expected:
            raise InputError(
                f"{path} is not what {training} was trained with: give the prepared folder of that "
                "training"
            )
