"""A start without scikit-learn, whose functions are still there."""

import sys

from tests.conftest import run_command

CODE = """
import sys
from rim_nmt.plugin.startup import deferring
with deferring():
    import rim_nmt.translation.translator
print("sklearn" in sys.modules, "scipy.stats" in sys.modules)
from fairseq.criterions import sentence_prediction
from fairseq.tasks import audio_classification
print(sentence_prediction.pearsonr([1, 2, 4], [1, 2, 4])[0].round(6))
print(audio_classification.sklearn_metrics.accuracy_score([1, 0], [1, 1]))
import sklearn.metrics
print(sklearn.metrics.accuracy_score([1, 0], [1, 1]))
with deferring():
    print(sys.modules["sklearn"] is sklearn)
"""


def test_functions_that_are_deferred_are_found_when_they_are_called():
    printed = run_command([sys.executable, "-W", "ignore", "-c", CODE]).stdout.splitlines()
    assert printed[-5:] == ["False False", "1.0", "0.5", "0.5", "True"]
