"""The word tables."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import resources

import pytest

from rim_nmt.toy import table
from tests.conftest import ROOT

FILES = sorted((ROOT / "rim_nmt" / "toy" / "tables").iterdir())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_table_is_plain(path):
    """Bytes that editors and git leave alone, and no row without a word."""
    text = path.read_bytes().decode("utf-8")
    assert path.suffix == ".tsv"
    assert text.endswith("\n") and "\r" not in text and "\ufeff" not in text
    lines = text.removesuffix("\n").split("\n")
    for line in lines:
        assert all(cell and cell == cell.strip() for cell in line.split("\t")), line
    assert len(table.read_table(path.stem)) == len(lines) - 1 > 0
    assert len(set(lines)) == len(lines)


def test_a_dash_is_an_empty_cell():
    rows = {row["english"]: row for row in table.read_table("determiners")}
    assert rows["the"] == {"english": "the", "german": "", "kind": "article"}


@pytest.mark.parametrize("row", ["one", "one\teins\tzwei"])
def test_a_row_of_another_width_is_refused(tmp_path, monkeypatch, row):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "broken.tsv").write_text(f"english\tgerman\n{row}\n", encoding="utf-8")
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    with pytest.raises(ValueError, match=r"broken\.tsv, line 2: expected 2 cells"):
        table.read_table("broken")


def test_tables_are_read_whatever_the_locale():
    code = "from rim_nmt.toy.lexicon import noun; print(ascii(noun('door').german))"
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", code],
        check=True,
        capture_output=True,
        encoding="ascii",
        cwd=ROOT,
        env={**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
    )
    assert done.stdout == "'T\\xfcr'\n"
