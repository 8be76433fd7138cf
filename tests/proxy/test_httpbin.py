"""A server and a client that nobody here wrote see no difference: httpbin asked by httpx, with and without the proxy.

All requests are asked three times, each time over one client and one proxy, so that connections are used again: of
httpbin itself (run by gunicorn, in a process of its own), through `record`, and through `playback` of what was
recorded, when httpbin is gone.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import subprocess
import sys
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brotli
import h11
import httpx
import pytest

from replayproxy.config import RecordSettings
from tests.proxies import proxied

pytest.importorskip("httpbin")
pytest.importorskip("gunicorn")

FORM_TYPE = {"content-type": "multipart/form-data; boundary=fixed-for-the-echo"}
JSON_3_MIB = b'{"image": "' + b"QUJD" * (768 * 1024) + b'"}'
KEY = "sk-proj-0123456789abcdefghijABCDEFGHIJ"

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: by httpx with `options`, or, when `raw` is given, as these bytes (`{host}` stands for the server)."""

    method: str
    target: str
    options: dict[str, Any] = field(default_factory=dict)
    raw: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it was on the wire, without its framing."""

    status: int
    reason: bytes
    headers: tuple[Header, ...]
    body: bytes

    def without(self, *names: bytes) -> tuple[Header, ...]:
        """The headers, but for these (and those that belong to one connection)."""
        unwanted = {*names, *OF_THE_CONNECTION}
        return tuple(pair for pair in self.headers if pair[0].lower() not in unwanted)

    def values(self, name: bytes) -> list[bytes]:
        """The values of a header."""
        return [value for key, value in self.headers if key.lower() == name]


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered, in the order of `ASKED`, and the bytes of all that was recorded."""

    direct: list[Answered]
    recorded: list[Answered]
    played: list[Answered]
    kept: bytes


#: Each connection has its own (RFC 9110 §7.6.1): the proxy neither passes them on nor records them.
OF_THE_CONNECTION = frozenset({b"connection", b"transfer-encoding"})
DECODERS = {b"gzip": gzip.decompress, b"deflate": zlib.decompress, b"br": brotli.decompress}
#: Only playback says what answered.
MARKS = (b"x-replayproxy-outcome", b"x-replayproxy-interaction")


def ask(method: str, target: str, **options: Any) -> Asked:
    """A request by httpx."""
    return Asked(method, target, options)


def send(method: str, target: str, headers: str = "", body: str = "") -> Asked:
    """A request by bytes, for what httpx would tidy up."""
    head = f"{method} {target} HTTP/1.1\r\nHost: {{host}}\r\n{headers}\r\n{body}"
    return Asked(method, f"{target} (raw)", raw=head.encode())


async def chunked() -> Any:
    """A body whose length nobody knows beforehand."""
    for piece in (b'{"a": ', b"1", b"}"):
        yield piece


