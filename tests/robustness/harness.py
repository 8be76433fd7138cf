"""A running `replayproxy` between a client of bytes and an upstream of bytes.

A `Stage` is a process of replayproxy and the upstream behind it, which runs in a thread, so that a test needs no event
loop and a process can serve a whole module. Rules for every row:

1. Say what the upstream does (`stage.upstream.follow(script)`; unasked it answers 200 to everything).
2. Send bytes (`stage.send(...)`, `stage.say(...)`) and look at what came back (`Answer`), and at what arrived
   (`stage.upstream.requests`, read strictly by nobody of ours).
3. `stage.check()`: a normal request is answered now, and nothing arrived that no client sent as one request. The
   `stage` fixture does it at the end of each test.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.background import in_background
from tests.processes import Running, started, wait_until
from tests.servers import RawUpstream, Script, Visit, raw_upstream

__all__ = ["OK", "Answer", "Arrived", "Line", "ScriptedUpstream", "Stage", "head_and_rest", "staged"]

#: What the upstream answers unless a script says otherwise.
OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"fine": "yes"}'
#: How long anything may take that is not about time, in seconds: only what hangs comes near it.
PATIENCE = 20.0
_numbers = itertools.count(1)
#: The states of a connection that its own end has not closed, as Linux writes them: established, close-wait.
_HELD = (b"01", b"08")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's bytes, taken apart. `headers` have lower-case names; `whole` says whether its framing was satisfied,
    `closed` whether the connection ended behind it, `rest` is what came after it."""

    status: int
    head: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool
    closed: bool
    rest: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header field."""
        return next((value for known, value in self.headers if known == name.lower()), None)

    def all(self, name: str) -> list[str]:
        """All values of a header field."""
        return [value for known, value in self.headers if known == name.lower()]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it arrived at the upstream: the lines of its head, and its body as its framing has it."""

    line: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def target(self) -> bytes:
        """The target, byte for byte."""
        return self.line.split(b" ")[1]

    def all(self, name: bytes) -> list[bytes]:
        """All values of a header field, in order."""
        return [value for known, value in self.fields if known.lower() == name.lower()]


