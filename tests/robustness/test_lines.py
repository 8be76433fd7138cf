"""FRM: first lines, header fields and hosts that two readers would not take for the same are refused."""

from __future__ import annotations

import pytest

from tests.robustness.harness import Stage
from tests.robustness.smuggled import CHUNKED, HIDDEN, arrived, bodies, head, refused


@pytest.mark.parametrize("name", [b"Transfer-Encoding", b"Content-Length", b"Host", b"X-Any"])
def test_FRM_04_a_blank_before_the_colon(parsed: Stage, name: bytes) -> None:
    """No field is called that."""
    value = {b"Transfer-Encoding": b"chunked", b"Content-Length": b"5"}.get(name, b"x")
    for blank in (b" ", b"\t", b"  ", b"\x0b", b"\xa0", b"\r"):
        refused(parsed, head(name + blank + b": " + value + b"\r\n") + b"0\r\n\r\n")


@pytest.mark.parametrize(
    "field",
    [
        b" X: y",
        b"\tX: y",
        b"X y: z",
        b"X(: y",
        b'"X": y',
        b"X\xc3\xa9: y",
        b"X\x7f: y",
        b": y",
        b"no colon",
        b"X/: y",
        b"X@: y",
    ],
)
def test_FRM_04_names_that_are_none(parsed: Stage, field: bytes) -> None:
    """A name is a token, at the beginning of its line."""
    refused(parsed, head(field + b"\r\n", b"GET"))


@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"%b /v1/x HTTP/1.1\nHost: {host}\r\n\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\n\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\nX: y\r\n\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\n\n",
        b"%b /v1/x HTTP/1.1\nHost: {host}\n\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\nX: a\nContent-Length: 5\r\n\r\nhello",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\nX: a\rContent-Length: 5\r\n\r\nhello",
        b"%b /v1/x HTTP/1.1\rHost: {host}\r\n\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\r\n\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\n\r\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\nX: a\n\nGET /v1/hidden HTTP/1.1\r\nHost: {host}\r\n\r\n",
    ],
)
def test_FRM_11_bare_line_ends(parsed: Stage, request_bytes: bytes, method: bytes) -> None:
    """A line ends with CR and LF, or the request is refused."""
    refused(parsed, request_bytes % method, b"\r\n\r\n")  # for the reader to whom the head is not over


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\r\n\n"])
def test_FRM_11_empty_lines_before_a_request(parsed: Stage, before: bytes) -> None:
    """They are skipped or refused; nothing of them goes on."""
    got = parsed.send(before + head(b"", b"GET"))
    assert got.status == 400 or (got.status, [each.line for each in arrived(parsed)]) == (200, [b"GET /v1/x HTTP/1.1"])


@pytest.mark.parametrize(
    "fields",
    [
        b"X: a\r\n b\r\n",
        b"X: a\r\n\tb\r\n",
        b"X:\r\n a\r\n",
        b"X: a\r\n \r\n",
        b"X: a\r\n Content-Length: 5\r\n",
        b"Content-Length: 5\r\n 0\r\n",
        b"Transfer-Encoding:\r\n\tchunked\r\n",
        b"X: a\r\n Transfer-Encoding: chunked\r\n",
    ],
)
def test_FRM_13_folded_lines(parsed: Stage, fields: bytes) -> None:
    """Nobody folds lines any more but to hide something."""
    refused(parsed, head(fields) + b"hello")


def test_FRM_13_a_folded_first_field(parsed: Stage) -> None:
    """The line behind the first one cannot go on with it."""
    refused(parsed, b"GET /v1/x HTTP/1.1\r\n Host: {host}\r\n\r\n")


@pytest.mark.parametrize(
    "place",
    [
        b"GET /v1/a%bb HTTP/1.1\r\nHost: {host}\r\n\r\n",
        b"GET /v1/x?a%bb HTTP/1.1\r\nHost: {host}\r\n\r\n",
        b"G%bET /v1/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        b"GET /v1/x HTTP/1.1%b\r\nHost: {host}\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\nHost: {host}\r\nX%bY: z\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\nHost: {host}\r\nX: y%bz\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\nHost: {host}%b\r\n\r\n",
    ],
)
def test_FRM_16_control_bytes(parsed: Stage, place: bytes) -> None:
    """NUL and its like have no place in a head."""
    for control in (*range(9), *range(10, 32), 127):
        # For the reader to whom the head is not over.
        refused(parsed, place.replace(b"%b", bytes([control])), b"\r\n\r\n")


# --- versions


@pytest.mark.parametrize("connection", [b"", b"Connection: keep-alive\r\n", b"Connection: close\r\n"])
def test_FRM_21_chunks_in_http_1_0(parsed: Stage, connection: bytes) -> None:
    """HTTP/1.0 knows no chunks."""
    first = b"POST /v1/x HTTP/1.0\r\nHost: {host}\r\n" + connection + CHUNKED + b"\r\n"
    refused(parsed, first + b"5\r\nhello\r\n0\r\n\r\n" + HIDDEN)


