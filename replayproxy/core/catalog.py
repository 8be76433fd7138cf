"""The operations of an API, and which of them a method and a path mean.

Rules:
1. A literal segment goes before a templated one: `/threads/runs` is found before `/threads/{thread_id}`.
2. A path is taken with and without the `/v1` in front, a query does not count, and parameters are percent-decoded.
3. An id left out (`/threads//messages`) ends the path there, as it does at the real API (openai-node#902). A slash at
   the very end is no such id: the real API knows no path that ends in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from replayproxy.core.validation import Check

__all__ = ["Catalog", "Family", "Operation", "Resolved"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing an API can do.

    `id` is the operation's name in the API's own description, `template` its path without `/v1`
    (`/threads/{thread_id}/messages`). `accepts` is the media type its body must have ("" when it takes none or any),
    `beta` the token that the header `OpenAI-Beta` must hold ("" for none), `check` finds what is wrong with a call.
    """

    id: str
    method: str
    template: str
    family: str
    accepts: str = ""
    beta: str = ""
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """The operations that belong together."""

    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """An operation, and the decoded values of its template's parameters."""

    operation: Operation
    params: Mapping[str, str] = field(default_factory=dict)


_Values = tuple[str, ...]


@dataclass(slots=True)
class _Node:
    """A segment of the tree of paths: what may follow it, and what it answers itself, by method."""

    literal: dict[str, _Node] = field(default_factory=dict)
    templated: _Node | None = None
    operations: dict[str, Operation] = field(default_factory=dict)


class Catalog:
    """All operations of an API, looked up in time that depends on the length of the path alone."""

    def __init__(self, families: Iterable[Family]) -> None:
        self.families = tuple(families)
        self._root = _Node()
        self._by_id: dict[str, Operation] = {}
        for family in self.families:
            for operation in family.operations:
                self._add(operation)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._by_id.values())

    def operation(self, id_: str) -> Operation:
        """The operation called `id_`; KeyError when there is none."""
        return self._by_id[id_]

    def resolve(self, method: str, path: str) -> Resolved | None:
        """What `method` on `path` (raw, a query allowed) means, or None when the API has no such operation."""
        segments = _segments(path)
        for node, values in _matches(self._root, segments, ()):
            operation = node.operations.get(method)
            if operation is not None:
                return Resolved(operation, dict(zip(_names(operation.template), values, strict=True)))
        return None

    def methods(self, path: str) -> tuple[str, ...]:
        """The methods that `path` answers, sorted; empty when the API has no such path."""
        found = {method for node, _ in _matches(self._root, _segments(path), ()) for method in node.operations}
        return tuple(sorted(found))

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.template.strip("/").split("/"):
            if segment.startswith("{"):
                node.templated = node.templated or _Node()
                node = node.templated
            else:
                node = node.literal.setdefault(segment, _Node())
        if operation.method in node.operations or operation.id in self._by_id:
            raise ValueError(f"{operation.id}: {operation.method} {operation.template} is in the catalog twice")
        node.operations[operation.method] = operation
        self._by_id[operation.id] = operation


def _segments(path: str) -> _Values:
    raw = path.partition("?")[0].split("/")[1:]
    if raw[:1] == ["v1"]:
        raw = raw[1:]
    if "" in raw[1:-1]:
        raw = raw[: raw.index("", 1)]
    return tuple(unquote(segment, errors="surrogateescape") for segment in raw)


def _matches(node: _Node, segments: _Values, values: _Values) -> Iterator[tuple[_Node, _Values]]:
    """The nodes that `segments` lead to, with the values of the templated ones, the most literal first."""
    if not segments:
        yield node, values
        return
    first, rest = segments[0], segments[1:]
    if first in node.literal:
        yield from _matches(node.literal[first], rest, values)
    if node.templated is not None and first:
        yield from _matches(node.templated, rest, (*values, first))


def _names(template: str) -> _Values:
    return tuple(segment[1:-1] for segment in template.split("/") if segment.startswith("{"))
