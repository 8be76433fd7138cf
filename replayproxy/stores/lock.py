"""One recorder per cassette: a lock on a file beside it, which a killed process leaves unlocked."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from replayproxy.errors import CassetteError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Lock"]


class Lock:
    """Held from its making until `release`."""

    def __init__(self, cassette: Path) -> None:
        self._path = cassette.with_name(f".{cassette.name}.lock")
        self._descriptor = self._acquire(cassette)

    def release(self) -> None:
        """Gives the lock back and removes its file; further calls do nothing."""
        if self._descriptor >= 0:
            # Removed while it is held: who opens the name afterwards makes a new file.
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = -1

    def _acquire(self, cassette: Path) -> int:
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
            try:
                if fcntl is not None:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_current(descriptor):
                    return descriptor
            except BlockingIOError as error:
                os.close(descriptor)
                cure = "Stop the other one, or record into another cassette"
                raise CassetteError("another replayproxy records into it", path=str(cassette), cure=cure) from error
            os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        """Whether the file still has its name: its last holder may have removed it between opening and locking."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False