@dataclass(slots=True)
class ScriptedUpstream:
    """The upstream: it follows the script of the moment on each request's connection."""

    url: str = ""
    script: Script | None = None
    requests: list[Arrived] = field(default_factory=list)
    _raw: RawUpstream = field(default_factory=lambda: RawUpstream(""))
    _since: int = 0
    _loop: asyncio.AbstractEventLoop | None = None
    _left: list[bytes] = field(default_factory=list)

    def follow(self, script: Script) -> None:
        """From now on connections follow this script: `async def script(visit: Visit)`, in another thread's loop."""
        self.script = script

    def answer(self, *answers: bytes) -> None:
        """From now on the next requests get these answers, one after the other, the last for ever."""
        self._left = list(answers)
        self.follow(self._answering)

    async def _answering(self, visit: Visit) -> None:
        await self.take(visit)
        await visit.send(self._left.pop(0) if len(self._left) > 1 else self._left[0])

    async def take(self, visit: Visit) -> Arrived:
        """For scripts: reads a request whole, and notes it in `requests`."""
        arrived = _arrived(await visit.request())
        self.requests.append(arrived)
        return arrived

    @property
    def connections(self) -> list[Visit]:
        """The connections since the test began, in the order in which they were made."""
        return self._raw.visits[self._since :]

    def forget(self) -> None:
        """Begins anew: nothing arrived, everything is answered with `OK`."""
        self.requests.clear()
        self._since = len(self._raw.visits)
        self.answer(OK)

    def leave(self) -> None:
        """Hangs up on all connections: what follows comes on new ones, which follow the script of the moment."""
        for visit in self._raw.visits:
            self.soon(visit.writer.close)

    def soon(self, call: Callable[[], object]) -> None:
        """Calls something in the upstream's thread; nothing when nobody was there yet."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(call)

    async def visited(self, visit: Visit) -> None:
        """What a connection does: for each request follow the script there is when its first byte comes.

        A connection that was kept from an earlier test follows the script of this one; it ends with its script.
        """
        self._loop = asyncio.get_running_loop()
        while True:
            while not visit.reader._buffer and not visit.reader.at_eof():  # type: ignore[attr-defined]
                await visit.reader._wait_for_data("visited")  # type: ignore[attr-defined]
            script = self.script
            assert script is not None
            await script(visit)
            if script != self._answering:
                return


@dataclass(slots=True)
class Stage:
    """A running proxy and the upstream behind it."""

    proxy: Running
    upstream: ScriptedUpstream
    folder: Path
    lines: list[Line] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        """Where the proxy listens."""
        parts = urlsplit(self.proxy.url)
        return parts.hostname or "", parts.port or 0

    @property
    def host(self) -> bytes:
        """The value of a Host field that names the proxy."""
        return "{}:{}".format(*self.address).encode()

    def line(self, admin: bool = False) -> Line:
        """A new connection to the proxy (or to its admin port); closed at the end of the test."""
        parts = urlsplit(self.proxy.admin_url if admin else self.proxy.url)
        made = Line(socket.create_connection((parts.hostname or "", parts.port or 0), timeout=PATIENCE))
        made.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines.append(made)
        return made

    def send(self, *pieces: bytes, method: bytes = b"GET", admin: bool = False) -> Answer:
        """Sends bytes on a new connection, each piece in a segment of its own, and gives the first answer.

        `{host}` in a piece becomes the proxy's own authority.
        """
        line = self.line(admin)
        here = "{}:{}".format(*line.socket.getpeername()[:2]).encode()
        for piece in pieces:
            line.send(piece.replace(b"{host}", here))
        return line.answer(method)

    def say(self, text: bytes, fields: bytes = b"", body: bytes = b"", *, sized: bool = True) -> Answer:
        """Sends one request: `text` is its first line without the version, `fields` whole lines with their CRLF."""
        length = b"Content-Length: %d\r\n" % len(body) if sized and body else b""
        head = text + b" HTTP/1.1\r\nHost: {host}\r\n" + fields + length + b"\r\n"
        line = self.line()
        line.send(head.replace(b"{host}", self.host) + body)
        return line.answer(text.split(b" ")[0])

    def check(self) -> None:
        """A normal request is answered now, and arrives as one clean request with nothing around it."""
        self.upstream.forget()
        mark = b"/v1/fine/%d" % next(_numbers)
        for number in range(2):
            body = b'{"number": %d}' % number
            got = self.say(b"POST " + mark, b"Content-Type: application/json\r\n", body)
            assert (got.status, got.body, got.whole) == (200, b'{"fine": "yes"}', True), got
        assert [(each.target, each.body) for each in self.upstream.requests] == [
            (mark, b'{"number": 0}'),
            (mark, b'{"number": 1}'),
        ]

    def asked(self, path: str) -> Any:
        """What the admin port tells at a path."""
        request = b"GET %b HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n" % path.encode()
        answer = self.send(request, admin=True)
        self.lines.pop().close()
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def upstream_connections(self) -> int:
        """How many connections to the upstream the proxy has in its hands now, idle ones included."""
        port = b":%04X" % (urlsplit(self.upstream.url).port or 0)
        known = (line.split() for line in Path("/proc/net/tcp").read_bytes().splitlines()[1:])
        return sum(fields[2].endswith(port) and fields[3] in _HELD for fields in known)

    @property
    def mode(self) -> str:
        """The mode that the proxy runs in."""
        return str(self.proxy.facts["mode"])

    def resident(self) -> int:
        """What the proxy takes now, in bytes."""
        status = Path(f"/proc/{self.proxy.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def part(self) -> None:
        """Has the upstream hang up on the proxy: what follows comes on new connections."""
        self.upstream.leave()
        wait_until(lambda: not self.upstream_connections())

    def end(self) -> None:
        """Closes the test's connections."""
        for line in self.lines:
            line.close()
        self.lines.clear()


