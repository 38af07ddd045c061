"""Plots as files."""

from pathlib import Path

from matplotlib.figure import Figure

from rim_nmt.runtime.files import atomic_path


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, without what would differ between two equal plots."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120, metadata={"Software": None})
