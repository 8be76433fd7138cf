"""HDR: header fields both ways. What is one connection's stays there, and everything else passes as it is."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from tests.robustness.harness import OK, Arrived, Stage, staged

HOP_BY_HOP = [
    b"Connection: keep-alive",
    b"Keep-Alive: timeout=5, max=10",
    b"Proxy-Connection: keep-alive",
    b"TE: trailers, deflate",
    b"Trailer: X-Sum",
    b"Upgrade: h2c",
    b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
    b"Proxy-Authorization: Basic c2VjcmV0OnNlY3JldA==",
    b"Proxy-Authenticate: Basic realm=x",
    b"proxy-AUTHORIZATION: Bearer secret",
    b"X-Replayproxy-Session: other",
]


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A proxy that puts a key of its own on the requests."""
    variables = {"THE_KEY": "sk-the-real-key-0123456789", "REPLAYPROXY_UPSTREAM__API_KEY_ENV": "THE_KEY"}
    with staged(tmp_path_factory.mktemp("stage"), mode="passthrough", **variables) as stage:
        yield stage


def names(request: Arrived) -> list[bytes]:
    """The names of a request's fields, in order."""
    return [name for name, _ in request.fields]


def said(stage: Stage, fields: bytes = b"", text: bytes = b"GET /v1/x", body: bytes = b"") -> Arrived:
    """A request that is answered, as it arrived."""
    stage.upstream.requests.clear()
    got = stage.say(text, fields, body)
    assert got.status == 200, got
    (request,) = stage.upstream.requests
    return request


def answered(stage: Stage, fields: bytes, body: bytes = b"ok", status: bytes = b"200 OK") -> list[tuple[str, str]]:
    """The fields of an answer that the upstream gave with these, but for its length."""
    stage.upstream.answer(b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, fields, len(body), body))
    got = stage.say(b"GET /v1/x")
    assert (got.status, got.body, got.whole) == (int(status[:3]), body, True), got
    return [pair for pair in got.headers if pair != ("content-length", str(len(body)))]


# --- the connection's own


@pytest.mark.parametrize("field", HOP_BY_HOP)
def test_HDR_01_fields_of_one_connection(parsed: Stage, field: bytes) -> None:
    """They end here, and what stands around them goes on."""
    request = said(parsed, b"X-Before: 1\r\n" + field + b"\r\nX-After: 2\r\n")
    assert names(request) == [b"Host", b"X-Before", b"X-After"]


def test_HDR_01_all_of_them(parsed: Stage) -> None:
    """Together as well, and with a body."""
    request = said(parsed, b"".join(field + b"\r\n" for field in HOP_BY_HOP), b"POST /v1/x", b"hello")
    assert names(request) == [b"Host", b"Content-Length"]
    assert request.body == b"hello"


@pytest.mark.parametrize(
    "fields",
    [
        b"Connection: close, X-Hop\r\nX-Hop: 1\r\n",
        b"Connection: X-Hop\r\nX-Hop: 1\r\nX-Hop: 2\r\n",
        b"Connection:\r\nConnection: X-Hop\r\nX-Hop: 1\r\n",
        b"Connection: keep-alive\r\nConnection: close\r\nConnection: X-Hop\r\nX-Hop: 1\r\n",
        b"connection: ,, x-hOP ,\r\nX-HOP: 1\r\n",
        b"Connection:x-hop\r\nX-Hop: 1\r\n",
        b"Connection: \t X-Other \t,\t x-hop \t\r\nX-Hop: 1\r\n",
        b"X-Hop: 1\r\nConnection: close, x-hop\r\n",
        b"X-Hop: 1\r\nConnection: x-missing, X-HOP\r\n",
        b'Connection: "x", x-hop;q=1, x-hop\r\nX-Hop: 1\r\n',
        b"Connection: x-hop, \xff, \xe2\x84\xaa\r\nX-Hop: 1\r\n",
    ],
)
def test_HDR_02_what_connection_names(parsed: Stage, fields: bytes) -> None:
    """Fields it names end here too, however it is written."""
    request = said(parsed, b"X-Before: 1\r\n" + fields + b"X-After: 2\r\n")
    assert names(request) == [b"Host", b"X-Before", b"X-After"]


