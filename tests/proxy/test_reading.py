"""What in a request's head is refused because two readers could understand it differently, and what is not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from aiohttp import HttpVersion
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from replayproxy.config import PlaybackSettings
from replayproxy.proxy.again import NotedAgain
from replayproxy.proxy.reading import misread
from tests.proxies import proxied
from tests.servers import Visit, answering, exchange, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"Connection: close\r\n"
FRAMING, UNREAD = "bad_request_framing", "malformed_request"


def asking(first: bytes, *fields: bytes, body: bytes = b"", host: bytes = b"Host: localhost") -> bytes:
    """A request; `fields` are lines without their ends."""
    return b"\r\n".join([first, *filter(None, [host]), *fields]) + b"\r\n" + LAST + b"\r\n" + body


def getting(
    *fields: bytes, target: bytes = b"/v1/x", version: bytes = b"1.1", host: bytes = b"Host: localhost"
) -> bytes:
    """A request without a body."""
    return asking(b"GET %b HTTP/%b" % (target, version), *fields, host=host)


def posting(*fields: bytes, body: bytes = b"hello", version: bytes = b"1.1") -> bytes:
    """A request with a body."""
    return asking(b"POST /v1/x HTTP/%b" % version, *fields, body=body)


CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
#: By what is refused: requests, with status and code. aiohttp's parser is the first to refuse what is UNREAD.
REFUSED = {
    "version 2.0": (getting(version=b"2.0"), 505, "http_version_not_supported"),
    "version 1.2": (getting(version=b"1.2"), 400, UNREAD),
    "version 0.9": (getting(version=b"0.9"), 505, "http_version_not_supported"),
    "an unknown method": (asking(b"PROPFIND /v1/x HTTP/1.1"), 501, "method_not_implemented"),
    "TRACE": (asking(b"TRACE /v1/x HTTP/1.1"), 501, "method_not_implemented"),
    "a method in small letters": (asking(b"get /v1/x HTTP/1.1"), 400, UNREAD),
    "two blanks": (asking(b"GET  /v1/x HTTP/1.1"), 400, FRAMING),
    "another protocol": (asking(b"GET /v1/x RTSP/1.1"), 400, FRAMING),
    "a fragment": (getting(target=b"/v1/x#y"), 400, FRAMING),
    "a backslash": (getting(target=b"/v1\\x"), 400, FRAMING),
    "raw bytes in the target": (getting(target=b"/v1/\xc3\xa9"), 400, UNREAD),
    "raw bytes in the query": (getting(target=b"/v1/x?\xc3\xa9"), 400, UNREAD),
    "a target that is no path": (getting(target=b"v1/x"), 400, UNREAD),
    "all of the server, but not asked with OPTIONS": (getting(target=b"*"), 400, UNREAD),
    "another host's target": (getting(target=b"http://evil.example/v1/x"), 400, FRAMING),
    "our target with a fragment": (getting(target=b"http://localhost/v1/x#y"), 400, FRAMING),
    "our target without Host": (getting(target=b"http://localhost/v1/x", host=b"", version=b"1.0"), 400, FRAMING),
    "a blank in a name": (getting(b"X y: z"), 400, UNREAD),
    "an empty name": (getting(b": y"), 400, UNREAD),
    "a control character in a value": (getting(b"X: y\x01z"), 400, UNREAD),
    "DEL in a value": (getting(b"X: y\x7fz"), 400, UNREAD),
    "a folded line": (getting(b"X: y", b" z"), 400, UNREAD),
    "two hosts": (getting(b"Host: localhost"), 400, UNREAD),
    "no host": (getting(host=b""), 400, UNREAD),
    "an empty host": (getting(host=b"Host:"), 400, FRAMING),
    "two names in a host": (getting(host=b"Host: localhost, evil.example"), 400, FRAMING),
    "a user in a host": (getting(host=b"Host: u@localhost"), 400, FRAMING),
    "a long port": (getting(host=b"Host: localhost:123456"), 400, FRAMING),
    "two lengths": (posting(b"Content-Length: 5", b"Content-Length: 6"), 400, UNREAD),
    "a length with a sign": (posting(b"Content-Length: +5"), 400, UNREAD),
    "a length of 19 digits": (posting(b"Content-Length: 1000000000000000000"), 400, FRAMING),
    "a length and chunks": (posting(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=CHUNKS), 400, UNREAD),
    "chunks in HTTP/1.0": (posting(b"Transfer-Encoding: chunked", body=CHUNKS, version=b"1.0"), 400, FRAMING),
    "another coding": (posting(b"Transfer-Encoding: identity", body=CHUNKS), 400, UNREAD),
    "a coding before chunks": (posting(b"Transfer-Encoding: gzip, chunked", body=CHUNKS), 501, FRAMING),
    "two codings": (posting(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked", body=CHUNKS), 400, UNREAD),
    "a length that is the connection's own": (
        posting(b"Connection: content-length", b"Content-Length: 5"),
        400,
        FRAMING,
    ),
    "a host that is the connection's own": (getting(b"Connection: close, Host"), 400, FRAMING),
    "a key that is the connection's own": (getting(b"Connection: AUTHORIZATION"), 400, FRAMING),
}
#: Their neighbours, which pass.
TAKEN = {
    "version 1.1": getting(),
    "version 1.0": getting(version=b"1.0"),
    "HTTP/1.0 without a host": getting(version=b"1.0", host=b""),
    **{str(method): asking(b"%b /v1/x HTTP/1.1" % method.encode()) for method in ("PUT", "PATCH", "DELETE", "QUERY")},
    "all of the server": asking(b"OPTIONS * HTTP/1.1"),
    "empty lines before": b"\r\n\r\n" + getting(),
    "odd, but visible": getting(target=b"/v1/a;v=1/@x/(y)|{z}?a=%2F&&b=??&c=\\"),
    "dots and slashes": getting(target=b"//v1/../x"),
    "our target": getting(target=b"http://localhost/v1/x"),
    "our target without a path": getting(target=b"http://LOCALHOST?x"),
    "all characters of a name": getting(b"!#$%&'*+-.^_`|~09azAZ: y"),
    "bytes in a value": getting(b"X: \t\xc3\xa9\xff y \t", b"Y:"),
    "a host with a port": getting(host=b"Host: localhost:12345"),
    "an address": getting(host=b"Host: [::1]:80"),
    "a length": posting(b"Content-Length: 5"),
    "a length of 18 digits": posting(b"Content-Length: 000000000000000005"),
    "chunks": posting(b"Transfer-Encoding: Chunked", body=CHUNKS),
    "a field of the connection": getting(b"Connection: X-Own", b"X-Own: y"),
    "two fields for the connection": getting(b"Connection: keep-alive"),
}


def told(answer: bytes) -> tuple[int, str]:
    """Status and code of an error of ours, the only thing on its connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head.lower()
    return int(head.split(b" ")[1]), json.loads(body)["error"]["code"]


