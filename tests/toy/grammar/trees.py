"""Trees of sentences, in few words."""

from __future__ import annotations

from dataclasses import replace

from rim_nmt.toy.grammar import (
    DETERMINERS,
    Adverbial,
    Clause,
    Compound,
    Gap,
    NounPhrase,
    Predicate,
    Prepositional,
    Pronoun,
    Question,
    Relative,
    Sentence,
    Subordinate,
)
from rim_nmt.toy.lexicon import adjective, noun, verb


def np(words: str, **more) -> NounPhrase:
    """Build a noun phrase from "determiner [adjective] noun"; "-" is no determiner."""
    determiner, *between, head = words.split()
    quality = adjective(between[0]) if between else None
    return NounPhrase(noun(head), DETERMINERS[determiner.strip("-")], adjective=quality, **more)


def do(word: str, *arguments, by: str = "", **more) -> Predicate:
    """Build a predicate; ``by`` tells verbs of one English form apart."""
    return Predicate(verb(word, by), arguments, **more)


ME, YOU, HE, SHE, WE, THEY, IT = (
    Pronoun(word) for word in ("I", "you", "he", "she", "we", "they", "it")
)
MAN, WOMAN, CHILD, BOY = np("the man"), np("the woman"), np("the child"), np("the boy")
DOG, BOOK, CAR = np("the dog"), np("the book"), np("the car")
TOMORROW, YESTERDAY = Adverbial("tomorrow", "morgen"), Adverbial("yesterday", "gestern")
IN_GARDEN = Prepositional("in", "in", "dat", np("the garden"))


def after(conjunction: str, subject, predicate: Predicate) -> Subordinate:
    return Subordinate(conjunction, Clause(subject, predicate))


def who(head: NounPhrase, predicate: Predicate, subject=None) -> NounPhrase:
    """Attach a relative clause to ``head``; its own role is the :class:`Gap` inside."""
    subject = subject or Gap(head.noun, head.plural)
    return replace(head, relative=Relative(Clause(subject, predicate), head.noun, head.plural))


RAINS = after("because", IT, do("rain"))


def check(body: Clause | Compound | Question, english: str, german: str) -> None:
    """Compare a sentence with one that was written by hand."""
    sentence = Sentence(body)
    assert sentence.english() == english
    assert sentence.german() == german
