"""Subwords: one SentencePiece model for both languages."""

import io
import re
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

from rim_nmt.files import InputError, atomic_path


def train_subwords(lines: Iterable[str], model_path: Path, vocab_size: int) -> None:
    """Train a unigram model on the training text of both languages.

    Args:
        lines: raw sentences.
        model_path: where the model goes.
        vocab_size: pieces, the special ones included.

    Raises:
        InputError: the text is too small for `vocab_size` (the message gives the largest size
            that works) or too varied for it (the smallest).
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=model,
            vocab_size=vocab_size,
            model_type="unigram",
            character_coverage=1.0,
            minloglevel=2,
        )
    except RuntimeError as error:
        if limit := re.search(r"Vocabulary size too high.*?<= (\d+)", str(error)):
            raise InputError(
                f"vocabulary size {vocab_size} is too high for this text: "
                f"the largest that works is {limit[1]}"
            ) from None
        if limit := re.search(r"smaller than required_chars.*?(\d+) vs (\d+)", str(error)):
            raise InputError(
                f"vocabulary size {vocab_size} is too low for this text, which has more "
                f"different characters: the smallest that works is {limit[2]}"
            ) from None
        raise
    with atomic_path(model_path) as temporary:
        temporary.write_bytes(model.getvalue())


def encode_lines(model_path: Path, lines: list[str]) -> list[str]:
    """Each line as its pieces, separated by spaces (what fairseq-preprocess reads)."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(model_path))
    return [" ".join(pieces) for pieces in model.encode(lines, out_type=str)]
