"""Subwords: one SentencePiece model for all languages of a corpus."""

import functools
import io
import multiprocessing
import os
import re
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import sentencepiece

from rim_nmt.errors import InputError
from rim_nmt.runtime.files import atomic_path, iterate_lines
from rim_nmt.runtime.processes import end_with


def train_subwords(
    text: Path, model_path: Path, vocab_size: int, character_coverage: float = 1.0
) -> None:
    """Train a unigram model on the training text of all languages.

    It takes about 4 KB of memory a sentence, in a process of its own so that the memory is free
    afterwards.

    Args:
        text: a file of normalised sentences.
        model_path: where the model goes.
        vocab_size: pieces, the special ones included.
        character_coverage: share of the text's characters that get a piece of their own; rarer
            characters are unknown.

    Raises:
        InputError: the text is too small for `vocab_size` (the message gives the largest size
            that works) or too varied for it (the smallest), or takes more memory than there is.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    arguments = text, model_path, vocab_size, character_coverage
    process = context.Process(target=_train_apart, args=(os.getpid(), sender, *arguments))
    process.start()
    sender.close()
    try:
        error = receiver.recv()
    except EOFError:
        raise InputError(
            "the training of the subwords was killed, as happens when memory runs out: train them "
            "on fewer sentences (--subword-sample)"
        ) from None
    finally:
        process.kill()
        process.join()
    if error:
        raise error


def _train_apart(parent: int, sender: Connection, *arguments) -> None:
    """`_train`, in a process that its parent has started: sends the error, or None."""
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    try:
        _train(*arguments)
    except Exception as error:
        sender.send(error)
    else:
        sender.send(None)


def _train(text: Path, model_path: Path, vocab_size: int, character_coverage: float) -> None:
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iterate_lines(text),
            model_writer=model,
            vocab_size=vocab_size,
            model_type="unigram",
            character_coverage=character_coverage,
            num_threads=16,  # the model depends on it, so it must not depend on the machine
            minloglevel=2,
        )
    except RuntimeError as error:
        if limit := re.search(r"Vocabulary size too high.*?<= (\d+)", str(error)):
            raise InputError(
                f"vocabulary size {vocab_size} is too high for this text: "
                f"the largest that works is --vocab-size {limit[1]}"
            ) from None
        if limit := re.search(r"smaller than required_chars.*?(\d+) vs (\d+)", str(error)):
            raise InputError(
                f"vocabulary size {vocab_size} is too low for this text, which has more "
                f"different characters: the smallest that works is --vocab-size {limit[2]}"
            ) from None
        raise
    with atomic_path(model_path) as temporary:
        temporary.write_bytes(model.getvalue())


def encode_lines(model_path: Path, lines: Sequence[str]) -> list[str]:
    """Each line as its pieces, separated by spaces (what fairseq-preprocess reads).

    Args:
        model_path: from `train_subwords`.
        lines: normalised sentences.
    """
    pieces = _load(str(model_path)).encode(list(lines), out_type=str, num_threads=1)
    return [" ".join(line) for line in pieces]


def decode_line(pieces: str) -> str:
    """The sentence of a line that `encode_lines` gave."""
    return "".join(pieces.split()).replace("▁", " ").strip()


def vocabulary(model_path: Path) -> set[str]:
    """The pieces of a model that stand for text. Others that `encode_lines` gives are unknown
    characters."""
    model = _load(str(model_path))
    return {
        model.id_to_piece(i)
        for i in range(len(model))
        if not (model.is_control(i) or model.is_unknown(i))
    }


@functools.lru_cache(maxsize=2)
def _load(model_path: str) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_file=model_path)
