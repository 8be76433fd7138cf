"""Traffic of many kinds: requests that carry an id, an upstream whose answers repeat it, and a client that compares.

Rules:
1. A request is a function of its kind and its id; an answer is one of these and of the body that arrived. Client and
   upstream compute it apart from each other, so an answer that is somebody else's, or was changed, is seen.
2. The upstream reads strictly, and what it cannot read is noted in `Upstream.oddities`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import lru_cache

__all__ = ["KINDS", "Answer", "Kind", "Line", "Upstream", "expected", "upstream"]

_LARGE, _UPLOAD = 1_000_000, 150_000


def _json(id_: str) -> bytes:
    return json.dumps({"id": id_, "input": "What is the weather like?", "temperature": 0.5}).encode()


@lru_cache(maxsize=200)
def _noise(id_: str, size: int) -> bytes:
    """Text that is different for each id."""
    line = hashlib.sha256(id_.encode()).hexdigest().encode() + b"\n"
    return (line * (size // len(line) + 1))[:size]


def _multipart(id_: str) -> bytes:
    edge = b"--edge-" + id_.encode()
    about = b'\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    file = b'\r\nContent-Disposition: form-data; name="file"; filename="batch.jsonl"\r\n\r\n'
    return edge + about + edge + file + _noise(id_, _UPLOAD) + b"\r\n" + edge + b"--\r\n"


def _chat(id_: str) -> bytes:
    return json.dumps({"model": "gpt-4o", "user": id_, "messages": [{"role": "user", "content": "Hi"}]}).encode()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request, and of the answer that it gets. `{id}` in texts stands for the id.

    `broken`: the answer breaks off. `saved`: it goes into a cassette by default.
    """

    method: str = "POST"
    path: str = "/v1/soak/{kind}/{id}"
    body: Callable[[str], bytes] | None = _json
    fields: str = "Content-Type: application/json\r\n"
    chunked: bool = False
    status: int = 200
    broken: bool = False
    saved: bool = True


_GET = {"method": "GET", "body": None, "fields": ""}
KINDS: dict[str, Kind] = {
    "small": Kind(),
    "known": Kind(path="/v1/chat/completions?id={id}", body=_chat),
    "got": Kind(**_GET),
    "head": Kind("HEAD", body=None, fields=""),
    "deleted": Kind("DELETE", body=None, fields="", status=204),
    "unchanged": Kind("GET", body=None, fields='If-None-Match: "{id}"\r\n', status=304),
    "sized": Kind(body=lambda id_: _noise(id_, _UPLOAD), fields="Content-Type: text/plain\r\n"),
    "chunked": Kind(body=lambda id_: _noise(id_, _UPLOAD), fields="Content-Type: text/plain\r\n", chunked=True),
    "multipart": Kind(body=_multipart, fields="Content-Type: multipart/form-data; boundary=edge-{id}\r\n"),
    "large": Kind(**_GET),
    "packed": Kind(fields="Content-Type: application/json\r\nAccept-Encoding: gzip\r\n"),
    "stream": Kind(fields="Content-Type: application/json\r\nAccept: text/event-stream\r\n"),
    "refused": Kind(status=400),
    "limited": Kind(status=429, saved=False),
    "faulty": Kind(status=500, saved=False),
    "cut": Kind(**_GET, broken=True, saved=False),
    "cutstream": Kind(broken=True, saved=False),
    "closed": Kind(**_GET),
    "held": Kind(**_GET),
}


def head_of(kind: str, id_: str, prefix: str = "", fields: str = "") -> bytes:
    """The head of a request, without its framing."""
    of = KINDS[kind]
    target = prefix + of.path.format(kind=kind, id=id_)
    return f"{of.method} {target} HTTP/1.1\r\nHost: localhost\r\n{of.fields.format(id=id_)}{fields}".encode()


def request(kind: str, id_: str, prefix: str = "", fields: str = "") -> bytes:
    """A request as its bytes; `prefix` goes before its path, `fields` are whole lines."""
    of = KINDS[kind]
    head, body = head_of(kind, id_, prefix, fields), of.body(id_) if of.body else b""
    if of.chunked:
        pieces = (body[at : at + 40_000] for at in range(0, len(body), 40_000))
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    return head + (b"Content-Length: %d\r\n" % len(body) if of.body else b"") + b"\r\n" + body


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came. `whole`: its framing was satisfied; status 0: there was none."""

    status: int
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False


def events(id_: str, digest: str, count: int = 8) -> list[bytes]:
    """The events of a stream."""
    return [b'data: {"n": %d, "id": "%b", "of": "%b"}\n\n' % (n, id_.encode(), digest.encode()) for n in range(count)]


def content(kind: str, id_: str, digest: str) -> bytes:
    """The body of the answer to a request of which a body with that digest arrived (not packed)."""
    if kind in ("stream", "cutstream"):
        return b"".join(events(id_, digest))
    if kind in ("large", "cut"):
        return _noise(id_, _LARGE if kind == "large" else 5_000)
    if kind in ("head", "deleted", "unchanged"):
        return b""
    return json.dumps({"id": id_, "kind": kind, "of": digest}).encode()


def expected(kind: str, id_: str, answer: Answer) -> bool:
    """Whether that is the answer to this request."""
    of = KINDS[kind]
    whole = content(kind, id_, digest_of(of.body(id_) if of.body else b""))
    body = gzip.decompress(answer.body) if answer.fields.get("content-encoding") == "gzip" else answer.body
    if of.broken:
        return (answer.status == of.status and not answer.whole and whole.startswith(body)) or answer.status == 502
    return (answer.status, answer.whole, body) == (of.status, True, whole)


def digest_of(body: bytes) -> str:
    """What stands for a body in answers."""
    return hashlib.md5(body).hexdigest()


# --- both ends of a connection


async def read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """First line and fields of a message; names in lower case."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return first, {name.lower(): value.strip() for name, _, value in pairs}