@pytest.mark.parametrize(
    "name",
    [b"Host", b"Content-Length", b"Content-Type", b"Content-Encoding", b"Authorization", b"api-key"],
)
def test_HDR_02_what_connection_must_not_name(parsed: Stage, name: bytes) -> None:
    """Who could strip what says whose a request is, and where it ends, would make another request of it."""
    for value in (name, name.lower(), name.upper(), b"close, " + name, b",\t" + name + b" ,x"):
        got = parsed.say(b"POST /v1/x", b"Connection: " + value + b"\r\nAuthorization: Bearer x\r\n", b"hello")
        assert got.status == 400
        assert got.closed
    assert not parsed.upstream.requests


def test_HDR_02_a_key_put_on_here_cannot_be_stripped(keyed: Stage) -> None:
    """It goes on after everything else was taken off, once."""
    keyed.upstream.forget()
    for fields in (b"", b"Authorization: Bearer dummy\r\n", b"authorization: Bearer a\r\nAUTHORIZATION: Bearer b\r\n"):
        request = said(keyed, fields + b"Connection: close, x-hop\r\n")
        assert request.all(b"Authorization") == [b"Bearer sk-the-real-key-0123456789"]
    keyed.end()


@pytest.mark.parametrize(
    "fields",
    [
        b"Connection: X-Hop\r\nX-Hop: 1\r\n",
        b"Connection: keep-alive, x-HOP\r\nX-Hop: 1\r\nx-hop: 2\r\n",
        b"Connection:\r\nConnection: x-hop\r\nX-Hop: 1\r\n",
        b"Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n",
        b"Proxy-Authenticate: Basic realm=x\r\nProxy-Authentication-Info: x\r\n",
        b"Trailer: X-Sum\r\nTE: trailers\r\n",
        b"Upgrade: h2, h2c\r\nConnection: Upgrade\r\n",
        b"X-Hop: 1\r\nConnection: close, X-Hop\r\n",
    ],
)
def test_HDR_04_the_answers_fields_of_one_connection(parsed: Stage, fields: bytes) -> None:
    """They end here, be they named or known."""
    assert answered(parsed, b"X-Before: 1\r\n" + fields + b"X-After: 2\r\n") == [("x-before", "1"), ("x-after", "2")]


@pytest.mark.parametrize("named", [b"Content-Length", b"content-type", b"Content-Encoding"])
def test_HDR_04_an_answer_that_names_what_says_how_to_read_it(parsed: Stage, named: bytes) -> None:
    """That stays, or the client would read another answer."""
    body = gzip.compress(b"hello")
    fields = b"Content-Type: text/x\r\nContent-Encoding: gzip\r\nConnection: " + named + b"\r\n"
    assert answered(parsed, fields, body) == [("content-type", "text/x"), ("content-encoding", "gzip")]


