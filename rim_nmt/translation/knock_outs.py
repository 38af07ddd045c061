"""What each mechanism is worth: the BLEU that is lost where it sleeps."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sacrebleu
from sacrebleu.significance import PairedTest, Result

from rim_nmt.errors import InputError
from rim_nmt.runtime.console import ProgressBar
from rim_nmt.translation.translator import Translator

RESAMPLES = 1000  # of the test set, for the paired bootstrap


@dataclass(frozen=True)
class KnockOut:
    """A test set translated without one mechanism.

    Args:
        mechanism: LAYER:NUMBER.
        bleu: of the translations without it.
        lost: BLEU with it less BLEU without it.
        p_value: of sacreBLEU's paired bootstrap (Koehn, 2004): the probability of a difference of
            this size where there is none.
        changed: the share of translations that are others without it.
    """

    mechanism: str
    bleu: float
    lost: float
    p_value: float
    changed: float

    @property
    def is_clear(self) -> bool:
        """Whether chance gives as much in less than one case of a hundred."""
        return self.p_value < 0.01


@dataclass(frozen=True)
class KnockOuts:
    """All of a model.

    Args:
        bleu: with every mechanism.
        signature: of sacreBLEU.
        sentences: of the test set.
        knock_outs: one for each mechanism, layer by layer.
    """

    bleu: float
    signature: str
    sentences: int
    knock_outs: list[KnockOut]

    def as_dict(self) -> dict:
        """For JSON."""
        return asdict(self)

    def by_layer(self) -> dict[str, list[KnockOut]]:
        """Layer -> those of its mechanisms, in their order."""
        layers: dict[str, list[KnockOut]] = {}
        for each in self.knock_outs:
            layers.setdefault(each.mechanism.partition(":")[0], []).append(each)
        return layers


def knock_outs(
    translator: Translator,
    sources: Sequence[str],
    references: Sequence[str],
    beam: int = 5,
    asleep: Sequence[str] = (),
) -> KnockOuts:
    """Translate a test set with every mechanism, and without each of them in turn.

    Args:
        translator: a RIM, of which all mechanisms but those in `asleep` are chosen from again in
            the end.
        sources: raw source text.
        references: raw reference translations, aligned with it.
        beam: beam size.
        asleep: mechanisms that sleep throughout, as in `Translator.keep_asleep`.

    Raises:
        InputError: the model has no mechanisms, or a sentence cannot be translated.
    """
    mechanisms = [name for name in translator.mechanisms if name not in asleep]
    if not mechanisms:
        raise InputError("this model has no mechanisms: expected a RIM")
    systems: list[tuple[str, Sequence[str]]] = []
    try:
        for name in ProgressBar(["", *mechanisms], desc="knocking out", unit=" mechanisms"):
            translator.keep_asleep([*asleep, *([name] if name else [])])
            found = translator.translate(list(sources), beam=beam)
            systems.append((name, [best.text for best, *_ in found]))
    finally:
        translator.keep_asleep(asleep)
    metric = sacrebleu.BLEU()
    _, results = PairedTest(
        systems, {"BLEU": metric}, [list(references)], "bs", n_samples=RESAMPLES
    )()
    whole, *without = (result for result in results["BLEU"] if isinstance(result, Result))
    full = systems[0][1]
    rows = []
    for (name, texts), result in zip(systems[1:], without, strict=True):
        assert result.p_value is not None  # only the baseline has none
        rows.append(
            KnockOut(
                name,
                round(result.score, 2),
                round(whole.score - result.score, 2),
                round(result.p_value, 4),
                round(sum(a != b for a, b in zip(texts, full, strict=True)) / len(full), 4),
            )
        )
    return KnockOuts(round(whole.score, 2), str(metric.get_signature()), len(full), rows)
