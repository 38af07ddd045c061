"""What is shown of fairseq's log."""

import pytest

from rim_nmt.runtime.fairseq_commands import _validation


@pytest.mark.parametrize(
    ("usage", "shown"),
    [
        ({}, ""),
        ({"enc": 0.99, "dec": 0.9}, ", use of mechanisms 0.99 (encoder) 0.9 (decoder)"),
        (
            {"enc": 1, "dec_de": 0.9, "dec_fr": 0.8},
            ", use of mechanisms 1 (encoder) 0.9 (decoder de) 0.8 (decoder fr)",
        ),
    ],
)
def test_a_validation_shows_the_use_of_mechanisms_in_every_part(usage, shown):
    figures = {"valid_num_updates": "20", "valid_ppl": "3.1"}
    for part, value in usage.items():
        figures |= {f"valid_{part}_usage": value, f"valid_{part}_least": 0.1}
    assert _validation(figures) == f"update 20: valid perplexity 3.1{shown}"
