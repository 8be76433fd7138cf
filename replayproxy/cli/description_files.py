"""OpenAPI descriptions and overlays as files: YAML or JSON from strangers, read into plain values.

Rules:
1. Loading is safe, and in YAML 1.2's core schema: `no`, `on`, dates and times stay the texts that they look like.
2. Keys are always strings: the status of an answer needs no quotes.
3. Whatever cannot be read is a ConfigError that names the file and the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from replayproxy.cli.catalog_files import read_bytes
from replayproxy.errors import ConfigError

__all__ = ["read_description"]

_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: The OpenAI API's description is 18 levels deep.
_DEEPEST = 150
_TAG = "tag:yaml.org,2002:"


def read_description(file: Path) -> Mapping[str, Any]:
    """The object that `file` holds."""
    content = read_bytes(file)
    value = _json(file, content) if content.lstrip().startswith(b"{") else _yaml(file, content)
    if not isinstance(value, dict):
        what = "nothing" if value is None else "a list" if isinstance(value, list) else "a plain value"
        raise ConfigError(f"{file}: this is no OpenAPI file: it holds {what}")
    return value


def _json(file: Path, content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{file}:{error.lineno}: this is not JSON: {error.msg}") from error


def _yaml(file: Path, content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
        _check_depth(file, text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 -- a safe loader
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: this is not UTF-8; save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}:{mark.line + 1}" if mark else str(file)
        raise ConfigError(f"{place}: this is not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"{file}: this is not YAML: {problem}") from error


def _check_depth(file: Path, text: str) -> None:
    """The C loader composes by recursion and would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_SAFE):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise ConfigError(f"{file}:{line}: nested deeper than {_DEEPEST} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Loader(_SAFE):  # type: ignore[misc]  # the C loader has no type, and is not always there
    """The safe loader with YAML 1.2's scalars, and strings for keys."""

    # PyYAML's own resolvers are those of YAML 1.1, where `no` is false and 2026-08-26 a date.
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 -- PyYAML's own form

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping of a node, merge keys (`<<`) honoured."""
        self.flatten_mapping(node)
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                key.tag = f"{_TAG}str"
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(f"(?:{_pattern})\\Z"), _first)
# YAML 1.2 has no other integers than decimal ones that begin with any digit; `int` reads them all.
_Loader.add_constructor(f"{_TAG}int", lambda loader, node: int(loader.construct_scalar(node)))
_Loader.add_constructor(f"{_TAG}float", lambda loader, node: float(loader.construct_scalar(node)))
