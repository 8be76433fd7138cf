"""Cassettes to measure with: so many interactions of a kind, written as a recording writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from traffic import GAP, HEADERS, KINDS, STREAM_EVENTS, Kind

from replayproxy.config import RedactSettings
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.codec import encode, encode_head
from replayproxy.core.messages import Chunk, Headers, Request, Response
from replayproxy.core.secrets.custom import redactor_for

__all__ = ["interactions", "write_cassette"]

_RECORDED = "2026-11-22T08:30:19.572Z"


def interactions(kind: Kind, count: int) -> Iterator[Interaction]:
    """The interactions 0 to `count` - 1 of a kind, redacted."""
    redactor = redactor_for(RedactSettings(), {})
    headers = redactor.request(Request("POST", "/", Headers(HEADERS))).headers
    answered = Headers.of(
        ("Content-Type", "text/event-stream" if kind is KINDS["stream"] else "application/json"),
        ("Date", "Sun, 22 Nov 2026 08:30:19 GMT"),
        ("openai-version", "2020-10-01"),
        ("x-request-id", "req_abc123"),
    )
    plain = Interaction(
        Request(kind.method, kind.target(0), headers),
        Response(200, "OK", answered),
        kind.operation,
        _RECORDED,
        0.05,
        0.05,
        family=kind.family,
    )
    return (_numbered(plain, kind, number) for number in range(count))


def _numbered(plain: Interaction, kind: Kind, number: int) -> Interaction:
    body, answer = kind.body(number, 0), kind.answer(number)
    request = replace(plain.request, target=kind.target(number), body=body)
    if body:
        request = replace(request, headers=request.headers.plus(("Content-Length", str(len(body)))))
    if kind is KINDS["stream"]:
        response = replace(plain.response, body=answer, chunks=_chunks(answer))
        return replace(plain, request=request, response=response, took=0.05 + STREAM_EVENTS * GAP)
    headers = plain.response.headers.plus(("Content-Length", str(len(answer))))
    return replace(plain, request=request, response=replace(plain.response, headers=headers, body=answer))


def _chunks(answer: bytes) -> tuple[Chunk, ...]:
    """An event each, `GAP` seconds apart; the end mark comes with the last."""
    sizes = [len(part) + 2 for part in answer.split(b"\n\n")[:-1]]
    *first, last, mark = sizes
    return tuple(Chunk(round(number * GAP, 3), size) for number, size in enumerate((*first, last + mark)))


def write_cassette(path: Path, kind: Kind, count: int) -> Path:
    """Writes a cassette of so many interactions, under today's redaction rules."""
    digest = redactor_for(RedactSettings(), {}).digest
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(encode_head(Head("http://127.0.0.1", _RECORDED, "replayproxy benchmarks", digest)))
        for number, interaction in enumerate(interactions(kind, count), 1):
            file.write(encode(interaction, number).text)
    return path
