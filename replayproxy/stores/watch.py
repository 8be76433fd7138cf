"""Whether a file is still what it was when it was read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from replayproxy.errors import CassetteError

__all__ = ["Watch"]


class Watch:
    """Looks after one file from now on; `seen` is what it was when it was opened, if it was before.

    `whole`: so many bytes of it count, which stay where they are when something is added.
    """

    def __init__(self, path: Path, seen: os.stat_result | None = None, whole: int = 0) -> None:
        self._path, self._whole = str(path), whole
        status = seen or _status(self._path)
        self._known: tuple[int, ...] | None = _facts(status) if status else None
        self._changed: tuple[int, ...] | None = None
        self._alike: Callable[[], bool] = _never

    def expect(self, alike: Callable[[], bool]) -> None:
        """`alike` reads the file and tells whether it holds what it held; CassetteError when it cannot be read."""
        self._alike = alike

    def is_current(self, *, grows: bool = False) -> bool:
        """Whether nobody changed it, or somebody changed it back. `grows`: what is added changes nothing."""
        status = _status(self._path)
        facts = _facts(status) if status else None
        if facts == self._known:
            return True
        if facts is None or self._known is None or facts == self._changed:
            return False
        if grows and facts[:2] == self._known[:2]:
            return facts[2] >= self._whole
        return self._look(facts)

    def _look(self, facts: tuple[int, ...]) -> bool:
        try:
            alike = self._alike()
        except (CassetteError, UnicodeDecodeError):
            alike = False
        # The file is read once for each change, whatever came of it.
        self._known, self._changed = (facts, None) if alike else (self._known, facts)
        return alike


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _facts(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _never() -> bool:
    return False