@pytest.mark.parametrize("name", REFUSED)
async def test_what_can_be_misread_is_refused_and_never_learnt(tmp_path: Path, name: str) -> None:
    """Each time anew, also behind requests that begin in the same way and are known; the upstream sees none."""
    sent, status, code = REFUSED[name]
    good, other = (getting(target=target).replace(LAST, b"") for target in (b"/v1/x", b"/v1/y"))
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url) as proxy,
    ):
        *answered, last = (await exchange(proxy.url, good + b"\r\n" + other + sent)).split(b"\r\n\r\nok")
        assert told(last) == (status, code)
        # The parser loses what came in one segment with what it refuses.
        before = 0 if code == UNREAD else 2
        assert [each[:12] for each in answered] == [b"HTTP/1.1 200"] * before
        assert upstream.received.count(b"HTTP/1.1\r\n") == before
        assert (await exchange(proxy.url, getting())).startswith(b"HTTP/1.1 200 ")
    async with proxied(tmp_path / "c.yaml", mode="playback", playback=PlaybackSettings(repeat="cycle")) as proxy:
        for _ in range(2):
            reader, writer = await asyncio.open_connection(*proxy.url.removeprefix("http://").split(":"))
            for _ in range(2):
                writer.write(good)
                assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")
            writer.write(sent)
            assert told(await reader.read()) == (status, code)
            writer.close()
        assert [isinstance(each, NotedAgain) for each in proxy.journal.entries()][-2:] == [True, True]


