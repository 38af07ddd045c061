"""`rim-nmt experiment`: its arguments. tests/experiments/ has what it does."""

import pytest

TABLE8 = ("experiment", "table8", "--scale", "screening", "--dry-run")


def test_the_folder_and_the_pairs_in_new_and_old_words(call_script, prepared):
    pairs = ("en-de",)
    new = call_script(*TABLE8, "--data", prepared, "--pairs", *pairs)
    assert str(prepared / "bin") in new and new.count("\n") == 3
    assert call_script(*TABLE8, "--prepared", prepared, "--data", *pairs) == new
    assert call_script(*TABLE8, "--prepared", prepared) == new


def test_wrong_arguments_are_named(refused, prepared, tmp_path):
    assert "--pairs en-fr: " in refused(*TABLE8, "--data", prepared, "--pairs", "en-fr")
    assert "--pairs en-fr: " in refused(*TABLE8, "--prepared", prepared, "--data", "en-fr")
    assert "manifest.json does not exist" in refused(*TABLE8, "--data", tmp_path)
    assert "expected one folder" in refused(*TABLE8, "--data", prepared, tmp_path)
    assert "give that folder as --data" in refused(*TABLE8)
    assert "--width must be 1 or more" in refused("experiment", "copying", "--width", 0)
    assert "required: EXPERIMENT" in refused("experiment")


@pytest.mark.parametrize("experiment", ["table8", "copying"])
def test_abbreviations_are_refused(refused, experiment):
    scale = ("--scale", "tiny") if experiment == "table8" else ()
    assert "unrecognized arguments: --max-up 9" in refused(
        "experiment", experiment, *scale, "--max-up", 9
    )
