"""`rim-nmt average`: which checkpoints it takes."""

import pytest

from rim_nmt.cli.main import main


@pytest.fixture
def averaged(monkeypatch) -> list:
    """What is averaged."""
    calls = []
    monkeypatch.setattr(
        "rim_nmt.translation.averaging.average_checkpoints",
        lambda paths, out: calls.append([path.name for path in paths]),
    )
    return calls


def test_files(averaged, capsys):
    main(["average", "x/a.pt", "x/b.pt", "--out", "mean.pt"])
    assert averaged == [["a.pt", "b.pt"]]
    assert capsys.readouterr().out == "mean.pt: the mean of a.pt, b.pt\n"


def test_the_last_ones_of_a_folder(averaged, tmp_path, capsys):
    for name in ("1_20", "1_30", "2_100", "best", "last"):
        (tmp_path / f"checkpoint_{name}.pt").touch()
    main(["average", "--last", "2", str(tmp_path), "--out", "mean.pt"])
    assert sorted(averaged[0]) == ["checkpoint_1_30.pt", "checkpoint_2_100.pt"]


def test_without_checkpoints_by_updates_those_of_the_last_epochs(averaged, tmp_path, capsys):
    for name in ("2", "9", "10", "_best", "_last"):
        (tmp_path / f"checkpoint{name}.pt").touch()
    main(["average", "--last", "2", str(tmp_path), "--out", "mean.pt"])
    assert averaged == [["checkpoint9.pt", "checkpoint10.pt"]]


def test_a_folder_without_either(refused, tmp_path):
    (tmp_path / "checkpoint_best.pt").touch()
    error = refused("average", "--last", 2, tmp_path, "--out", "x")
    assert "neither checkpoint_EPOCH_UPDATES.pt nor checkpointEPOCH.pt" in error


def test_a_checkpoint_is_not_replaced_by_the_mean(refused, tmp_path):
    checkpoint = tmp_path / "a.pt"
    checkpoint.write_text("not looked at", encoding="utf-8")
    error = refused("average", checkpoint, "--out", tmp_path / "." / "a.pt")
    assert "would be lost" in error and checkpoint.read_text(encoding="utf-8") == "not looked at"


@pytest.mark.parametrize("given", [("--last", 0, "a"), ("--last", 2, "a", "b")])
def test_the_last_ones_are_those_of_one_folder(refused, given):
    assert "--last N takes a number from 1 on and one folder" in refused(
        "average", *given, "--out", "x"
    )
