"""A value as a source spells it, before anybody knows what it means."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from replayproxy.errors import ConfigError

__all__ = ["Node", "Read", "complaint", "node_of", "similar", "unfit"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Node:
    """Text, a list, a mapping, or nothing (None); `place` says where it was found, for people."""

    value: str | tuple[Node, ...] | Mapping[str, Node] | None
    place: str


#: Gives the value of a node that stands in the setting of a name; raises ConfigError that names place and setting.
Read = Callable[[Node, str], _T]


def node_of(value: object, place: str) -> Node:
    """The node of a structure of JSON, all of which is said to be at `place`."""
    if isinstance(value, Mapping):
        return Node({str(name): node_of(inside, place) for name, inside in value.items()}, place)
    if isinstance(value, list | tuple):
        return Node(tuple(node_of(inside, place) for inside in value), place)
    return Node(value if value is None else str(value), place)


def complaint(node: Node, name: str, message: object) -> ConfigError:
    """The error that says what is wrong with `node`, which is the value of the setting `name` or within it."""
    where = node.place if node.place == name else f"{node.place}: {name}"
    return ConfigError(f"{where}: {message}")


def unfit(node: Node, name: str, expected: str) -> ConfigError:
    """The error that says that `node` is something else than what was expected."""
    if node.value is None:
        return complaint(node, name, f"expected {expected}, but nothing is there")
    shape = "text" if isinstance(node.value, str) else "a list" if isinstance(node.value, tuple) else "a mapping"
    return complaint(node, name, f"expected {expected}, not {shape}")


def similar(text: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, to be put after a message about `text`; "" when nothing known comes near."""
    near = difflib.get_close_matches(text, tuple(known), n=1, cutoff=0.5)
    return f"; did you mean `{near[0]}`?" if near else ""
