"""`rim-nmt score`: its arguments. tests/integration/ scores a model with it."""

import pytest

MODEL = ("--checkpoint", "m.pt", "--data", "d")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give either --test NAME ... or --source FILE --reference FILE"),
        (("--source", "a"), "--source and --reference go together"),
        (("--test", "a", "--source", "a", "--reference", "b"), "give either --test"),
        (("--test", "a/b"), "--test a/b: expected NAME or NAME=PREFIX"),
        (("--test", "a="), "--test a=: expected NAME or NAME=PREFIX"),
        (("--test", "a", "--beam", 0), "--beam must be 1 or more, got 0"),
        (("--test", "a", "--quiet", "--verbose"), "not allowed with argument --quiet"),
        (("--test", "a", "--device", "cpu"), "no checkpoint at "),
    ],
)
def test_wrong_arguments_are_named(refused, arguments, message):
    assert message in refused("score", *MODEL, *arguments)
