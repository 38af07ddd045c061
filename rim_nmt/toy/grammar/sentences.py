"""Whole sentences: a clause, two of them or a question, with capital letter and final mark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rim_nmt.toy.grammar.clauses import Clause, Infinitive, Purpose
from rim_nmt.toy.grammar.constituent import Tokens
from rim_nmt.toy.grammar.nominals import Both, Gap, NounPhrase
from rim_nmt.toy.grammar.predicates import Argument
from rim_nmt.toy.grammar.questions import Question
from rim_nmt.toy.grammar.tree import walk
from rim_nmt.toy.lexicon import Verb


@dataclass(frozen=True, slots=True)
class Compound:
    """Two main clauses joined by "and" or "but"."""

    first: Clause
    conjunction: str
    second: Clause

    def english(self) -> Tokens:
        """Say it in English."""
        return [*self.first.english(), ",", self.conjunction, *self.second.english()]

    def german(self) -> Tokens:
        """Say it in German; a comma stands before "aber", not before "und"."""
        link = [",", "aber"] if self.conjunction == "but" else ["und"]
        return self.first.german() + link + self.second.german()


def _join(tokens: Tokens, mark: str) -> str:
    """Join tokens into a sentence, merging commas, and add capital and final mark."""
    words: Tokens = []
    for token in tokens:
        if token == ",":
            if words and not words[-1].endswith(","):
                words[-1] += ","
        else:
            words.append(token)
    text = " ".join(words).rstrip(",")
    return text[0].upper() + text[1:] + mark


@dataclass(frozen=True, slots=True)
class Sentence:
    """A whole sentence: a statement, a compound or a question."""

    body: Clause | Compound | Question

    @property
    def _mark(self) -> str:
        return "?" if isinstance(self.body, Question) else "."

    def english(self) -> str:
        """Return the English sentence."""
        return _join(self.body.english(), self._mark)

    def german(self) -> str:
        """Return its German translation."""
        return _join(self.body.german(), self._mark)

    def noun_verb_pairs(self) -> Iterator[tuple[str, str]]:
        """Yield every noun with a verb it is subject or object of, both as English keys."""
        for node in walk(self.body):
            if isinstance(node, Clause):
                predicates = [p for p in (node.predicate, node.second) if p]
                for predicate in predicates:
                    yield from _pairs((node.subject, *predicate.arguments), predicate.verb)
            elif isinstance(node, (Infinitive, Purpose)):
                arguments = (node.subject, *node.predicate.arguments)
                yield from _pairs(arguments, node.predicate.verb)


def _pairs(arguments: tuple[Argument, ...], verb: Verb) -> Iterator[tuple[str, str]]:
    for argument in arguments:
        if isinstance(argument, Both):
            yield from _pairs((argument.first, argument.second), verb)
        elif isinstance(argument, (NounPhrase, Gap)) and argument.noun:
            yield argument.noun.english, verb.key