PLAIN: list[Asked] = [
    *(ask(method, "/anything/m") for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")),
    *(ask(method, "/anything/b", json={"a": [1, "é"]}) for method in ("POST", "PUT", "PATCH", "DELETE")),
    ask("GET", "/anything/g", content=b"a body where none is expected"),
    *(ask("GET", f"/status/{s}") for s in (200, 201, 204, 205, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403)),
    *(ask("GET", f"/status/{s}") for s in (404, 406, 407, 408, 409, 418, 422, 429, 500, 502, 503, 504)),
    *(ask("POST", f"/status/{status}", content=b"x") for status in (201, 204, 307, 400, 500)),
    *(
        ask("HEAD", target)
        for target in ("/get", "/html", "/image/png", "/stream/2", "/gzip", "/status/404", "/etag/x")
    ),
    ask("DELETE", "/get"),
    ask("GET", "/nowhere"),
    *(ask("GET", f"/bytes/{size}?seed=7") for size in (0, 1, 256, 100_000)),
    ask("GET", "/stream-bytes/5000?seed=1&chunk_size=700"),
    ask("GET", "/stream-bytes/100000?seed=2"),
    *(ask("GET", f"/stream/{count}") for count in (0, 1, 20)),
    ask("GET", "/drip?duration=0.1&numbytes=5&delay=0"),
    ask("GET", "/drip?duration=0.1&numbytes=3&code=500&delay=0.05"),
    *(ask("GET", "/range/2048", headers={"range": span}) for span in ("bytes=10-99", "bytes=-5", "bytes=9999-")),
    ask("GET", "/range/2048?chunk_size=100&duration=0"),
    ask("GET", "/cache", headers={"if-none-match": "x"}),
    ask("GET", "/cache/60"),
    ask("GET", "/etag/abc"),
    ask("GET", "/etag/abc", headers={"if-none-match": '"abc"'}),
    ask("GET", "/etag/abc", headers={"if-match": '"other"'}),
    ask("GET", "/response-headers?X-Again=1&X-Again=2&X-Once=a%20b&X-Empty="),
    ask("GET", "/response-headers?Content-Type=text/plain%3Bcharset%3Dutf-8&X-Latin=caf%C3%A9"),
    ask("POST", "/response-headers?X-Again=1&x-again=2&X-AGAIN=3"),
    ask("GET", "/anything/q?b=2&a=1&b=1&a=&empty&=&plus=a+b&slash=%2F&lower=%2f&tilde=%7E&percent=%25"),
    ask("GET", "/anything/a%2Fb%20c;v=1/@x/(y)"),
    *(ask("GET", target) for target in ("/html", "/xml", "/json", "/encoding/utf8", "/robots.txt", "/deny", "/ip")),
    *(ask("GET", f"/image/{kind}") for kind in ("png", "jpeg", "webp", "svg")),
    ask("GET", "/image", headers={"accept": "image/webp"}),
    ask("GET", "/forms/post"),
    ask("GET", "/links/3/1"),
    ask("GET", "/base64/SFRUUEJJTiDinJM="),
    ask("GET", "/redirect/2"),
    ask("GET", "/absolute-redirect/1"),
    ask("GET", "/redirect-to?url=http%3A%2F%2Felsewhere.example%2F%3Fa%3Db&status_code=307"),
    ask("POST", "/redirect-to?url=%2Fget&status_code=308", content=b"again"),
    ask("GET", "/headers", headers=[("X-A", "1"), ("x-a", "2"), ("X-Empty", ""), ("X-Utf", b"\xc3\xa9\xe2\x82\xac")]),
    ask("GET", "/headers", headers=[("X-Latin", b"caf\xe9"), ("Accept-Language", "de, en;q=0.5")]),
    ask("GET", "/user-agent", headers={"user-agent": "an app/1.0 (ünïcode)".encode()}),
    ask("POST", "/post", data={"a": ["1", "2"], "b": "ü +&="}),
    ask("POST", "/post", files={"file": ("näme.txt", b"line\r\nline", "text/plain")}, headers=FORM_TYPE),
    ask(
        "POST", "/post", files=[("f", ("a", b"\x00\xff" * 500)), ("f", ("b", b""))], data={"k": "v"}, headers=FORM_TYPE
    ),
    ask("POST", "/post", content=bytes(range(256))),
    ask("POST", "/post", content=b"{not json", headers={"content-type": "application/json"}),
    ask("POST", "/post", content=gzip.compress(b'{"a": 1}', mtime=0), headers={"content-encoding": "gzip"}),
    ask("POST", "/anything/chunked", content=chunked, headers={"content-type": "application/json"}),
    ask("PUT", "/put", content=JSON_3_MIB, headers={"content-type": "application/json"}),
    ask("POST", "/post", files={"file": ("big", b"0123456789abcdef" * 196_608)}, headers=FORM_TYPE),
    ask("PATCH", "/patch", content=b""),
    ask("DELETE", "/delete", json=[]),
    ask("GET", "/delay/0.1"),
    ask("POST", "/delay/0.05", json={"wait": True}),
    send("GET", "/anything?"),
    send("GET", "//anything//x"),
    send("GET", "/anything/./a/../b"),
    send("GET", "/anything?x=%2F&y=a+b&z=%&&&=&%zz"),
    send("GET", "/headers", "x-case: 1\r\nX-CASE: 2\r\nX-Spaces: \t a  b \t\r\nX-None:\r\n"),
    send("POST", "/anything/chunks", "Transfer-Encoding: chunked\r\n", "1\r\na\r\n0002;x=y\r\nbc\r\n0\r\n\r\n"),
    send("POST", "/status/418", "Expect: 100-continue\r\nContent-Length: 2\r\n", "hi"),
    send("OPTIONS", "/anything", "Origin: http://{host}\r\nAccess-Control-Request-Headers: a, b\r\n"),
]
CODED = [
    *(ask("GET", f"/{coding}") for coding in ("gzip", "deflate", "brotli")),
    ask("GET", "/gzip", headers={"accept-encoding": "identity"}),
]
SECRET = [
    ask("GET", "/cookies/set?a=first-cookie-value&b=second-cookie-value"),
    ask("GET", "/cookies/set/c/third-cookie-value"),
    ask("GET", "/cookies/delete?a"),
    ask("GET", "/cookies", headers={"cookie": "a=cookie-of-the-client; b=2"}),
    ask("GET", "/basic-auth/user/pw", auth=("user", "pw")),
    ask("GET", "/basic-auth/user/pw"),
    ask("GET", "/headers", auth=("user", "a-long-password")),
    ask("GET", "/bearer", headers={"authorization": f"Bearer {KEY}"}),
    ask("GET", f"/get?api_key={KEY}", headers={"authorization": f"Bearer {KEY}"}),
]
#: What the client or httpbin gave as a credential, and nowhere else.
SECRETS = (KEY, "cookie-of-the-client", "a-long-password", b64encode(b"user:a-long-password").decode())
ASKED = [*PLAIN, *CODED, *SECRET]


def decoded(answer: Answered) -> bytes:
    """The body without the coding that the answer names."""
    decode = DECODERS.get(b"".join(answer.values(b"content-encoding")))
    return bytes(decode(answer.body)) if decode else answer.body


def without_time(body: bytes) -> bytes:
    """A gzip member without the time that its head tells (httpbin packs anew for each request)."""
    return body[:4] + bytes(4) + body[8:] if body.startswith(b"\x1f\x8b") else body


@contextmanager
def httpbin() -> Iterator[str]:
    """Runs httpbin on a free port, and ends it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        words = ["-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--worker-class", "gthread", "--threads", "4"]
        server = subprocess.Popen(
            [sys.executable, *words, "httpbin:app"],
            pass_fds=[listener.fileno()],
            env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=10)


async def by_httpx(client: httpx.AsyncClient, asked: Asked) -> Answered:
    """Asks with httpx; the body is what came, still coded."""
    options = {name: value() if value is chunked else value for name, value in asked.options.items()}
    client.cookies.clear()
    async with client.stream(asked.method, asked.target, **options) as answer:
        body = b"".join([piece async for piece in answer.aiter_raw()])
        reason = answer.extensions["reason_phrase"]
        return Answered(answer.status_code, reason, tuple(answer.headers.raw), body)


async def by_bytes(url: str, host: str, asked: Asked) -> Answered:
    """Asks with bytes; h11 reads the answer."""
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method=asked.method, target="/", headers=[("host", "x")]))
    parser.send(h11.EndOfMessage())
    reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
    writer.write(asked.raw.replace(b"{host}", host.encode()))
    head, body = None, b""
    while not isinstance(event := parser.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            parser.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
    writer.close()
    assert head is not None
    return Answered(head.status_code, head.reason, tuple(head.headers.raw_items()), body)


async def ask_all(url: str, upstream: str) -> list[Answered]:
    """The answers to all requests, one after the other; `upstream` is the server as the client knows it."""
    host, limits = upstream.removeprefix("http://"), httpx.Limits(keepalive_expiry=1)
    async with httpx.AsyncClient(base_url=url, headers={"host": host}, limits=limits, timeout=30) as client:
        # httpbin repeats all headers; what belongs to the connection does not get as far through a proxy.
        del client.headers["connection"]
        return [await (by_bytes(url, host, asked) if asked.raw else by_httpx(client, asked)) for asked in ASKED]


async def ask_three_times(folder: Path) -> Answers:
    """Directly, while it is recorded, and from the recording."""
    cassette, all_kept = folder / "httpbin.yaml", RecordSettings(failures=True)
    with httpbin() as upstream:
        direct = await ask_all(upstream, upstream)
        async with proxied(cassette, upstream, record=all_kept) as proxy:
            recorded = await ask_all(proxy.url, upstream)
    async with proxied(cassette, mode="playback") as proxy:
        played = await ask_all(proxy.url, upstream)
        assert proxy.session.receipt().failures == ()
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return Answers(direct, recorded, played, kept)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What was answered; asked once for all tests here."""
    return asyncio.run(ask_three_times(tmp_path_factory.mktemp("httpbin")))


@pytest.mark.parametrize("number", range(len(ASKED)), ids=[str(asked) for asked in ASKED])
def test_recording_changes_nothing(answers: Answers, number: int) -> None:
    """Status, reason, headers (names, values, order, repetition) and the very bytes of the body: as without a proxy.

    Date tells when the server answered. `/cache` makes up its validators anew for each request.
    """
    direct, recorded = answers.direct[number], answers.recorded[number]
    moment = (b"date", *((b"etag", b"last-modified") if ASKED[number].target == "/cache" else ()))
    assert (recorded.status, recorded.reason) == (direct.status, direct.reason)
    assert recorded.without(*moment) == direct.without(*moment)
    assert without_time(recorded.body) == without_time(direct.body)


@pytest.mark.parametrize("number", range(len(PLAIN)), ids=[str(asked) for asked in PLAIN])
def test_playback_answers_the_same_with_the_server_gone(answers: Answers, number: int) -> None:
    """Everything as it came through `record`, Date included; two headers tell what answered."""
    recorded, played = answers.recorded[number], answers.played[number]
    assert (played.status, played.reason, played.body) == (recorded.status, recorded.reason, recorded.body)
    assert played.without(*MARKS) == recorded.without()
    assert [value for name in MARKS for value in played.values(name)] == [b"played", b"%d" % (number + 1)]


@pytest.mark.parametrize("number", range(len(PLAIN), len(PLAIN + CODED)), ids=[str(asked) for asked in CODED])
def test_playback_of_a_compressed_answer(answers: Answers, number: int) -> None:
    """It is stored decoded: the same after decoding, but another packer may need another number of bytes.

    A client that does not take the coding gets the answer plain, and a header less.
    """
    recorded, played = answers.recorded[number], answers.played[number]
    accepted = "headers" not in ASKED[number].options
    length = (b"content-length",) if accepted else (b"content-length", b"content-encoding")
    assert recorded.values(b"content-encoding")
    assert bool(played.values(b"content-encoding")) is accepted
    assert played.without(*MARKS, b"content-length") == recorded.without(*length)
    assert decoded(played) == decoded(recorded)
    assert played.values(b"content-length") == [b"%d" % len(played.body)]


@pytest.mark.parametrize("number", range(len(PLAIN + CODED), len(ASKED)), ids=[str(asked) for asked in SECRET])
def test_playback_of_secrets(answers: Answers, number: int) -> None:
    """The same but for the secrets: the client got them when it recorded, and gets placeholders from the recording."""
    recorded, played = answers.recorded[number], answers.played[number]
    altered = (b"set-cookie", b"content-length")
    assert (played.status, played.reason) == (recorded.status, recorded.reason)
    assert played.without(*MARKS, *altered) == recorded.without(*altered)
    assert len(played.values(b"set-cookie")) == len(recorded.values(b"set-cookie"))
    assert not [secret for secret in SECRETS if secret.encode() in repr(played).encode()]


def test_cookies_keep_their_names_in_playback(answers: Answers) -> None:
    """Both of two cookies, in their order, with their attributes."""
    number = len(PLAIN + CODED)
    assert answers.recorded[number].values(b"set-cookie") == [
        b"a=first-cookie-value; Path=/",
        b"b=second-cookie-value; Path=/",
    ]
    assert answers.played[number].values(b"set-cookie") == [
        b"a=redacted.cookie; Path=/",
        b"b=redacted.cookie; Path=/",
    ]


def test_no_secret_is_written(answers: Answers) -> None:
    """Neither into the cassette nor beside it."""
    assert not [secret for secret in SECRETS if secret.encode() in answers.kept]
