"""LOC-09: what replayproxy says in its own name tells nothing of the machine, the user and the keys."""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import replayproxy
from replayproxy.proxy.answers import internal_error
from tests.processes import KEY, client
from tests.robustness.harness import Answer, Stage, staged
from tests.servers import Visit

OPAQUE, OF_OURS = "Zq7wR2tY9uI4oP6aS8dF1gH3jK5lX0cV", "v3ryOpaqueInjectedKeyWithoutAShape"
#: A folder by whose name it is told when it is told.
PRIVATE = "folder-of-somebody"
CREDENTIALS = f"Authorization: Bearer {OPAQUE}\r\nX-Note: {KEY}\r\n".encode()
BODY = json.dumps({"api_key": OPAQUE, "text": KEY}).encode()
#: A trace of Python, the name of a module's file, a path anywhere.
REVEALING = re.compile(
    rb"Traceback|File \\?\"|\.py\b|site-packages|(?<![\w:/])/(?:root|home|tmp|usr|opt|var|etc|proc|work)/|0x[0-9a-f]{6}"
)


def assert_discreet(answer: Answer, status: int) -> None:
    """It is a whole answer of that status, JSON, and silent about all that is private."""
    assert (answer.status, answer.whole) == (status, True), answer
    assert answer.header("content-type") == "application/json"
    assert json.loads(answer.body)["error"]["message"]
    told = answer.head + answer.body
    package, home = str(Path(replayproxy.__file__).parent), str(Path.home())
    for private in (PRIVATE, OPAQUE, KEY, OF_OURS, package, home + "/", os.environ["PATH"], "SECRET_OF_OURS"):
        assert private.encode() not in told, private
    assert not REVEALING.search(told), REVEALING.search(told)
    assert len(getpass.getuser()) < 3 or f"/{getpass.getuser()}/".encode() not in told


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A recording proxy in a private folder, which has a key of its own, and little patience."""
    folder = tmp_path_factory.mktemp("errors") / PRIVATE
    folder.mkdir()
    (folder / "broken.yaml").write_text("replayproxy: [\n")
    limits = {
        "BODY": "10000",
        "BODY_TIMEOUT": "0.3",
        "HEAD_TIMEOUT": "0.3",
        "SESSIONS": "3",
        "TARGET": "2000",
        "HEADER": "2000",
    }
    seen = {f"REPLAYPROXY_LIMITS__{name}": value for name, value in limits.items()} | {
        "REPLAYPROXY_UPSTREAM__API_KEY_ENV": "SECRET_OF_OURS",
        "REPLAYPROXY_UPSTREAM__TOTAL_TIMEOUT": "0.3",
        "SECRET_OF_OURS": OF_OURS,
    }
    with staged(folder, **seen) as stage:
        yield stage
        stage.end()
        stage.check()


def post(path: bytes = b"/v1/threads", fields: bytes = b"", body: bytes = BODY, method: bytes = b"POST") -> bytes:
    """A request with keys in it."""
    head = b"%b %b HTTP/1.1\r\nHost: {host}\r\n%b%b" % (method, path, CREDENTIALS, fields)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


LONG = b"x" * 3000
#: What each status is the answer to, at the data port.
REFUSED = {
    "400 no host": (400, post().replace(b"Host: {host}\r\n", b"")),
    "400 two lengths": (400, post(fields=b"Content-Length: 3\r\n")),
    "400 no request": (400, f"{KEY} {OPAQUE}\r\n\r\n".encode()),
    "400 a broken chunk": (
        400,
        post(fields=b"X: 1\r\n").replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nY"),
    ),
    "400 session": (400, post(b"/@../../etc/v1/x")),
    "400 session of a header": (400, post(fields=b"x-replayproxy-session: ../" + KEY.encode() + b"\r\n")),
    "403 host": (403, post().replace(b"{host}", b"evil.example")),
    "403 origin": (403, post(fields=b"Origin: http://evil.example/" + OPAQUE.encode() + b"\r\n")),
    "405 tunnel": (405, post(OPAQUE.encode() + b":443", method=b"CONNECT")),
    "408 head": (408, b"POST /v1/x HTTP/1.1\r\nHost: {host}\r\n" + CREDENTIALS),
    "408 body": (408, post()[:-5]),
    "413": (413, post(body=BODY * 200)),
    "414": (414, post(b"/v1/" + KEY.encode() + LONG)),
    "424 unreadable": (424, post(b"/@broken/v1/x")),
    "431": (431, post(fields=b"X-Key: " + KEY.encode() + LONG + b"\r\n")),
    "a coding": (400, post(fields=b"X: 1\r\n").replace(b"Content-Length", b"Transfer-Encoding: gzip, chunked\r\nY")),
    "a version": (400, post().replace(b"HTTP/1.1", b"HTTP/1.7")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_LOC_09_a_refusal_tells_nothing_private(name: str, private: Stage) -> None:
    """Whatever it is that is refused, and whoever refuses it: the parser, the gate, a session."""
    status, request = REFUSED[name]
    assert_discreet(private.send(request, method=b"POST"), status)
    assert not private.upstream.requests


async def closing(visit: Visit) -> None:
    """Hangs up without a word."""
    await visit.request()
    visit.reset()


async def babbling(visit: Visit) -> None:
    """Answers what is no HTTP, with a key."""
    await visit.request()
    await visit.send(f"{KEY} {OPAQUE}\r\n\r\n".encode())
    visit.writer.close()


async def waiting(visit: Visit) -> None:
    """Never answers."""
    await visit.request()
    await visit.reader.read()


@pytest.mark.parametrize(("script", "status"), [(closing, 502), (babbling, 502), (waiting, 504)])
def test_LOC_09_what_became_of_the_upstream_tells_nothing_private(
    script: Callable[[Visit], None], status: int, private: Stage
) -> None:
    """Neither the key that was put on the way up, nor what the upstream said instead of an answer."""
    private.upstream.follow(script)
    try:
        assert_discreet(private.send(post(), method=b"POST"), status)
    finally:
        private.upstream.forget()
        private.upstream.leave()


def test_LOC_09_too_many_of_anything_tells_nothing_private(folder: Path) -> None:
    """Sessions, exchanges and connections: 429 and 503."""
    limits = {"REPLAYPROXY_LIMITS__SESSIONS": "2", "REPLAYPROXY_LIMITS__CONNECTIONS": "4"}
    (folder / PRIVATE).mkdir()
    with staged(folder / PRIVATE, **limits) as stage:
        answers = [stage.send(post(b"/@session%d/v1/x" % number), method=b"POST") for number in range(3)]
        assert_discreet(answers[-1], 429)
        stage.end()
        for _ in range(4):
            stage.line()
        assert_discreet(stage.send(post(), method=b"POST"), 503)


def test_LOC_09_a_miss_tells_nothing_private(folder: Path) -> None:
    """It names the cassette and not where that lies, and differences without what is secret in them."""
    (folder / PRIVATE).mkdir()
    with staged(folder / PRIVATE) as stage:
        assert stage.send(post(b"/v1/x"), method=b"POST").status == 200
    with staged(folder / PRIVATE, mode="playback") as stage:
        for path in (b"/v1/x?text=" + KEY.encode(), b"/v1/other/" + OPAQUE.encode()):
            answer = stage.send(post(path, body=json.dumps({"text": f"{OPAQUE} now"}).encode()), method=b"POST")
            assert_discreet(answer, 424)


#: What is refused at the admin port.
ASKED = {
    "400 parameter": (400, b"GET /exchanges?limit=" + KEY.encode() + b" HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    "400 no request": (400, f"{KEY} {OPAQUE}\r\n\r\n".encode()),
    "400 no JSON": (400, post(b"/sessions", body=b"{" + BODY)),
    "400 declaration": (400, post(b"/sessions")),
    "400 a cassette elsewhere": (400, post(b"/sessions", body=b'{"name": "a", "cassette": "../../etc/passwd"}')),
    "400 an unreadable cassette": (
        400,
        post(b"/sessions", body=b'{"name": "a", "cassette": "broken.yaml", "mode": "playback"}'),
    ),
    "403 host": (403, b"GET /sessions HTTP/1.1\r\nHost: evil.example\r\n" + CREDENTIALS + b"\r\n"),
    "404 route": (404, b"GET /nothing/%b HTTP/1.1\r\nHost: {host}\r\n\r\n" % KEY.encode()),
    "404 session": (404, b"GET /sessions/%b HTTP/1.1\r\nHost: {host}\r\n\r\n" % KEY.encode()),
    "405": (405, post(b"/health")),
    "413": (413, post(b"/sessions", body=BODY * 30_000)),
}


@pytest.mark.parametrize("name", ASKED)
def test_LOC_09_the_admin_port_tells_nothing_private(name: str, private: Stage) -> None:
    """Not even what the client sent itself: somebody else may read the answer."""
    status, request = ASKED[name]
    token = (
        b"Host: {host}\r\n"
        + "".join(f"{each[0]}: {each[1]}\r\n" for each in private.proxy.admin_headers.items()).encode()
    )
    answer = private.send(request.replace(b"Host: {host}\r\n", token, 1), method=b"POST", admin=True)
    assert_discreet(answer, status)


def test_LOC_09_who_shows_no_token_learns_nothing_private(private: Stage) -> None:
    """401 says where the token is to be had, and not what it is."""
    with client(private.proxy.admin_url) as admin:
        told = admin.post("/sessions", json={"name": "a"})
    assert told.status_code == 401
    assert private.proxy.admin_headers["x-replayproxy-token"] not in told.text
    assert not REVEALING.search(told.content)


def test_LOC_09_an_error_of_our_own_tells_nothing_at_all() -> None:
    """500 sends whoever asks to the log."""
    assert internal_error().message == "replayproxy met an error of its own; its log tells more."