def test_HDR_04_in_playback(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What was not passed on is not recorded either, so that it is not played."""
    folder = tmp_path_factory.mktemp("stage")
    with staged(folder) as recording:
        answered(recording, b"Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-After: 2\r\n")
    with staged(folder, mode="playback") as playing:
        got = playing.say(b"GET /v1/x")
    marks = ("x-replayproxy-", "content-length")
    assert [pair for pair in got.headers if not pair[0].startswith(marks)] == [("x-after", "2")]


# --- everything else


@pytest.mark.parametrize(
    "fields",
    [
        b"X-B: 2\r\nx-b: 1\r\nX-A: 3\r\nX-B: 2\r\n",
        b"Accept: a\r\nAccept: b\r\nCookie: a=1\r\nCookie: b=2\r\n",
        b"X-Utf: \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\r\nX-Latin: \xe9\r\nX-Raw: \xff\xfe\x80\r\n",
        b"X-Empty: \r\nX-Empty: \r\nX-Full: x\r\n",
        b'X-Tab: a\tb  c\r\nX-Colon: a:b: c\r\nX-Quoted: "a, b"\r\n',
        b"!#$%&'*+-.^_`|~0: x\r\n",
        b'Cache-Control: no-store\r\nIf-None-Match: "x"\r\nRange: bytes=0-1\r\n',
        b'Accept-Encoding: gzip, br\r\nUser-Agent: x\r\nAccept: */*\r\nContent-Type: text/x; charset="y"\r\n',
        b"X-Long: " + b"a" * 30_000 + b"\r\n",
        b"".join(b"X-%d: %d\r\n" % (number, number) for number in range(200)),
        b"Authorization: Bearer a\r\nOpenAI-Organization: org-x\r\nOpenAI-Beta: assistants=v2\r\nx-stainless-os: L\r\n",
    ],
)
def test_HDR_05_other_fields_arrive_as_they_came(parsed: Stage, fields: bytes) -> None:
    """All of them, in their order, with their names and bytes; answers' as well."""
    request = said(parsed, fields)
    wanted = [tuple(line.split(b": ", 1)) for line in fields.split(b"\r\n")[:-1]]
    assert list(request.fields) == [(b"Host", request.all(b"Host")[0]), *wanted]
    if b"Content-Type" not in fields:
        told = [(name.decode(), value.decode("utf-8", "surrogateescape")) for name, value in wanted]
        assert answered(parsed, fields) == [(name.lower(), value) for name, value in told]


@pytest.mark.parametrize("name", [b"Content-Type", b"User-Agent", b"Content-Length", b"Host"])
def test_HDR_05_fields_that_there_can_be_one_of(parsed: Stage, name: bytes) -> None:
    """Two are refused, or arrive as they came; never is one chosen."""
    fields = name + b": 5\r\n" + name + b": 6\r\n"
    got = parsed.say(b"POST /v1/x", fields, b"hello", sized=name != b"Content-Length")
    assert got.status == 400 or parsed.upstream.requests[0].all(name) == [b"5", b"6"]


@pytest.mark.parametrize(
    ("text", "body", "expected"),
    [
        (b"GET /v1/x", b"", [b"Host"]),
        (b"DELETE /v1/x", b"", [b"Host"]),
        (b"POST /v1/x", b"", [b"Host"]),
        (b"POST /v1/x", b"hello", [b"Host", b"Content-Length"]),
        (b"PUT /v1/x", b"x" * 200_000, [b"Host", b"Content-Length"]),
    ],
)
def test_HDR_08_nothing_is_added(parsed: Stage, text: bytes, body: bytes, expected: list[bytes]) -> None:
    """No User-Agent, Accept, Accept-Encoding, Content-Type or Date of ours, nor where the client is."""
    assert names(said(parsed, b"", text, body)) == expected


def test_HDR_08_nothing_is_added_to_answers(parsed: Stage) -> None:
    """No Date, Server or Content-Type of ours."""
    assert answered(parsed, b"") == []


def test_HDR_08_clients_of_http_1_0(parsed: Stage) -> None:
    """Theirs go on as HTTP/1.1, whose only need is a Host."""
    for head in (b"GET /v1/x HTTP/1.0\r\n\r\n", b"GET /v1/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"):
        parsed.upstream.requests.clear()
        got = parsed.send(head)
        (request,) = parsed.upstream.requests
        assert (got.status, request.line, names(request)) == (200, b"GET /v1/x HTTP/1.1", [b"Host"])


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/x HTTP/1.1\r\nHost: {host}\r\nX-A: 1\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\nX-A: 1\r\nhOST: {host}\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\nHost: LOCALHOST:1\r\nX-A: 1\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\nHost: [::1]:80\r\nX-A: 1\r\n\r\n",
        b"GET /v1/x HTTP/1.0\r\nX-A: 1\r\n\r\n",
    ],
)
def test_HDR_09_the_upstreams_own_host(parsed: Stage, head: bytes) -> None:
    """Whatever the client calls us, the upstream is called by its name, once."""
    assert parsed.send(head).status == 200
    (request,) = parsed.upstream.requests
    assert request.all(b"Host") == [parsed.upstream.url.removeprefix("http://").encode()]


def test_HDR_10_cookies_are_the_clients(parsed: Stage) -> None:
    """What one client is told to keep, another does not send, on whatever connection; nor does anybody for it."""
    cookies = b"Set-Cookie: a=1; Path=/\r\nSet-Cookie: __cf_bm=2; Domain=127.0.0.1\r\nSet-Cookie2: c=3\r\n"
    told = answered(parsed, cookies)
    assert told == [
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "__cf_bm=2; Domain=127.0.0.1"),
        ("set-cookie2", "c=3"),
    ]
    parsed.upstream.answer(OK)
    line = parsed.line()
    for _ in range(3):
        parsed.upstream.requests.clear()
        line.send(b"GET /v1/x HTTP/1.1\r\nHost: " + parsed.host + b"\r\n\r\n")
        assert line.answer().status == 200
        assert names(parsed.upstream.requests[0]) == [b"Host"]
    assert said(parsed, b"Cookie: mine=1\r\n").all(b"Cookie") == [b"mine=1"]


# --- bodies and their fields


