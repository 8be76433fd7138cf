"""Runs what is copied, with the real tools, and catches the request that comes of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from replayproxy.core.messages import Headers, Request

__all__ = [
    "NEEDS_BASH_AND_CURL",
    "NEEDS_NODE",
    "Catcher",
    "catching",
    "run_javascript",
    "run_python",
    "run_python_here",
    "run_shell",
]

NEEDS_BASH_AND_CURL = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl") and shutil.which("base64")), reason="bash and curl run it"
)
NEEDS_NODE = pytest.mark.skipif(not shutil.which("node"), reason="node runs it, and is not installed")
_PATIENCE = 60


@dataclass
class Catcher:
    """A server that keeps what it is asked and says `{}`."""

    url: str
    caught: list[Request] = field(default_factory=list)

    @property
    def only(self) -> Request:
        """The one request that came."""
        assert len(self.caught) == 1
        return self.caught[0]


@contextmanager
def catching() -> Iterator[Catcher]:
    """A server on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                line = self.rfile.readline(65537)
                method, target, _ = line.decode("latin-1").split(" ", 2)
            except (ValueError, OSError):
                self.close_connection = True
                return
            self.raw_requestline, self.command = line, method
            headers = Headers.from_raw(self._head())
            body = self._body(headers)
            catcher.caught.append(
                Request(method, target.encode("latin-1").decode("utf-8", "surrogateescape"), headers, body)
            )
            answer = b"" if method == "HEAD" else b"{}"
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n" + answer)
            self.close_connection = False

        def _head(self) -> Iterator[tuple[bytes, bytes]]:
            while line := self.rfile.readline().rstrip(b"\r\n"):
                name, _, value = line.partition(b":")
                yield name, value.strip()
            return

        def _body(self, headers: Headers) -> bytes:
            if headers.get("expect"):
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if headers.get("transfer-encoding") == "chunked":
                found = b""
                while size := int(self.rfile.readline(), 16):
                    found += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return found
            return self.rfile.read(int(headers.get("content-length") or 0))

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    catcher = Catcher(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    try:
        yield catcher
    finally:
        server.shutdown()
        server.server_close()


def run_shell(text: str, folder: Path) -> str:
    """Has bash read it from standard input, line by line, as a terminal would hand it over."""
    return _run(["bash", "--norc", "--noprofile"], text, folder)


def run_python(text: str, folder: Path) -> str:
    """Runs it as a script."""
    return _run([sys.executable, "-"], text, folder)


def run_python_here(text: str, folder: Path) -> str:
    """Runs it in this process, which is much faster than to import the client each time."""
    said = StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.setenv("OPENAI_API_KEY", "any")
        patch.chdir(folder)
        exec(compile(text, "pasted.py", "exec"), {})
    return said.getvalue()


def run_javascript(text: str, folder: Path) -> str:
    """Runs it as a script that is no module."""
    return _run(["node", "-"], text, folder)


def _run(command: list[str], text: str, folder: Path) -> str:
    (folder / "home").mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "OPENAI_API_KEY": "any",
        "LC_ALL": "C.UTF-8",
    }
    ran = subprocess.run(
        command, input=text.encode(), cwd=folder, env=environment, capture_output=True, timeout=_PATIENCE
    )
    assert ran.returncode == 0, ran.stderr.decode("utf-8", "replace")
    return ran.stdout.decode("utf-8", "replace")