@pytest.mark.parametrize("name", TAKEN)
async def test_what_cannot_be_misread_is_taken(tmp_path: Path, name: str) -> None:
    """As it came: nothing of the first line is mended."""
    sent = TAKEN[name]
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, "passthrough") as proxy,
    ):
        assert (await exchange(proxy.url, sent)).startswith(b"HTTP/1.1 200 ")
    method, target, _ = sent.lstrip(b"\r\n").split(b"\r\n")[0].split(b" ")
    target = target.removeprefix(b"http://localhost").replace(b"http://LOCALHOST", b"/")
    assert upstream.received.startswith(b"%b %b HTTP/1.1\r\n" % (method, target))


#: A connection on which so much came that nobody has kept it all.
HEARD = Mock(_seen=b"GET /v1/o", _size=1 << 20, _at=0)
HOST, SIZED, CHUNKED = ("Host", "localhost"), ("Content-Length", "5"), ("Transfer-Encoding", "chunked")


@pytest.mark.parametrize(
    ("fields", "version", "status"),
    [
        ((HOST,), (1, 1), None),
        ((HOST, SIZED), (1, 1), None),
        ((HOST, CHUNKED), (1, 1), None),
        ((), (1, 0), None),
        ((HOST, ("X y", "z")), (1, 1), 400),
        ((HOST, ("", "z")), (1, 1), 400),
        ((HOST, ("X", "y\nz")), (1, 1), 400),
        ((HOST, HOST), (1, 1), 400),
        ((), (1, 1), 400),
        ((HOST, SIZED, SIZED), (1, 1), 400),
        ((HOST, ("Content-Length", "+5")), (1, 1), 400),
        ((HOST, ("Content-Length", "\u0665")), (1, 1), 400),
        ((HOST, SIZED, CHUNKED), (1, 1), 400),
        ((HOST, CHUNKED), (1, 0), 400),
        ((HOST, CHUNKED, CHUNKED), (1, 1), 400),
        ((HOST, ("Transfer-Encoding", "chun\u212aed")), (1, 1), 501),
        ((HOST, ("Transfer-Encoding", "gzip, chunked")), (1, 1), 501),
        ((HOST, ("Transfer-Encoding", "chunked, identity")), (1, 1), 400),
        ((HOST,), (2, 0), 505),
        ((HOST,), (1, 2), 505),
    ],
)
def test_no_parser_is_trusted(
    fields: tuple[tuple[str, str], ...], version: tuple[int, int], status: int | None
) -> None:
    """What a stricter parser refuses itself is looked at all the same."""
    raw = make_mocked_request("GET", "/v1/x", CIMultiDict(fields), version=HttpVersion(*version), protocol=HEARD)
    problem = misread(raw)
    assert (problem.status if problem else None) == status


async def test_a_tunnel_is_refused_by_those_who_know_why(tmp_path: Path) -> None:
    """CONNECT can be read; that there are no tunnels here is told further on."""
    async with proxied(tmp_path / "c.yaml") as proxy:
        answer = await exchange(proxy.url, asking(b"CONNECT localhost:443 HTTP/1.1", host=b"Host: localhost:443"))
        assert told(answer) == (405, "no_tunnel")


async def test_trace_would_show_the_key_of_the_upstream(tmp_path: Path) -> None:
    """An upstream that sends a request back as it came never gets one that bears a key of ours."""

    async def echo(visit: Visit) -> None:
        request = await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(request) + request)

    async with (
        raw_upstream(echo) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, "passthrough", key="sk-upstream") as proxy,
    ):
        answer = await exchange(proxy.url, asking(b"TRACE /v1/models HTTP/1.1"))
    assert b"TRACE" in answer
    assert b"sk-upstream" not in answer
    assert not upstream.visits
