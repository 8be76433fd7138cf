"""The counters of a session that several processes of one machine serve: a file that all of them have in memory.

Rules:
1. Who makes a counter grow holds the system's lock on it meanwhile, or has a part of it that nobody else makes grow.
   The system takes a lock from a process that dies, so one that was killed keeps nobody waiting; and since a count is
   one word, it leaves none half changed.
2. A place in the file, once taken, belongs to its identity or name for ever: it is looked for once, without a lock.
3. The system's locks are a process's, not a thread's, and go when it closes the file: a process opens it once, and
   counts in one thread; other threads may look counters up.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Final

from replayproxy.errors import CassetteError, StartError

try:
    from fcntl import LOCK_EX as LOCK
    from fcntl import LOCK_UN as UNLOCK
    from fcntl import lockf
except ImportError:  # Windows, which has no several workers
    pass

__all__ = ["NAMES", "SharedCounter", "SharedTally", "SharedTurns"]

#: So many names there may be; the room for them is taken from the disk when they come.
NAMES: Final = 16_384
_MAGIC: Final = 0x5E55104_7A111_0001
# All in words of eight bytes. The header: magic, slots, room for names, names there are, seats.
_HEADER, _SLOTS_AT, _ROOM_AT, _NAMED_AT, _SEATS_AT = 8, 1, 2, 3, 4
# A slot: the count and the identity. A name's record: the count, a count of each seat's own, the name's length in bytes
# and the name.
_SLOT, _NAME = 3, 60
_NAME_BYTES = _NAME * 8
_RESERVED_NAMES = 256


class SharedCounter:
    """A number that grows, for all who have the tally's file."""

    __slots__ = ("_at", "_cells", "_own", "_tally")

    def __init__(self, tally: SharedTally, at: int = 0) -> None:
        self._tally, self._at = tally, at
        self._cells = slice(at, at + 1 + tally.seats) if at else slice(0)
        self._own = at + 1 + tally.seat

    @property
    def value(self) -> int:
        """How far it has come."""
        return sum(self._tally.words[self._cells])

    def add(self) -> int:
        """Makes it one more; what it was before."""
        at, tally = self._at or self._made(), self._tally
        lockf(tally.descriptor, LOCK, 1, at)
        try:
            before = tally.words[at]
            tally.words[at] = before + 1
        finally:
            lockf(tally.descriptor, UNLOCK, 1, at)
        return before

    def count(self) -> None:
        """Makes it one more, without a lock: nobody else counts in this place."""
        self._tally.words[self._own] += 1

    def claim(self, place: int) -> bool:
        """Makes it one more if it is `place` still; whether it was."""
        at, tally = self._at or self._made(), self._tally
        lockf(tally.descriptor, LOCK, 1, at)
        try:
            if tally.words[at] != place:
                return False
            tally.words[at] = place + 1
        finally:
            lockf(tally.descriptor, UNLOCK, 1, at)
        return True

    def _made(self) -> int:
        return self._at


class SharedTurns(SharedCounter):
    """The number of an identity, which has its place in the file from the first answer on."""

    __slots__ = ("_first", "_second")

    def __init__(self, tally: SharedTally, key: bytes) -> None:
        super().__init__(tally)
        self._first, self._second = int.from_bytes(key[:8], sys.byteorder), int.from_bytes(key[8:16], sys.byteorder)

    @property
    def value(self) -> int:
        """How far it has come."""
        at = self._at
        if not at:
            at = self._at = self._tally.slot(self._first, self._second)
        return self._tally.words[at] if at else 0

    def count(self) -> None:
        """Makes it one more."""
        self.add()

    def _made(self) -> int:
        self._at = self._tally.slot(self._first, self._second) or self._tally.new_slot(self._first, self._second)
        return self._at


