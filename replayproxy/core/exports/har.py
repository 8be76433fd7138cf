"""Exchanges and interactions as HAR 1.2, which browsers' developer tools open.

Rules (http://www.softwareishard.com/blog/har-12-spec/):
1. Text is text; other bytes are base64, which HAR has a field for in answers. For requests it has none: there
   `_encoding` says so.
2. What HAR has no place for stands under `_replayproxy`, so that `har_read.py` makes the same interactions of it.
3. It holds what it is given: redacted copies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.exports.har_rows import base64_of, cookie_rows, field_rows, header_rows, set_cookie_row, text_of
from replayproxy.core.exports.sent import url_of
from replayproxy.core.fault_form import write_failing
from replayproxy.core.journal import Entry
from replayproxy.core.json_layout import Number
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Body, FileBody, Headers, Request, Response, body_length, encode, plain
from replayproxy.core.multipart import Part, parse_multipart
from replayproxy.core.problem import Problem
from replayproxy.core.problem_form import problem_fields

__all__ = ["UNKNOWN_ORIGIN", "har_of", "origin_of"]

#: Where requests went when that is not known, or was the emulator: HAR takes absolute URLs only.
UNKNOWN_ORIGIN = "https://api.openai.com"

_EPOCH = "1970-01-01T00:00:00.000Z"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_ORIGIN = re.compile(r"https?://[^/?#]+")
_PROTOCOL = "HTTP/1.1"

ReadBody = Callable[[FileBody], bytes]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What an entry of a HAR is made of: an exchange or an interaction, with the facts that HAR has no place for."""

    request: Request
    response: Response | None
    started: str
    first_byte: float
    took: float
    facts: dict[str, Any]
    status: int = 0
    error: str = ""


def har_of(
    exchanges: Iterable[Entry | Interaction],
    version: str,
    *,
    origin: str = UNKNOWN_ORIGIN,
    head: Head | None = None,
    read_body: ReadBody | None = None,
) -> dict[str, Any]:
    """The HAR of exchanges or interactions, to be written as JSON.

    `version` is replayproxy's own; `origin` is put before the targets; `head` is the cassette's that the interactions
    are from. `read_body` gives the content of bodies that lie in files; without it they are left out and told.
    """
    entries = [_entry(_shown(each), origin, read_body) for each in exchanges]
    log: dict[str, Any] = {
        "version": "1.2",
        "creator": {"name": "replayproxy", "version": version},
        "entries": entries,
    }
    if head is not None:
        log["_replayproxy"] = _known(
            upstream=head.upstream, recorded=head.recorded, by=head.by, redaction=head.redaction
        )
    return {"log": log}


def origin_of(upstream: str) -> str:
    """The origin in a URL; `UNKNOWN_ORIGIN` for what is none (`emulator`, nothing)."""
    found = _ORIGIN.match(upstream)
    return found[0] if found else UNKNOWN_ORIGIN


# --- what there is to show


def _shown(exchange: Entry | Interaction) -> _Shown:
    return _of_entry(exchange) if isinstance(exchange, Entry) else _of_interaction(exchange)


def _of_interaction(interaction: Interaction) -> _Shown:
    failing = {name: _plain(value) for name, value in write_failing(interaction).items()}
    facts = _known(
        recorded=interaction.recorded,
        first_byte=interaction.first_byte,
        took=interaction.took,
        operation=interaction.operation,
        family=interaction.family,
        answered_by="validator" if interaction.validator else "",
        problems=_problems(interaction.problems),
    )
    response = interaction.response
    times = interaction.first_byte, interaction.took
    return _Shown(interaction.request, response, interaction.recorded, *times, facts | failing, response.status)


def _of_entry(entry: Entry) -> _Shown:
    facts = _known(
        number=entry.number,
        session=entry.session,
        outcome=entry.outcome,
        recorded=entry.arrived,
        first_byte=entry.first_byte,
        took=entry.seconds,
        operation=entry.operation,
        family=entry.family,
        interaction=entry.interaction,
        cassette=entry.cassette,
        note=entry.note,
        cut=entry.cut,
        problems=_problems(entry.problems),
    )
    error = "" if entry.response is not None else entry.note or entry.outcome
    times = entry.first_byte, entry.seconds
    return _Shown(entry.request, entry.response, entry.arrived, *times, facts, entry.status, error)


