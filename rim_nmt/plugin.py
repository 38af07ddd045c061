"""Everything that `--user-dir user_dir` brings to fairseq. Importing this module is enough."""

from rim_nmt.memory import keep_freed_memory
from rim_nmt.models import (
    checkpoint_safety,
    fairseq_fixes,
    model,  # noqa: F401  (registers the models)
    multilingual,  # noqa: F401
)

checkpoint_safety.allow_fairseq_checkpoints()
fairseq_fixes.apply()
keep_freed_memory()
