"""Changes to a document by an overlay."""

from __future__ import annotations

from typing import Any

import pytest

from replayproxy.core.openapi.overlay import apply
from replayproxy.errors import ConfigError


def root() -> dict[str, Any]:
    """A document to change."""
    return {"a": {"b": {"c": 1, "l": [1, 2]}, "d": "x"}, "list": [{"n": 1}, {"n": 2}, {"n": 3}, "text"]}


def changed(*actions: Any) -> dict[str, Any]:
    """The document after `actions`."""
    document = root()
    apply(document, {"overlay": "1.0.0", "actions": list(actions)})
    return document


@pytest.mark.parametrize(
    ("action", "path", "expected"),
    [
        (
            {"target": "$.a", "update": {"b": {"c": 2, "e": None}}},
            "a",
            {"b": {"c": 2, "l": [1, 2], "e": None}, "d": "x"},
        ),
        ({"target": "$.a", "update": {"b": False}}, "a", {"b": False, "d": "x"}),
        ({"target": "$.a", "update": {"b": {"l": [3]}}}, "a", {"b": {"c": 1, "l": [1, 2, 3]}, "d": "x"}),
        ({"target": "$.a.b.l", "update": 3}, "a", {"b": {"c": 1, "l": [1, 2, 3]}, "d": "x"}),
        ({"target": "$.a.d", "update": "y"}, "a", {"b": {"c": 1, "l": [1, 2]}, "d": "y"}),
        ({"target": "$.a.d", "update": ["y"]}, "a", {"b": {"c": 1, "l": [1, 2]}, "d": ["y"]}),
        ({"target": "$['a','a'].b", "remove": True, "update": {}}, "a", {"d": "x"}),
        ({"target": "$", "update": {"x": 1}}, "x", 1),
        (
            {"target": "$.list[?@.n > 1]", "update": {"m": 0}},
            "list",
            [{"n": 1}, {"n": 2, "m": 0}, {"n": 3, "m": 0}, "text"],
        ),
        ({"target": "$.list[?@.n > 1]", "remove": True}, "list", [{"n": 1}, "text"]),
        ({"target": "$.list[::2]", "remove": True}, "list", [{"n": 2}, "text"]),
        ({"target": "$.list..*", "remove": True}, "list", []),
        ({"target": "$.list[?@ == 'text']", "update": "more"}, "list", [{"n": 1}, {"n": 2}, {"n": 3}, "more"]),
    ],
)
def test_an_action_changes_what_its_target_selects(action: dict[str, Any], path: str, expected: object) -> None:
    """Objects are merged, lists added to, other values replaced, and anything can be removed."""
    assert changed(action)[path] == expected


def test_actions_come_after_one_another_and_share_nothing() -> None:
    """A later action sees what an earlier one did, and changes it in one place alone."""
    document = changed(
        {"target": "$.list[0,1]", "update": {"new": {"of": [1]}}},
        {"target": "$.list[0].new.of", "update": 2},
    )
    assert document["list"][:2] == [{"n": 1, "new": {"of": [1, 2]}}, {"n": 2, "new": {"of": [1]}}]


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ({"target": "$.nothing", "update": {}}, "overlay#/actions/0: the target '$.nothing' is not in the document"),
        ({"target": "a b", "update": {}}, "overlay#/actions/0: the target 'a b' is no JSONPath"),
        ({"target": "$.a"}, "overlay#/actions/0: an action has an `update`, or `remove: true`"),
        ({"update": {}}, "overlay#/actions/0: an action is an object with a target"),
        ("x", "overlay#/actions/0: an action is an object with a target"),
        ({"target": "$", "remove": True}, "the document as a whole can be updated with an object, and no more"),
        ({"target": "$", "update": 1}, "the document as a whole can be updated with an object, and no more"),
    ],
)
def test_an_action_that_cannot_be_done_is_named(action: Any, told: str) -> None:
    """What an overlay means to correct but does not is an error."""
    with pytest.raises(ConfigError) as caught:
        changed(action)
    assert told in str(caught.value)


@pytest.mark.parametrize("overlay", [{}, {"overlay": "2.0.0", "actions": []}, {"overlay": "1.0.0", "actions": {}}])
def test_what_is_no_overlay_is_told(overlay: dict[str, Any]) -> None:
    """An overlay says its version and has a list of actions."""
    with pytest.raises(ConfigError, match="This is no overlay"):
        apply({}, overlay)
