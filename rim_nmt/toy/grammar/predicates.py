"""Predicates: a verb with its complements and adverbials, in the order of each language."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rim_nmt.toy.english import english_verb
from rim_nmt.toy.german import german_present, german_preterite
from rim_nmt.toy.grammar.adverbials import Adverbial, Place, Prepositional, prepositional
from rim_nmt.toy.grammar.constituent import Nominal, Spoken, Tokens
from rim_nmt.toy.grammar.determiners import DETERMINERS, INDEFINITE, POSSESSIVES
from rim_nmt.toy.grammar.nominals import Both, Gap, NounPhrase
from rim_nmt.toy.grammar.pronouns import Pronoun
from rim_nmt.toy.grammar.qualities import Job, Quality
from rim_nmt.toy.grammar.verbs import GermanVerbs, Modal, english_group
from rim_nmt.toy.lexicon import Slot, Verb

Argument = Nominal | Adverbial | Prepositional | Quality | Job


@dataclass(frozen=True, slots=True)
class Predicate:
    """A verb with its tense, complements and adverbials: a clause without its subject.

    ``arguments`` fill ``verb.slots`` in order; ``clause`` is the governed clause if any;
    ``fond`` adds "like to" (gern); ``place`` must be empty where the verb itself asks for one.
    """

    verb: Verb
    arguments: tuple[Argument, ...] = ()
    tense: str = "present"
    negated: bool = False
    progressive: bool = False
    modal: Modal | None = None
    fond: bool = False
    time: Adverbial | None = None
    frequency: Adverbial | None = None
    manner: Adverbial | None = None
    place: Place | None = None
    clause: Spoken | None = None

    # ------------------------------------------------------------------------ English

    def english_verbs(self, subject: Nominal, support: bool = False) -> tuple[str, Tokens]:
        """Return the English auxiliary (or "") and the remaining verbs with the adverb."""
        negated, modal = self.negated, self.modal
        if modal and modal.plain:
            word = modal.past if self.tense == "past" else modal.present
            head, *rest = (modal.negative if negated else word).split()
            if negated and self.tense == "past":
                head, rest = word, ["not"]
            return head, [*rest, *self._often(), self.verb.english]
        if modal or self.fond:
            words = modal.present if modal else "like to"
            auxiliary, rest = english_group(
                words.split()[0], self.tense, subject, negated, False, support
            )
            verbs = [*rest, "to", self.verb.english]
        else:
            auxiliary, verbs = english_group(
                self.verb.english, self.tense, subject, negated, self.progressive, support
            )
        return auxiliary, [*self._often(), *verbs]

    def _often(self) -> Tokens:
        return self.frequency.english() if self.frequency else []

    def english_rest(self) -> Tokens:
        """Return the English complements, adverbials and governed clause."""
        tokens: Tokens = []
        for slot, argument in self._english_arguments():
            if isinstance(argument, Gap):
                continue
            tokens += [slot.english] if slot.english else []
            tokens += argument.english("acc") if slot.kind == "nominal" else argument.english()
        for adverbial in (self.manner, self.place, self.time):
            tokens += adverbial.english() if adverbial else []
        return tokens + (self.clause.english() if self.clause else [])

    def _english_arguments(self) -> list[tuple[Slot, Argument]]:
        """Pair slots and arguments; "gives it to him" if the thing given is a pronoun."""
        pairs = list(zip(self.verb.slots, self.arguments, strict=True))
        if len(pairs) == 2 and isinstance(pairs[1][1], Pronoun) and not pairs[1][0].english:
            (receiver, person), thing = pairs
            return [thing, (replace(receiver, english="to"), person)]
        return pairs

    def english_infinitive(self, form: str) -> Tokens:
        """Return the English infinitive or gerund phrase; ``form`` is base or gerund."""
        return [english_verb(self.verb.english, form), *self.english_rest()]

    # ------------------------------------------------------------------------- German

    def german_verbs(self, subject: Nominal) -> GermanVerbs:
        """Return the German verb complex agreeing with ``subject``."""
        who = subject.person, subject.plural
        verb = self.verb
        if self.modal:
            base = self.modal.german_negative if self.negated else self.modal.german
            finite = german_preterite if self.tense == "past" else german_present
            return GermanVerbs(finite(base, *who), "", [verb.infinitive])
        if self.tense == "future":
            return GermanVerbs(german_present("werden", *who), "", [verb.infinitive])
        if self.tense == "past" and verb.in_preterite:
            return GermanVerbs(german_preterite(verb.german, *who), "", [])
        if self.tense in ("past", "perfect"):
            auxiliary = german_present(verb.auxiliary, *who)
            return GermanVerbs(auxiliary, "", [verb.participle])
        return GermanVerbs(verb.german_present(*who), verb.prefix, [])

    def reflexive(self, subject: Nominal) -> Tokens:
        """Return the reflexive pronoun for ``subject`` if the German verb has one."""
        if not self.verb.reflexive:
            return []
        if isinstance(subject, Pronoun):
            return [subject.reflexive]
        return ["sich"]

    def german_middle(self) -> tuple[Tokens, Tokens]:
        """Return the German middle field without the subject, and the clauses after it.

        The relative clause of the last phrase moves behind the closing verbs.
        """
        nominal = [
            (slot, argument)
            for slot, argument in zip(self.verb.slots, self.arguments, strict=True)
            if slot.kind == "nominal" and not slot.german and not isinstance(argument, Gap)
        ]
        nominal.sort(key=lambda pair: pair[0].case != "dat")
        pronouns = [pair for pair in nominal if isinstance(pair[1], Pronoun)]
        phrases = [pair for pair in nominal if not isinstance(pair[1], Pronoun)]
        definite = [pair for pair in phrases if _is_definite(pair[1])]
        if len(definite) < len(phrases):
            definite = definite[:1] if phrases[:1] == definite[:1] else []
        indefinite = phrases[len(definite) :]
        often = self.frequency.german() if self.frequency else ["gern"] * self.fond
        manner = self.manner.german() if self.manner else []
        place = self.place.german() if self.place else []
        no = self.negated and any(_is_indefinite(phrase) for _, phrase in indefinite)

        bare: list[Tokens] = [p.german(slot.case) for slot, p in reversed(pronouns)]
        bare += [self.time.german() if self.time else [], ["gerade"] * self.progressive]
        pieces = [(tokens, []) for tokens in bare]
        pieces += [_split(phrase, slot.case) for slot, phrase in definite]
        pieces += [(often, []), (["nicht"] * (self.negated and not no), [])]
        if indefinite:
            pieces += [([] if no else manner, []), (place, [])]
            manner, place = manner if no else [], []
        for slot, phrase in indefinite:
            if no and _is_indefinite(phrase):
                phrase, no = replace(phrase, determiner=DETERMINERS["no"]), False
            pieces.append(_split(phrase, slot.case))
        pieces += [(manner, []), (place, []), *self._prepositional_pieces()]
        pieces = [piece for piece in pieces if piece[0]]
        after = pieces[-1][1] if pieces else []
        middle = [token for body, tail in pieces[:-1] for token in body + tail]
        middle += pieces[-1][0] if pieces else []
        return middle, after + (self.clause.german() if self.clause else [])

    def _prepositional_pieces(self) -> list[tuple[Tokens, Tokens]]:
        pieces: list[tuple[Tokens, Tokens]] = []
        for slot, argument in zip(self.verb.slots, self.arguments, strict=True):
            if isinstance(argument, Gap):
                continue
            if isinstance(argument, Quality):
                pieces.append((argument.german(), argument.german_than()))
            elif slot.kind != "nominal":
                pieces.append((argument.german(), []))
            elif slot.german:
                body = prepositional(slot.german, argument, slot.case, clauses=False)
                pieces.append((body, _split(argument, slot.case)[1]))
        return pieces

    def german_infinitive(self, subject: Nominal) -> Tokens:
        """Return the German zu-infinitive phrase, with a comma before it if it is extended."""
        middle, after = self.german_middle()
        middle = self.reflexive(subject) + middle
        comma = [","] if middle or after else []
        return comma + middle + [self.verb.zu_infinitive] + after + comma


def _is_indefinite(phrase: Nominal) -> bool:
    return (
        isinstance(phrase, NounPhrase)
        and phrase.determiner.english in INDEFINITE
        and not phrase.number
        and not phrase.owner
    )


def _is_definite(phrase: Nominal) -> bool:
    """Whether "oft" and "gern" follow the phrase (das Buch oft, but oft ein Buch)."""
    if not isinstance(phrase, NounPhrase):
        return not isinstance(phrase, Both) or _is_definite(phrase.first)
    return bool(phrase.owner) or phrase.determiner.english in ("the", "this", *POSSESSIVES)


def _split(phrase: Nominal, case: str) -> tuple[Tokens, Tokens]:
    """Return a German nominal and, apart, its relative clause."""
    body = phrase.german(case, clauses=False)
    relative = phrase.relative if isinstance(phrase, NounPhrase) else None
    return body, relative.german() if relative else []
