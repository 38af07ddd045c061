"""IWSLT14 from an archive that is laid out as the real one."""

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from rim_nmt.data import iwslt14
from rim_nmt.data.iwslt14 import TEST_PARTS, iwslt14_corpus, segments, split, tagged_lines
from rim_nmt.errors import InputError
from tests.data.server import Answer, serve

TRAIN = {
    "en": "<url>http://www.ted.com/talks/one</url>\n<keywords>talks, science</keywords>\n"
    "<speaker>Ann Other</speaker>\n<talkid>1</talkid>\n<title>Ann Other: On talking</title>\n"
    "<description>She talks &amp; walks.</description>\n Thank you so much.\nI mean it.\n"
    "<reviewer>X</reviewer>\n\n2 < 3, she said. <b>Really</b>.\n",
    "de": "<url>http://www.ted.com/talks/one</url>\n<keywords>talks, science</keywords>\n"
    "<speaker>Ann Other</speaker>\n<talkid>1</talkid>\n<translator>Y</translator>\n"
    "<title>Ann Other: Über das Reden</title>\n<description>Sie redet und läuft.</description>\n"
    "Vielen Dank.\nIch meine es ernst.\nNur auf Deutsch.\n2 < 3, sagte sie. <b>Wirklich</b>.\n",
}
PAGE = b"<html>Moved.</html>\n"


def xml(language: str, *sentences: str) -> str:
    rows = "\n".join(f'<seg id="{i}"> {s} </seg>' for i, s in enumerate(sentences, start=1))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<mteval>\n<refset trglang="{language}">\n'
        f'<doc docid="1" genre="lectures">\n<title>A title</title>\n{rows}\n</doc>\n</refset>\n'
        "</mteval>\n"
    )


def archive(path: Path, **changes: str | None) -> Path:
    """The archive, with some of its files changed or left out."""
    files = {f"train.tags.de-en.{language}": text for language, text in TRAIN.items()}
    for number, part in enumerate(TEST_PARTS):
        for language in ("en", "de"):
            text = xml(language, f"{language} {number} &amp; one", f"{language} {number} two")
            files[f"IWSLT14.{part}.de-en.{language}.xml"] = text
    files.update(changes)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            if text is not None:
                member = tarfile.TarInfo(f"de-en/{name}")
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
    return path


def test_training_text_without_what_is_about_the_talk():
    assert list(tagged_lines(TRAIN["en"])) == [
        ("title", "Ann Other: On talking"),
        ("description", "She talks & walks."),
        ("", "Thank you so much."),
        ("", "I mean it."),
        ("", ""),
        ("", "2 < 3, she said. <b>Really</b>."),
    ]


def test_segments_are_parsed_not_matched():
    text = xml("en", "a &lt;b&gt; &amp;amp; c", "two\nlines", "<i>in</i> tags")
    assert segments(text, "name") == ["a <b> &amp; c", "two lines", "in tags"]
    with pytest.raises(InputError, match=r"name: not well-formed XML: .*line 2"):
        segments("<mteval>\n<seg>a & b</seg></mteval>", "name")


def test_the_test_set_is_the_five_parts_in_their_order(tmp_path):
    archive(tmp_path / "de-en.tgz")
    corpus = iwslt14_corpus(tmp_path, local=True, lowercase=False, only_test=True)
    english, german = corpus.pairs["en-de"].tests["test"]
    assert english == [line for i in range(5) for line in (f"en {i} & one", f"en {i} two")]
    assert german == [line.replace("en", "de") for line in english]
    assert corpus.pairs["en-de"].train is None
    assert list(corpus.sources) == [str(tmp_path / "de-en.tgz")]


