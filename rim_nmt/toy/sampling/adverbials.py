"""The adverbials that are drawn: when, how often and how something happens."""

from __future__ import annotations

from rim_nmt.toy.grammar import Adverbial
from rim_nmt.toy.table import Row, read_table


def _adverbial(row: Row) -> Adverbial:
    return Adverbial(row["english"], row["german"])


def _with_tenses(table: str) -> dict[Adverbial, tuple[str, ...]]:
    return {_adverbial(row): tuple(row["tenses"].split()) for row in read_table(table)}


def _by_aspect(table: str) -> dict[str, tuple[Adverbial, ...]]:
    found: dict[str, tuple[Adverbial, ...]] = {}
    for row in read_table(table):
        found[row["aspect"]] = (*found.get(row["aspect"], ()), _adverbial(row))
    return found


# With the tenses they go with.
TIMES = _with_tenses("times")
FREQUENCIES = _with_tenses("frequencies")
# By the aspect of the verbs they go with, see :class:`rim_nmt.toy.lexicon.Verb`.
MANNERS = _by_aspect("manners")
