"""What nominals refer to, as far as English tells."""

from __future__ import annotations

import re

from rim_nmt.toy.grammar import Name, Nominal, NounPhrase, Pronoun, Sentence, walk

_MALE_OR_FEMALE = {"male": "he", "female": "she"}


def sex_of(nominal: Nominal) -> str | None:
    """``male`` or ``female`` where one is certain, else ``None``."""
    if isinstance(nominal, Name):
        return nominal.sex
    if isinstance(nominal, NounPhrase) and not nominal.plural:
        return nominal.noun.sex
    return {"he": "male", "she": "female"}.get(getattr(nominal, "word", ""))


def is_living(nominal: Nominal) -> bool:
    """Whether it is a person or an animal, or a pronoun or name."""
    entry = getattr(nominal, "noun", None)
    return entry is None or bool({"person", "animal"} & set(entry.tags))


def is_person(nominal: Nominal) -> bool:
    """Whether it is a person: a noun or the antecedent of "it" decides, all else is one."""
    entry = getattr(nominal, "noun", None) or getattr(nominal, "antecedent", None)
    return entry.person if entry else True


def coreferent(nominal: Nominal) -> Pronoun | None:
    """Return the pronoun that takes up a subject, if English leaves no doubt about it."""
    if isinstance(nominal, Pronoun):
        return nominal if nominal.word != "it" or nominal.antecedent else None
    if nominal.plural:
        return Pronoun("they") if is_person(nominal) else None
    sex = sex_of(nominal)
    if sex:
        return Pronoun(_MALE_OR_FEMALE[sex])
    entry = getattr(nominal, "noun", None)
    return Pronoun("it", entry) if entry and not entry.person else None


def it_is_clear(sentence: Sentence, english: str) -> bool:
    """Whether each "it" that stands for a noun has just one noun it can stand for."""
    if not re.search(r"\b[Ii]t\b", english):
        return True
    nodes = walk(sentence.body)
    if not any(isinstance(n, Pronoun) and n.antecedent for n in nodes):
        return True
    phrases = [n for n in nodes if isinstance(n, NounPhrase)]
    return len({p.noun for p in phrases if not p.noun.person and not p.plural}) == 1