async def read_body(reader: asyncio.StreamReader, fields: dict[str, str]) -> bytes:
    """A body as its framing says. IncompleteReadError, with what came, when it breaks off."""
    if fields.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(fields.get("content-length", "0")))
    body = bytearray()
    try:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    except asyncio.IncompleteReadError as error:
        raise asyncio.IncompleteReadError(bytes(body), None) from error
    return bytes(body)


class Line:
    """A client's connection to the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, url: str, buffer: int = 0) -> Line:
        """A new connection; `buffer` bounds what the system takes in for who does not read, in bytes."""
        host, port = url.removeprefix("http://").split(":")
        sock = socket.create_connection((host, int(port))) if not buffer else _narrow(host, int(port), buffer)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(*await asyncio.open_connection(sock=sock, limit=buffer or 1 << 20))

    def send(self, data: bytes) -> None:
        """Sends bytes when they can be sent."""
        self.writer.write(data)

    async def answer(self, method: str = "GET") -> Answer:
        """The next answer."""
        try:
            first, fields = await read_head(self.reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            return Answer(0)
        status = int(first.split(" ")[1])
        if method == "HEAD" or status in (204, 304):
            return Answer(status, fields, b"", True)
        try:
            return Answer(status, fields, await read_body(self.reader, fields), True)
        except asyncio.IncompleteReadError as error:
            return Answer(status, fields, error.partial)
        except ConnectionError:
            return Answer(status, fields)

    async def ask(self, kind: str, id_: str, prefix: str = "", fields: str = "") -> Answer:
        """The answer to a request."""
        self.send(request(kind, id_, prefix, fields))
        return await self.answer(KINDS[kind].method)

    async def send_request(self, kind: str, id_: str) -> None:
        """Sends a request and lets the event loop take its turn."""
        self.send(request(kind, id_))
        await asyncio.sleep(0)

    def close(self) -> None:
        """Hangs up."""
        self.writer.close()


def _narrow(host: str, port: int, buffer: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.connect((host, port))
    return sock


@dataclass(slots=True)
class Upstream:
    """The upstream. `held`: who asked for an answer that never comes, by id, and whether they are there still."""

    url: str = ""
    requests: int = 0
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    let_go: set[str] = field(default_factory=set)
    oddities: list[str] = field(default_factory=list)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def hang_up(self) -> None:
        """Closes all connections: nobody should be waiting for anything any more."""
        for writer in self._writers:
            writer.close()
        while self._writers:
            await asyncio.sleep(0.01)

    def holding(self, id_: str) -> asyncio.Event:
        """Is set when a request of the kind `held` with this id has come."""
        return self.held.setdefault(id_, asyncio.Event())

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of a connection."""
        self._writers.add(writer)
        try:
            while await self._serve(reader, writer):
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the proxy hung up
        except Exception as error:
            if not writer.is_closing():  # uvloop tells of writing to who hung up in its own way
                self.oddities.append(repr(error))
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers a request; whether another may follow."""
        first, fields = await read_head(reader)
        digest = digest_of(await read_body(reader, fields))
        method, target, _ = first.split(" ")
        self.requests += 1
        kind, id_ = ("known", target.partition("id=")[2]) if "?id=" in target else tuple(target.split("/")[-2:])
        if KINDS[kind].method != method:
            self.oddities.append(first)
        if kind == "held":
            self.holding(id_).set()
            await reader.read()
            self.let_go.add(id_)
            return False
        return await _give(writer, kind, id_, content(kind, id_, digest), digest)


async def _give(writer: asyncio.StreamWriter, kind: str, id_: str, body: bytes, digest: str) -> bool:
    of, more = KINDS[kind], b""
    if kind in ("stream", "cutstream"):
        return await _stream(writer, events(id_, digest), cut=of.broken)
    if kind == "head":
        more = b"Content-Length: 12345\r\n"
    elif kind == "packed":
        body, more = gzip.compress(body), b"Content-Encoding: gzip\r\n"
    elif kind == "closed":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + body)
        return False
    if of.status not in (204, 304) and kind != "head":
        more += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % (len(body) + 9 * of.broken)
    writer.write(b"HTTP/1.1 %d Said\r\n%b\r\n%b" % (of.status, more, body))
    return not of.broken


async def _stream(writer: asyncio.StreamWriter, pieces: list[bytes], *, cut: bool) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for piece in pieces:
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
        await asyncio.sleep(0.005)
    if cut:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        return False
    writer.write(b"0\r\n\r\n")
    return True


@contextlib.asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    """Runs an upstream on a free port of this machine."""
    made = Upstream()
    server = await asyncio.start_server(made.visited, "127.0.0.1", 0, limit=1 << 20, backlog=2048)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
