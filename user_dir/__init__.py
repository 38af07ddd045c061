"""fairseq's entry: `--user-dir user_dir` imports this package, which registers the models."""

import rim_nmt.plugin.register  # noqa: F401
