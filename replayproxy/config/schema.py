"""The JSON Schema of the config file, for editors. Draft-07, which is what yaml-language-server promises to read."""

from __future__ import annotations

from typing import Any

from replayproxy.config.keys import KEYS, Key
from replayproxy.config.settings import SHORT_FORMS

__all__ = ["schema"]


def schema() -> dict[str, Any]:
    """The JSON Schema (draft-07) of a config file, as a structure for JSON."""
    root = _group()
    for key in KEYS:
        here = root
        for name in key.path[:-1]:
            here = here["properties"].setdefault(name, _group())
        here["properties"][key.path[-1]] = _property(key)
    for group, setting in SHORT_FORMS.items():
        whole = root["properties"][group]
        root["properties"][group] = {"anyOf": [whole["properties"][setting], whole]}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "replayproxy.yaml", **root}


def _group() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _property(key: Key) -> dict[str, Any]:
    """A setting's schema. Those without a value, and the two that exclude each other, may also be null."""
    fragment = dict(key.kind.schema)
    default = key.default if key.default is None else key.kind.plain(key.default)
    if key.default is None:
        fragment = {"anyOf": [fragment, {"type": "null"}]}
    return {"description": key.about, **fragment, "default": default}