@dataclass(slots=True)
class Line:
    """A connection of a client of bytes."""

    socket: socket.socket
    _held: bytes = b""
    _ended: bool = False

    def send(self, data: bytes) -> None:
        """Sends bytes; a connection that the other end closed already is no error here."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    def finish(self) -> None:
        """Says that nothing more comes (FIN), and goes on listening."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Hangs up."""
        self.socket.close()

    def more(self) -> bytes:
        """The next bytes as they come, b"" at the end or when nothing comes for the time that is patience."""
        if self._held:
            held, self._held = self._held, b""
            return held
        return self._receive()

    def answer(self, method: bytes = b"GET") -> Answer:
        """The next answer, read as its framing says; status 0 when the connection ends without one.

        TimeoutError when nothing comes.
        """
        head = self._until(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 1"):  # 1xx: interim
            head = self._until(b"\r\n\r\n")
        if not head.endswith(b"\r\n\r\n"):
            return Answer(0, head, (), b"", whole=False, closed=True)
        first, *lines = head[:-4].split(b"\r\n")
        fields = tuple(_field(line) for line in lines)
        status = int(first.split(b" ")[1])
        body, whole = self._body(dict(fields), status, method)
        return Answer(status, head, fields, body, whole, *self._after(dict(fields)))

    def everything(self) -> bytes:
        """All that comes until the connection ends. TimeoutError when it does not end."""
        while not self._ended:
            self._held += self._receive()
        held, self._held = self._held, b""
        return held

    def _after(self, fields: dict[str, str]) -> tuple[bool, bytes]:
        closes = fields.get("connection", "").lower() == "close"
        if closes:
            return True, self.everything()
        return self._ended, self._held

    def _body(self, fields: dict[str, str], status: int, method: bytes) -> tuple[bytes, bool]:
        if method == b"HEAD" or status in (204, 304):
            return b"", True
        if fields.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        if "content-length" in fields:
            body = self._exactly(int(fields["content-length"]))
            return body, len(body) == int(fields["content-length"])
        return self.everything(), True

    def _chunks(self) -> tuple[bytes, bool]:
        body = b""
        while True:
            size = self._until(b"\r\n")
            if not size.endswith(b"\r\n"):
                return body, False
            count = int(size, 16)
            piece = self._exactly(count + 2)
            body += piece[:count]
            if len(piece) < count + 2:
                return body, False
            if not count:
                return body, True

    def _until(self, end: bytes) -> bytes:
        while end not in self._held and not self._ended:
            self._held += self._receive()
        at = self._held.find(end) + len(end) if end in self._held else len(self._held)
        taken, self._held = self._held[:at], self._held[at:]
        return taken

    def _exactly(self, count: int) -> bytes:
        while len(self._held) < count and not self._ended:
            self._held += self._receive()
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def _receive(self) -> bytes:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        self._ended = not data
        return data


def head_and_rest(data: bytes) -> tuple[bytes, bytes]:
    """A message's head, with its empty line, and what is behind it."""
    head, end, rest = data.partition(b"\r\n\r\n")
    return head + end, rest


@contextlib.contextmanager
def staged(
    folder: Path, *arguments: str, mode: str = "record", tls: ssl.SSLContext | None = None, **environment: Any
) -> Iterator[Stage]:
    """Runs an upstream and a replayproxy in `mode` before it, with its cassette `c.yaml` in `folder`.

    `arguments` are options of the command, `environment` variables of the process; with `tls` the upstream speaks it.
    """
    upstream = ScriptedUpstream()
    with in_background(raw_upstream(upstream.visited, tls)) as raw:
        upstream.url, upstream._raw = raw.url, raw
        upstream.forget()
        options: Sequence[str] = () if mode == "playback" else ("--upstream", raw.url)
        # Bodies here are no messages that the API knows; what is invalid is another matter.
        fixed = ("--mode", mode, "--cassette", str(folder / "c.yaml"), "--validate", "off")
        with started("serve", *fixed, *options, *arguments, cwd=folder, **environment) as proxy:
            stage = Stage(proxy, upstream, folder)
            try:
                yield stage
            finally:
                stage.end()


def _arrived(data: bytes) -> Arrived:
    head, body = head_and_rest(data)
    first, *lines = head[:-4].split(b"\r\n")
    fields = tuple((name, value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines))
    return Arrived(first, fields, body)


def _field(line: bytes) -> tuple[str, str]:
    name, _, value = line.partition(b":")
    return name.decode("latin-1").lower(), value.strip(b" \t").decode("utf-8", "surrogateescape")
