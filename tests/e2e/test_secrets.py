"""No secret of a session is in anything that replayproxy wrote: files, output, logs, and the errors it made."""

from __future__ import annotations

import base64
import gzip
import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.e2e.background import in_background
from tests.processes import KEY, client, started
from tests.servers import RawUpstream, Visit, raw_upstream

#: By what each may be recognised by the redaction rules: its shape, or nothing but the place where it stands.
SECRETS = {
    "key": KEY,
    "opaque key": "Zq7wR2tY9uI4oP6aS8dF1gH3jK5lX0cV",
    "short opaque key": "wombat-battery-7",
    "injected key": "v3ryOpaqueInjectedKeyWithoutAShape",
    "sent cookie": "c00kieFromTheClientJar",
    "set cookie": "c00kieFromTheServerJar.1700000000-1.0.1.1",
    "organization": "org-4tGhKpQz8sLmNvBx2RdWyC7e",
    "organization of a path": "org-9PathOrgIdAbCdEfGhIjKlMn",
    "organization of an error": "org-7ErrOrgIdAbCdEfGhIjKlMn0",
    "project": "proj_K8sd72hSkq0PlmZx91TtBv3W",
    "project of a path": "proj_5PathPrjAbCdEfGhIjKlMnOp",
    "query key": "qu3ryKeyOpaqueValue0001",
    "query token": "qu3ryTokenOpaqueValue0002",
    "password": "hunter2-hunter2-hunter2",
    "client secret": "f0rmClientSecretOpaque",
}
PATH_OF_IDS = f"/v1/organizations/{SECRETS['organization of a path']}/projects/{SECRETS['project of a path']}"
#: A body this long is kept in a file beside the cassette, the longest are redacted while they pass.
LARGE, HUGE = 100_000, 12_000_000


def head_of(content_type: str, *more: str) -> bytes:
    """An answer's head, with all that real ones carry."""
    fields = (
        f"Content-Type: {content_type}",
        f"openai-organization: {SECRETS['organization']}",
        f"openai-project: {SECRETS['project']}",
        f"Set-Cookie: __cf_bm={SECRETS['set cookie']}; path=/; HttpOnly; Secure",
        f"Set-Cookie: _cfuvid={SECRETS['set cookie']}; path=/",
        f"x-trace: {KEY} {SECRETS['organization']}",
        *more,
    )
    return ("HTTP/1.1 200 OK\r\n" + "".join(f"{line}\r\n" for line in fields) + "\r\n").encode()


def sized(body: bytes, content_type: str = "application/json", *more: str, status: bytes = b"200 OK") -> bytes:
    """A whole answer."""
    answer = head_of(content_type, f"Content-Length: {len(body)}", *more) + body
    return answer.replace(b"200 OK", status, 1)


def credential_of(request: bytes) -> str:
    """The key that a request carries in a header, whatever it looks like."""
    found = re.search(rb"\r\n(?:authorization: bearer|api-key:|x-api-key:) ([^\r]+)", request, re.IGNORECASE)
    return found.group(1).decode() if found else KEY


def gossip(request: bytes) -> bytes:
    """A JSON body that repeats what came in, and says more."""
    key = credential_of(request)
    told = {
        "echo": request.decode("utf-8", "replace"),
        "organization": SECRETS["organization"],
        "text": f"Your key {KEY} of {SECRETS['organization']} in {SECRETS['project']} is {key}.",
        "nested": json.dumps({"api_key": SECRETS["opaque key"], "password": SECRETS["password"]}),
        "again": [base64.b64encode(f"user:{key}".encode()).decode(), quote(key, safe=""), [key]],
    }
    return json.dumps(told, indent=2).encode()


async def indiscreet(visit: Visit) -> None:
    """An upstream that repeats all it hears."""
    while True:
        request = await visit.request()
        path = request.split(b" ", 2)[1].partition(b"?")[0].rpartition(b"/")[2].decode()
        await ANSWERS.get(path, plainly)(visit, request)


async def plainly(visit: Visit, request: bytes) -> None:
    await visit.send(sized(gossip(request)))


async def compressed(visit: Visit, request: bytes) -> None:
    await visit.send(sized(gzip.compress(gossip(request), mtime=0), "application/json", "Content-Encoding: gzip"))


async def streamed(visit: Visit, request: bytes) -> None:
    """An event stream whose pieces end in the middle of secrets."""
    await visit.send(head_of("text/event-stream; charset=utf-8", "Connection: close"))
    told = json.dumps({"delta": f"{KEY} {credential_of(request)} {SECRETS['organization']}"})
    events = f"event: thread.message.delta\ndata: {told}\n\ndata: [DONE]\n\n".encode()
    for start in range(0, len(events), 17):
        await visit.send(events[start : start + 17])
    visit.writer.close()


