"""Event streams, from the schema of their events."""

from __future__ import annotations

from typing import Any

import pytest

from replayproxy.core.openapi.merging import Merger
from replayproxy.core.openapi.streams import events_of

NAMED: dict[str, Any] = {
    "Thread": {"type": "object", "properties": {"id": {"type": "string"}}},
    "Created": {"properties": {"event": {"enum": ["created"]}, "data": {"$ref": "Thread"}}},
    "Done": {"properties": {"event": {"const": "done"}, "data": {"enum": ["[DONE]"]}}},
    "Other": {"properties": {"event": {"const": "created"}, "data": {"type": "null"}}},
    "All": {"anyOf": [{"$ref": "Created"}, {"anyOf": [{"$ref": "Done"}, {"$ref": "Other"}]}]},
    "Delta": {"properties": {"type": {"enum": ["delta"]}}},
    "Ends": {"properties": {"type": {"enum": ["end", "error", 1]}}},
    "Loop": {"anyOf": [{"$ref": "Loop"}, {"type": "string"}]},
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            {"$ref": "All"},
            {"key": "event", "events": {"created": {"anyOf": [{"$ref": "Thread"}, {"type": "null"}]}}, "done": True},
        ),
        ({"$ref": "Created"}, {"key": "event", "events": {"created": {"$ref": "Thread"}}}),
        (
            {"anyOf": [{"$ref": "Delta"}, {"$ref": "Ends"}]},
            {"key": "type", "events": {"delta": {"$ref": "Delta"}, "end": {"$ref": "Ends"}, "error": {"$ref": "Ends"}}},
        ),
        ({"$ref": "Thread"}, {"key": "", "events": {"": {"$ref": "Thread"}}}),
        (
            {"anyOf": [{"$ref": "Thread"}, {"$ref": "Delta"}]},
            {"key": "", "events": {"": {"anyOf": [{"$ref": "Thread"}, {"$ref": "Delta"}]}}},
        ),
        ({"type": "string"}, {"key": "", "events": {"": {}}}),
        ({}, {"key": "", "events": {"": {}}}),
        ({"$ref": "Loop"}, {"key": "", "events": {"": {}}}),
    ],
)
def test_the_names_of_events_come_from_the_branches(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """A const `event` beside `data`, or a const `type`, names an event; a text says nothing of the data."""
    assert events_of(schema, Merger(NAMED.get)) == expected
