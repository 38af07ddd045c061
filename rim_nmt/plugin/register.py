"""Everything that `--user-dir user_dir` brings to fairseq. Importing this module is enough."""

from rim_nmt.models import (
    model,  # noqa: F401  (registers the models)
    multilingual,  # noqa: F401
)
from rim_nmt.plugin import checkpoint_guard, checkpoint_safety, fixes, literals
from rim_nmt.plugin.memory import keep_freed_memory

checkpoint_safety.allow_fairseq_checkpoints()
checkpoint_guard.guard_fairseq()
literals.use_literals()
fixes.apply()
keep_freed_memory()
