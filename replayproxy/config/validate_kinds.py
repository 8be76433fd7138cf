"""The kinds of value that say how strictly requests are checked: the section `validate`."""

from __future__ import annotations

from typing import Any

from replayproxy.config.nodes import Node
from replayproxy.config.structures import mapping_of
from replayproxy.config.values import Kind, choice
from replayproxy.core.levels import LEVELS, Level

__all__ = ["BY_NAME", "LEVEL"]

#: One level for all.
LEVEL: Kind[Any] = choice(*LEVELS)


def _named(key: str, node: Node, name: str) -> tuple[str, Level]:
    return key, LEVEL.read(node, f"{name}.{key}")


#: Levels by the names of operations and families: a tuple of pairs. Whether there are such is for the catalog to say.
BY_NAME: Kind[tuple[tuple[str, Level], ...]] = mapping_of(
    "operations and families to off, warn or enforce", _named, LEVEL.schema, lambda pair: pair
)
