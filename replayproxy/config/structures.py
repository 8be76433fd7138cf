"""Kinds of value that consist of others: lists, and mappings whose names are the user's own.

Rule: all that is wrong inside is told at once, each with its own place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from replayproxy.config.nodes import Node, unfit
from replayproxy.config.values import Kind
from replayproxy.errors import ConfigError

__all__ = ["gathered", "list_of", "mapping_of"]

_T = TypeVar("_T")
_Given = TypeVar("_Given")


def gathered(read: Callable[[_Given], _T], given: Iterable[_Given]) -> tuple[_T, ...]:
    """What `read` makes of each of `given`; raises one ConfigError with the lines of all that fail."""
    found, problems = list[_T](), list[str]()
    for each in given:
        try:
            found.append(read(each))
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    return tuple(found)


def list_of(expected: str, kind: Kind[_T]) -> Kind[tuple[_T, ...]]:
    """A list of values of `kind`; `expected` completes "expected a list of …".

    Text (a variable, say) stands for a list with commas between the items.
    """

    def read(node: Node, name: str) -> tuple[_T, ...]:
        nodes = node.value
        if isinstance(nodes, str):
            nodes = tuple(Node(piece.strip(), node.place) for piece in nodes.split(",") if piece.strip())
        if not isinstance(nodes, tuple):
            raise unfit(node, name, f"a list of {expected}")
        return gathered(lambda each: kind.read(each, name), nodes)

    array = {"type": "array", "items": dict(kind.schema)}
    return Kind(
        f"a list of {expected}",
        read,
        {"anyOf": [array, {"type": "string"}, {"type": "null"}]},
        lambda values: list(map(kind.plain, values)),
    )


def mapping_of(
    expected: str,
    member: Callable[[str, Node, str], _T],
    schema: Mapping[str, Any],
    plain: Callable[[_T], tuple[str, Any]],
) -> Kind[tuple[_T, ...]]:
    """A mapping with names of the user's own; `member` reads a name, what it stands for, in the setting of a name.

    `expected` completes "expected a mapping of …"; `schema` is that of the mapping's values; `plain` makes a member
    into a name and what JSON has.
    """

    def read(node: Node, name: str) -> tuple[_T, ...]:
        if not isinstance(node.value, Mapping):
            raise unfit(node, name, f"a mapping of {expected}")
        return gathered(lambda pair: member(*pair, name), node.value.items())

    mapping = {"type": "object", "additionalProperties": dict(schema)}
    return Kind(
        f"a mapping of {expected}",
        read,
        {"anyOf": [mapping, {"type": "null"}]},
        lambda values: dict(map(plain, values)),
    )
