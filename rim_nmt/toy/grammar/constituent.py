"""What every constituent can do: say itself in English and in German.

Both give tokens; the token "," asks for a comma.
"""

from __future__ import annotations

from typing import Protocol

Tokens = list[str]


class Spoken(Protocol):
    """Whatever can be said in both languages."""

    def english(self) -> Tokens:
        """Say it in English."""

    def german(self) -> Tokens:
        """Say it in German."""


class Nominal(Protocol):
    """Whatever can be a subject or an object."""

    @property
    def person(self) -> int:
        """Grammatical person, 1 to 3."""

    @property
    def plural(self) -> bool:
        """Whether the verb agrees in the plural."""

    def english(self, case: str) -> Tokens:
        """Say it in English; ``case`` matters to pronouns."""

    def german(self, case: str, clauses: bool = True) -> Tokens:
        """Say it in German, with its relative clause unless ``clauses`` is false."""
