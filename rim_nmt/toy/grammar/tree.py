"""A walk through the constituents of a sentence."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache

# Fields of these types hold no constituents.
_ATOMS = ("str", "bool", "int", "Noun", "Verb", "Adjective", "Determiner", "Modal", "Adverbial")


@cache
def _part_names(kind: type) -> tuple[str, ...]:
    """Return the fields of a constituent that hold constituents, by their annotations."""
    parts = fields(kind) if is_dataclass(kind) else ()
    return tuple(part.name for part in parts if str(part.type).split(" |")[0] not in _ATOMS)


def walk(node: object) -> list[object]:
    """Return ``node`` and all constituents below it, outermost first."""
    found, waiting = [], [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting += reversed(node)
        elif node is not None:
            found.append(node)
            waiting += [getattr(node, name) for name in reversed(_part_names(type(node)))]
    return found
