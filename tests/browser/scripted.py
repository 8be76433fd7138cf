"""An upstream that answers what a test says, piece by piece when it says so.

It runs in threads: while a browser is driven, no other loop can run in the thread of the test.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from urllib.parse import urlsplit

__all__ = ["Answer", "Scripted", "scripted"]


@dataclass(slots=True)
class Answer:
    """What is answered. With `pieces`, what is put there is sent as it comes, until None is."""

    body: bytes = b"{}"
    media: str = "application/json"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pieces: Queue[bytes | None] | None = None


@dataclass(slots=True)
class Scripted:
    """A server with an answer for each path; others get an empty object."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)


@contextmanager
def scripted(**answers: Answer) -> Iterator[Scripted]:
    """Runs one on a free port; names become paths: `chat` is `/v1/chat`."""
    upstream = Scripted("", {f"/v1/{name}": answer for name, answer in answers.items()})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            self._answer(upstream.answers.get(urlsplit(self.path).path, Answer()))

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def _answer(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("content-type", answer.media)
            for name, value in answer.headers:
                self.send_header(name, value)
            if answer.pieces is None:
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
                return
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            while (piece := answer.pieces.get()) is not None:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    upstream.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        for answer in upstream.answers.values():
            if answer.pieces is not None:
                answer.pieces.put(None)
        server.shutdown()
        server.server_close()
        thread.join()
