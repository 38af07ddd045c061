"""Do mechanisms specialise? How often each is active by word class, by word and by position, over a
text, and how much the class of a word says of which mechanisms are active at it."""

import importlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from rim_nmt.errors import InputError
from rim_nmt.translation.explanation import SPACE, Explanation

TOKEN = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")

# Word classes by how the tags of HanTa begin: the British National Corpus's for English, STTS for
# German. The first one that fits counts.
CLASSES = {
    "en": {
        "punctuation": ("PU",),
        "noun": ("NN",),
        "name": ("NP",),
        "verb": ("VV",),
        "auxiliary": ("VB", "VD", "VH", "VM"),
        "adjective": ("AJ",),
        "adverb": ("AV", "XX"),
        "pronoun": ("PN", "EX"),
        "determiner": ("AT", "DT", "DPS"),
        "preposition": ("PR", "TO"),
        "conjunction": ("CJ",),
        "number": ("CRD", "ORD"),
    },
    "de": {
        "punctuation": ("$",),
        "noun": ("NN",),
        "name": ("NE",),
        "verb": ("VV",),
        "auxiliary": ("VA", "VM"),
        "adjective": ("ADJ",),
        "adverb": ("ADV", "PTKNEG", "PAV", "PROAV"),
        "pronoun": ("PPER", "PRF", "PIS", "PDS", "PRELS", "PWS", "PPOSS"),
        "determiner": ("ART", "PPOSAT", "PIAT", "PDAT", "PWAT", "PRELAT"),
        "preposition": ("APPR", "APPO", "APZR", "PTKZU"),
        "conjunction": ("KO",),
        "number": ("CARD",),
    },
}
OTHER = "other"
MODELS = {"en": "morphmodel_en.pgz", "de": "morphmodel_ger.pgz"}
PERMUTATIONS = 1000


class Tagger:
    """Word classes, by the Hanover Tagger (HanTa; Wartena, 2019).

    Args:
        language: "en" or "de".

    Raises:
        InputError: it is another language, or HanTa is not installed.
    """

    def __init__(self, language: str):
        if language not in MODELS:
            raise InputError(f"word classes are known for {' and '.join(MODELS)}, not {language}")
        try:
            module = importlib.import_module("HanTa.HanoverTagger")
        except ImportError:
            raise InputError(
                "word classes need the package HanTa: pip install 'rim-nmt[experiments]'"
            ) from None
        self._tagger = module.HanoverTagger(MODELS[language])
        self._classes = CLASSES[language]

    def classes(self, tokens: Sequence[str]) -> list[str]:
        """The class of each token of a sentence."""
        return [self._class(tag) for _, _, tag in self._tagger.tag_sent(list(tokens))]

    def _class(self, tag: str) -> str:
        for name, starts in self._classes.items():
            if tag.startswith(starts):
                return name
        return OTHER


@dataclass(frozen=True)
class LayerStatistics:
    """How often the mechanisms of one RIM layer were active.

    Args:
        name: of the layer, as in `LayerActivity`.
        tokens: N, words and punctuation marks that were counted, each at its first piece.
        by_class: class -> its tokens, and the share of them at which each mechanism was active, K.
        by_word: the same for the most frequent words.
        by_position: the same for tenths of a sentence.
        information: the mutual information of word class and active set, in bits.
        entropy: of the active set, in bits: `information` is at most that.
        chance: the mean of `information` over permutations of the classes; it is not zero, as N is
            not infinite.
        p_value: the share of permutations that gave as much information, this one included.
    """

    name: str
    tokens: int
    by_class: dict[str, tuple[int, list[float]]]
    by_word: dict[str, tuple[int, list[float]]]
    by_position: dict[str, tuple[int, list[float]]]
    information: float
    entropy: float
    chance: float
    p_value: float

    def as_dict(self) -> dict:
        """For JSON."""
        return asdict(self)