def _problems(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [problem_fields(problem) for problem in problems]


def _known(**facts: Any) -> dict[str, Any]:
    return {name: fact for name, fact in facts.items() if fact}


def _plain(value: Any) -> Any:
    """A value of a cassette's document as plain JSON."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return float(value) if isinstance(value, Number) else value


# --- entries


def _entry(shown: _Shown, origin: str, read_body: ReadBody | None) -> dict[str, Any]:
    wait, receive = shown.first_byte * 1000, max(shown.took - shown.first_byte, 0.0) * 1000
    response, facts = shown.response, dict(shown.facts)
    request = _request(shown.request, origin, read_body, facts)
    answer = _no_answer(shown) if response is None else _response(response, read_body, facts)
    streams = response is not None and media_type(response.headers).essence == "text/event-stream"
    return {
        "startedDateTime": shown.started if _INSTANT.fullmatch(shown.started) else _EPOCH,
        "time": wait + receive,
        "request": request,
        "response": answer,
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": wait, "receive": receive},
        "_resourceType": "eventsource" if streams else "fetch",
        "_replayproxy": facts,
    }


def _request(request: Request, origin: str, read_body: ReadBody | None, facts: dict[str, Any]) -> dict[str, Any]:
    url = url_of(origin, request.target)
    if url != origin + request.target:
        facts["target"] = base64_of(encode(request.target))
    body = _content(request.body, read_body)
    found: dict[str, Any] = {
        "method": request.method,
        "url": url,
        "httpVersion": _PROTOCOL,
        "cookies": cookie_rows(request.headers.all("cookie")),
        "headers": header_rows(request.headers),
        "queryString": field_rows(encode(request.query)),
        "headersSize": -1,
        "bodySize": body_length(request.body),
    }
    if body is None:
        facts["request_file"] = _file(request.body)
    elif body:
        found["postData"] = _post_data(request.headers, body)
    return found


def _response(response: Response, read_body: ReadBody | None, facts: dict[str, Any]) -> dict[str, Any]:
    if response.coding:
        facts["coding"] = response.coding
    if response.chunks:
        facts["chunks"] = [[chunk.at, chunk.size] for chunk in response.chunks]
    if plain(response.reason) != response.reason:
        facts["reason"] = base64_of(encode(response.reason))
    body = _content(response.body, read_body)
    content: dict[str, Any] = {
        "size": body_length(response.body),
        "mimeType": plain(response.headers.get("content-type") or ""),
    }
    if body is None:
        facts["response_file"] = _file(response.body)
    elif body:
        text = text_of(body)
        content |= {"text": base64_of(body), "encoding": "base64"} if text is None else {"text": text}
    return {
        "status": response.status,
        "statusText": plain(response.reason),
        "httpVersion": _PROTOCOL,
        "cookies": [set_cookie_row(value) for value in response.headers.all("set-cookie")],
        "headers": header_rows(response.headers),
        "content": content,
        "redirectURL": plain(response.headers.get("location") or ""),
        "headersSize": -1,
        "bodySize": -1 if response.coding else body_length(response.body),
    }


def _no_answer(shown: _Shown) -> dict[str, Any]:
    return {
        "status": shown.status,
        "statusText": "",
        "httpVersion": _PROTOCOL,
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
        "_error": plain(shown.error),
    }


def _post_data(headers: Headers, body: bytes) -> dict[str, Any]:
    media, text = media_type(headers), text_of(body)
    found: dict[str, Any] = {"mimeType": plain(headers.get("content-type") or "")}
    if text is None:
        found |= {"text": base64_of(body), "_encoding": "base64", "comment": "the text is base64: it is no UTF-8"}
    else:
        found["text"] = text
    parts = parse_multipart(headers, body)
    if media.is_form or parts:
        found["params"] = field_rows(body) if media.is_form else [_param(part) for part in parts or ()]
    return found


def _param(part: Part) -> dict[str, Any]:
    text = text_of(part.content) if part.filename is None else None
    media = part.headers.get("content-type")
    found = {"name": plain(part.name or ""), "value": text}
    found |= {"fileName": plain(part.filename) if part.filename is not None else None}
    found |= {"contentType": plain(media) if media is not None else None}
    return {name: value for name, value in found.items() if value is not None}


# --- pieces


def _content(body: Body, read_body: ReadBody | None) -> bytes | None:
    if isinstance(body, FileBody):
        return None if read_body is None else read_body(body)
    return body


def _file(body: Body) -> dict[str, Any]:
    return {"name": body.name, "size": body.size} if isinstance(body, FileBody) else {}
