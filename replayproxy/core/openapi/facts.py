"""The facts that OpenAPI has no words for, as they stand in `x-replayproxy`: at the root and on an operation.

root       bases: where the operations may be mounted · date: of the description
operation  family · beta: the token that OpenAI-Beta must hold · frozen: unknown fields are refused
           off: the date since when the API does not serve it
           stream: schema (of one event), key, done, first, last, sequence, after; false when it has none
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from replayproxy.core.openapi.document import mapping, pointer
from replayproxy.errors import ConfigError

__all__ = ["EXTENSION", "bases", "operation_facts", "root_facts", "slug", "stream_facts"]

EXTENSION = "x-replayproxy"


def root_facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the root of `document` says of the API: `date` and `bases`."""
    at = pointer("#", EXTENSION)
    return _checked(document.get(EXTENSION, {}), _ROOT, at)


def operation_facts(operation: Mapping[str, Any], at: str) -> dict[str, Any]:
    """What the operation at the pointer `at` says of itself; `stream` as it stands there."""
    return _checked(operation.get(EXTENSION, {}), _OPERATION, pointer(at, EXTENSION))


def stream_facts(stream: Mapping[str, Any], at: str) -> dict[str, Any]:
    """What is said of a stream beside its `schema`, checked. `at` is the pointer to the operation."""
    return _checked(stream, _STREAM, pointer(at, EXTENSION, "stream"))


def bases(document: Mapping[str, Any]) -> list[str]:
    """Where the operations are mounted by the `servers` of `document`; none when that is at the root."""
    servers = document.get("servers")
    found = [_path(server) for server in servers if isinstance(server, dict)] if isinstance(servers, list) else []
    distinct = list(dict.fromkeys(found))
    return distinct if any(distinct) else []


def slug(text: str) -> str:
    """`text` as a name: `Fine-tuning` is `fine_tuning`."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _path(server: Mapping[str, Any]) -> str:
    url, variables = server.get("url"), server.get("variables")
    if not isinstance(url, str):
        return ""
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict) and isinstance(variable.get("default"), str):
            url = url.replace("{" + name + "}", variable["default"])
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""


def _checked(value: Any, known: Mapping[str, Callable[[Any], bool]], at: str) -> dict[str, Any]:
    for key, each in mapping(value, at).items():
        if key not in known:
            raise ConfigError(f"{pointer(at, key)}: not known here; {', '.join(known)} are.")
        if not known[key](each):
            raise ConfigError(f"{pointer(at, key)}: {each!r} is not what is expected here.")
    return dict(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None


def _is_order(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


_ROOT = {
    "bases": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "date": _is_date,
}
_OPERATION = {
    "family": _is_text,
    "stream": lambda value: value is False or isinstance(value, dict),
    "beta": _is_text,
    "frozen": _is_flag,
    "off": _is_date,
}
_STREAM = {
    "schema": lambda value: isinstance(value, dict),
    "key": lambda value: value in ("event", "type", ""),
    "done": _is_flag,
    "first": _is_texts,
    "last": _is_texts,
    "sequence": _is_text,
    "after": _is_order,
}