def test_training_text_is_cased_or_not(tmp_path):
    path = archive(tmp_path / "de-en.tgz")
    texts = [
        iwslt14_corpus(path, True, lowercase, False).pairs["en-de"].train(tmp_path / str(lowercase))
        for lowercase in (False, True)
    ]
    cased, lower = (text["target"][:] for text in texts)
    assert cased == [  # "Thank you so much" is more than 1.5 times as long as its translation
        "Ann Other: Über das Reden",
        "Sie redet und läuft.",
        "Ich meine es ernst.",
        "2 < 3, sagte sie. <b>Wirklich</b>.",
    ]
    assert lower == [line.lower() for line in cased]


def test_every_23rd_kept_pair_is_validation_text():
    english = [f"Sentence number {i}." for i in range(100)]
    english[3] = ""  # dropped before counting
    english[5] = "a " * 176
    english[7] = "one two three four"
    german = list(english)
    german[7] = "eins zwei"
    (train, _), (valid, same) = split(english, german)
    kept = [line for i, line in enumerate(english) if i not in (3, 5, 7)]
    assert valid == same == kept[22::23]
    assert train == [line for line in kept if line not in valid]
    assert len(valid) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"IWSLT14.TED.tst2011.de-en.de.xml": None}, "has no IWSLT14.TED.tst2011.de-en.de.xml"),
        ({"IWSLT14.TED.tst2010.de-en.en.xml": xml("en", "a")}, "TED.tst2010 has 1 English and 2"),
        ({"train.tags.de-en.en": TRAIN["en"] + "More.\n"}, "7 English and 6 German training"),
        (
            {"train.tags.de-en.en": "a\n" + TRAIN["en"].replace("I mean it.\n", "")},
            "text 1 is 'a sentence' in English and 'title' in German",
        ),
    ],
)
def test_what_is_wrong_with_the_archive_is_said(tmp_path, changes, message):
    path = archive(tmp_path / "de-en.tgz", **changes)
    with pytest.raises(InputError, match=message):
        iwslt14_corpus(path, local=True, lowercase=False, only_test=False)


def test_a_broken_or_missing_archive_is_named(tmp_path):
    path = archive(tmp_path / "de-en.tgz")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"de-en\.tgz is a file of .* that cannot be unpacked"):
        iwslt14_corpus(path, local=True, lowercase=False, only_test=True)
    path.write_bytes(PAGE)
    with pytest.raises(
        InputError, match=r"de-en\.tgz is an HTML page of 20 bytes .*expected a tar"
    ):
        iwslt14_corpus(path, local=True, lowercase=False, only_test=True)
    assert path.read_bytes() == PAGE
    with pytest.raises(InputError, match=r"nowhere/de-en\.tgz does not exist"):
        iwslt14_corpus(tmp_path / "nowhere", local=True, lowercase=False, only_test=True)


