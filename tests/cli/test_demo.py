"""`rim-nmt demo`: which part of it runs. tests/integration/ has the rest."""

import pytest

from rim_nmt.cli.main import main
from rim_nmt.experiments import demo


@pytest.mark.parametrize(
    ("flags", "expected"),
    [([], ["run", False]), (["--compare"], ["run", True]), (["--clean"], ["clean"])],
)
def test_the_flags_choose(monkeypatch, flags, expected):
    called = []
    monkeypatch.setattr(demo, "run_demo", lambda compare: called.extend(["run", compare]))
    monkeypatch.setattr(demo, "clean", lambda: called.append("clean"))
    main(["demo", *flags])
    assert called == expected