@pytest.mark.parametrize(
    "line",
    [
        b"GET /v1/x HTTP/2.0",
        b"GET /v1/x HTTP/1.2",
        b"GET /v1/x HTTP/0.9",
        b"GET /v1/x HTTP/3.0",
        b"GET /v1/x HTTP/1.10",
        b"GET /v1/x HTTP/01.1",
        b"GET /v1/x HTTP/1",
        b"GET /v1/x HTTP/1,1",
        b"GET /v1/x http/1.1",
        b"GET /v1/x HTTPS/1.1",
        b"GET /v1/x HTTP/1.1 ",
        b"GET /v1/x  HTTP/1.1",
        b"GET  /v1/x HTTP/1.1",
        b"GET\t/v1/x\tHTTP/1.1",
        b"GET /v1/x HTTP/1.1 HTTP/1.1",
        b" GET /v1/x HTTP/1.1",
        b"GET /v1/x",
        b"GET",
        b"get /v1/x HTTP/1.1",
        b"Get /v1/x HTTP/1.1",
        b"FOO /v1/x HTTP/1.1",
        b"SOURCE /v1/x ICE/1.0",
        b"SOURCE /v1/x HTTP/1.1",
        b"DESCRIBE /v1/x RTSP/1.0",
        b"GET /v1/x RTSP/1.0",
        b"PRI * HTTP/2.0",
        b"PRI /v1/x HTTP/1.1",
        b"G@T /v1/x HTTP/1.1",
        b"G\xc3\x89T /v1/x HTTP/1.1",
        b"HTTP/1.1 200 OK",
    ],
)
def test_FRM_21_other_first_lines(parsed: Stage, line: bytes) -> None:
    """Only HTTP/1.0 and HTTP/1.1, asked with a method of theirs, in one spelling."""
    refused(parsed, line + b"\r\nHost: {host}\r\n\r\n", status=(400, 501, 505))


ODD = (b"post /v1/x HTTP/1.1", b"POST  /v1/x HTTP/1.1", b"POST /v1/x  HTTP/1.1", b"POST /v1/x RTSP/1.1")


@pytest.mark.parametrize("line", ODD)
@pytest.mark.parametrize("between", [b"", b"\r\n"])
def test_FRM_21_odd_first_lines_behind_proper_ones(parsed: Stage, line: bytes, between: bytes) -> None:
    """What the same line was like in an earlier request on the connection counts for nothing."""
    proper = head(b"Content-Length: 0\r\n")
    connection = parsed.line()
    data = proper + between + proper + between + line + b"\r\nHost: {host}\r\nX-Odd: 1\r\nContent-Length: 0\r\n\r\n"
    connection.send(data.replace(b"{host}", parsed.host))
    assert b"HTTP/1.1 400 " in connection.everything()
    assert not [each for each in arrived(parsed) if each.all(b"X-Odd")]


@pytest.mark.parametrize("line", ODD)
def test_FRM_21_odd_first_lines_before_proper_ones(parsed: Stage, line: bytes) -> None:
    """Nor does a line of the body that is like it."""
    body = b"POST /v1/x HTTP/1.1\r\n"
    refused(parsed, line + b"\r\nHost: {host}\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def test_FRM_21_the_preface_of_http_2(parsed: Stage) -> None:
    """Whoever speaks HTTP/2 to us learns that nobody here does."""
    refused(parsed, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", status=(400, 505))


@pytest.mark.parametrize(
    "upgrade", [b"h2c", b"H2C", b"websocket", b"tcp", b"TLS/1.0", b"h2c, websocket", b"HTTP/2.0", b"\xe2\x84\xaa"]
)
@pytest.mark.parametrize("body", [b"", b"hello"])
def test_FRM_21_a_wish_for_another_protocol(parsed: Stage, upgrade: bytes, body: bytes) -> None:
    """It is not heard, nor passed on; what comes behind it, in whatever protocol, is not looked at."""
    fields = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    fields += b"Upgrade: " + upgrade + b"\r\nContent-Length: %d\r\n" % len(body)
    hidden = HIDDEN.replace(b"X-Hidden: yes", b"X-Hidden: GET /v1/more HTTP/1.1")
    got = parsed.send(head(fields) + body + hidden[:40], hidden[40:], HIDDEN)
    assert got.status == 200
    assert got.closed
    assert not got.rest
    assert bodies(parsed) == [(b"/v1/x", body)]
    (request,) = arrived(parsed)
    assert not {b"upgrade", b"connection", b"http2-settings"} & {name.lower() for name, _ in request.fields}


# --- hosts


@pytest.mark.parametrize("body", [b"", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_FRM_23_a_request_without_a_host(parsed: Stage, body: bytes) -> None:
    """HTTP/1.1 without Host is refused."""
    refused(parsed, b"POST /v1/models HTTP/1.1\r\n" + body + b"\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b" ",
        b"a b",
        b"{host}, evil.example",
        b"{host} evil.example",
        b"{host}/",
        b"{host}?",
        b"u@{host}",
        b"[::1",
        b"a:b",
        b"http://{host}",
        b"\xc3\xa9.example",
        b"localhost:99999999999",
        b"..%2f",
        b'"localhost"',
        b"local\thost",
    ],
)
def test_FRM_23_hosts_that_are_none(parsed: Stage, host: bytes) -> None:
    """A host has the form of one."""
    refused(parsed, b"GET /v1/x HTTP/1.1\r\nHost:" + host + b"\r\n\r\n", status=(400, 403))


@pytest.mark.parametrize(
    "fields",
    [
        b"Host: {host}\r\nHost: {host}\r\n",
        b"Host: {host}\r\nHost: evil.example\r\n",
        b"Host: evil.example\r\nHost: {host}\r\n",
        b"Host: {host}\r\nX: y\r\nhost: evil.example\r\n",
        b"Host: {host}\r\nHost:\r\n",
        b"HOST: {host}\r\nHost: {host}\r\nHost: {host}\r\n",
    ],
)
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_FRM_24_several_hosts(parsed: Stage, fields: bytes, version: bytes) -> None:
    """There is one host, or the request is refused."""
    refused(parsed, b"GET /v1/x HTTP/" + version + b"\r\n" + fields + b"\r\n")