def test_numbers_of_pairs_that_are_not_the_published_ones_are_reported(
    tmp_path, monkeypatch, capsys
):
    path = archive(tmp_path / "de-en.tgz")
    iwslt14_corpus(path, local=True, lowercase=False, only_test=False)
    printed = capsys.readouterr().out
    for numbers in ("4 train pairs, but 160,239", "0 valid pairs, but 7,283", "10 test pairs, but"):
        assert f"warning: {path} gives {numbers}" in printed
    monkeypatch.setattr(iwslt14, "PUBLISHED_SIZES", {"train": 4, "valid": 0, "test": 10})
    iwslt14_corpus(path, local=True, lowercase=False, only_test=False)
    assert "warning" not in capsys.readouterr().out


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A server in the place of both addresses, with the archive at the second."""
    content = archive(tmp_path / "there" / "de-en.tgz").read_bytes()
    monkeypatch.setattr(iwslt14, "SIZE", len(content))
    with serve({"/second/de-en.tgz": content}) as server:
        urls = (f"{server.url}/first/de-en.tgz", f"{server.url}/second/de-en.tgz")
        monkeypatch.setattr(iwslt14, "URLS", urls)
        yield server


def fetched(folder: Path):
    return iwslt14_corpus(folder, local=False, lowercase=False, only_test=True)


def test_it_is_fetched_once(tmp_path, sources):
    for _ in range(2):
        corpus = fetched(tmp_path / "here")
    assert len(corpus.pairs["en-de"].tests["test"][0]) == 10
    assert list(corpus.sources) == ["de-en.tgz"]
    assert sources.asked == ["/first/de-en.tgz", "/second/de-en.tgz"]


def test_an_archive_without_one_of_the_files_is_not_accepted(tmp_path, sources, monkeypatch):
    changed = archive(tmp_path / "changed.tgz", **{"train.tags.de-en.de": None}).read_bytes()
    monkeypatch.setattr(iwslt14, "SIZE", len(changed))
    sources.files["/second/de-en.tgz"] = changed
    with pytest.raises(InputError, match=r"has no train\.tags\.de-en\.de"):
        fetched(tmp_path / "here")
    assert not (tmp_path / "here" / "de-en.tgz").exists()


@pytest.mark.parametrize("length", [True, False])
def test_half_an_archive_or_a_page_is_not_accepted(tmp_path, sources, length):
    whole = sources.files["/second/de-en.tgz"]
    sources.files["/first/de-en.tgz"] = PAGE
    sources.files["/second/de-en.tgz"] = Answer(whole, cut=len(whole) // 2, length=length)
    with pytest.raises(InputError, match="is an HTML page of 20 bytes, expected") as error:
        fetched(tmp_path / "here")
    assert ("IncompleteRead" if length else f"expected {len(whole):,} bytes") in str(error.value)
    assert not (tmp_path / "here" / "de-en.tgz").exists()


def test_a_wrong_archive_that_is_there_is_fetched_anew(tmp_path, sources):
    path = tmp_path / "here" / "de-en.tgz"
    path.parent.mkdir()
    path.write_bytes(PAGE)
    fetched(tmp_path / "here")
    assert path.read_bytes() == sources.files["/second/de-en.tgz"]
    assert path.with_name("de-en.tgz.wrong").read_bytes() == PAGE


def test_an_archive_that_changes_later_is_noticed(tmp_path, sources):
    """The first one that was fetched is remembered; another one of its size is not accepted."""
    fetched(tmp_path / "here")
    path = tmp_path / "here" / "de-en.tgz"
    first = path.read_bytes()
    checksum = hashlib.sha256(first).hexdigest()
    remembered = path.with_name("de-en.tgz.sha256")
    assert remembered.read_text() == f"{checksum}  de-en.tgz\n"
    changed = bytearray(first)
    changed[4] ^= 1  # the time of packing
    path.write_bytes(changed)
    sources.files["/second/de-en.tgz"] = bytes(changed)
    with pytest.raises(InputError, match=f"expected {checksum} .remembered in {remembered}"):
        fetched(tmp_path / "here")
    assert not path.exists()
    remembered.unlink()
    fetched(tmp_path / "here")
    assert path.read_bytes() == changed


@pytest.mark.skipif("PARALLEL_TEXT" not in os.environ, reason="PARALLEL_TEXT names no real text")
def test_the_real_test_set_comes_through_the_archive(tmp_path):
    """Real segments, put into an archive and taken out again."""
    folder = Path(os.environ["PARALLEL_TEXT"]) / "iwslt14"
    sides = {}
    for language in ("en", "de"):
        text = gzip.decompress((folder / f"test.en-de.{language}.gz").read_bytes()).decode()
        sides[language] = text.removesuffix("\n").split("\n")
    changes = {}
    bounds = (0, 887, 2052, 3617, 5050, 6750)
    for part, start, end in zip(TEST_PARTS, bounds, bounds[1:], strict=False):
        for language, lines in sides.items():
            escaped = (s.replace("&", "&amp;").replace("<", "&lt;") for s in lines[start:end])
            changes[f"IWSLT14.{part}.de-en.{language}.xml"] = xml(language, *escaped)
    path = archive(tmp_path / "de-en.tgz", **changes)
    corpus = iwslt14_corpus(path, local=True, lowercase=False, only_test=True)
    assert corpus.pairs["en-de"].tests["test"] == (sides["en"], sides["de"])
