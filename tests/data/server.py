"""A web server on this machine that plays an archive, or the Hugging Face hub."""

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class Server:
    """What is served, what goes wrong, and what was asked for.

    Args:
        files: path -> content.
    """

    def __init__(self, files: dict[str, bytes]):
        self.files = files
        self.breaks_after: int | None = None  # bytes, once
        self.checksums: dict[str, str] = {}  # what the hub claims, where it is not the truth
        self.ranges: list[str | None] = []
        self.url = ""


@contextlib.contextmanager
def serve(files: dict[str, bytes]) -> Iterator[Server]:
    """A server until the block ends."""
    server = Server(files)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def do_POST(self):
            """The hub's list of files: sizes and checksums."""
            asked = unquote(self.rfile.read(int(self.headers["Content-Length"])).decode())
            found = [path for path in server.files if path.split("/", 6)[-1] in asked]
            entries = []
            for path in found:
                name = path.split("/", 6)[-1]
                checksum = server.checksums.get(name) or _sha256(server.files[path])
                size = len(server.files[path])
                lfs = {"oid": checksum, "size": size, "pointerSize": 130}
                entries.append({"type": "file", "path": name, "size": size, "oid": "0", "lfs": lfs})
            self.reply(200, json.dumps(entries).encode(), {"Content-Type": "application/json"})

        def answer(self, body: bool):
            content = server.files.get(self.path)
            if content is None:
                return self.reply(404, b"", {})
            wanted = self.headers.get("Range")
            if body:
                server.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if start >= len(content):
                return self.reply(416, b"", {})
            checksum = _sha256(content)
            headers = {"ETag": f'"{checksum}"', "X-Repo-Commit": self.path.split("/")[-3]}
            if wanted:
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            return self.reply(206 if wanted else 200, content[start:], headers, body)

        def reply(self, status: int, content: bytes, headers: dict, body: bool = True):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if not body:
                return
            if server.breaks_after is not None and status in (200, 206):
                self.wfile.write(content[: server.breaks_after])
                server.breaks_after = None
                self.close_connection = True
            else:
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