def statistics(
    explanations: Iterable[Explanation],
    taggers: dict[str, Tagger],
    most_words: int = 30,
    permutations: int = PERMUTATIONS,
    seed: int = 1,
) -> list[LayerStatistics]:
    """The figures of every RIM layer over a text.

    Encoder layers are counted at the words of the source, as they read them; decoder layers at the
    words of the translation, as they write them.

    Args:
        explanations: of its sentences.
        taggers: of "source" and "target".
        most_words: how many of the most frequent words are told of.
        permutations: how many of them the test makes.
        seed: of the permutations.

    Raises:
        InputError: there is no sentence, or the model has no RIM layers.
    """
    found: dict[str, list[tuple[str, str, str, tuple[bool, ...]]]] = {}
    for explanation in explanations:
        for side, pieces, layers in (
            ("source", explanation.source, explanation.encoder),
            ("target", explanation.target, explanation.decoder),
        ):
            tokens = first_pieces(pieces)
            classes = taggers[side].classes([token for token, _ in tokens])
            for layer in layers:
                found.setdefault(layer.name, []).extend(
                    (
                        name,
                        token.lower(),
                        f"{10 * number // len(tokens)}0 %",
                        tuple(layer.active[piece]),
                    )
                    for number, ((token, piece), name) in enumerate(
                        zip(tokens, classes, strict=True)
                    )
                )
    if not found:
        raise InputError("there are no mechanisms to look at: no sentence, or no RIM layer")
    return [
        _layer_statistics(name, rows, most_words, permutations, np.random.default_rng(seed))
        for name, rows in found.items()
    ]


def first_pieces(pieces: Sequence[str]) -> list[tuple[str, int]]:
    """The words and punctuation marks of a sentence, each with the number of the piece at which it
    starts; of several that start in one piece, the first."""
    text, owners = "", []
    for number, piece in enumerate(pieces):
        if piece != "</s>":
            text += piece.replace(SPACE, " ")
            owners += [number] * len(piece)
    found: dict[int, str] = {}
    for match in TOKEN.finditer(text):
        found.setdefault(owners[match.start()], match.group())
    return [(token, number) for number, token in found.items()]


def mutual_information(classes: np.ndarray, sets: np.ndarray) -> float:
    """I(class; set) in bits, of the joint frequencies.

    Args:
        classes: N numbers from 0 on.
        sets: N numbers from 0 on.
    """
    joint = np.zeros((classes.max() + 1, sets.max() + 1))
    np.add.at(joint, (classes, sets), 1)
    return _entropy(joint.sum(1)) + _entropy(joint.sum(0)) - _entropy(joint)


def _entropy(counts: np.ndarray) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float((shares * np.log2(1 / shares)).sum())


def _layer_statistics(
    name: str,
    rows: list[tuple[str, str, str, tuple[bool, ...]]],
    most_words: int,
    permutations: int,
    generator: np.random.Generator,
) -> LayerStatistics:
    classes, words, positions, active = zip(*rows, strict=True)
    activity = np.array(active)  # N x K
    class_numbers = np.unique(classes, return_inverse=True)[1]  # N
    set_numbers = np.unique(activity, axis=0, return_inverse=True)[1].ravel()  # N
    information = mutual_information(class_numbers, set_numbers)
    by_chance = [
        mutual_information(generator.permutation(class_numbers), set_numbers)
        for _ in range(permutations)
    ]
    as_much = sum(value >= information - 1e-12 for value in by_chance)
    frequent = [word for word, _ in Counter(words).most_common(most_words)]
    return LayerStatistics(
        name=name,
        tokens=len(rows),
        by_class=_shares(classes, activity, [c for c, _ in Counter(classes).most_common()]),
        by_word=_shares(words, activity, frequent),
        by_position=_shares(positions, activity, sorted(set(positions), key=_tenth)),
        information=information,
        entropy=_entropy(np.bincount(set_numbers)),
        chance=float(np.mean(by_chance)),
        p_value=(1 + as_much) / (1 + permutations),
    )


def _tenth(position: str) -> int:
    return int(position.split()[0])


def _shares(
    labels: Sequence[str], activity: np.ndarray, names: Sequence[str]
) -> dict[str, tuple[int, list[float]]]:
    rows = np.array(labels)
    return {
        name: (int((rows == name).sum()), activity[rows == name].mean(0).tolist()) for name in names
    }
