"""`rim-nmt parameters`: the vocabulary. tests/models/ reads its table."""

from rim_nmt.models import parameters


def test_the_dictionary_of_a_prepared_folder(call_script, prepared, monkeypatch):
    monkeypatch.setattr(parameters, "build_without_memory", lambda *_: None)
    monkeypatch.setattr(parameters, "count_parameters", lambda _: 1)
    table = call_script("parameters", "--data", prepared)
    pieces = (prepared / "bin/dict.en.txt").read_text(encoding="utf-8").count("\n")
    assert table.startswith(f"vocabulary of {pieces + 4:,}\n")
    assert "--arch" not in table
    assert "--arch multilingual_rim_tiny" in call_script("parameters", "--flags")


def test_wrong_arguments_are_named(refused, tmp_path):
    assert "--vocab-size must be 4 or more, got 3" in refused("parameters", "--vocab-size", 3)
    assert "expected a prepared folder" in refused("parameters", "--data", tmp_path)
    assert "not allowed with" in refused("parameters", "--data", tmp_path, "--vocab-size", 9)
