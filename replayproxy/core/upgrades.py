"""The versions of the cassette format, and the steps from one to the next.

Rules:
1. A new field means a new `FORMAT_VERSION` and one step in `UPGRADES`, be it one that changes nothing: an older
   replayproxy then refuses the file by its version instead of stumbling over the field.
2. Version 2 added `fault` and `delay`; version 3 `family`, and `side`, `event` and `warning` of a problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping

from replayproxy.core.yaml_read import Mapping

__all__ = ["FORMAT_VERSION", "UPGRADES", "Upgrade", "Upgrades", "upgrade", "upgraded_head"]

FORMAT_VERSION = 3

Upgrade = Callable[[Mapping], Mapping]
Upgrades = AbstractMapping[int, Upgrade]


def _as_it_is(mapping: Mapping) -> Mapping:
    return mapping


#: From a version to the step that makes an interaction's document one of the next version.
UPGRADES: Upgrades = {1: _as_it_is, 2: _as_it_is}

_VERSION = re.compile(r"^(replayproxy[ \t]*:[ \t]*)[0-9]+", re.MULTILINE)


def upgrade(mapping: Mapping, version: int, steps: Upgrades = UPGRADES, to: int = FORMAT_VERSION) -> Mapping:
    """An interaction's mapping of an earlier version, brought up to version `to` step by step."""
    for step in range(version, to):
        mapping = steps[step](mapping)
    return mapping


def upgraded_head(text: str) -> str:
    """The head's document of an earlier version, saying the present one."""
    return _VERSION.sub(rf"\g<1>{FORMAT_VERSION}", text, count=1)
