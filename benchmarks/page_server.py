"""The page's server in a process of its own, for what measures it or looks at it."""

import argparse
import multiprocessing
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"
PATIENCE = 300  # seconds; where the kernel was never compiled, that is done first


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--model."""
    parser.add_argument(
        "--model",
        default="everyday",
        help="a folder from `rim-nmt pack`, or the name of a model that comes with the program "
        "(%(default)s)",
    )


@contextmanager
def page_server(model: str) -> Iterator[int]:
    """A server at the port that it gives, for the `with` statement."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    # not forked: a copy of a process that uses torch's threads may hang
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(model, port), daemon=True
    )
    process.start()
    try:
        _wait(process, port)
        yield port
    finally:
        os.kill(process.pid, signal.SIGINT)  # as Ctrl-C: it ends in good order
        process.join(timeout=10)
        process.kill()


def _serve(model: str, port: int) -> None:
    from rim_nmt.plugin.fixes import quiet_fairseq
    from rim_nmt.translation.model_folder import open_model
    from rim_nmt.translation.page.server import serve

    quiet_fairseq()
    serve(open_model(model), HOST, port)


def _wait(process: multiprocessing.Process, port: int) -> None:
    give_up = time.monotonic() + PATIENCE
    while process.is_alive() and time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    raise SystemExit("the server did not start: what it printed says why")
