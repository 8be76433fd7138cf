"""What differs between two exchanges, as it is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from replayproxy.core.comparing import CHANGES_LIMIT, VALUE_LIMIT, Change, compared, shown_sides
from replayproxy.core.differences import ABSENT
from replayproxy.core.messages import FileBody, Headers, Request, Response
from tests.builders import JSON, request, response

_STREAM = Headers.of(("content-type", "text/event-stream; charset=utf-8"))
_TEXT = Headers.of(("content-type", "text/plain"))


def _requests(left: Request, right: Request) -> tuple[Change, ...]:
    return compared((left, None), (right, None)).request


def _answers(left: Response | None, right: Response | None) -> tuple[Change, ...]:
    return compared((request(), left), (request(), right)).response


def test_equal_exchanges_have_no_differences() -> None:
    """Nor is there more to tell."""
    found = compared((request(body={"a": 1}), response()), (request(body={"a": 1.0}), response()))
    assert (found.request, found.response, found.more) == ((), (), False)


def test_requests_differ_in_the_order_in_which_people_read_them() -> None:
    """Method, path, query, headers, body; what matching does not look at says so."""
    left = request("POST", "/v1/a?x=1", {"a": "b"}, JSON.plus(("User-Agent", "one"), ("OpenAI-Beta", "assistants=v2")))
    right = request("PUT", "/v1/b?x=2", {"a": None}, JSON.plus(("user-agent", "two")))
    assert _requests(left, right) == (
        Change("method", '"POST"', '"PUT"'),
        Change("path", '"/v1/a"', '"/v1/b"'),
        Change("query.x", '"1"', '"2"'),
        Change("header.user-agent", '"one"', '"two"', counted=False),
        Change("header.openai-beta", '"assistants=v2"', None),
        Change("body.a", '"b"', "null"),
    )


def test_a_charset_is_shown_and_does_not_count() -> None:
    """Matching looks at the main type of the content type alone."""
    left, right = (request(headers=Headers.of(("content-type", f"application/json{more}"))) for more in ("", "; a=b"))
    assert [(each.path, each.counted) for each in _requests(left, right)] == [("header.content-type", False)]


def test_very_many_differences_are_not_all_told() -> None:
    """That there are more is told."""
    left, right = (request(body=[sign * at for at in range(1, 200)]) for sign in (1, -1))
    found = compared((left, None), (right, None))
    assert len(found.request) == 100
    assert found.more


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        pytest.param(None, None, (), id="none"),
        pytest.param(response(), None, (Change("status", "200", None),), id="gone"),
        pytest.param(None, response(404), (Change("status", None, "404"),), id="come"),
        pytest.param(response(200), response(404), (Change("status", "200", "404"),), id="status"),
        pytest.param(
            response(headers=Headers.of(("Date", "a"), ("X-A", "1"))),
            response(headers=Headers.of(("date", "b"), ("x-a", "1"), ("x-a", "2"))),
            (
                Change("header.date", '"a"', '"b"', volatile=True),
                Change("header.x-a", '"1"', '["1", "2"]'),
            ),
            id="headers",
        ),
        pytest.param(
            response(body={"a": [1, 2]}),
            response(body={"a": [1], "b": {"c": "ü"}}),
            (Change("body.a[1]", "2", None), Change("body.b", None, '{"c": "ü"}')),
            id="json",
        ),
        pytest.param(
            response(body=b"one", headers=_TEXT),
            response(body=b"two", headers=_TEXT),
            (Change("body", '"one"', '"two"'),),
            id="text",
        ),
        pytest.param(
            response(body=b"\xff\x00", headers=_TEXT),
            Response(200, "", _TEXT, FileBody("f.bin", 9, "d")),
            (Change("body", '{"size": 2, "hex": "ff 00"}', '{"file": "f.bin", "size": 9}'),),
            id="bytes",
        ),
    ],
)
def test_answers_differ_by_status_headers_and_body(
    left: Response | None, right: Response | None, expected: tuple[Change, ...]
) -> None:
    """Each place once, both sides as JSON text."""
    assert _answers(left, right) == expected


def test_event_streams_are_compared_event_by_event() -> None:
    """By name, id and data, the data as JSON where it is; comments by their text."""
    left = b': hi\n\nevent: a\ndata: {"n": 1, "m": 2}\n\ndata: [DONE]\n\nid: 7\ndata: x\n\nretry: 5\ndata: y\n\n'
    right = b': ho\n\nevent: a\ndata: {"n": 3, "m": 2}\n\ndata: [DONE]\n\nid: 8\ndata: x\n\n'
    assert _answers(response(body=left, headers=_STREAM), response(body=right, headers=_STREAM)) == (
        Change("body.events[0].raw", '": hi\\n\\n"', '": ho\\n\\n"'),
        Change("body.events[1].data.n", "1", "3"),
        Change("body.events[3].id", '"7"', '"8"'),
        Change("body.events[4]", '{"retry": 5, "data": "y"}', None),
    )
    assert _answers(response(body=right, headers=_STREAM), response(body=left, headers=_STREAM))[-1].left is None


def test_very_many_differences_of_answers_are_not_all_told() -> None:
    """That there are more is told."""
    left, right = (response(body=[sign * at for at in range(1, 1000)]) for sign in (1, -1))
    found = compared((request(), left), (request(), right))
    assert len(found.response) == CHANGES_LIMIT
    assert found.more


def test_a_long_value_is_cut_to_where_it_differs() -> None:
    """Some of what both have in common stays, and a mark stands where something is left out."""
    left, right = shown_sides("a" * 9000 + "left" + "b" * 9000, "a" * 9000 + "right")
    assert left is not None
    assert right is not None
    assert (len(left), left[0], left[-1]) == (VALUE_LIMIT + 2, "…", "…")
    assert "aaaleft" in left
    assert right == f'…{"a" * 200}right"'


@pytest.mark.parametrize(("left", "right"), [(ABSENT, "b" * 9000), ("b" * 9000, ABSENT)])
def test_a_long_value_with_nothing_to_compare_is_cut_at_its_end(left: Any, right: Any) -> None:
    """Its beginning is shown."""
    told = [each for each in shown_sides(left, right) if each is not None]
    assert told == [f'"{"b" * (VALUE_LIMIT - 1)}…']


def test_bytes_that_are_no_text_can_be_shown_as_json() -> None:
    """A lone surrogate becomes an escape that JSON's readers take."""
    left, right = shown_sides("\udc80", ("\udc80", "a"))
    assert (left, right) == ('"\\udc80"', '["\\udc80", "a"]')
    assert json.loads(left or "") == "\udc80"
