"""Figures over seeds, and rows of Markdown."""

import statistics
from collections.abc import Sequence


def figure(values: Sequence[float]) -> dict:
    """Mean and spread; "spread" is the standard deviation, None for one value."""
    spread = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.mean(values), "spread": spread}


def figure_text(figure: dict, digits: int) -> str:
    """A figure as it stands in a table, with its spread where it has one."""
    text = f"{figure['mean']:,.{digits}f}"
    return text if figure["spread"] is None else f"{text} ± {figure['spread']:,.{digits}f}"


def row_text(cells: Sequence) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def no_baseline(baseline: str, rows: Sequence[dict]) -> list[str]:
    """What a table says where there is nothing to compare with its rows."""
    if any(row["model"] == baseline for row in rows):
        return []
    text = f"No cell of `{baseline}` is finished, so no differences are shown (see `--baseline`)."
    return ["", text]


def made_with(results: Sequence[dict]) -> list[str]:
    """With what the results of cells were made, as a list in Markdown: signatures of the scores,
    hardware, torch, dates."""
    signatures = dict.fromkeys(
        score["signature"]
        for result in results
        for scores in result["scores"].values()
        for score in (scores["BLEU"], scores["chrF"])
    )
    dates = sorted({result["date"] for result in results})
    return [
        *(f"- `{signature}`" for signature in signatures),
        f"- {', '.join(dict.fromkeys(result['hardware'] for result in results))}; torch "
        f"{', '.join(dict.fromkeys(result['torch'] for result in results))}; {dates[0]}"
        + (f" to {dates[-1]}" if len(dates) > 1 else ""),
    ]
