"""How translated lines are written: as text, as TSV, as JSON lines."""

import json

from rim_nmt.translation.stream import TranslatedLine

TSV_COLUMNS = ("line", "rank", "score", "source", "translation", "alignment")


def heading(format: str) -> list[str]:
    """What comes before the first line."""
    return ["\t".join(TSV_COLUMNS)] if format == "tsv" else []


def written(line: TranslatedLine, format: str, nbest: int) -> list[str]:
    """A translated line as it is written, without line ends.

    text: the translation; with `nbest` above 1 each one as NUMBER, SCORE and TEXT, with tabs
        between them; where there is an alignment, it follows after " ||| ".
    tsv: a row of `TSV_COLUMNS` for each translation; tabs within texts become blanks.
    jsonl: an object for each line.

    Args:
        line: what is written.
        format: "text", "tsv" or "jsonl".
        nbest: how many translations were asked for.
    """
    best, *_ = line.translations
    alignment = None
    if line.alignment is not None:
        alignment = " ".join(f"{source}-{target}" for source, target in line.alignment)
    if format == "jsonl":
        about = {"line": line.number, "source": line.source, "translation": best.text}
        about["score"] = round(best.score, 4)
        if nbest > 1:
            about["nbest"] = [
                {"translation": translation.text, "score": round(translation.score, 4)}
                for translation in line.translations
            ]
        if line.alignment is not None:
            about["alignment"] = line.alignment
        return [json.dumps(about, ensure_ascii=False)]
    if format == "tsv":
        return [
            "\t".join(
                (
                    str(line.number),
                    str(rank),
                    f"{translation.score:.4f}",
                    line.source.replace("\t", " "),
                    translation.text.replace("\t", " "),
                    (alignment or "") if rank == 1 else "",
                )
            )
            for rank, translation in enumerate(line.translations, start=1)
        ]
    texts = (
        [best.text]
        if nbest == 1
        else [f"{line.number}\t{t.score:.3f}\t{t.text}" for t in line.translations]
    )
    if alignment is not None:
        texts[0] += f" ||| {alignment}"
    return texts
