"""fairseq's entry where there is no clone: `--user-dir` names this folder, and fairseq imports it
as a top-level module from the folder above, in which there is nothing else."""

import rim_nmt.plugin.register  # noqa: F401
