"""What the other scripts call: `rim-nmt` with the code of this clone.

The environment may have the package of another clone, or none; nothing is asked of it but the
libraries.
"""

import os
import sys
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent


def run(command: str) -> None:
    """Become `rim-nmt COMMAND` with the arguments of this process, and never come back."""
    python_path = os.pathsep.join(filter(None, (str(CLONE), os.environ.get("PYTHONPATH"))))
    # safe path: not the code of a clone that is the current folder, here and in child processes
    environment = {**os.environ, "PYTHONPATH": python_path, "PYTHONSAFEPATH": "1"}
    arguments = [sys.executable, "-m", "rim_nmt", command, *sys.argv[1:]]
    os.execve(sys.executable, arguments, environment)
