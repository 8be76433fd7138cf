"""How two cassettes differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replayproxy.core.cassette import Interaction
from replayproxy.core.cassette_diff import Change, changes, interaction_differences
from replayproxy.core.differences import ABSENT, Difference
from replayproxy.core.fault_kinds import Delay, Fault
from replayproxy.core.messages import Chunk, FileBody, Headers
from replayproxy.core.problem import Problem
from tests.builders import JSON, interaction, request, response

EVENTS = Headers.of(("content-type", "text/event-stream"))
MULTIPART = "--{0}\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--{0}--\r\n"


def poll(number: int) -> Interaction:
    """The same request with another answer each time."""
    return interaction(request("GET", "/v1/runs/r"), response(body={"status": number}))


def said(text: str) -> Interaction:
    """A request that says something."""
    return interaction(request(body={"content": text}), response(body={"id": "m"}))


def upload(boundary: str) -> Interaction:
    """A form with another boundary each time."""
    headers = Headers.of(("Content-Type", f"multipart/form-data; boundary={boundary}"), ("Content-Length", "99"))
    return interaction(request(target="/v1/files", body=MULTIPART.format(boundary).encode(), headers=headers))


def differing(left: Interaction, right: Interaction, **more: bool) -> dict[str, tuple[object, object]]:
    """The values of both sides by path."""
    found = interaction_differences(left, right, **more)
    return {each.path: (each.recorded, each.received) for each in found}


class TestChanges:
    """Which interactions belong together."""

    def test_the_same_cassettes_have_no_changes(self) -> None:
        """Whatever volatile facts they have."""
        left = (poll(1), poll(2), said("a"))
        right = tuple(replace(each, recorded="2026-11-22T00:00:00Z", took=3.0) for each in left)
        assert changes(left, right) == ()
        assert [each.left for each in changes(left, right, volatile=True)] == [1, 2, 3]

    def test_equal_requests_belong_together_in_order(self) -> None:
        """One more poll is one that was added."""
        assert changes((poll(1), poll(2)), (poll(1), poll(2), poll(3))) == (Change(0, 3),)
        assert changes((poll(1), poll(2)), (poll(1), poll(9))) == (
            Change(2, 2, (Difference("response.body.status", 2, 9),)),
        )

    def test_a_changed_request_belongs_to_the_one_in_its_place(self) -> None:
        """Between the same neighbours, to the same path."""
        found = changes((poll(1), said("a"), poll(2)), (poll(1), said("b"), poll(2)))
        assert found == (Change(2, 2, (Difference("request.body.content", "a", "b"),)),)

    def test_what_has_no_counterpart_is_removed_or_added(self) -> None:
        """In the order of the cassettes."""
        other = interaction(request("DELETE", "/v1/x"))
        assert changes((other, poll(1)), (poll(1), said("a"))) == (Change(1, 0), Change(0, 2))
        assert changes((said("a"), poll(1)), (poll(1), said("b"))) == (Change(1, 0), Change(0, 2))
        assert changes((), (poll(1),)) == (Change(0, 1),)

    def test_another_order_is_no_change(self) -> None:
        """Requests at the same time arrive in any order."""
        assert changes((said("a"), poll(1)), (poll(1), said("a"))) == ()


@pytest.mark.parametrize(
    ("changed", "path", "values"),
    [
        (interaction(request("PUT")), "request.method", ("POST", "PUT")),
        (interaction(request(target="/v1/x")), "request.path", ("/v1/threads", "/v1/x")),
        (interaction(request(target="/v1/threads?a=1")), "request.query.a", (ABSENT, "1")),
        (interaction(request(headers=JSON.plus(("X", "1")))), "request.header.x", (ABSENT, "1")),
        (interaction(request(body={"a": 1})), "request.body", (ABSENT, b'{"a": 1}')),
        (interaction(answered=response(201)), "response.status", (200, 201)),
        (interaction(answered=replace(response(), reason="OK")), "response.reason", (ABSENT, "OK")),
        (interaction(answered=response(coding="gzip")), "response.coding", (ABSENT, "gzip")),
        (interaction(operation="createThread"), "operation", (ABSENT, "createThread")),
        (interaction(validator=True), "answered_by", (ABSENT, "validator")),
        (interaction(problems=(Problem("m", "p", "c"),)), "problems", (ABSENT, ("m",))),
        (interaction(fault=Fault("refused", of_upstream=True)), "fault", (ABSENT, "refused of upstream")),
        (interaction(request(target="/v1/thread%73")), "request.target", ("/v1/threads", "/v1/thread%73")),
        (
            interaction(request(headers=Headers.of(("content-type", "application/json")))),
            "request.headers",
            (("Content-Type: application/json",), ("content-type: application/json",)),
        ),
    ],
)
def test_what_differs_is_named_by_its_path(changed: Interaction, path: str, values: tuple[object, object]) -> None:
    """With the values of both sides."""
    assert differing(interaction(), changed) == {path: values}


def test_a_body_that_is_spelled_differently_is_told_as_a_whole() -> None:
    """It means the same and is sent otherwise."""
    left, right = (interaction(answered=response(body=body)) for body in (b'{"a":1}', b'{"a": 1}'))
    assert differing(left, right) == {"response.body": (b'{"a":1}', b'{"a": 1}')}


def test_large_bodies_differ_as_a_whole() -> None:
    """They are not looked into."""
    left, right = (interaction(answered=replace(response(), body=FileBody(name, 9, name))) for name in "ab")
    assert differing(left, right) == {"response.body": (FileBody("a", 9, "a"), FileBody("b", 9, "b"))}
    stream = interaction(answered=replace(response(headers=EVENTS), body=FileBody("a", 9, "a")))
    other = interaction(answered=response(headers=EVENTS, body=b"data: 1\n\n"))
    assert [*differing(stream, other)] == ["response.body"]


def test_streams_differ_event_by_event() -> None:
    """Data that is JSON by its paths, other data as text; events that are missing as they came."""
    old = b'event: a\ndata: {"x": {"y": 1}}\n\ndata: one\n\ndata: same\n\n'
    new = b'event: b\ndata: {"x": {"y": 2}}\n\ndata: two\n\ndata: same\n\ndata: [DONE]\n\n'
    left, right = (interaction(answered=response(headers=EVENTS, body=body)) for body in (old, new))
    assert differing(left, right) == {
        "response.body.events[0].event": ("a", "b"),
        "response.body.events[0].data.x.y": (1, 2),
        "response.body.events[1].data": ("one", "two"),
        "response.body.events[3]": (ABSENT, b"data: [DONE]\n\n"),
    }


def test_volatile_facts_count_when_they_are_asked_for() -> None:
    """When, how long, ids of requests, how an answer was cut up, and what somebody wrote into it."""
    left = interaction(answered=response(headers=JSON.plus(("x-request-id", "1")), body=b"12"))
    right = interaction(
        answered=response(headers=JSON.plus(("x-request-id", "2")), body=b"12", chunks=(Chunk(0.5, 2),)),
        recorded="2026-11-22T00:00:00Z",
        first_byte=0.5,
        took=1.0,
        fault=Fault("reset"),
        delay=Delay(1.0, 0.1),
    )
    assert differing(left, right) == {}
    assert differing(left, left, volatile=True) == {}
    assert differing(left, right, volatile=True) == {
        "recorded": (ABSENT, "2026-11-22T00:00:00Z"),
        "first_byte": (ABSENT, 0.5),
        "took": (ABSENT, 1.0),
        "fault": (ABSENT, "reset"),
        "delay": ({"first_byte": 0.0, "each_event": 0.0}, {"first_byte": 1.0, "each_event": 0.1}),
        "response.header.x-request-id": ("1", "2"),
        "response.chunks": ((), ((0.5, 2),)),
    }


def test_a_boundary_is_volatile() -> None:
    """Each multipart body has another one."""
    assert changes((upload("x"),), (upload("y"),)) == ()
    assert "request.header.content-type" in differing(upload("x"), upload("y"), volatile=True)
    assert [*differing(upload("x"), replace(upload("y"), operation="createFile"))] == ["operation"]
