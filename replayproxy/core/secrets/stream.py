"""Redaction of data that comes in pieces, with flat memory."""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core.secrets.spans import Edit, apply

__all__ = ["CONTEXT", "OVERLAP", "WINDOW", "StreamRedactor"]

#: Whether something is a secret depends on at most so many bytes before it, and from where the evidence starts.
CONTEXT, OVERLAP = 128, 32 * 1024
#: How much of a stream is looked at in one go: large against the overlap, small enough (6 ms) to hold nobody up.
WINDOW = 512 * 1024


class StreamRedactor:
    """Redacts data that comes in pieces, with flat memory. `Redactor.stream` makes one."""

    def __init__(self, edits: Callable[[bytes, int], tuple[Edit, ...]], overlap: int, window: int) -> None:
        self._edits, self._overlap, self._window = edits, overlap, max(window, overlap)
        self._pieces, self._size = list[bytes](), 0
        self._before, self._due = b"", self._window

    def feed(self, chunk: bytes) -> bytes:
        """Takes the next piece; gives what can be told by now, often nothing."""
        self._pieces.append(chunk)
        self._size += len(chunk)
        return self._drain(self._overlap) if self._size >= self._due else b""

    def finish(self) -> bytes:
        """The rest."""
        return self._drain(0)

    def _drain(self, kept: int) -> bytes:
        at, data = len(self._before), b"".join((self._before, *self._pieces))
        edits = self._edits(data, at)
        cut = max(at, len(data) - kept)
        # What lies across the cut is looked at again when the rest of it is there.
        while kept and (across := [edit.first for edit in edits if edit.first < cut < edit.end]):
            cut = max(at, min(across))
        edits = tuple(edit for edit in edits if edit.end <= cut)
        self._before, self._pieces = data[max(0, cut - CONTEXT) : cut], [data[cut:]]
        self._size = len(data) - cut
        self._due = self._size + self._window - self._overlap
        return apply(data, edits, at, cut)
