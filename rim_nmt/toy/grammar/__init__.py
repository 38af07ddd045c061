"""A synchronous grammar of English and German: one tree, read out in both languages.

Every constituent is a small frozen dataclass that can say itself in English and in German.
Constituents return lists of tokens; the token "," asks for a comma, and
:meth:`Sentence.english` and :meth:`Sentence.german` join the tokens, merge commas, and add the
capital letter and the final mark. German order is always the same for the same English:

    front, finite verb, subject, pronouns, time, definite objects, frequency, nicht,
    manner, place, prepositional complement, infinite verbs, clauses

Indefinite objects stand behind the place; "nicht" and "ein" become "kein". Among objects the
dative precedes the accusative, but a pronoun in the accusative precedes the dative.
"""

from rim_nmt.toy.grammar.adverbials import Adverbial, Place, Prepositional
from rim_nmt.toy.grammar.clauses import Clause, Infinitive, Purpose, Subordinate
from rim_nmt.toy.grammar.constituent import Nominal
from rim_nmt.toy.grammar.determiners import DETERMINERS, POSSESSIVES
from rim_nmt.toy.grammar.nominals import Both, Gap, Name, NounPhrase
from rim_nmt.toy.grammar.numbers import number_words
from rim_nmt.toy.grammar.predicates import Argument, Predicate
from rim_nmt.toy.grammar.pronouns import Pronoun
from rim_nmt.toy.grammar.qualities import Job, Quality
from rim_nmt.toy.grammar.questions import Question
from rim_nmt.toy.grammar.relatives import Relative
from rim_nmt.toy.grammar.sentences import Compound, Sentence
from rim_nmt.toy.grammar.tree import walk
from rim_nmt.toy.grammar.verbs import MODALS, Modal

__all__ = [
    "DETERMINERS",
    "MODALS",
    "POSSESSIVES",
    "Adverbial",
    "Argument",
    "Both",
    "Clause",
    "Compound",
    "Gap",
    "Infinitive",
    "Job",
    "Modal",
    "Name",
    "Nominal",
    "NounPhrase",
    "Place",
    "Predicate",
    "Prepositional",
    "Pronoun",
    "Purpose",
    "Quality",
    "Question",
    "Relative",
    "Sentence",
    "Subordinate",
    "number_words",
    "walk",
]
