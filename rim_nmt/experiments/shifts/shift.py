"""The shifts that are measured: each compares one model's scores on two test sets."""

from collections.abc import Sequence
from dataclasses import dataclass

from rim_nmt.errors import InputError
from rim_nmt.experiments.shifts.folder import Folder
from rim_nmt.experiments.shifts.lengths import IN_DOMAIN, LEAST
from rim_nmt.runtime.console import console


@dataclass(frozen=True)
class Shift:
    """One step out of the domain.

    Args:
        way: a key of `WAYS`.
        name: what the table calls it.
        training: what the models were trained on: "everything" that the folder has, its "short"
            sentences, or the made-up corpus for "combinations".
        inside: the test set in domain.
        outside: the one out of it.
    """

    way: str
    name: str
    training: str
    inside: str
    outside: str


def find_shifts(folder: Folder, ways: Sequence[str] | None) -> list[Shift]:
    """The shifts that a folder can serve.

    Args:
        folder: the user's.
        ways: those that are asked for; None for all that there are.

    Raises:
        InputError: one that is asked for cannot be measured with this folder.
    """
    first, *others = folder.tests
    longer = [name for name in folder.bins if name != IN_DOMAIN and IN_DOMAIN in folder.bins]
    found = {
        "domain": [Shift("domain", test, "everything", first, test) for test in others],
        "noise": [
            Shift("noise", name, "everything", first, f"noise.{name}") for name in folder.damaged
        ],
        "length": [
            Shift("length", name, training, f"length.{IN_DOMAIN}", f"length.{name}")
            for name in longer
            for training in ("short", "everything")
        ],
        "combinations": [Shift("combinations", "transfer", "combinations", "test", "transfer")],
    }
    missing = {
        "domain": f"{folder.path} has one test set only",
        "length": f"{first} in {folder.path} has too few sentences: {LEAST} of {IN_DOMAIN} words "
        "are needed, and as many longer ones",
    }
    for way in ways or found:
        if not found[way]:
            if ways:
                raise InputError(f"--ways {way}: {missing[way]}")
            console.print(f"{way} is left out: {missing[way]}")
    return [shift for way in found if way in (ways or found) for shift in found[way]]
