"""Interactions, and when two of them are the same exchange."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from replayproxy.core.cassette import (
    VOLATILE_HEADERS,
    VOLATILE_REQUEST_HEADERS,
    Interaction,
    exchange_key,
    same_exchange,
)
from replayproxy.core.fault_kinds import Delay, Fault
from replayproxy.core.messages import Chunk, FileBody, Headers, Request, Response
from replayproxy.core.problem import Problem

ONE = Interaction(
    Request("POST", "/v1/x", Headers.of(("a", "b")), b"asked"),
    Response(200, "OK", Headers.of(("Date", "then"), ("c", "d")), b"answered", "gzip", (Chunk(0.0, 8),)),
    operation="op",
    recorded="then",
    first_byte=1.0,
    took=2.0,
)


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, recorded="now", first_byte=0.0, took=0.0, line=5, text="x"),
        replace(ONE, response=replace(ONE.response, headers=Headers.of(("date", "now"), ("c", "d")), chunks=())),
        replace(ONE, fault=Fault("reset", times=1), delay=Delay(1.0)),
        replace(ONE, response=replace(ONE.response, headers=Headers.of(("c", "d"), ("X-Request-Id", "r")))),
        replace(ONE, request=replace(ONE.request, headers=Headers.of(("a", "b"), ("Traceparent", "00-1-2-00")))),
        replace(ONE, request=replace(ONE.request, headers=Headers.of(("X-Client-Request-Id", "r"), ("a", "b")))),
    ],
)
def test_volatile_facts_do_not_make_another_exchange(other: Interaction) -> None:
    """When, how long, how an answer was cut up, which call of which trace it was, and what a hand wrote into it."""
    assert same_exchange(ONE, other)
    assert exchange_key(ONE) == exchange_key(other)


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, request=replace(ONE.request, body=b"")),
        replace(ONE, request=replace(ONE.request, headers=Headers.of(("date", "then")))),
        replace(ONE, response=replace(ONE.response, body=b"other")),
        replace(ONE, response=replace(ONE.response, coding="")),
        replace(ONE, response=replace(ONE.response, status=201)),
        replace(ONE, problems=(Problem("x"),)),
        replace(ONE, validator=True),
        replace(ONE, fault=Fault("truncate")),
        replace(ONE, fault=Fault("timeout", of_upstream=True)),
        replace(ONE, request=replace(ONE.request, target="/\udcff")),
    ],
)
def test_everything_else_does(other: Interaction) -> None:
    """A byte, a header, a status, a problem."""
    assert not same_exchange(ONE, other)
    assert exchange_key(ONE) != exchange_key(other)


def test_a_body_in_a_file_counts_by_its_content() -> None:
    """Its name is its content's digest, so the key is the one of the same bytes in memory."""
    digest = sha256(b"answered").hexdigest()
    kept = replace(ONE, response=replace(ONE.response, body=FileBody(f"{digest[:32]}.txt", 8, "any")))
    assert exchange_key(kept) == exchange_key(ONE)


def test_volatile_headers_are_lower_case() -> None:
    """They are compared without regard to case."""
    assert all(name == name.lower() for name in VOLATILE_HEADERS | VOLATILE_REQUEST_HEADERS)


def upload(boundary: str, content: str = "text") -> Interaction:
    """A multipart request with a boundary."""
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\n{content}\r\n--{boundary}--\r\n'
    headers = Headers.of(("Content-Type", f"multipart/form-data; boundary={boundary}"), ("Content-Length", "1"))
    return Interaction(Request("POST", "/v1/files", headers, body.encode()), Response(200))


def test_the_boundary_of_a_multipart_body_does_not_count() -> None:
    """Clients make another one each time; the parts count, in memory and in files."""
    assert same_exchange(upload("a1"), upload("b22"))
    assert exchange_key(upload("a1")) == exchange_key(upload("b22"))
    assert not same_exchange(upload("a"), upload("a", "other"))
    large = [
        replace(each, request=replace(each.request, body=FileBody(name, 9, "d")))
        for each, name in ((upload("a1"), "one.bin"), (upload("b22"), "other.bin"))
    ]
    assert same_exchange(*large)
    assert exchange_key(large[0]) == exchange_key(large[1])
    changed = replace(large[0], request=replace(large[0].request, body=FileBody("one.bin", 9, "e")))
    assert exchange_key(changed) != exchange_key(large[0])
