"""Explanations for the eye: what the page draws, and the same drawing in one HTML file."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rim_nmt.translation.explanation import Explanation, words

STATIC = Path(__file__).resolve().parent / "static"

DIGITS = 4  # of shares and scores: more are not seen, and make files three times as long


def drawn(explanation: Explanation) -> dict:
    """What a drawing is made of, for JSON: `Explanation.as_dict`, its numbers rounded, and
    `source_words` and `target_words`, each with its text and the numbers of its pieces. The end of
    the sentence is a word without text."""
    return {
        **_rounded(explanation.as_dict()),
        "source_words": [asdict(word) for word in words(explanation.source)],
        "target_words": [asdict(word) for word in words(explanation.target)],
    }


def explanation_html(explanations: Sequence[Explanation]) -> str:
    """One HTML file that draws explanations, one below the other.

    It needs no other file, no server and no network: the page's style and script are in it.
    """
    style, script = (_static(name) for name in ("style.css", "drawing.js"))
    data = json.dumps([drawn(explanation) for explanation in explanations], ensure_ascii=False)
    parts = {
        "STYLE_HASH": _hash(style),
        "SCRIPT_HASH": _hash(script),
        "STYLE": style,
        "SCRIPT": script,
        # no sentence can end the element that it is in: JSON reads this as the same character
        "DATA": data.replace("<", "\\u003c"),
    }
    # cut first and filled then, so that nothing is looked for in what was filled in
    pieces = _static("explanation.html").split("@@")
    return "".join(parts[piece] if number % 2 else piece for number, piece in enumerate(pieces))


def _rounded(value):
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value


def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """By which a Content-Security-Policy knows a script or a style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