async def largely(visit: Visit, request: bytes) -> None:
    filling = b"x" * LARGE + f" {KEY} {credential_of(request)} ".encode()
    await visit.send(sized(filling, "text/plain"))


async def hugely(visit: Visit, request: bytes) -> None:
    filling = b"x" * HUGE + f" {KEY} {credential_of(request)} ".encode()
    await visit.send(sized(filling + filling, "application/octet-stream"))


async def limited(visit: Visit, request: bytes) -> None:
    message = f"Rate limit reached for gpt-4o in organization {SECRETS['organization of an error']} on tokens per min."
    body = json.dumps({"error": {"message": message, "type": "tokens", "param": None, "code": "rate_limit_exceeded"}})
    await visit.send(sized(body.encode(), status=b"429 Too Many Requests"))


async def refused(visit: Visit, request: bytes) -> None:
    message = f"Incorrect API key provided: {SECRETS['short opaque key']}. You can find your API key at https://x.test."
    body = json.dumps({"error": {"message": message, "type": "x", "param": None, "code": "invalid_api_key"}})
    await visit.send(sized(body.encode(), status=b"401 Unauthorized"))


async def broken(visit: Visit, request: bytes) -> None:
    """The answer ends in its middle."""
    body = gossip(request)
    await visit.send(sized(body)[: -len(body) // 2])
    visit.reset()


async def garbled(visit: Visit, request: bytes) -> None:
    """No HTTP at all."""
    await visit.send(f"{KEY} {credential_of(request)}\r\n\r\n".encode())
    visit.reset()


ANSWERS: dict[str, Callable[[Visit, bytes], Any]] = {
    "gzip": compressed,
    "stream": streamed,
    "large": largely,
    "huge": hugely,
    "limited": limited,
    "refused": refused,
    "broken": broken,
    "garbled": garbled,
}


def requests(text: str) -> Iterator[dict[str, Any]]:
    """What the app asks; `text` is in the bodies, so that another one makes other requests of them."""
    key, opaque = {"Authorization": f"Bearer {KEY}"}, {"Authorization": f"Bearer {SECRETS['opaque key']}"}
    of_account = {"OpenAI-Organization": SECRETS["organization"], "OpenAI-Project": SECRETS["project"]}
    cookie = {"Cookie": f"theme=dark; session={SECRETS['sent cookie']}"}
    body = {"text": text, "metadata": {"api_key": SECRETS["opaque key"], "note": f"{KEY} {SECRETS['organization']}"}}
    query = f"api_key={SECRETS['query key']}&token={SECRETS['query token']}&text={quote(text)}"
    paths = ("chat", "gzip", "stream", "large", "huge", "limited", "refused", "broken", "garbled")
    for path in paths:
        yield {"method": "POST", "url": f"/v1/{path}", "headers": key | of_account | cookie, "json": body}
    for path in ("chat", "stream", "large", "huge"):
        yield {"method": "POST", "url": f"/v1/{path}", "headers": opaque | of_account, "json": body}
    yield {"method": "GET", "url": f"/v1/models?{query}", "headers": key}
    yield {"method": "GET", "url": f"{PATH_OF_IDS}/users?text={quote(text)}", "headers": opaque}
    yield {"method": "GET", "url": f"/v1/keys/{SECRETS['opaque key']}?text={quote(text)}", "headers": opaque}
    yield {"method": "POST", "url": f"/v1/keys/{KEY}", "headers": {"api-key": SECRETS["opaque key"]}, "json": body}
    yield {"method": "POST", "url": "/v1/chat", "headers": {"x-api-key": SECRETS["short opaque key"]}, "json": body}
    form = {"client_secret": SECRETS["client secret"], "password": SECRETS["password"], "text": text}
    yield {"method": "POST", "url": "/oauth/token", "headers": opaque, "data": form}
    upload = f"{text} {KEY} {SECRETS['opaque key']} {SECRETS['organization']}".encode() * 3
    yield {"method": "POST", "url": "/v1/files", "headers": opaque, "files": {"file": ("x.txt", upload)}}


def malformed() -> Iterator[bytes]:
    """What only a broken client sends."""
    head = f"POST /v1/chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRETS['opaque key']}\r\n"
    yield f"{head}Transfer-Encoding: chunked\r\n\r\n{SECRETS['opaque key']} {KEY}\r\nxx\r\n".encode()
    yield f"{head}Content-Length: {SECRETS['opaque key']}\r\n\r\n".encode()
    yield f"{head}Content-Length: 500\r\n\r\n{KEY} {SECRETS['opaque key']}".encode()
    yield f"{KEY} {SECRETS['opaque key']}\r\n\r\n".encode()
    yield f"{head}{SECRETS['opaque key']}\r\n\r\n".encode()


@dataclass(slots=True)
class Session:
    """What happened: all that was written, by where it stands, and what the clients were answered."""

    written: dict[str, bytes] = field(default_factory=dict)
    recorded: list[httpx.Response] = field(default_factory=list)
    missed: list[httpx.Response] = field(default_factory=list)


@pytest.fixture(scope="module", params=["text", "json"])
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A session full of secrets: recorded, played, missed, and asked when the upstream was gone."""
    folder, happened = tmp_path_factory.mktemp("secrets"), Session()
    options = ("--cassette", "c.yaml", "--log-format", request.param)
    with in_background(raw_upstream(indiscreet)) as upstream:
        with started("record", *options, "--record-failures", "--upstream", upstream.url, cwd=folder) as proxy:
            happened.recorded = [asked(proxy.url, what) for what in requests("first")]
            for data in malformed():
                thrown(proxy.url, data)
        happened.written["record"] = f"{proxy.out}{proxy.err}".encode()
        inject(folder, upstream, happened, request.param)
    with started("serve", *options, "--upstream", "http://127.0.0.1:1", cwd=folder) as proxy:
        for what in requests("third"):
            keep(happened, "error", asked(proxy.url, what))
    happened.written["unreachable"] = f"{proxy.out}{proxy.err}".encode()
    with started("playback", *options, cwd=folder) as proxy:
        for what in requests("first"):
            keep(happened, "played", asked(proxy.url, what))
        happened.missed = [asked(proxy.url, what) for what in requests("second")]
        for data in malformed():
            thrown(proxy.url, data)
    for answer in happened.missed:
        keep(happened, "miss", answer)
    happened.written["playback"] = f"{proxy.out}{proxy.err}".encode()
    for path in folder.rglob("*"):
        happened.written[str(path.relative_to(folder))] = path.read_bytes() if path.is_file() else b""
    return happened


def inject(folder: Path, upstream: RawUpstream, happened: Session, log_format: str) -> None:
    """A proxy that puts a key of its own on the way up."""
    (folder / "config").mkdir()
    (folder / "config" / "replayproxy.yaml").write_text(
        f"upstream: {{url: {upstream.url}, api_key_env: SECRET_OF_MINE}}\ncassette: ../injected.yaml\n"
    )
    options = ("--config", "config/replayproxy.yaml", "--log-format", log_format)
    with started("record", *options, cwd=folder, SECRET_OF_MINE=SECRETS["injected key"]) as proxy:
        answer = asked(proxy.url, {"method": "POST", "url": "/v1/chat", "json": {"x": SECRETS["injected key"]}})
        assert json.loads(answer.text)["again"][2] == [SECRETS["injected key"]]
    happened.written["injected"] = f"{proxy.out}{proxy.err}".encode()


def asked(url: str, what: dict[str, Any]) -> httpx.Response:
    """The answer to a request; a broken one ends with what came of it."""
    with client(url) as http:
        try:
            with http.stream(**what) as answer:
                answer.read()
                return answer
        except httpx.TransportError:
            return httpx.Response(599)


def thrown(url: str, data: bytes) -> None:
    """Sends bytes that are no request, and waits for the connection to end, or to say something."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def keep(happened: Session, what: str, answer: httpx.Response) -> None:
    """Counts an answer of replayproxy's own among what it wrote."""
    head = "\r\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    happened.written[f"{what} {len(happened.written)}"] = head.encode() + b"\r\n\r\n" + answer.content


def spellings(secret: str) -> set[bytes]:
    """How a secret may stand somewhere: as it is, escaped, in base64, and most of it."""
    encoded = base64.b64encode(secret.encode()).rstrip(b"=")[:-1]
    return {secret.encode(), quote(secret, safe="").encode(), secret[2:-2].encode(), encoded}


@pytest.mark.parametrize("name", SECRETS)
def test_secret_is_nowhere(name: str, session: Session) -> None:
    """Not in the cassettes, the files beside them, the output, the logs, the answers played, and the errors made."""
    found = {where for where, data in session.written.items() for text in spellings(SECRETS[name]) if text in data}
    assert found == set()


def test_client_gets_the_raw_answer(session: Session) -> None:
    """What is redacted for the disk is not redacted for the app."""
    first = session.recorded[0]
    assert (first.status_code, first.headers["openai-organization"]) == (200, SECRETS["organization"])
    assert KEY in first.text
    assert first.headers.get_list("set-cookie")[0].startswith(f"__cf_bm={SECRETS['set cookie']}")


def test_session_was_recorded_and_missed(session: Session) -> None:
    """There was something to find: the recordings are there, large bodies beside, and changed requests missed."""
    assert session.written["c.yaml"].count(b"\n--- # ") >= len(session.recorded) - 2
    assert any(".files/" in name or "c.yaml." in name or "-files" in name for name in session.written)
    assert {answer.status_code for answer in session.missed} == {424}
    assert b"body.text" in session.missed[0].content
