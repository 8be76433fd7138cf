"""TGT: the request target. It leads to the configured upstream or nowhere, and arrives as it came."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.robustness.harness import OK, Stage, staged


class Trap:
    """A server where nobody may come: `visits` are the connections that were made to it."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.visits: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> bytes:
        """Its authority."""
        return b"127.0.0.1:%d" % self.socket.getsockname()[1]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.visits.append(self.socket.accept()[0])


@pytest.fixture(scope="module")
def trap() -> Iterator[Trap]:
    """Another host."""
    made = Trap()
    yield made
    made.socket.close()
    for visit in made.visits:
        visit.close()


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A proxy that puts a path before the request's own."""
    with staged(tmp_path_factory.mktemp("stage"), mode="passthrough") as first:
        upstream = f"{first.upstream.url}/base"
        with staged(tmp_path_factory.mktemp("stage"), "--upstream", upstream, mode="passthrough") as stage:
            stage.upstream.leave()
            yield Stage(stage.proxy, first.upstream, stage.folder)


def targets(stage: Stage) -> list[bytes]:
    """The targets that arrived."""
    return [each.target for each in stage.upstream.requests]


# --- other hosts


@pytest.mark.parametrize(
    "target",
    [
        b"http://%b/v1/x",
        b"HTTP://%b/v1/x",
        b"https://%b/v1/x",
        b"http://%b",
        b"http://%b?x=1",
        b"http://{host}@%b/v1/x",
        b"http://user:password@%b/v1/x",
        b"http://%b\\@{host}/v1/x",
        b"http://%b#@{host}/v1/x",
        b"ftp://%b/v1/x",
        b"ws://%b/v1/x",
        b"http:/%b/v1/x",
        b"http:%b/v1/x",
        b"http:///%b/v1/x",
        b"%b/v1/x",
        b"@%b/v1/x",
        b":80/v1/x",
        b"http://[::1]/v1/x",
        b"http://169.254.169.254/latest/meta-data/",
        b"file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("host", [b"{host}", b"%b"])
def test_TGT_01_the_address_of_another_host(parsed: Stage, trap: Trap, target: bytes, host: bytes) -> None:
    """Nobody connects there, and nothing goes anywhere else in its place."""
    data = b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    got = parsed.send(data.replace(b"%b", trap.address))
    assert not trap.visits
    if targets(parsed):  # a host of this machine in both places may be our own, behind a forwarded port
        assert host == b"%b"
        assert targets(parsed)[0].startswith(b"/")
        return
    assert 400 <= got.status < 500
    assert json.loads(got.body)["error"]["message"]
    assert got.closed


@pytest.mark.parametrize("scheme", [b"http", b"HTTP"])
@pytest.mark.parametrize(("rest", "path"), [(b"/v1/x?y=%2f", b"/v1/x?y=%2f"), (b"", b"/"), (b"?y", b"/?y")])
def test_TGT_01_our_own_address(parsed: Stage, scheme: bytes, rest: bytes, path: bytes) -> None:
    """Who names us once more in the target asks for the path behind it."""
    got = parsed.send(b"GET " + scheme + b"://{host}" + rest + b" HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert got.status == 200
    assert targets(parsed) == [path]


def test_TGT_01_our_own_address_with_a_session(parsed: Stage) -> None:
    """The prefix that names a session is found behind it."""
    got = parsed.send(b"GET http://{host}/@other/v1/x HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert (got.status, targets(parsed)) == (200, [b"/v1/x"])


@pytest.mark.parametrize(
    "target", [b"//%b/steal", b"///%b/steal", b"//%b", b"//user@%b/steal", b"/%%2f%b/", b"/.//%b/"]
)
def test_TGT_02_a_path_that_looks_like_a_host(parsed: Stage, trap: Trap, target: bytes) -> None:
    """It is a path: the upstream sees it as it is, behind the name of a session too."""
    path = target % trap.address
    for prefix in (b"", b"/@other"):
        got = parsed.send(b"GET " + prefix + path + b" HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert got.status == 200
    assert targets(parsed) == [path, path]
    assert not trap.visits


@pytest.mark.parametrize("path", [b"/\\%b/steal", b"\\\\%b/steal", b"/\\/%b/steal", b"/@other\\@%b/x"])
def test_TGT_02_backslashes(parsed: Stage, trap: Trap, path: bytes) -> None:
    """Some readers take them for slashes: refused."""
    got = parsed.send(b"GET " + path.replace(b"%b", trap.address) + b" HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert got.status == 400
    assert not trap.visits
    assert not parsed.upstream.requests


@pytest.mark.parametrize(
    "target", [b"//%b/steal", b"/x", b"/base/x", b"/base//x", b"/../x", b"/basement", b"/?y", b"//base/x"]
)
def test_TGT_02_behind_a_prefix(prefixed: Stage, trap: Trap, target: bytes) -> None:
    """The upstream's own path goes before it, and nothing is joined."""
    prefixed.upstream.forget()
    path = target.replace(b"%b", trap.address)
    got = prefixed.send(b"GET " + path + b" HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert got.status == 200
    assert targets(prefixed) == [path if path.startswith(b"/base/") else b"/base" + path]
    assert not trap.visits
    prefixed.end()


@pytest.mark.parametrize("method", [b"CONNECT", b"connect"])
@pytest.mark.parametrize("target", [b"%b", b"http://%b/", b"/", b"*", b"{host}", b"localhost", b"[::1]:443", b":443"])
def test_TGT_05_tunnels(parsed: Stage, trap: Trap, method: bytes, target: bytes) -> None:
    """There are none; what is sent through one goes nowhere."""
    path = target.replace(b"%b", trap.address)
    hidden = b"GET /v1/hidden HTTP/1.1\r\nHost: {host}\r\n\r\n"
    for more in (b"", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"):
        got = parsed.send(method + b" " + path + b" HTTP/1.1\r\nHost: {host}\r\n" + more + b"\r\n", hidden, hidden)
        assert 400 <= got.status < 600
        assert got.closed
        assert not got.rest
    assert not trap.visits
    assert not parsed.upstream.requests


@pytest.mark.parametrize(
    "field",
    [
        b"X-Forwarded-Host: %b",
        b"X-Forwarded-Server: %b",
        b"X-Forwarded-For: 10.0.0.1",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Port: 1",
        b"X-Forwarded-Prefix: /admin",
        b"Forwarded: host=%b;proto=https;for=10.0.0.1",
        b"X-Original-URL: http://%b/steal",
        b"X-Original-URL: /steal",
        b"X-Rewrite-URL: /steal",
        b"X-Host: %b",
        b"X-HTTP-Method-Override: DELETE",
        b"X-HTTP-Host-Override: %b",
        b"X-Forwarded-Uri: /steal",
        b"Destination: http://%b/steal",
        b":authority: %b",
        b"X-Real-IP: %b",
        b"Via: 1.1 %b",
    ],
)
def test_TGT_06_fields_that_name_another_host(parsed: Stage, trap: Trap, field: bytes) -> None:
    """They are nobody's business here: same upstream, same path, same method, its own Host."""
    got = parsed.send(b"GET /v1/x HTTP/1.1\r\nHost: {host}\r\n" + field.replace(b"%b", trap.address) + b"\r\n\r\n")
    authority = parsed.upstream.url.removeprefix("http://").encode()
    assert got.status == (400 if field.startswith(b":") else 200)
    assert [(each.line, each.all(b"Host")) for each in parsed.upstream.requests] in (
        [],
        [(b"GET /v1/x HTTP/1.1", [authority])],
    )
    assert not trap.visits


def test_TGT_06_a_host_field_that_names_another_host(parsed: Stage, trap: Trap) -> None:
    """Whoever may use that name: it is the configured upstream that is asked, or nobody."""
    authority = parsed.upstream.url.removeprefix("http://").encode()
    for host in (trap.address, b"evil.example", b"169.254.169.254"):
        parsed.send(b"GET /v1/x HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert {(each.target, *each.all(b"Host")) for each in parsed.upstream.requests} <= {(b"/v1/x", authority)}
    assert not trap.visits


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_TGT_07_redirects(parsed: Stage, trap: Trap, status: int) -> None:
    """They are the client's to follow: passed through as they are."""
    for number, location in enumerate([b"http://%b/steal", b"//%b/steal", b"/v1/elsewhere"], 1):
        told = location.replace(b"%b", trap.address)
        head = b"HTTP/1.1 %d Over There\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, told)
        parsed.upstream.answer(head)
        got = parsed.send(b"GET /v1/x HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert (got.status, got.all("Location")) == (status, [told.decode()])
        assert targets(parsed) == [b"/v1/x"] * number
    assert not trap.visits


# --- the same bytes

FAITHFUL = [
    b"/v1/a%2Fb%2fc",
    b"/%7E%7e~",
    b"/%252F%25",
    b"/a%3Bb;v=1",
    b"/a+b%20c",
    b"/?x=%2F&y=a+b&z=%",
    b"/x??",
    b"/x?",
    b"/?",
    b"/x?a=1&a=2&b=&=c&&d",
    b"/x?a=1;b=2",
    b"/%zz%1",
    b"/%00%0d%0a",
    b"/%C3%A9?%ff",
    b"/a:b@c!$&'()*+,;=-._~",
    b'/v1/{id}/|/^/`/"/<x>/[1]',
    b'/x?{a}|[b]\\^`"<>',
    b"/x?next=http://evil.example/?y",
    b"/v1/@other/x",
    b"/v1/x/",
    b"/v1//x",
    b"/v1/models/ft:gpt-4o:org::id",
]


@pytest.mark.parametrize("target", FAITHFUL)
def test_TGT_09_a_target_arrives_byte_for_byte(parsed: Stage, target: bytes) -> None:
    """Nothing is decoded, encoded, sorted or joined; of what names a session, only the prefix is gone."""
    for prefix in (b"", b"/@other", b"/%40other"):
        got = parsed.send(b"GET " + prefix + target + b" HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert got.status == 200
    assert [each.line for each in parsed.upstream.requests] == [b"GET " + target + b" HTTP/1.1"] * 3


def test_TGT_09_what_differs_is_not_played(folder: Path) -> None:
    """Playback finds a target by what it is; another that a decoder would take for it is not there."""
    asked = (b"/v1/a%2Fb%2fc?x=%2F&y=a+b&z=%", b"/v1/x??", b"/v1/../x")
    with staged(folder) as recording:
        assert [recording.say(b"GET " + target).status for target in asked] == [200] * 3
    with staged(folder, mode="playback") as playing:
        assert [playing.say(b"GET " + target).body for target in asked] == [OK.partition(b"\r\n\r\n")[2]] * 3
        assert [playing.say(b"GET " + other).status for other in (b"/v1/a/b/c?x=/&y=a+b&z=%", b"/x", b"/v1/x")] == [
            424
        ] * 3


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/\xc3\xa9",
        b"/v1/\xff",
        b"/x?\xc3\xa9",
        b"/v1/x#part",
        b"/v1/x?y#part",
        b"/#",
        b"#",
        b"?x",
        b"",
        b"v1/x",
        b"*",
    ],
)
def test_TGT_09_targets_that_are_none(parsed: Stage, target: bytes) -> None:
    """Bytes that have to be encoded, fragments and relative paths are refused: every reader makes something else of
    them."""
    got = parsed.send(b"GET " + target + b" HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert got.status == 400
    assert not parsed.upstream.requests


def test_TGT_09_the_server_as_a_whole(parsed: Stage) -> None:
    """`OPTIONS *` asks about no path."""
    got = parsed.send(b"OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert got.status == 200
    assert [each.line for each in parsed.upstream.requests] == [b"OPTIONS * HTTP/1.1"]


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/../admin",
        b"/v1/./x",
        b"/../../etc/passwd",
        b"/..",
        b"/.",
        b"/v1/..",
        b"/v1/%2e%2e/admin",
        b"/v1/%2E./admin",
        b"/v1/..%2fadmin",
        b"/v1/..;/admin",
        b"/v1/.../x",
        b"/v1/x/../../..//y",
        b"/v1/x?../../y",
    ],
)
def test_TGT_10_dot_segments(parsed: Stage, target: bytes) -> None:
    """They arrive as they came."""
    for prefix in (b"", b"/@other"):
        assert parsed.send(b"GET " + prefix + target + b" HTTP/1.1\r\nHost: {host}\r\n\r\n").status == 200
    assert targets(parsed) == [target, target]


def test_TGT_10_dots_do_not_lead_out_of_the_folder_of_cassettes(parsed: Stage) -> None:
    """What names a session is no path."""
    for name in (b"..", b"..%2f..%2fx", b"%2e%2e", b".hidden", b"", b"a%2fb", b"a%00b", b"~root"):
        got = parsed.send(b"GET /@" + name + b"/v1/x HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert got.status == 400
    assert not parsed.upstream.requests


@pytest.mark.parametrize("size", [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 80 * 1024, 300 * 1024])
@pytest.mark.parametrize("beginning", [b"/v1/", b"/v1/x?", b"/@other/v1/"])
def test_TGT_15_long_targets(parsed: Stage, size: int, beginning: bytes) -> None:
    """They arrive whole or are refused by a status that says so, in one segment or in many."""
    target = beginning + b"a" * (size - len(beginning))
    for cut in (1 << 20, 1460):
        parsed.upstream.forget()
        data = b"GET " + target + b" HTTP/1.1\r\nHost: {host}\r\n\r\n".replace(b"{host}", parsed.host)
        got = parsed.send(*[data[at : at + cut] for at in range(0, len(data), cut)])
        assert got.status == (200 if size <= 64 * 1024 else 414)
        assert targets(parsed) == ([target.removeprefix(b"/@other")] if size <= 64 * 1024 else [])
