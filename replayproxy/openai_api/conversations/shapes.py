"""JSON of any shape, read without trust: what is not there, or is of another type, is empty."""

from __future__ import annotations

from typing import Any

import orjson

from replayproxy.core.messages import Body

__all__ = ["LARGEST", "listed", "mapping", "number", "parsed", "shown", "text"]

#: A larger body is not looked into: it holds pictures or sound, and a conversation is what was said.
LARGEST = 1024 * 1024


def parsed(body: Body | str) -> Any:
    """The JSON of a body, None when it is none or is not looked into."""
    if not isinstance(body, bytes | str) or not body or len(body) > LARGEST:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def mapping(value: object, *path: str) -> dict[str, Any]:
    """The object that `path` leads to, an empty one when it leads to none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def listed(value: object, name: str) -> list[dict[str, Any]]:
    """The objects in the list of that name."""
    found = value.get(name) if isinstance(value, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def text(value: object, *names: str) -> str:
    """The first text that is not empty under one of these names."""
    if isinstance(value, dict):
        for name in names:
            found = value.get(name)
            if isinstance(found, str) and found:
                return found
    return ""


def number(value: object, name: str) -> float | None:
    """The number of that name, None when there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def shown(value: object) -> str:
    """A value as text: text as it is, nothing as nothing, anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None or value in ([], {}) else orjson.dumps(value).decode()
