"""Overlays (OpenAPI Overlay Specification 1.0): changes to a document, action by action.

Rules:
1. An action's target is a JSONPath of RFC 9535; one that selects nothing is an error, since it corrects nothing.
2. An update goes into an object key by key, is appended to a list (a list: entry by entry), and replaces anything else.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from replayproxy.core.openapi.document import pointer
from replayproxy.errors import ConfigError

__all__ = ["apply"]

_Keys = tuple[str | int, ...]


def apply(root: dict[str, Any], overlay: Mapping[str, Any]) -> None:
    """Changes `root` by the actions of `overlay`, in order; ConfigError names the action that cannot be done."""
    actions = overlay.get("actions")
    if not str(overlay.get("overlay")).startswith("1.") or not isinstance(actions, list):
        raise ConfigError("This is no overlay: it needs `overlay: 1.0.0` and a list of `actions`.")
    for index, action in enumerate(actions):
        at = pointer("overlay#", "actions", index)
        if not isinstance(action, dict) or not isinstance(action.get("target"), str):
            raise ConfigError(f"{at}: an action is an object with a target.")
        if action.get("remove") is not True and "update" not in action:
            raise ConfigError(f"{at}: an action has an `update`, or `remove: true`.")
        _act(root, action, at)


def _act(root: dict[str, Any], action: dict[str, Any], at: str) -> None:
    remove = action.get("remove") is True
    for keys in _selected(root, action["target"], at):
        if not keys:
            if remove or not isinstance(action["update"], dict):
                raise ConfigError(f"{at}: the document as a whole can be updated with an object, and no more.")
            root.update(_updated(root, action["update"]))
            continue
        holder: Any = root
        for key in keys[:-1]:
            holder = holder[key]
        if remove:
            del holder[keys[-1]]
        else:
            holder[keys[-1]] = _updated(holder[keys[-1]], action["update"])


def _selected(root: dict[str, Any], target: str, at: str) -> list[_Keys]:
    # Only overlays need it, and it takes a while to import.
    from jsonpath import JSONPathEnvironment, JSONPathError

    try:
        found: list[_Keys] = [match.parts for match in JSONPathEnvironment(strict=True).finditer(target, root)]
    except JSONPathError as error:
        raise ConfigError(f"{at}: the target {target!r} is no JSONPath: {error}.") from None
    if not found:
        raise ConfigError(f"{at}: the target {target!r} is not in the document.")
    # What is inside goes before what holds it, and entries of a list from behind, so that none moves before its turn.
    return sorted(set(found), key=lambda keys: [(isinstance(key, int), key) for key in keys], reverse=True)


def _updated(value: Any, update: Any) -> Any:
    if isinstance(value, dict) and isinstance(update, dict):
        return {**value, **{key: _updated(value.get(key), each) for key, each in update.items()}}
    if isinstance(value, list):
        return [*value, *copy.deepcopy(update if isinstance(update, list) else [update])]
    return copy.deepcopy(update)
