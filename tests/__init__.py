"""The surroundings of all tests, set before any library reads them; child processes inherit them.

Tests leave the user's home alone. All caches are in the folder that RIM_TEST_CACHE names: without
it in the clone, so that the kernel is compiled once for all runs, or in a temporary one where the
clone cannot be written to. Empty, it leaves caches and the hub's settings as they are
(scripts/test_machines.py tries broken ones).
"""

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path


def cache_folder() -> str:
    """A folder of the clone, or a temporary one that ends with this process."""
    folder = Path(__file__).resolve().parent.parent / ".pytest_cache" / "caches"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return str(folder)
    except OSError:
        temporary = tempfile.mkdtemp(prefix="rim-nmt-tests-")
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        return temporary


def move_caches() -> None:
    """Point everything that keeps a cache to RIM_TEST_CACHE."""
    # set for the workers of pytest-xdist too, which use the same
    if "RIM_TEST_CACHE" not in os.environ:
        os.environ["RIM_TEST_CACHE"] = cache_folder()
    folder = os.environ["RIM_TEST_CACHE"]
    if not folder:
        return
    # the hub's caches are below HF_HOME unless named one by one; the user's token, address and
    # offline mode are not for the tests' own hub
    for name in [name for name in os.environ if name.startswith(("HF_", "HUGGINGFACE_"))]:
        del os.environ[name]
    os.environ["XDG_CACHE_HOME"] = folder  # the compiled kernel
    for name in ("HF_HOME", "MPLCONFIGDIR", "TORCH_HOME", "TRITON_CACHE_DIR"):
        os.environ[name] = os.path.join(folder, name.lower())


def children_run_this_code() -> None:
    """Whatever folder they are started in, and whatever the environment has installed."""
    paths = (str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


def hear_ctrl_c() -> None:
    """What is started in the background by a script ignores it, and so would its children."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


move_caches()
children_run_this_code()
hear_ctrl_c()
