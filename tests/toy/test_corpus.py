"""The splits of the made-up corpus, by their properties."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rim_nmt.toy.corpus import SPLITS, generate, sample, write
from rim_nmt.toy.english import english_verb
from rim_nmt.toy.lexicon import NOUNS, VERBS
from rim_nmt.toy.sampling import Sampler, held_apart

SMALL = {"train_size": 300, "valid_size": 20, "test_size": 20, "transfer_size": 20}


@pytest.fixture(scope="module")
def examples():
    return sample()


@pytest.fixture(scope="module")
def corpus(examples):
    return {name: [(e.english, e.german) for e in drawn] for name, drawn in examples.items()}


def words(sentence: str) -> list[str]:
    return re.findall(r"[\w-]+|[^\w\s]", sentence)


def mean_length(pairs, side: int) -> float:
    return sum(len(pair[side].split()) for pair in pairs) / len(pairs)


def test_sizes_and_order(corpus):
    assert tuple(corpus) == SPLITS
    assert [len(pairs) for pairs in corpus.values()] == [24_000, 500, 500, 500]


def test_no_english_sentence_occurs_twice(corpus):
    english = [pair[0] for pairs in corpus.values() for pair in pairs]
    assert len(set(english)) == len(english)


def test_every_word_occurs_in_train(corpus):
    for side in (0, 1):
        known = {word for pair in corpus["train"] for word in words(pair[side])}
        for name in SPLITS[1:]:
            assert known.issuperset(w for pair in corpus[name] for w in words(pair[side]))


def test_lengths(corpus):
    lengths = [len(pair[0].split()) for pair in corpus["train"]]
    assert min(lengths) >= 4
    assert max(lengths) <= 16
    assert 8 <= mean_length(corpus["train"], 0) <= 10
    for side in (0, 1):
        assert mean_length(corpus["transfer"], side) >= 1.6 * mean_length(corpus["train"], side)


def test_held_apart_pairs_occur_in_transfer_only(examples):
    for name, drawn in examples.items():
        for example in drawn:
            apart = [held_apart(*pair) for pair in example.sentence.noun_verb_pairs()]
            assert any(apart) == (name == "transfer")


def test_held_apart_subjects_and_objects_are_absent_from_the_text(corpus):
    """Check "The NOUN VERBs" and "VERBs the NOUN." in the text, without trusting the trees."""
    for name in SPLITS[:3]:
        english = [pair[0] for pair in corpus[name]]
        for sentence in english:
            opening = re.match(r"The (\w+) (\w+)", sentence)
            closing = re.search(r"(\w+) the (\w+)\.$", sentence)
            for head, word in (opening.groups(),) if opening else ():
                assert not _surely_apart(head, word), sentence
            for word, head in (closing.groups(),) if closing else ():
                assert not _surely_apart(head, word), sentence


def _surely_apart(head: str, word: str) -> bool:
    """Whether a noun and a third person or past, whatever its complements, are held apart."""
    keys = _KEYS_OF_FORM.get(word, ())
    return head in _HEADS and bool(keys) and all(held_apart(head, key) for key in keys)


_HEADS = {entry.english for entry in NOUNS}
_KEYS_OF_FORM = {
    form: [v.key for v in VERBS if v.english == entry.english and v.slots]
    for entry in VERBS
    if entry.english not in ("be", "have")  # auxiliaries too
    for form in (english_verb(entry.english, "third"), english_verb(entry.english, "past"))
}


def test_text_is_well_formed(corpus):
    for pairs in corpus.values():
        for pair in pairs:
            for sentence in pair:
                assert re.fullmatch(r"[A-ZÄÖÜ][\wäöüß', -]*[.?]", sentence), sentence
                assert not re.search(r"  | ,|,,|,[.?]", sentence), sentence


def test_another_seed_gives_another_corpus():
    first = generate(1, **SMALL)
    assert generate(1, **SMALL) == first
    assert generate(2, **SMALL)["train"] != first["train"]


def test_write_gives_the_same_bytes_under_any_hash_seed(tmp_path):
    write(tmp_path / "here", 3, **SMALL)
    code = (
        "from pathlib import Path; from rim_nmt.toy.corpus import write; import sys; "
        f"write(Path(sys.argv[1]), 3, **{SMALL})"
    )
    for hash_seed in ("0", "77"):
        folder = tmp_path / hash_seed
        subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            check=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        names = sorted(path.name for path in folder.iterdir())
        assert names == sorted(f"{split}.{side}" for split in SPLITS for side in ("en", "de"))
        for name in names:
            assert (folder / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_write_is_one_sentence_a_line(tmp_path):
    write(tmp_path, 1, **SMALL)
    pairs = generate(1, **SMALL)["valid"]
    for side, language in enumerate(("en", "de")):
        lines = (tmp_path / f"valid.{language}").read_text(encoding="utf-8").splitlines()
        assert lines == [pair[side] for pair in pairs]


@pytest.mark.parametrize("name", ["train_size", "valid_size", "test_size", "transfer_size"])
@pytest.mark.parametrize("size", [0, -5, 2.5, True])
def test_bad_sizes_are_refused(name, size):
    with pytest.raises(ValueError, match=rf"{name} is {size}: expected .* give a positive"):
        generate(**{**SMALL, name: size})


def test_a_size_beyond_the_grammar_is_refused(monkeypatch):
    monkeypatch.setattr("rim_nmt.toy.corpus._TRIES_PER_SENTENCE", 1)
    example = Sampler(random.Random(1)).example()
    monkeypatch.setattr(Sampler, "example", lambda self: example)
    with pytest.raises(ValueError, match=r"train_size asks for 300 .* give a smaller train_size"):
        generate(**SMALL)
