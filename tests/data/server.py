"""A web server on this machine that plays an archive, or the Hugging Face hub."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock


@dataclass(frozen=True)
class Answer:
    """What the server answers.

    Args:
        content: all of the file.
        status: of HTTP.
        headers: beside Content-Length.
        length: whether there is a Content-Length.
        cut: bytes after which the connection is closed.
        halfway: called when half of the content is on its way.
    """

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: bool = True
    cut: int | None = None
    halfway: Callable[[], None] = lambda: None


@dataclass
class Server:
    """A running server.

    Args:
        url: its address.
        files: path -> what is there; may be changed.
        asked: the paths that were asked for, in order.
    """

    url: str
    files: dict[str, bytes | Answer]
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serve(files: dict[str, bytes | Answer]) -> Iterator[Server]:
    """A server until the block ends. Requests to this machine go round the user's proxy there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path)
            answer = server.files.get(self.path, Answer(status=404))
            if isinstance(answer, bytes):
                answer = Answer(answer)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.length:
                self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            content = answer.content[: answer.cut]
            half = len(content) // 2
            with contextlib.suppress(ConnectionError):  # of those who hang up
                self.wfile.write(content[:half])
                self.wfile.flush()
                answer.halfway()
                self.wfile.write(content[half:])

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_address[1]}", files)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))  # soon stopped
    thread.start()
    try:
        with mock.patch.dict(os.environ, no_proxy="127.0.0.1", NO_PROXY="127.0.0.1"):
            yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
