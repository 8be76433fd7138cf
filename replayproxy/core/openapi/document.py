"""An OpenAPI document as plain values, and what its references mean.

Rules:
1. What comes in may be anything that a YAML or JSON reader makes; nothing of it is changed, a plain copy is read.
2. Nesting and size have a limit, so that neither aliases nor depth can exhaust the reader.
3. Whatever is wrong is a ConfigError that says where, as a JSON pointer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import unquote

from replayproxy.errors import ConfigError

__all__ = ["Document", "mapping", "plain", "pointer", "segments"]

#: Levels and values; the OpenAI document has 61,000 values.
_DEEPEST, _MOST = 100, 1_000_000
_OTHERS = {
    "swagger": "a Swagger 2 file: convert it to OpenAPI 3 first",
    "overlay": "an overlay: it goes beside the document that it changes",
    "catalog": "a catalog already",
    "asyncapi": "an AsyncAPI file",
    "$schema": "a JSON Schema",
}


@dataclass(frozen=True, slots=True)
class Document:
    """An OpenAPI 3 document of plain values; ConfigError when `root` is none."""

    root: dict[str, Any]
    old: bool = field(init=False)
    """Whether it is of version 3.0, where nothing beside a `$ref` counts."""

    def __post_init__(self) -> None:
        version = str(self.root.get("openapi"))  # a number when it stands there without quotes
        if not version.startswith("3."):
            raise ConfigError(f"This is no OpenAPI 3 document, but {_what_it_is(self.root)}.")
        object.__setattr__(self, "old", version.startswith("3.0"))

    def at(self, ref: object, at: str) -> Any:
        """What `ref` (`#/components/schemas/Thread`), which stands at the pointer `at`, refers to."""
        if not isinstance(ref, str):
            raise ConfigError(f"{at}: $ref must be a text, not {_shown(ref)}.")
        if not ref.startswith("#"):
            raise ConfigError(f"{at}: $ref to another document, {_shown(ref)}. Bundle the documents into one first.")
        value: Any = self.root
        for segment in segments(ref):
            if isinstance(value, dict) and segment in value:
                value = value[segment]
            elif isinstance(value, list) and segment.isascii() and segment.isdigit() and int(segment) < len(value):
                value = value[int(segment)]
            else:
                raise ConfigError(f"{at}: $ref to {_shown(ref)}, which is not in the document.")
        return value

    def resolved(self, node: Any, at: str) -> tuple[dict[str, Any], str]:
        """The object that `node` at the pointer `at` is or refers to, and where that stands."""
        seen = set()
        while isinstance(node, dict) and "$ref" in node:
            ref = node["$ref"]
            node, at = self.at(ref, at), ref
            if at in seen:
                raise ConfigError(f"{at}: $ref that leads back to itself.")
            seen.add(at)
        return mapping(node, at), at


def plain(value: Any) -> Any:
    """A copy of `value` out of dicts, lists, texts, numbers, booleans and None alone; dates become texts."""
    return _copied(value, "#", 0, [_MOST])


def mapping(value: Any, at: str) -> dict[str, Any]:
    """`value`, which stands at the pointer `at` and must be an object."""
    if not isinstance(value, dict):
        raise ConfigError(f"{at}: an object is expected here, not {_shown(value)}.")
    return value


def pointer(at: str, *keys: object) -> str:
    """The pointer to what stands at `keys` within what is at `at`."""
    return "/".join([at, *(str(key).replace("~", "~0").replace("/", "~1") for key in keys)])


def segments(ref: str) -> list[str]:
    """The keys that the pointer `ref` goes by; a reference that is no pointer is a key that nothing has."""
    path = unquote(ref[1:])
    if path and not path.startswith("/"):
        return [path]
    return [each.replace("~1", "/").replace("~0", "~") for each in path.split("/")[1:]]


def _copied(value: Any, at: str, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if depth > _DEEPEST:
        raise ConfigError(f"{at[:200]}: nested deeper than {_DEEPEST} levels.")
    if left[0] < 0:
        raise ConfigError(f"{at}: the document has more than {_MOST} values.")
    if isinstance(value, dict):
        return {
            _key(key, at): _copied(each, pointer(at, key) if isinstance(key, str) else at, depth + 1, left)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_copied(each, pointer(at, index), depth + 1, left) for index, each in enumerate(value)]
    return _scalar(value, at)


def _scalar(value: Any, at: str) -> Any:
    if isinstance(value, str):
        return _text(value, at)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return value
    if isinstance(value, int | float):
        return _number(value, at)
    if isinstance(value, date):
        return value.isoformat()
    raise ConfigError(f"{at}: {type(value).__name__} is nothing that a document can hold.")


def _number(value: float, at: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ConfigError(f"{at}: a number that JSON cannot hold.")
    return number


def _key(key: object, at: str) -> str:
    if isinstance(key, int) and not isinstance(key, bool):
        return _text(str(_scalar(key, at)), at)  # an answer's status, without quotes
    if not isinstance(key, str):
        raise ConfigError(
            f"{at}: the key {_shown(key)} is no text: put it in quotes (YAML takes on, off, yes and no for booleans)."
        )
    return _text(key, at)


def _text(text: str, at: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{at!a}: half a surrogate pair, which is no text.") from None
    return text


def _what_it_is(root: dict[str, Any]) -> str:
    for key, what in _OTHERS.items():
        if key in root:
            return what
    if "openapi" in root:
        return f"one of version {_shown(root['openapi'])}"
    keys = ", ".join(list(root)[:5])
    return f"an object with the keys {keys[:200]}" if keys else "an empty object"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
