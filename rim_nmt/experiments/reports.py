"""What becomes of the report of an experiment once it is written."""

from pathlib import Path

from rim_nmt.runtime.console import console
from rim_nmt.runtime.files import copy_file


def announce_report(report: Path, copy: Path | None) -> None:
    """Say where a report is, and copy all of it where the user wants it.

    Args:
        report: its folder.
        copy: another folder, if any.
    """
    console.print(f"table and plots are in {report}")
    if copy:
        for path in report.iterdir():
            copy_file(path, copy / path.name)
        console.print(f"and in {copy}")


def show_report(report: Path, copy: Path | None) -> None:
    """The same, after its table."""
    print((report / "table.md").read_text(encoding="utf-8"))
    announce_report(report, copy)
