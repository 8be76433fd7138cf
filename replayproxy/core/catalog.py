"""The operations of an API, and which of them a method and a path mean.

Rules:
1. A literal segment goes before a templated one: `/threads/runs` is found before `/threads/{thread_id}`. Of operations
   that share a method and a path, the one whose fixed query (`beta=true`) the request has goes first.
2. A path is taken with and without a base (`/v1`) in front, and parameters are percent-decoded.
3. An id left out (`/threads//messages`) ends the path there, as it does at the real API (openai-node#902). A slash at
   the very end is no such id: the real API knows no path that ends in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, unquote

from replayproxy.core.schemas import Schema

if TYPE_CHECKING:
    from replayproxy.core.problem import Check

__all__ = ["Base", "Catalog", "Family", "Operation", "Parameter", "Resolved", "Stream"]

_Values = tuple[str, ...]
_PLACES = ("path", "query", "header")
#: Stands for the first segment of a base that begins with a templated one.
_ANY = "{}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What an operation takes beside its body, in the `place` that it is in. `style` is OpenAPI's, "" the usual one."""

    name: str
    place: Literal["path", "query", "header"]
    required: bool = False
    schema: Schema | None = None
    style: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """What an operation's event stream is made of.

    `events` has the schema of an event's data by its name. `key` says where the name stands: in the event line
    (`event`), in that field of the data (`type`), or nowhere (""; then the one name is ""). `done`: the last data is
    `[DONE]`. An event of `first` begins, one of `last` ends the stream; empty: any. `sequence` is the field that
    counts the events, `after` names what an event has to come after.
    """

    events: Mapping[str, Schema]
    key: str = ""
    done: bool = False
    first: frozenset[str] = frozenset()
    last: frozenset[str] = frozenset()
    sequence: str = ""
    after: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing an API can do.

    `id` is the operation's name in the API's own description, `template` its path without a base
    (`/threads/{thread_id}/messages`), `query` what the request's query must hold to mean it. `bodies` has a schema for
    each media type of request that it takes, `answers` one for each status (`200`, `default`) and media type. `beta`
    is the token that the header `OpenAI-Beta` must hold ("" for none). `frozen`: it takes no fields but those known
    here. `off` is the date since when the real API does not have it. `check`, where there is one, finds what is wrong
    with a call in the place of the schemas.
    """

    id: str
    method: str
    template: str
    family: str
    query: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    bodies: Mapping[str, Schema] = field(default_factory=dict)
    body_required: bool = False
    answers: Mapping[str, Mapping[str, Schema]] = field(default_factory=dict)
    stream: Stream | None = None
    beta: str = ""
    frozen: bool = False
    deprecated: bool = False
    off: str = ""
    check: Check | None = None
    #: The names of the templated segments, and the parameters by their place: both are asked for at every request.
    names: _Values = field(init=False, repr=False, compare=False)
    placed: Mapping[str, tuple[Parameter, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = tuple(segment[1:-1] for segment in self.template.split("/") if segment.startswith("{"))
        placed = {place: tuple(each for each in self.parameters if each.place == place) for place in _PLACES}
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "placed", placed)

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


@dataclass(frozen=True, slots=True)
class Family:
    """The operations that belong together."""

    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Base:
    """Where operations are mounted: a path, whose templated segments give fields of the body a value.

    Azure, say, names the model in the path: `/openai/deployments/{model}`. `query` has the names of parameters that
    belong to the base and to no operation.
    """

    path: str
    query: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Base:
        """A base from its form in a catalog: `/openai?api-version`."""
        path, _, query = text.partition("?")
        return cls(path.rstrip("/"), frozenset(filter(None, query.split("&"))))

    @property
    def segments(self) -> _Values:
        """The segments of its path."""
        return tuple(self.path.split("/")[1:])


_BARE = Base("")


@dataclass(frozen=True, slots=True)
class Resolved:
    """An operation, the decoded values of its template's parameters, and where it is mounted.

    `implied` are the fields of the body that the base gives a value.
    """

    operation: Operation
    params: Mapping[str, str] = field(default_factory=dict)
    base: Base = _BARE
    implied: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Node:
    """A segment of the tree of paths: what may follow it, and what it answers itself, by method."""

    literal: dict[str, _Node] = field(default_factory=dict)
    templated: _Node | None = None
    operations: dict[str, list[Operation]] = field(default_factory=dict)


class Catalog:
    """All operations of an API, looked up in time that depends on the length of the path alone.

    `title`, `version` and `date` say which API, and as of when. ValueError when two operations are the same.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        bases: Sequence[Base] = (Base("/v1"),),
        *,
        title: str = "",
        version: str = "",
        date: str = "",
    ) -> None:
        self.title, self.version, self.date = title, version, date
        self.bases = tuple(bases)
        self._bases: dict[str, list[tuple[Base, _Values]]] = {}
        for base in sorted(self.bases, key=lambda each: -len(each.segments)):
            first = base.segments[0] if base.segments else ""
            self._bases.setdefault(_ANY if first.startswith("{") else first, []).append((base, base.segments))
        self._root = _Node()
        self._by_id: dict[str, Operation] = {}
        for operation in operations:
            self._add(operation)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The families, in the order in which they first occur."""
        found: dict[str, list[Operation]] = {}
        for operation in self:
            found.setdefault(operation.family, []).append(operation)
        return tuple(Family(name, tuple(operations)) for name, operations in found.items())

    @cached_property
    def with_any_ids(self) -> Catalog:
        """The same, but for the shapes that ids in a path must have: whoever makes things up takes any."""
        operations = (
            replace(each, parameters=tuple(one for one in each.parameters if one.place != "path")) for each in self
        )
        return Catalog(operations, self.bases, title=self.title, version=self.version, date=self.date)

    def operation(self, id_: str) -> Operation:
        """The operation called `id_`; KeyError when there is none."""
        return self._by_id[id_]

    def resolve(self, method: str, target: str) -> Resolved | None:
        """What `method` on `target` (raw, with its query) means, or None when the API has no such operation."""
        path, _, query = target.partition("?")
        for base, implied, segments in self._readings(path):
            for node, values in _matches(self._root, segments, ()):
                operation = _asked(node.operations.get(method, ()), query)
                if operation is not None:
                    return Resolved(operation, dict(zip(operation.names, values, strict=True)), base, implied)
        return None

    def methods(self, target: str) -> _Values:
        """The methods that a path answers, sorted; empty when the API has no such path."""
        nodes = (
            node
            for _, _, segments in self._readings(target.partition("?")[0])
            for node, _ in _matches(self._root, segments, ())
        )
        return tuple(sorted({method for node in nodes for method in node.operations}))

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.template.strip("/").split("/"):
            if segment.startswith("{"):
                node.templated = node.templated or _Node()
                node = node.templated
            else:
                node = node.literal.setdefault(segment, _Node())
        there = node.operations.setdefault(operation.method, [])
        if operation.id in self._by_id or any(other.query == operation.query for other in there):
            raise ValueError(f"{operation.id}: {operation} is in the catalog twice")
        there.append(operation)
        there.sort(key=lambda other: -len(other.query))
        self._by_id[operation.id] = operation

    def _readings(self, path: str) -> Iterator[tuple[Base, Mapping[str, str], _Values]]:
        """The ways to split `path` into a base, what the base's templated segments say, and the decoded rest."""
        raw = path.split("/")[1:]
        for base, names in (*self._bases.get(raw[0] if raw else "", ()), *self._bases.get(_ANY, ())):
            given = raw[: len(names)]
            if len(raw) > len(names) and all(map(_fits, names, given)):
                implied = {name[1:-1]: unquote(each) for name, each in zip(names, given, strict=True) if name[0] == "{"}
                yield base, implied, _decoded(raw[len(names) :])
        yield _BARE, {}, _decoded(raw)


def _fits(name: str, given: str) -> bool:
    return name == given or (name[:1] == "{" and given != "")


def _decoded(raw: list[str]) -> _Values:
    if "" in raw[1:-1]:
        raw = raw[: raw.index("", 1)]
    return tuple(unquote(segment, errors="surrogateescape") if "%" in segment else segment for segment in raw)


def _asked(operations: Sequence[Operation], query: str) -> Operation | None:
    for operation in operations:
        if not operation.query or operation.query.items() <= dict(parse_qsl(query)).items():
            return operation
    return None


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
