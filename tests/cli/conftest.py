"""Commands that fail, in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rim_nmt.cli.main import main
from rim_nmt.runtime.console import set_verbosity
from rim_nmt.runtime.files import write_json


@pytest.fixture
def refused(capsys) -> Callable[..., str]:
    """Calls a command that must end with status 2 and one line on the error stream, which is
    returned; argparse puts the usage before it."""

    def call(*arguments) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        lines = capsys.readouterr().err.splitlines()
        assert stop.value.code == 2
        assert len(lines) == 1 or lines[0].startswith("usage: rim-nmt")
        return lines[-1]

    return call


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
