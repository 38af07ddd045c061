"""IWSLT14 German-English (TED talks), split as fairseq's recipe splits it.

The archive holds training text with tags between the sentences (`train.tags.de-en.LANG`) and five
development and test sets in XML, which together are the test set (6,750 pairs). Training text:
titles, descriptions and sentences; pairs that Moses' `clean-corpus-n.perl -ratio 1.5 1 175` would
drop are left out, then every 23rd pair is validation text.
"""

import re
import tarfile
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import unescape

from sacremoses import MosesTokenizer

from rim_nmt.data.download import check_sha256, describe, fetch
from rim_nmt.data.parallel import Corpus, PairText, Sentences, on_disk
from rim_nmt.errors import InputError
from rim_nmt.runtime.console import console
from rim_nmt.runtime.files import sha256, write_lines

URLS = (
    "https://dl.fbaipublicfiles.com/fairseq/data/iwslt14/de-en.tgz",
    "https://wit3.fbk.eu/archive/2014-01/texts/de/en/de-en.tgz",
)
# Bytes of the archive. No checksum of it is published, but logs of fairseq's recipe show its size,
# the same from both addresses: from the second on 2019-12-13 in
# https://github.com/facebookresearch/fairseq/issues/1493, from the first on 2021-02-17 in a course
# exercise ("Training NMT model with fairseq") whose log has the three numbers of pairs below, too.
SIZE = 19_982_877
PAIR = ("en", "de")
TRAIN_NAME = "train.tags.de-en.{language}"
TEST_NAME = "IWSLT14.{part}.de-en.{language}.xml"
TEST_PARTS = ("TED.dev2010", "TEDX.dev2012", "TED.tst2010", "TED.tst2011", "TED.tst2012")
NAMES = tuple(
    [TRAIN_NAME.format(language=language) for language in PAIR]
    + [TEST_NAME.format(part=part, language=language) for part in TEST_PARTS for language in PAIR]
)
PUBLISHED_SIZES = {"train": 160_239, "valid": 7_283, "test": 6_750}  # pairs

# Lines of the training text that are about a talk; the text of title and description is kept.
_ABOUT = re.compile(r"\s*</?(url|keywords|speaker|talkid|reviewer|translator|doc)\b[^>]*>")
_SENTENCE_TAG = re.compile(r"\s*<(title|description)>(.*)</\1>\s*")


def iwslt14_corpus(folder: Path, local: bool, lowercase: bool, only_test: bool) -> Corpus:
    """The IWSLT14 pairs, English to German.

    Numbers of pairs that differ from the published ones are reported.

    Args:
        folder: where de-en.tgz is or goes; the archive itself may be given.
        local: take the archive that is there; otherwise check it, and fetch it where it is missing
            or wrong.
        lowercase: all text in lower case, as in published tables.
        only_test: leave training and validation text alone.

    Raises:
        InputError: the archive is missing, cannot be fetched, or does not hold what it should.
    """
    archive = folder if folder.is_file() else folder / "de-en.tgz"
    if not local:
        _fetch(archive)
    elif not archive.is_file():
        raise InputError(f"{archive} does not exist")
    sources = {str(archive) if local else archive.name: sha256(archive)}
    case = str.lower if lowercase else str

    def cased(sides: Sentences) -> Sentences:
        return [case(line) for line in sides[0]], [case(line) for line in sides[1]]

    with _Archive(archive) as members:
        test: Sentences = [], []
        for part in TEST_PARTS:
            for all_lines, lines in zip(test, _xml_part(members, part), strict=True):
                all_lines += lines
        text = PairText(tests={"test": cased(test)})
        if not only_test:
            train, valid = split(*_training_text(members))
            text = PairText(
                on_disk(lambda: zip(*cased(train), strict=True)), cased(valid), text.tests
            )
            _compare_sizes(archive, train=train, valid=valid)
        _compare_sizes(archive, test=test)
    return Corpus({"-".join(PAIR): text}, sources, filtered=False)


def _fetch(archive: Path) -> None:
    """Have the archive. The SHA-256 that it has when it is first downloaded is kept beside it, and
    holds for every later one.

    Raises:
        InputError: as for `fetch`.
    """
    remembered = archive.with_name(f"{archive.name}.sha256")  # as sha256sum writes it

    def check(path: Path) -> None:
        if path.stat().st_size != SIZE:
            raise InputError(f"{path} is {describe(path)}, expected {SIZE:,} bytes")
        if remembered.exists():
            expected = remembered.read_text(encoding="utf-8", errors="replace").partition(" ")[0]
            check_sha256(path, expected, f"remembered in {remembered}: delete it if it is wrong")
        with _Archive(path) as members:
            for name in NAMES:
                members.text(name)  # raises InputError

    if fetch(URLS, archive, check) and not remembered.exists():
        write_lines(remembered, [f"{sha256(archive)}  {archive.name}"])


