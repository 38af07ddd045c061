"""Random sentences of the grammar, and the pairs of words held apart for another domain.

A sentence is drawn from the outside in: the sampler chooses its kind, then clauses, predicates
and nominals are drawn, each by a class of their own with the same dice. A choice that leads
nowhere, or a sentence outside the domain, is thrown away and the sampler begins anew.
"""

from rim_nmt.toy.sampling.apart import held_apart
from rim_nmt.toy.sampling.sampler import Example, Sampler

__all__ = ["Example", "Sampler", "held_apart"]
