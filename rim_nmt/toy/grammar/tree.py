"""A walk through the constituents of a sentence."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

# Fields of these types hold no constituents.
_ATOMS = ("str", "bool", "int", "Noun", "Verb", "Adjective", "Determiner", "Modal", "Adverbial")


@cache
def _part_names(kind: type) -> tuple[str, ...]:
    """Return the fields of a constituent that hold constituents, by their annotations."""
    parts = fields(kind) if is_dataclass(kind) else ()
    return tuple(part.name for part in parts if str(part.type).split(" |")[0] not in _ATOMS)


def walk(node: object) -> list[object]:
    """Return ``node`` and all constituents below it, outermost first."""
    found: list[object] = []
    waiting: list[Any] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting += reversed(part)
        elif part is not None:
            found.append(part)
            kind: Any = type(part)  # for mypy, a class has no hash
            waiting += [getattr(part, name) for name in reversed(_part_names(kind))]
    return found
