"""Commands that fail, in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rim_nmt.runtime.console import set_verbosity
from rim_nmt.runtime.files import write_json


@pytest.fixture(autouse=True)
def _verbosity_ends_with_the_test():
    yield
    set_verbosity()


@pytest.fixture
def looks_prepared(tmp_path) -> Callable[..., Path]:
    """Makes what the commands take for a prepared folder before they read its text."""

    def make(*pairs: str) -> Path:
        folder = tmp_path / "data"
        (folder / "bin").mkdir(parents=True)
        write_json(folder / "manifest.json", {"pairs": {pair: {} for pair in pairs}})
        for pair in pairs:
            (folder / "bin" / f"train.{pair}.{pair[:2]}.idx").touch()
        return folder

    return make
