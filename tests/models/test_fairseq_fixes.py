"""What the plugin puts right in fairseq."""

import logging
import warnings

import numpy as np
import pytest
from fairseq.data import data_utils

import rim_nmt.plugin  # noqa: F401
from rim_nmt.models import fairseq_fixes


@pytest.mark.parametrize("count", [1, 7, 8, 60, 64])
@pytest.mark.parametrize("limits", [{"max_tokens": 50}, {"max_sentences": 16}, {}])
def test_no_sentence_is_dropped(count, limits):
    batches = data_utils.batch_by_size(
        np.arange(count), lambda index: 3, required_batch_size_multiple=8, **limits
    )
    assert np.concatenate(batches).tolist() == list(range(count))
    if "max_tokens" in limits:
        assert max(len(batch) for batch in batches) * 3 <= 50


def test_the_fix_is_still_needed():
    """Without it, 60 sentences become 56. When this fails, fairseq was repaired: drop the fix."""
    unfixed = data_utils.batch_by_size.__wrapped__
    batches = unfixed(
        np.arange(60), lambda index: 3, max_sentences=8, required_batch_size_multiple=8
    )
    assert sum(len(batch) for batch in batches) == 56


def test_the_root_logger_is_not_left_at_debug():
    assert logging.getLogger().level != logging.DEBUG


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("\nThe version_base parameter is not specified.\nPlease specify", False),
        ("\n'config' is validated against ConfigStore schema with the same name.", False),
        ("\nThe strict flag in the compose API is deprecated.\nSee", False),
        ("\nThe learning rate is deprecated.", True),
    ],
)
def test_warnings_of_every_command_are_not_shown_and_others_are(message, shown):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fairseq_fixes.apply()
        warnings.warn(message, stacklevel=1)
    assert bool(caught) == shown
