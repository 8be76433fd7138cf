"""Sends what somebody wrote in the inspector through the proxy, and says what is wrong with it while it is written.

Rules:
1. It goes to the data port over a socket like everybody's requests, so everything happens to it that happens to these.
2. The key that somebody gives is in that one request and nowhere else: neither kept nor logged.
3. An answer is waited for as long as an upstream may take, and no longer; its body is counted and not kept.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from replayproxy.core.journal import UNDER_WAY, Entry
from replayproxy.core.json_lines import line_of
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Headers, Request, encode, plain
from replayproxy.core.problem import Problem
from replayproxy.core.secrets.patterns import PLACEHOLDER
from replayproxy.core.unknown_paths import unknown_path
from replayproxy.core.validation import problems
from replayproxy.proxy.admin_port import AdminError, answered
from replayproxy.proxy.answers import OUTCOME_HEADER
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.inspector import Inspector
from replayproxy.proxy.inspector.reading import read_fields, read_message
from replayproxy.proxy.intake import SESSION_HEADER
from replayproxy.proxy.names import DEFAULT, NAME
from replayproxy.proxy.wire import CORRELATION_HEADER, EXCHANGE_HEADER

__all__ = ["DESCRIBED", "Sent", "send_request", "send_through", "validate_request"]

#: Seconds that a request and its answer may take in all.
PATIENCE = 600.0
#: What the sending makes anew, or may not be said by whoever writes a request.
_OURS = frozenset({"host", "content-length", "connection", "transfer-encoding", "expect", SESSION_HEADER})
#: Seconds in which the journal learns of an exchange that has ended, and between looks.
_SETTLING, _LOOK = 2.0, 0.01
_MESSAGE = ("method", "target", "headers", "body")

DESCRIBED: dict[str, Any] = {
    "/send": {
        "post": operation(
            "send",
            "Sends a request through the proxy's own data port and tells which exchange it became. The answer's body "
            "is counted (`received`); the exchange has it. `notes` tell what could not be sent as it was written.",
            body="method, target, headers (pairs), body ({text} or {base64}), session, and key, which becomes the "
            "Authorization of this one request and is kept nowhere.",
            refusals={400: "Something in it cannot be sent.", 413: "It is too long.", 502: "The proxy did not answer."},
        )
    },
    "/validate": {
        "post": operation(
            "validate",
            "What is wrong with a request that somebody is writing, and which operation it calls (null: none). "
            "`line` and `column` say where in the body's text, from 1.",
            body="method, target, headers (pairs), body ({text} or {base64}).",
            refusals={400: "The fields are not what is expected.", 413: "It is too long."},
        )
    },
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What came back: the exchange's number (0: nobody told), the status (0: no answer came), how many bytes of body,
    and why it went wrong."""

    number: int = 0
    status: int = 0
    outcome: str = ""
    received: int = 0
    why: str = ""


# --- sending