class SharedTally:
    """The counters in a file (see core/tally.py), which `create` made; StartError when it cannot be opened.

    Everybody has a `seat` (from 0) of his own; who takes the place of one that died has his.
    """

    def __init__(self, path: Path, seat: int = 0) -> None:
        self.path, self.seat = path, seat
        self._placing = threading.Lock()
        self._names: dict[str, int] = {}
        try:
            self.descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            weakref.finalize(self, os.close, self.descriptor)
            self._bytes = memoryview(mmap.mmap(self.descriptor, 0))
        except (OSError, ValueError) as error:
            raise StartError(f"cannot open the counters {path}: {error}") from error
        words = self.words = self._bytes.cast("Q")
        if words[0] != _MAGIC or seat >= words[_SEATS_AT]:
            raise StartError(f"{path} holds no counters, or has no seat {seat}")
        self.seats, self._slots = words[_SEATS_AT], words[_SLOTS_AT]
        self._records, self._record = _HEADER + self._slots * _SLOT, 2 + self.seats + _NAME

    @classmethod
    def create(cls, path: Path, identities: int, seats: int) -> SharedTally:
        """Makes the file, with room for so many identities and seats, for its owner only, and takes seat 0.

        StartError when that fails.
        """
        slots = 1 << max(3, (2 * identities - 1).bit_length())
        records, record = _HEADER + slots * _SLOT, 2 + seats + _NAME
        header = (_MAGIC, slots, NAMES, 0, seats)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                # A disk that is full is told of here: a page that cannot be had later on kills the process.
                os.posix_fallocate(descriptor, 0, 8 * (records + _RESERVED_NAMES * record))
                os.ftruncate(descriptor, 8 * (records + NAMES * record))
                os.pwrite(descriptor, b"".join(word.to_bytes(8, sys.byteorder) for word in header), 0)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StartError(f"cannot make the counters {path}: {error.strerror or error}") from error
        return cls(path)

    def turns(self, key: bytes) -> SharedTurns:
        """How many of the answers to the request with that identity were given."""
        return SharedTurns(self, key)

    def named(self, name: str) -> SharedCounter:
        """The counter of that name."""
        short = _short(name)
        self._place(short)
        return SharedCounter(self, self._names[short])

    def names(self) -> Mapping[str, int]:
        """All named counters that anybody asked for, in the order in which they first were."""
        self._catch_up()
        return {name: SharedCounter(self, at).value for name, at in list(self._names.items())}

    def remove(self) -> None:
        """Removes the file; who has opened it goes on with it."""
        self.path.unlink(missing_ok=True)

    # --- identities: open addressing, an identity is not 0

    def slot(self, first: int, second: int) -> int:
        """Where the identity has its count; 0 when it has none yet."""
        at = self._probe(first, second)
        return at if at and self.words[at + 2] | self.words[at + 1] else 0

    def new_slot(self, first: int, second: int) -> int:
        """Where the identity has its count from now on; CassetteError when there is no room."""
        with self._placing, self._locked(_SLOTS_AT):
            at = self._probe(first, second)
            if not at:
                cure = "Reset the session"
                raise CassetteError("it was changed while several workers play from it", cure=cure)
            self.words[at + 1], self.words[at + 2] = first, second
            return at

    def _probe(self, first: int, second: int) -> int:
        """The slot of the identity, or else the first free one; 0 when there is neither."""
        words, slots = self.words, self._slots
        for step in range(slots):
            at = _HEADER + (first + step) % slots * _SLOT
            there, rest = words[at + 1], words[at + 2]
            if (there == first and rest == second) or not there | rest:
                return at
        return 0

    # --- names: a list that only grows

    def _place(self, name: str) -> None:
        self._catch_up()
        if name in self._names:
            return
        with self._placing, self._locked(_NAMED_AT):
            self._read_names()
            if name not in self._names:
                self._write_name(name)

    def _catch_up(self) -> None:
        if self.words[_NAMED_AT] > len(self._names):
            with self._placing, self._locked(_NAMED_AT):
                self._read_names()

    def _read_names(self) -> None:
        for index in range(len(self._names), self.words[_NAMED_AT]):
            at = self._records + index * self._record
            length = at + 1 + self.seats
            start = 8 * (length + 1)
            self._names[bytes(self._bytes[start : start + self.words[length]]).decode()] = at

    def _write_name(self, name: str) -> None:
        index, encoded = self.words[_NAMED_AT], name.encode()
        if index >= self.words[_ROOM_AT]:
            raise StartError("too many things are counted in one session; reset it")
        at = self._records + index * self._record
        length = at + 1 + self.seats
        start = 8 * (length + 1)
        self._bytes[start : start + len(encoded)] = encoded
        self.words[length] = len(encoded)
        self.words[_NAMED_AT] = index + 1
        self._names[name] = at

    @contextmanager
    def _locked(self, place: int) -> Iterator[None]:
        lockf(self.descriptor, LOCK, 1, place)
        try:
            yield
        finally:
            lockf(self.descriptor, UNLOCK, 1, place)


def _short(name: str) -> str:
    """The name as there is room for it; one that is cut is told apart from others by a digest."""
    encoded = name.encode()
    if len(encoded) <= _NAME_BYTES:
        return name
    digest = blake2b(encoded, digest_size=8).hexdigest()
    return encoded[: _NAME_BYTES - len(digest) - 1].decode(errors="ignore") + "~" + digest
