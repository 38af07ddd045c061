"""Reading the word tables in ``tables/``.

Each is a UTF-8 text with a word or phrase a line, tabs between the columns, and the names of the
columns in the first line. "-" is an empty cell, so that no line ends in white space.
"""

from __future__ import annotations

from importlib import resources

Row = dict[str, str]


def read_table(name: str) -> list[Row]:
    """Return the rows of ``tables/NAME.tsv`` in their order, each as cells by column.

    Raises:
        ValueError: if a row has more or fewer cells than the first line names.
    """
    file = resources.files("rim_nmt.toy").joinpath("tables", f"{name}.tsv")
    header, *lines = file.read_text(encoding="utf-8").splitlines()
    columns = header.split("\t")
    rows = []
    for number, line in enumerate(lines, start=2):
        cells = ["" if cell == "-" else cell for cell in line.split("\t")]
        if len(cells) != len(columns):
            raise ValueError(
                f"tables/{name}.tsv, line {number}: expected {len(columns)} cells with tabs "
                f"between them, found {len(cells)}"
            )
        rows.append(dict(zip(columns, cells, strict=True)))
    return rows
