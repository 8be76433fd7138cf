"""Answers as they went over the wire, kept to be given again without being made again.

Rules:
1. What an answer looks like is never made here: it is what a client was sent, but for the word that says whether it was
   played before.
2. Memory is bounded: beyond `MEMORY` answers wait in a file without a name, beyond `SPACE` they are not kept.
"""

from __future__ import annotations

import os
import tempfile
from typing import IO, Final

from replayproxy.proxy.answers import OUTCOME_HEADER

__all__ = ["ANSWER_LIMIT", "MEMORY", "SPACE", "Shelf"]

#: In bytes: answers in memory, answers in the file, and the largest answer that is kept.
MEMORY, SPACE, ANSWER_LIMIT = 32 * 1024**2, 1024**3, 256 * 1024
# The file is read with one call that moves nothing; where there is none (Windows) there is no file.
_HAS_FILE: Final = hasattr(os, "pread")

#: Where the outcome stands in an answer: what comes before it and after it; in the file, where, and two lengths.
_Kept = tuple[bytes, bytes] | tuple[int, int, int]


class Shelf:
    """The answers of one session, each by a number of the caller's."""

    def __init__(self, memory: int = MEMORY, space: int = SPACE) -> None:
        self._kept: dict[int, _Kept] = {}
        self._room, self._space, self._end = memory, space, 0
        self._file: IO[bytes] | None = None

    def put(self, key: int, sent: bytes, outcome: str) -> None:
        """Keeps an answer that was sent with that outcome in its head; nothing happens when there is no room, or when
        the outcome is not where it has to be."""
        mark = f"\r\n{OUTCOME_HEADER}: ".encode()
        # The last one: what was recorded may come from another replayproxy.
        place = sent.rfind(mark, 0, sent.find(b"\r\n\r\n") + 2)
        cut = place + len(mark)
        if place < 0 or key in self._kept or not sent.startswith(outcome.encode(), cut):
            return
        before, after = sent[:cut], sent[cut + len(outcome) :]
        if len(sent) <= self._room:
            self._room -= len(sent)
            self._kept[key] = before, after
        elif _HAS_FILE and self._end + len(sent) <= self._space and self._filed(before + after):
            self._kept[key] = self._end - len(before) - len(after), len(before), len(after)

    def get(self, key: int) -> tuple[bytes, bytes] | None:
        """The answer up to its outcome and from there on; None when it is not kept."""
        kept = self._kept.get(key)
        if kept is None or len(kept) == 2:
            return kept
        assert self._file is not None, "what is filed has a file"  # noqa: S101 -- for the type checker
        place, first, second = kept
        data = os.pread(self._file.fileno(), first + second, place)
        return data[:first], data[first:]

    def close(self) -> None:
        """Forgets everything."""
        self._kept.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _filed(self, data: bytes) -> bool:
        """Puts an answer at the end of the file, unless the disk is full."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 -- closed with the session
            whole = os.pwrite(self._file.fileno(), data, self._end) == len(data)
        except OSError:
            whole = False
        if whole:
            self._end += len(data)
        return whole
