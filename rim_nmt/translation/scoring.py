"""Scores that can be compared: detokenised output against the raw reference, with signatures."""

import datetime
import platform
import time
from pathlib import Path

import sacrebleu
import torch

from rim_nmt.errors import InputError
from rim_nmt.runtime.console import ProgressBar
from rim_nmt.runtime.files import find_sides, read_parallel, write_json, write_lines
from rim_nmt.translation.translator import Translator


def score_corpus(hypotheses: list[str], references: list[str]) -> dict[str, dict]:
    """BLEU and chrF as sacreBLEU computes them by default (cased, 13a tokenisation).

    Args:
        hypotheses: detokenised translations.
        references: the raw reference translations, one for each.

    Returns:
        {"BLEU": {"score", "signature"}, "chrF": {"score", "signature"}}

    Raises:
        InputError: the counts differ, which would give a score of something else.
    """
    if len(hypotheses) != len(references):
        raise InputError(
            f"{len(hypotheses)} hypotheses for {len(references)} references: nothing is scored"
        )
    scores = {}
    for name, metric in (("BLEU", sacrebleu.BLEU()), ("chrF", sacrebleu.CHRF())):
        score = metric.corpus_score(hypotheses, [references]).score
        scores[name] = {"score": round(score, 2), "signature": str(metric.get_signature())}
    return scores


def raw_test_set(data: Path, test: str, source_lang: str, target_lang: str) -> tuple[Path, Path]:
    """The raw text of a test set, whichever way round it was prepared.

    Args:
        data: a prepared folder.
        test: the name of one of its test sets, or NAME=PREFIX for files that lie elsewhere.
        source_lang: the language that is translated.
        target_lang: the language of the reference.

    Returns:
        The files of source and reference.

    Raises:
        InputError: there is no such test set, or one of its sides is missing.
    """
    name, given, prefix = test.partition("=")
    pairs = (f"{source_lang}-{target_lang}", f"{target_lang}-{source_lang}")
    start = Path(prefix) if given else data / "raw" / name
    if sides := find_sides(start, pairs[0]):
        return sides
    if sides := find_sides(start, pairs[1]):
        return sides[::-1]
    raise InputError(
        f"no test set {name} at {start}: expected {start}.{pairs[0]}.{source_lang} and "
        f"{start}.{pairs[0]}.{target_lang}"
    )


def score_test_set(
    translator: Translator,
    source: Path,
    reference: Path,
    beam: int = 5,
    about: dict | None = None,
) -> tuple[dict, list[str]]:
    """Translate a test set and score it.

    Args:
        translator: the model.
        source: raw source text.
        reference: raw reference text, aligned with it.
        beam: beam size.
        about: more entries for the report.

    Returns:
        The report (scores with signatures, sentences, seconds, and what was run) and the
        translations, for `write_scores`.

    Raises:
        InputError: the files cannot be read or are not aligned.
    """
    sources, references = read_parallel(source, reference)
    started = time.perf_counter()
    translations = translator.translate(sources, beam=beam)
    hypotheses = [
        best[0].text
        for best in ProgressBar(translations, total=len(sources), desc=source.name, unit=" sent")
    ]
    seconds = time.perf_counter() - started
    report = {
        **score_corpus(hypotheses, references),
        "pair": f"{translator.source_lang}-{translator.target_lang}",
        "sentences": len(sources),
        "beam": beam,
        "seconds": round(seconds, 1),
        "sentences_per_second": round(len(sources) / seconds, 1),
        "source": str(source),
        "reference": str(reference),
        **(about or {}),
        "date": datetime.date.today().isoformat(),
        "torch": torch.__version__,
        "device": translator.device,
        "python": platform.python_version(),
    }
    return report, hypotheses


def write_scores(out: Path, report: dict, hypotheses: list[str]) -> None:
    """Write OUT.hyp, the translations, and then OUT.json, the report."""
    write_lines(out.with_name(f"{out.name}.hyp"), hypotheses)
    write_json(out.with_name(f"{out.name}.json"), report)
