"""Exchanges and interactions as the inspector's JSON has them: a summary for a row of a list, and the whole."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from replayproxy.core.accepting import accepting_rule
from replayproxy.core.cassette import Interaction
from replayproxy.core.journal import Entry, Glance, Missed
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Body, FileBody, Headers, Request, Response, body_length, encode, plain
from replayproxy.core.multipart import parse_multipart
from replayproxy.core.sse import parse
from replayproxy.openai_api.deltas import delta_of, folded
from replayproxy.openai_api.usage import Usage, model_of, usage_of
from replayproxy.proxy.admin_forms import problem_json

__all__ = [
    "Arrived",
    "Summaries",
    "arrived_events",
    "body_json",
    "detail",
    "detail_of_interaction",
    "message_text",
    "stream_json",
    "tokens_json",
]

#: So much of a body is shown in place; the rest is in the download.
BODY_SHOWN = 4 * 1024 * 1024
_NOTHING = Request("", "")


# --- summaries


class _Facts(NamedTuple):
    """What a summary tells of an answer."""

    received: int | None
    stream: bool
    model: str
    tokens: dict[str, int] | None


class Summaries:
    """Makes summaries, and remembers what recorded answers tell: the same one may answer ten thousand times."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[object, dict[int, _Facts]] = WeakKeyDictionary()

    def of(self, glance: Glance) -> dict[str, Any]:
        """The summary of an exchange."""
        facts = self._facts(glance)
        return {
            "number": glance.number,
            "session": glance.session,
            "arrived": glance.arrived,
            "method": plain(glance.method),
            "target": plain(glance.target),
            "operation": glance.operation or None,
            "family": glance.family or None,
            "outcome": glance.outcome,
            "status": glance.status,
            "interaction": glance.interaction or None,
            "cassette": plain(glance.cassette),
            "first_byte": glance.first_byte or None,
            "seconds": glance.seconds,
            "sent": glance.sent,
            "received": facts.received,
            "stream": facts.stream,
            "model": facts.model or None,
            "tokens": facts.tokens,
            "problems": glance.problems,
            "warnings": glance.warnings,
            "note": plain(glance.note),
        }

    def _facts(self, glance: Glance) -> _Facts:
        if glance.source is None:
            return _facts(glance.request or _NOTHING, glance.response())
        session, number = glance.source
        known = self._known.setdefault(session, {})
        found = known.get(number)
        if found is None:
            found = known[number] = _facts(glance.request or _NOTHING, glance.response())
        return found


def _facts(request: Request, response: Response | None) -> _Facts:
    if response is None:
        return _Facts(None, False, model_of(request, None), None)
    tokens = usage_of(response)
    stream = media_type(response.headers).essence == "text/event-stream"
    return _Facts(body_length(response.body), stream, model_of(request, response), tokens_json(tokens))


def tokens_json(usage: Usage | None) -> dict[str, int] | None:
    """A usage as JSON has it, with the total."""
    return usage.counts() if usage is not None else None


# --- the whole


def detail(entry: Entry, summary: dict[str, Any]) -> dict[str, Any]:
    """An exchange, whole; `summary` is its own."""
    return summary | {
        "note": plain(entry.note),
        "cassette": plain(entry.cassette),
        "problems": [problem_json(each) for each in entry.problems],
        "request": _request_json(entry.request),
        "response": _response_json(entry.response, cut=entry.cut),
        "miss": _miss_json(entry.miss, entry.cassette) if entry.miss is not None else None,
    }


def detail_of_interaction(interaction: Interaction, number: int, cassette: str) -> dict[str, Any]:
    """An interaction of a cassette in the form of an exchange: no session, and no outcome."""
    request, response = interaction.request, interaction.response
    facts = _facts(request, response)
    return {
        "number": number,
        "interaction": number,
        "line": interaction.line,
        "arrived": interaction.recorded,
        "method": plain(request.method),
        "target": plain(request.target),
        "operation": interaction.operation or None,
        "family": interaction.family or None,
        "status": response.status,
        "first_byte": interaction.first_byte or None,
        "seconds": interaction.took or None,
        "sent": body_length(request.body),
        "received": facts.received,
        "stream": facts.stream,
        "model": facts.model or None,
        "tokens": facts.tokens,
        "note": "",
        "cassette": plain(cassette),
        "fault": str(interaction.fault) if interaction.fault is not None else None,
        "problems": [problem_json(each) for each in interaction.problems],
        "request": _request_json(request),
        "response": _response_json(response, cut=False),
        "miss": None,
    }


