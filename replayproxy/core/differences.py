"""Differences between two requests, each with the path of what differs.

A path is what a person reads in a miss report and writes in a rule: `method`, `path`, `query.NAME`, `header.NAME`,
`body.messages[3].content`, `body.FIELD`, `body.parts[0].filename`, or `body` as a whole. A name with characters other
than letters, digits, `_` and `-` stands in brackets, quoted as a Python string: `body.metadata['a.b']`.

`core/rule_paths.py` reads every such path, and a rule that ignores it (`path`: masks it) takes the difference away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from replayproxy.core.bodies import Parsed, Part, media_type, plain_number
from replayproxy.core.messages import Body
from replayproxy.core.readings import HOLE, HOLE_PART

__all__ = [
    "ABSENT",
    "Absent",
    "Difference",
    "body_differences",
    "field_differences",
    "index_path",
    "json_differences",
    "name_path",
]

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "<absent>"


#: Stands for a side that is not there; None is JSON's null.
ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a received request differs from a recorded one.

    The values are plain: text, JSON values, bytes, a `FileBody`, a tuple of text where a name repeats, a mapping of
    `name`, `filename`, `content-type` and `size` for a whole part; `ABSENT` for a missing side.
    """

    path: str
    recorded: object
    received: object


def name_path(path: str, name: str) -> str:
    """The path of `name` inside `path`."""
    if _PLAIN_NAME.fullmatch(name):
        return f"{path}.{name}"
    # A double quote inside makes repr() choose single quotes outside, whatever else the name holds. What would end a
    # plain scalar of YAML is escaped, so that the path can be pasted into a config file.
    quoted = repr(chr(34) + name)[2:].replace(": ", ":\\x20").replace(" #", "\\x20#")
    return f"{path}['{quoted}]"


def index_path(path: str, index: int) -> str:
    """The path of an item inside a list, counted from 0."""
    return f"{path}[{index}]"


def field_differences(
    path: str, recorded: Iterable[tuple[str, str]], received: Iterable[tuple[str, str]]
) -> Iterator[Difference]:
    """The names whose values differ; between different names the order does not count, within one it does."""
    old, new = _grouped(recorded), _grouped(received)
    for name in old | new:
        if old.get(name) != new.get(name):
            yield Difference(name_path(path, name), _values(old.get(name)), _values(new.get(name)))


def body_differences(recorded: tuple[Parsed, Body], received: tuple[Parsed, Body]) -> Iterator[Difference]:
    """How two bodies differ, each given as its structure and as it came; at least one when their forms differ."""
    (old, old_body), (new, new_body) = recorded, received
    if old.kind != new.kind or old.kind in ("bytes", "digest"):
        yield Difference("body", old_body or ABSENT, new_body or ABSENT)
    elif old.kind == "json":
        yield from json_differences("body", old.value, new.value)
    elif old.kind == "form":
        yield from field_differences("body", old.value, new.value)
    else:
        yield from _parts_differences(old.value, new.value)


def json_differences(path: str, recorded: Any, received: Any) -> Iterator[Difference]:
    """How two JSON values at `path` differ; either may be `ABSENT`."""
    if isinstance(recorded, dict) and isinstance(received, dict):
        for name in recorded | received:
            inside = recorded.get(name, ABSENT), received.get(name, ABSENT)
            yield from json_differences(name_path(path, name), *inside)
    elif isinstance(recorded, list) and isinstance(received, list):
        for index in range(max(len(recorded), len(received))):
            yield from json_differences(index_path(path, index), _item(recorded, index), _item(received, index))
    elif not (_same(recorded, received) or _ignored(recorded, received)):
        yield Difference(path, recorded, received)


def _ignored(one: object, other: object) -> bool:
    """Whether one of two items is ignored and the other not there: to be there is ignored with the item."""
    return (one is HOLE and other is ABSENT) or (one is ABSENT and other is HOLE)


def _same(one: object, other: object) -> bool:
    if isinstance(one, float):
        one = plain_number(one)
    if isinstance(other, float):
        other = plain_number(other)
    return type(one) is type(other) and one == other


def _item(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else ABSENT


def _parts_differences(recorded: tuple[Part, ...], received: tuple[Part, ...]) -> Iterator[Difference]:
    for index in range(max(len(recorded), len(received))):
        path = index_path("body.parts", index)
        old = recorded[index] if index < len(recorded) else None
        new = received[index] if index < len(received) else None
        if old is not None and new is not None:
            yield from _part_differences(path, _facts(old), _facts(new))
        elif old is not HOLE_PART and new is not HOLE_PART:
            yield Difference(path, _summary(old), _summary(new))


def _part_differences(path: str, recorded: dict[str, object], received: dict[str, object]) -> Iterator[Difference]:
    for name, old in recorded.items():
        if old != received[name]:
            yield Difference(name_path(path, name), old, received[name])


def _facts(part: Part) -> dict[str, object]:
    return {
        "name": ABSENT if part.name is None else part.name,
        "filename": ABSENT if part.filename is None else part.filename,
        "content-type": media_type(part.headers).essence or ABSENT,
        "content": part.content,
    }


def _summary(part: Part | None) -> object:
    if part is None:
        return ABSENT
    told = {name: value for name, value in _facts(part).items() if value is not ABSENT and name != "content"}
    return {**told, "size": len(part.content)}


def _grouped(fields: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found


def _values(values: list[str] | None) -> object:
    if values is None:
        return ABSENT
    return values[0] if len(values) == 1 else tuple(values)
