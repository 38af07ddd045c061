"""Everything that `--user-dir user_dir` brings to fairseq. Importing this module is enough."""

from rim_nmt.memory import keep_freed_memory
from rim_nmt.models import (
    checkpoint_guard,
    checkpoint_safety,
    fairseq_fixes,
    literals,
    model,  # noqa: F401  (registers the models)
    multilingual,  # noqa: F401
)

checkpoint_safety.allow_fairseq_checkpoints()
checkpoint_guard.guard_fairseq()
literals.use_literals()
fairseq_fixes.apply()
keep_freed_memory()