async def send_request(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """Sends a request and tells what became of it."""
    given = await read_fields(request, (*_MESSAGE, "session", "key"))
    session, key = given.get("session") or DEFAULT, given.get("key") or ""
    if not isinstance(session, str) or not NAME.match(session):
        raise AdminError.invalid(("session", "there can be no session of that name"))
    if not isinstance(key, str) or not (key.isascii() and key.isprintable()):
        raise AdminError.invalid(("key", "expected a key in plain ASCII, as a header can carry it"))
    message, notes = _prepared(read_message(given), key.strip())
    latest = await inspector.entries(session, 1)
    sent = await send_through(inspector.url, session, message)
    sent = await _settled(inspector, sent, session, message, latest[-1].number if latest else 0)
    if not (sent.number or sent.status):
        raise AdminError(502, "no_answer", f"the proxy's own port did not answer: {sent.why}")
    return answered(_told(sent, notes))


async def send_through(url: str, session: str, message: Request, patience: float = PATIENCE) -> Sent:
    """Sends a request to the data port at `url`; whatever goes wrong is told in what comes back."""
    spelled: dict[str, str] = {}  # the client keeps repeated fields where they are spelled alike, and only there
    fields = [(spelled.setdefault(name.lower(), name), value) for name, value in message.headers]
    headers = [*fields, (SESSION_HEADER, session), (CORRELATION_HEADER, secrets.token_hex(8))]
    body = message.body if isinstance(message.body, bytes) else b""
    sent = Sent()
    try:
        async with (
            asyncio.timeout(patience),
            aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as client,
            client.request(
                message.method,
                URL(_reachable(url) + message.target, encoded=True),
                headers=headers,
                data=BytesIO(body) if body else None,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                timeout=aiohttp.ClientTimeout(total=None),
            ) as response,
        ):
            told = response.headers
            number, outcome = int(told.get(EXCHANGE_HEADER, "0")), told.get(OUTCOME_HEADER, "")
            sent = Sent(number, response.status, outcome)
            async for piece in response.content.iter_any():
                sent = replace(sent, received=sent.received + len(piece))
    except TimeoutError:
        return replace(sent, why=f"it was not over after {patience:g} s, and was given up")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return replace(sent, why=f"the connection broke: {plain(str(error)) or type(error).__name__}")
    return sent


def _prepared(message: Request, key: str) -> tuple[Request, list[str]]:
    """The request as it can be sent, and what about it is not as it was written."""
    kept, notes = list[tuple[str, str]](), list[str]()
    for name, value in message.headers:
        if name.lower() in _OURS or (key and name.lower() == "authorization"):
            continue
        if PLACEHOLDER.search(encode(value)):
            notes.append(f"{name} was not sent: its value was redacted before it was stored")
        else:
            kept.append((name, value))
    if key:
        kept.append(("Authorization", f"Bearer {key}"))
    body = message.body if isinstance(message.body, bytes) else b""
    if PLACEHOLDER.search(encode(message.target) + b"\n" + body):
        notes.append("values that were redacted before they were stored were sent as they stand: redacted.…")
    return Request(message.method, message.target, Headers.of(*kept), body), notes


def _told(sent: Sent, notes: list[str]) -> dict[str, Any]:
    return {
        "number": sent.number or None,
        "status": sent.status,
        "outcome": sent.outcome or None,
        "received": sent.received,
        "why": sent.why or None,
        "notes": [plain(note) for note in notes],
    }


async def _settled(inspector: Inspector, sent: Sent, session: str, message: Request, after: int) -> Sent:
    """The same when the journal has the whole exchange, which it learns of a moment after the client; its outcome is
    the one that the journal tells.

    Where the connection broke before the answer named it, it is the latest such request since exchange `after`.
    """
    try:
        async with asyncio.timeout(_SETTLING):
            while True:
                entry = await _entry(inspector, sent, session, message, after)
                if entry is not None and entry.outcome != UNDER_WAY:
                    return replace(sent, number=entry.number, outcome=entry.outcome)
                await asyncio.sleep(_LOOK)
    except (TimeoutError, AdminError):
        return sent


async def _entry(inspector: Inspector, sent: Sent, session: str, message: Request, after: int) -> Entry | None:
    if sent.number:
        return await inspector.entry(sent.number)
    return next((each for each in reversed(await inspector.entries(session, 20)) if _is_it(each, message, after)), None)


def _is_it(entry: Entry, message: Request, after: int) -> bool:
    return entry.number > after and (entry.request.method, entry.request.path) == (message.method, message.path)


def _reachable(url: str) -> str:
    """The URL of a port that listens everywhere, from this machine."""
    parts = urlsplit(url)
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(parts.hostname or "")  # noqa: S104 -- nothing is bound here
    return f"http://{host}:{parts.port}" if host else url


# --- validating


async def validate_request(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """What is wrong with a request that somebody is writing."""
    message = read_message(await read_fields(request, _MESSAGE))
    resolved = inspector.catalog.resolve(message.method, message.target)
    name = resolved.operation.id if resolved else None
    found = _misspelled(message)
    if found is None:
        checked = problems(message, resolved) if resolved else (_unknown(inspector, message),)
        text = message.body.decode("utf-8", "replace") if isinstance(message.body, bytes) else ""
        found = [_problem(each, text if media_type(message.headers).is_json else "") for each in checked]
    return answered({"operation": name, "problems": found})


def _unknown(inspector: Inspector, message: Request) -> Problem:
    return unknown_path(inspector.catalog, message.method, message.target)


def _problem(problem: Problem, text: str) -> dict[str, Any]:
    line = line_of(text, problem.param) if text and problem.param else None
    return {
        "message": plain(problem.message),
        "param": problem.param and plain(problem.param),
        "code": problem.code,
        "warning": problem.warning,
        "line": line,
        "column": None,
    }


def _misspelled(message: Request) -> list[Mapping[str, Any]] | None:
    """What is wrong with a body that is to be JSON and is none; None when it is, or need not be."""
    if not message.body or not isinstance(message.body, bytes) or not media_type(message.headers).is_json:
        return None
    try:
        json.loads(message.body.decode("utf-8", "surrogatepass"))
    except json.JSONDecodeError as error:
        told, line, column = f"This is no JSON: {error.msg}", error.lineno, error.colno
    except RecursionError:
        told, line, column = "This is nested too deep to be read.", 1, 1
    except ValueError as error:  # bytes that are no text, a number of too many digits
        told, line, column = f"This is no JSON: {plain(str(error))}", 1, 1
    else:
        return None
    facts = {"message": told, "param": None, "code": "invalid_json", "warning": False, "line": line, "column": column}
    return [facts]
