"""Selection: which mechanisms are active at a step (section 2.2)."""

from collections.abc import Sequence

from torch import Tensor


def select_active(
    p: Tensor, num_active: int, num_always: int = 0, asleep: Sequence[int] = ()
) -> Tensor:
    """The A mechanisms that attend most to the input, which is least to null: the set S_t.

    The score of a mechanism is the mean of its probabilities over heads. Exactly A win, also when
    scores tie (the lower index wins then: at the first step, where every state is zero, all tie).
    The result is a hard choice without gradient; learning reaches queries and keys through p,
    which scales what is read.

    Args:
        p: K x B x M, attention on the real input (on all of its slots), before dropout.
        num_active: A.
        num_always: so many of the A are the first mechanisms, whatever their scores. The paper has
            none of these.
        asleep: mechanisms that cannot be chosen.

    Returns:
        K x B, bool, with exactly A true in every column (fewer where fewer can be chosen).
    """
    # NaN comes first, with a sign or without: a GPU's sort puts that of some signs last
    scores = p.detach().mean(-1).nan_to_num(2.0)  # K x B; more than a mean of probabilities can be
    scores[:num_always] = 3.0  # before NaN
    if asleep:
        scores[asleep] = -1.0  # less than a mean of probabilities can be
        num_active = min(num_active, len(scores) - len(asleep))
    order = scores.argsort(dim=0, descending=True, stable=True)  # K x B
    rank = order.argsort(dim=0)  # K x B, the inverse permutation
    return rank < num_active
