"""Recorders whose large bodies take room while they are on their way into their files."""

from __future__ import annotations

from replayproxy.proxy.limits import Room
from replayproxy.stores import Recorder, Spool
from replayproxy.stores.writer import Fsync, Writer

__all__ = ["MeasuredSpool", "MeasuredWriter"]


class MeasuredSpool:
    """A spool that takes room for what it holds, and gives it back when it is adopted or discarded."""

    def __init__(self, spool: Spool, room: Room) -> None:
        self._spool, self._room = spool, room
        self._size = 0

    def write(self, data: bytes) -> None:
        """Takes in the next piece. SpoolFullError when there is no room."""
        self._room.take(len(data))
        self._size += len(data)
        self._spool.write(data)

    def adopt(self, sha256: str, extension: str) -> str:
        """Makes it a body's file."""
        try:
            return self._spool.adopt(sha256, extension)
        finally:
            self._give_back()

    def discard(self) -> None:
        """Throws it away."""
        try:
            self._spool.discard()
        finally:
            self._give_back()

    def _give_back(self) -> None:
        size, self._size = self._size, 0
        self._room.give(size)


class MeasuredWriter(Writer):
    """A writer whose spools take `room_for_files`."""

    def __init__(self, recorder: Recorder, fsync: Fsync, room_for_files: Room) -> None:
        super().__init__(recorder, fsync)
        self._room_for_files = room_for_files

    def spool(self) -> Spool:
        """A new file for a large body."""
        return MeasuredSpool(super().spool(), self._room_for_files)
