"""Where a schema's error stands: in the value, in the schema, and in the order in which errors are told.

The order is that of openai_api/translation.py: in each object, a parameter it does not know goes first, then its
declared parameters in their declared order, each with all that is inside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replayproxy.core.schemas.closing import LISTED, NAMED, SINGLE, target

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

__all__ = ["UNKNOWN", "Place", "join", "place_of", "schema_of"]

#: The keywords whose errors are about fields that are not known.
UNKNOWN = frozenset(("additionalProperties", "unevaluatedProperties"))
#: The keywords that go one step down into the value.
_INTO_FIELDS = frozenset(("additionalProperties", "patternProperties", "properties", "unevaluatedProperties"))
_INTO_ITEMS = frozenset(("items", "prefixItems", "unevaluatedItems"))


@dataclass(frozen=True, slots=True)
class Place:
    """`value` is wrong by `schema`, the object that the failed keyword stands in; `path` is "" for the body."""

    path: str
    value: Any
    schema: Mapping[str, Any]
    order: tuple[int, ...]
    depth: int


def place_of(error: ValidationError, document: object, value: object, within: str) -> Place:
    """Where `error` stands, `document` being the whole schema and `value`, which stands `within`, the whole value."""
    path, inner = within, value
    for step in error.instance_path:
        path = f"{path}[{step}]" if isinstance(step, int) else join(path, step)
        inner = inner[step]  # type: ignore[index]  # an error's path leads through objects and arrays
    schema, order = _walk(error.evaluation_path, document, error.instance_path)
    return Place(path, inner, schema, (*order, *_within(error, schema)), len(error.instance_path))


def schema_of(error: ValidationError, document: object) -> Mapping[str, Any]:
    """The schema that the keyword stands in that `error` is about."""
    return _walk(error.evaluation_path, document, error.instance_path)[0]


def join(path: str, name: str) -> str:
    """The path of the field `name` of the object at `path`."""
    return f"{path}.{name}" if path else name


def _walk(steps: Sequence[Any], document: Any, down: Sequence[Any]) -> tuple[Mapping[str, Any], list[int]]:
    """The schema that the last of `steps` stands in, and the places of the fields and items passed on the way."""
    schema: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
    order: list[int] = []
    ahead, values = iter(steps), iter(down)
    for word in ahead:
        child: Any = schema.get(word)
        name = next(ahead, None) if word in NAMED or word in LISTED else None
        if word == "$ref":
            child = target(child, document)
        elif name is not None:
            child = child[name]
        elif word not in SINGLE:
            break
        if not isinstance(child, Mapping):
            break
        if word in _INTO_FIELDS:
            order.append(_position(schema, next(values, "")))
        elif word in _INTO_ITEMS:
            order.append(int(next(values, 0)))
        schema = child
    return schema, order


def _within(error: ValidationError, schema: Mapping[str, Any]) -> tuple[int, ...]:
    """An unknown field goes before what is declared, a missing one where it is declared."""
    if error.kind.name in UNKNOWN:
        return (-1,)
    if error.kind.name == "required":
        return (_position(schema, error.kind.as_dict().get("property")),)
    return ()


def _position(schema: Mapping[str, Any], name: Any) -> int:
    declared = list(schema.get("properties", ()))
    return declared.index(name) if name in declared else len(declared)
