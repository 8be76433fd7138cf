"""One recorder per cassette: a lock on a file beside it, which a killed process leaves unlocked."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from replayproxy.errors import CassetteError
from replayproxy.stores.plain_files import open_regular

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
            descriptor = open_regular(self._path, os.O_RDWR | os.O_CREAT)
            try:
                if fcntl is not None:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_current(descriptor):
                    _sign(descriptor)
                    return descriptor
            except BlockingIOError as error:
                what = f"another replayproxy records into it{_signature(descriptor)}"
                os.close(descriptor)
                cure = "Stop the other one, or record into another cassette"
                raise CassetteError(what, path=str(cassette), cure=cure) from error
            os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        """Whether the file still has its name: its last holder may have removed it between opening and locking."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False


def _sign(descriptor: int) -> None:
    """Writes down who has the lock; a disk that is full keeps nobody from it."""
    if os.fstat(descriptor).st_nlink == 1:  # a file that has another name as well is somebody else's
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, b"%d\n" % os.getpid())


def _signature(descriptor: int) -> str:
    """Who has the lock, as far as is known."""
    try:
        written = os.read(descriptor, 20).strip()
    except OSError:
        return ""
    return f" (process {int(written)})" if written.isdigit() else ""
