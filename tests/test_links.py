"""Every relative link of the Markdown pages leads to a file, and every anchor to a heading."""

import re
import subprocess
import unicodedata
from dataclasses import fields
from pathlib import Path
from urllib.parse import unquote

import pytest

from rim_nmt.models.config import RecurrentModelConfig
from tests.conftest import ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^|(?<=\n\n))(?: {4}.*\n|\n)+", re.MULTILINE)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def pages() -> list[Path]:
    """The Markdown files of the repository: what git knows, or could be told of."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = listed.stdout.decode().split("\0")[:-1]
    found = [ROOT / name for name in names] or [  # an archive without git
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "results").rglob("*.md"),
    ]
    return sorted(path for path in found if path.exists())


def text_of(page: Path) -> str:
    """A page without its code, where brackets are no links and "#" begins a comment."""
    return INDENTED.sub("\n", FENCED.sub("", page.read_text(encoding="utf-8")))


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading: letters, digits, "-" and "_", spaces as "-"."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)  # a link's text alone
    heading = re.sub(r"[`*]", "", heading).strip().lower()
    kept = [c for c in heading if c in " -_" or unicodedata.category(c)[0] in "LNM"]
    return "".join(kept).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """The anchors of a page; of equal headings the second one ends in "-1", and so on."""
    found: dict[str, int] = {}
    for heading in HEADING.findall(text_of(page)):
        name = anchor(heading)
        seen = found.get(name, 0)
        found[name] = seen + 1
        if seen:
            found[f"{name}-{seen}"] = 1
    return set(found)


def broken_links(page: Path) -> list[str]:
    """The relative links of a page that lead nowhere."""
    broken = []
    for link in LINK.findall(text_of(page)):
        if re.match(r"[a-z]+:", link):  # of another site
            continue
        path, _, name = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        there = target.is_relative_to(ROOT) and target.exists()
        if not there or (name and (target.suffix != ".md" or name not in anchors(target))):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert broken_links(page) == []


def test_broken_links_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.test_links.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "# A `code` heading, twice\n\n## Twice\n\n## Twice\n\n"
        "[a](#a-code-heading-twice) [b](#twice-1) [c](other.md) [d](#none) [e](../out.md) "
        "[f](page.md#twice) [g](https://example.org/none)\n\n    [h](none.md)\n\n"
        "```\n# not a heading\n[i](none.md)\n```\n[j](#not-a-heading)\n",
        encoding="utf-8",
    )
    assert broken_links(page) == ["other.md", "#none", "../out.md", "#not-a-heading"]


def test_every_flag_is_described():
    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    for field in fields(RecurrentModelConfig):
        if not field.name.startswith("_"):
            assert f"`--{field.name.replace('_', '-')}`" in text
