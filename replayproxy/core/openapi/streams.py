"""What an operation's event stream is made of.

The names of events are the consts of the branches of one schema: `event` beside `data` (the name stands on the event
line, the data is what `data` says), or `type` (the name stands in the data). A schema without such names is that of
every event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from replayproxy.core.openapi.merging import Merger, Schema, union

__all__ = ["events_of"]

_DONE = "[DONE]"
_DEEPEST = 20


def events_of(schema: Schema, merger: Merger) -> dict[str, Any]:
    """`key` and `events`, and `done` when an event of `schema` is the marker of the end."""
    leaves = list(_leaves(schema, merger, 0))
    for key in ("event", "type"):
        named = [_named(leaf, key, merger) for leaf in leaves]
        if leaves and all(named):
            return _facts(key, [each for names in named for each in names])
    return {"key": "", "events": {"": schema if _is_object(schema, merger) else {}}}


def _facts(key: str, named: list[tuple[str, Schema]]) -> dict[str, Any]:
    events: dict[str, list[Schema]] = {}
    done = False
    for name, data in named:
        if _DONE in _consts(data):
            done = True
        else:
            events.setdefault(name, []).append(data)
    facts = {"key": key, "events": {name: union(schemas) for name, schemas in events.items()}}
    return {**facts, "done": True} if done else facts


def _named(leaf: Schema, key: str, merger: Merger) -> list[tuple[str, Schema]]:
    """The names that the event `leaf` may have, each with the schema of its data."""
    properties = (merger.opened(leaf) or {}).get("properties", {})
    if key == "event" and "data" not in properties:
        return []
    data = properties["data"] if key == "event" else leaf
    return [(name, data) for name in _consts(properties.get(key, {})) if isinstance(name, str)]


def _leaves(schema: Schema, merger: Merger, depth: int) -> Iterator[Schema]:
    opened = merger.opened(schema)
    if opened is not None and opened.keys() == {"anyOf"} and depth < _DEEPEST:
        for branch in opened["anyOf"]:
            yield from _leaves(branch, merger, depth + 1)
    else:
        yield schema


def _consts(schema: Mapping[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _is_object(schema: Schema, merger: Merger) -> bool:
    return any("properties" in (merger.opened(leaf) or {}) for leaf in _leaves(schema, merger, 0))