def _compare_sizes(archive: Path, **parts: Sentences) -> None:
    for part, (lines, _) in parts.items():
        if len(lines) != PUBLISHED_SIZES[part]:
            console.print(
                f"warning: {archive} gives {len(lines):,} {part} pairs, but "
                f"{PUBLISHED_SIZES[part]:,} are published: scores are not comparable with "
                "published ones",
                markup=False,
            )


class _Archive:
    """The files of de-en.tgz by name, whatever folder they are in."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> "_Archive":
        try:
            self._tar = tarfile.open(self.path, "r:gz")
            self._members = {Path(m.name).name: m for m in self._tar if m.isfile()}
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise InputError(
                f"{self.path} is {describe(self.path)} that cannot be unpacked: {error}; "
                "expected a tar archive with gzip"
            ) from None
        return self

    def __exit__(self, *_) -> None:
        self._tar.close()

    def text(self, name: str) -> str:
        """The text of one file.

        Raises:
            InputError: it is not there or is not UTF-8.
        """
        file = self._tar.extractfile(self._members[name]) if name in self._members else None
        if file is None:
            raise InputError(f"{self.path} has no {name}")
        raw = file.read()
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            number = raw.count(b"\n", 0, error.start) + 1
            raise InputError(f"{self.path}: {name}, line {number}: not UTF-8") from None


def tagged_lines(text: str) -> Iterator[tuple[str, str]]:
    """The sentences of a training file, each with its tag: "title", "description" or "".

    Lines about a talk (its address, keywords, speaker ...) are left out; empty lines stay, because
    the other language may have a sentence there.
    """
    for line in text.removesuffix("\n").split("\n"):
        if _ABOUT.match(line):
            continue
        tagged = _SENTENCE_TAG.fullmatch(line)
        tag, sentence = tagged.groups() if tagged else ("", line)
        yield tag, unescape(sentence, {"&quot;": '"', "&apos;": "'"}).strip()


def segments(text: str, name: str) -> list[str]:
    """The sentences of a test set in XML.

    Raises:
        InputError: the XML is broken.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{name}: not well-formed XML: {error}") from None
    return [
        " ".join("".join(segment.itertext()).split("\n")).strip() for segment in root.iter("seg")
    ]


def split(english: list[str], german: list[str]) -> tuple[Sentences, Sentences]:
    """(training, validation) text of fairseq's recipe.

    Args:
        english, german: the sentences, aligned, as the archive has them.
    """
    tokenizers = MosesTokenizer("en"), MosesTokenizer("de")
    kept = []
    for pair in zip(english, german, strict=True):
        lengths = [len(t.tokenize(s)) for t, s in zip(tokenizers, pair, strict=True)]
        shorter, longer = sorted(lengths)
        if shorter >= 1 and longer <= 175 and longer <= 1.5 * shorter:
            kept.append(pair)
    parts = (
        [pair for number, pair in enumerate(kept, start=1) if number % 23],
        kept[22::23],
    )
    train, valid = (([e for e, _ in part], [g for _, g in part]) for part in parts)
    return train, valid


def _training_text(members: _Archive) -> Sentences:
    sides = []
    for language in PAIR:
        sides.append(list(tagged_lines(members.text(TRAIN_NAME.format(language=language)))))
    for number, (english, german) in enumerate(zip(*sides, strict=False), start=1):
        if english[0] != german[0]:
            raise InputError(
                f"{members.path}: the training text is not aligned: text {number} is "
                f"{english[0] or 'a sentence'!r} in English and {german[0] or 'a sentence'!r} "
                "in German"
            )
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"{members.path}: {len(sides[0]):,} English and {len(sides[1]):,} German training "
            "sentences"
        )
    english, german = ([line for _, line in side] for side in sides)
    return english, german


def _xml_part(members: _Archive, part: str) -> Sentences:
    sides = []
    for language in PAIR:
        name = TEST_NAME.format(part=part, language=language)
        sides.append(segments(members.text(name), f"{members.path}: {name}"))
    english, german = sides
    if len(english) != len(german) or not english:
        raise InputError(
            f"{members.path}: {part} has {len(english)} English and {len(german)} German segments"
        )
    return english, german