def _request_json(request: Request) -> dict[str, Any]:
    return {
        "method": plain(request.method),
        "target": plain(request.target),
        "headers": _headers_json(request.headers),
        "body": body_json(request.headers, request.body),
    }


def _response_json(response: Response | None, *, cut: bool) -> dict[str, Any] | None:
    if response is None:
        return None
    told = {
        "status": response.status,
        "reason": plain(response.reason),
        "headers": _headers_json(response.headers),
        "coding": response.coding,
        "body": body_json(response.headers, response.body),
        "cut": cut,
        "events": None,
        "texts": [],
    }
    return told | stream_json(arrived_events(response))


def _miss_json(miss: Missed, cassette: str) -> dict[str, Any]:
    near = [
        {
            "interaction": each.interaction,
            "line": each.line,
            "differences": [
                {"path": plain(one.path), "recorded": one.recorded, "received": one.received}
                for one in each.differences
            ],
            "rule": accepting_rule([one.path for one in each.differences]) or None,
        }
        for each in miss.near
    ]
    return {"reason": miss.reason, "cassette": plain(cassette), "near": near}


# --- bodies


def body_json(headers: Headers, body: Body) -> dict[str, Any]:
    """A body: its `size` and `media` type, and as `text`, `base64` or the name of a `file`; a multipart one by `parts`
    as well."""
    media = media_type(headers)
    if isinstance(body, FileBody):
        return {"size": body.size, "media": plain(media.essence), "file": body.name}
    told: dict[str, Any] = {"size": len(body), "media": plain(media.essence)} | _content(body)
    parts = parse_multipart(headers, body) if media.is_multipart else None
    if parts is not None:
        told["parts"] = [
            {
                "name": part.name and plain(part.name),
                "filename": part.filename and plain(part.filename),
                "media": plain(media_type(part.headers).essence),
                "size": len(part.content),
                "headers": _headers_json(part.headers),
                **_content(part.content),
            }
            for part in parts
        ]
    return told


def _content(body: bytes) -> dict[str, Any]:
    shown = body[:BODY_SHOWN]
    cut: dict[str, Any] = {"truncated": True} if len(body) > len(shown) else {}
    if not shown:
        return cut
    try:
        return {"text": shown.decode()} | cut
    except UnicodeDecodeError as error:
        if cut and error.start > len(shown) - 4:  # the cut went through a character
            return {"text": shown[: error.start].decode()} | cut
        return {"base64": base64.b64encode(shown).decode()} | cut


def _headers_json(headers: Headers) -> list[list[str]]:
    return [[plain(name), plain(value)] for name, value in headers]


# --- streams


class Arrived(NamedTuple):
    """An event of a stream: when its last byte arrived, in seconds after the head (None: nobody knows), and what it
    says."""

    at: float | None
    event: str
    id: str | None
    data: str
    size: int


def arrived_events(response: Response) -> list[Arrived] | None:
    """The events of an answer that is an event stream, None for any other."""
    body = response.body
    if media_type(response.headers).essence != "text/event-stream" or isinstance(body, FileBody):
        return None
    times, offset, found = _times(response), 0, list[Arrived]()
    end, at = next(times, (0, None))
    for event in parse(body):
        offset += len(event.raw)
        while end < offset and (later := next(times, None)) is not None:
            end, at = later
        if event.dispatched:
            found.append(Arrived(at, event.event, event.id, event.data, len(event.raw)))
    return found


def _times(response: Response) -> Iterator[tuple[int, float | None]]:
    end = 0
    for chunk in response.chunks:
        end += chunk.size
        yield end, chunk.at


def stream_json(events: Iterable[Arrived] | None) -> dict[str, Any]:
    """The events of a stream and the texts that its deltas make, for the whole answer; nothing for one that is none."""
    if events is None:
        return {}
    events = list(events)
    told = []
    for event in events:
        deltas = delta_of(event.event, event.data)
        delta, kind = ("".join(each.text for each in deltas), deltas[0].kind) if deltas else (None, None)
        told.append(event._asdict() | {"delta": delta, "kind": kind})
    texts = [asdict(each) for each in folded((each.at, each.event, each.data) for each in events)]
    return {"events": told, "texts": texts}


# --- as text, for whoever searches


def message_text(message: Request | Response) -> str:
    """A message as text: its head lines, an empty line, its body."""
    if isinstance(message, Request):
        first = f"{message.method} {message.target}"
    else:
        first = f"{message.status} {message.reason}"
    lines = [first, *[f"{name}: {value}" for name, value in message.headers], "", ""]
    body = b"" if isinstance(message.body, FileBody) else message.body
    return encode("\n".join(lines)).decode("utf-8", "replace") + body.decode("utf-8", "replace")
