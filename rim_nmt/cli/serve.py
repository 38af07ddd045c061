"""A page for translating in the browser, and an interface for programs.

On the page: type on the left, read on the right; point at a word to see its source words and which
mechanisms were awake. The interface is LibreTranslate's (POST /translate, GET /languages) with
POST /explain and GET /health. Only this machine can reach it, unless --host says otherwise.
"""

import argparse
import importlib.util

from rim_nmt.cli.shared import add_model_arguments, add_verbosity, load_translator
from rim_nmt.errors import InputError

EXAMPLES = """\
examples:
  rim-nmt serve
  curl http://127.0.0.1:5000/translate --json '{"q": "A dog.", "source": "en", "target": "de"}'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="listen at this address; 0.0.0.0 lets other machines in (%(default)s)",
    )
    parser.add_argument("--port", type=int, default=5000, help="(%(default)s)")
    limits = parser.add_argument_group("limits", "What is more is refused with a message.")
    limits.add_argument(
        "--max-characters", type=int, default=5000, metavar="N", help="a request (%(default)s)"
    )
    limits.add_argument(
        "--max-sentences", type=int, default=50, metavar="N", help="a request (%(default)s)"
    )
    limits.add_argument(
        "--max-waiting",
        type=int,
        default=200,
        metavar="N",
        help="sentences that wait for the model (%(default)s)",
    )
    limits.add_argument(
        "--max-seconds", type=float, default=30, metavar="S", help="a request (%(default)s)"
    )
    add_model_arguments(parser, searches=False)
    add_verbosity(parser)


def run(arguments: argparse.Namespace) -> None:
    """Serve until Ctrl-C.

    Raises:
        InputError: the model, a limit or the address cannot be used, or FastAPI is missing.
    """
    for name in ("fastapi", "uvicorn"):
        if importlib.util.find_spec(name) is None:
            raise InputError(f"the page needs {name}: pip install 'rim-nmt[page]'")
    if not 0 <= arguments.port < 2**16:
        raise InputError(f"--port must be from 0 to {2**16 - 1}, got {arguments.port}")
    from rim_nmt.translation.page.limits import Limits
    from rim_nmt.translation.page.server import serve

    limits = Limits(
        arguments.max_characters,
        arguments.max_sentences,
        arguments.max_waiting,
        arguments.max_seconds,
    )
    serve(load_translator(arguments), arguments.host, arguments.port, limits)