@pytest.mark.parametrize(
    "coding", [b"gzip", b"GZIP", b"x-gzip", b"deflate", b"br", b"zstd", b"gzip, gzip", b"unknown", b"identity"]
)
@pytest.mark.parametrize("whole", [True, False])
def test_HDR_15_coded_answers(parsed: Stage, coding: bytes, whole: bool) -> None:
    """Bytes and fields are the upstream's, be the coding right, wrong or unknown."""
    body = gzip.compress(b'{"hello": "world"}' * 100, mtime=0)
    body = body if whole else body[:-9]
    fields = b"Content-Type: application/json\r\nContent-Encoding: " + coding + b"\r\nVary: Accept-Encoding\r\n"
    assert answered(parsed, fields, body) == [
        ("content-type", "application/json"),
        ("content-encoding", coding.decode()),
        ("vary", "Accept-Encoding"),
    ]


def test_HDR_15_coded_answers_in_chunks(parsed: Stage) -> None:
    """No length is made up for them."""
    body = gzip.compress(b"hello" * 100, mtime=0)
    parsed.upstream.answer(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\n%b\r\n%x;ext\r\n%b\r\n0\r\n\r\n" % (body[:3], len(body) - 3, body[3:])
    )
    got = parsed.say(b"GET /v1/x")
    assert (got.status, got.body, got.whole) == (200, body, True)
    assert got.headers == (("content-encoding", "gzip"), ("transfer-encoding", "chunked"))


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd", b"gzip, br", b"unknown"])
def test_HDR_15_coded_requests(parsed: Stage, coding: bytes) -> None:
    """Nor is what clients send taken out of its coding."""
    body = gzip.compress(b"hello" * 100, mtime=0)
    request = said(parsed, b"Content-Encoding: " + coding + b"\r\n", b"POST /v1/x", body)
    assert (request.body, request.all(b"Content-Encoding")) == (body, [coding])
    assert request.all(b"Content-Length") == [b"%d" % len(body)]


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nConnection: X-Hop\r\nX-Hop: hint\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nX-Hint: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Hint: 2\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\nX-Hint: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 199 What\r\nSet-Cookie: a=1\r\n\r\n",
    ],
)
def test_HDR_16_what_comes_before_the_answer(parsed: Stage, interim: bytes) -> None:
    """The final answer arrives, and has nothing of what came before."""
    parsed.upstream.answer(interim + OK)
    got = parsed.say(b"GET /v1/x")
    assert (got.status, got.body) == (200, b'{"fine": "yes"}')
    assert got.headers == (("content-type", "application/json"), ("content-length", "15"))


def test_HDR_16_an_upstream_that_switches_protocols(parsed: Stage) -> None:
    """Nobody asked for it: what it sends then is no answer to anybody."""
    parsed.upstream.answer(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + OK)
    got = parsed.say(b"GET /v1/x", b"Connection: Upgrade\r\nUpgrade: h2c\r\n")
    assert got.status == 502


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (b"Content-Length: 12345\r\n", ("content-length", "12345")),
        (b"Transfer-Encoding: chunked\r\n", None),
        (b"X-None: 1\r\n", ("x-none", "1")),
        (b"Content-Length: 0\r\n", ("content-length", "0")),
    ],
)
def test_HDR_17_head(parsed: Stage, fields: bytes, expected: tuple[str, str] | None) -> None:
    """An answer to HEAD has the fields and no body, and its connection goes on with the next."""
    parsed.upstream.answer(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n", OK)
    line = parsed.line()
    line.send(b"HEAD /v1/x HTTP/1.1\r\nHost: " + parsed.host + b"\r\n\r\n")
    got = line.answer(b"HEAD")
    assert (got.status, got.rest) == (200, b"")
    assert expected is None or expected in got.headers
    line.send(b"GET /v1/next HTTP/1.1\r\nHost: " + parsed.host + b"\r\n\r\n")
    assert line.answer().body == b'{"fine": "yes"}'
    assert [each.target for each in parsed.upstream.requests] == [b"/v1/x", b"/v1/next"]


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_HDR_17_answers_without_a_body(parsed: Stage, status: bytes) -> None:
    """Their fields pass, and nothing is waited for."""
    parsed.upstream.answer(b"HTTP/1.1 " + status + b"\r\nETag: x\r\n\r\n", OK)
    line = parsed.line()
    for _ in range(2):
        line.send(b"GET /v1/x HTTP/1.1\r\nHost: " + parsed.host + b"\r\n\r\n")
    got = line.answer()
    assert (got.status, got.header("ETag"), got.header("Transfer-Encoding")) == (int(status[:3]), "x", None)
    assert line.answer().body == b'{"fine": "yes"}'
