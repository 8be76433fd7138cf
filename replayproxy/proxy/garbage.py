"""The collector of garbage, in processes that are ours alone."""

from __future__ import annotations

import gc

__all__ = ["collect_seldom", "freeze"]

#: So many objects are made between two looks for garbage. A start makes a few hundred thousand, nearly all of which
#: live on, and the usual 700 let the collector take a tenth of its time.
_OBJECTS = 100_000


def collect_seldom() -> None:
    """Lets the collector look for garbage seldom: there is next to none in cycles."""
    gc.set_threshold(_OBJECTS)


def freeze() -> None:
    """What is there now stays: the collector never looks at it again."""
    gc.freeze()
