"""95 % confidence intervals: over seeds, and over the sentences of a test set."""

import functools
import statistics
from collections.abc import Sequence

import numpy as np
import sacrebleu
from scipy.special import stdtrit

from rim_nmt.experiments.table8.comparison import RESAMPLES

BOOTSTRAP_SEED = 12345  # sacreBLEU's


def over_seeds(differences: Sequence[float]) -> tuple[float, float]:
    """The t-interval of a mean.

    Args:
        differences: two or more, one for each seed.
    """
    mean = statistics.mean(differences)
    t = float(stdtrit(len(differences) - 1, 0.975))
    half = t * statistics.stdev(differences) / len(differences) ** 0.5
    return mean - half, mean + half


@functools.lru_cache(maxsize=64)  # every other model is compared with the same one
def resampled(hypotheses: tuple[str, ...], references: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Scores of samples of a test set, drawn with replacement: for another model of the same test
    set the same samples, as the paired bootstrap wants it (Koehn, 2004).

    Args:
        hypotheses: translations.
        references: one for each.

    Returns:
        BLEU and chrF, `RESAMPLES` figures each.
    """
    chance = np.random.default_rng(BOOTSTRAP_SEED)
    drawn = chance.integers(len(references), size=(RESAMPLES, len(references)))
    scores = {}
    metrics: dict[str, sacrebleu.BLEU | sacrebleu.CHRF] = {
        "BLEU": sacrebleu.BLEU(),
        "chrF": sacrebleu.CHRF(),
    }
    for name, metric in metrics.items():
        # what sacreBLEU's own paired bootstrap calls; there is no public way
        counts = np.array(metric._extract_corpus_statistics(hypotheses, [references]))
        samples = (metric._compute_score_from_stats(counts[rows].sum(0)) for rows in drawn)
        scores[name] = np.array([sample.score for sample in samples])
    return scores


def over_sentences(differences: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of resampled differences; those that are no number are left out, of samples
    with a score of 0."""
    low, high = np.percentile(differences[np.isfinite(differences)], [2.5, 97.5])
    return float(low), float(high)
