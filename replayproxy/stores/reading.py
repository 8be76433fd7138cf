"""The interactions of a cassette's file, read when they are asked for.

Rules:
1. At the start only what has no key that proves itself is read; so whatever is wrong there is told at the start.
2. The file that was scanned stays open: who moves another one into its place changes nothing here. One that is changed
   in place is noticed, since what is read has to be what was scanned.
3. What was read last is kept up to a bound, at the cost of a random other one: to forget the oldest would keep nothing
   of what is asked for in turn.
"""

from __future__ import annotations

import os
import weakref
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from random import Random
from threading import Lock

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.codec import (
    Identified,
    decode_head,
    decode_interaction,
    decode_request,
    identified,
    written_body,
)
from replayproxy.core.documents import Document
from replayproxy.core.key_line import CURE_FOREIGN_KEY, FOREIGN_KEY
from replayproxy.core.likeness import Directory, Look
from replayproxy.core.messages import Body, FileBody, Request, encode
from replayproxy.core.scan import Scan
from replayproxy.core.upgrades import FORMAT_VERSION
from replayproxy.errors import CassetteError
from replayproxy.stores.plain_files import failure, open_regular
from replayproxy.stores.watch import Watch

__all__ = ["FileRecordings"]

_BLOCK = 1024 * 1024
# Of what was read so much is kept, text and bodies; as values it takes three times the room. What is asked for again
# and again is answered from what was sent before, and not from here.
_KEPT = 4 * 1024 * 1024
# Of a request's body so much is looked at to compare it with another, at its beginning and at its end.
_WINDOW = 4 * 1024


class FileRecordings:
    """The interactions of one file (`core/recordings.py`), and its head.

    CassetteError or UnicodeDecodeError when the file cannot be read. `torn` is the line of a last document that was
    not finished, 0 when there is none; `version` is the format's. It may be asked from several threads.
    """

    def __init__(self, path: Path, read_file: Callable[[FileBody], Body], identify: Identified = identified) -> None:
        self._path, self._read_file, self._identify = path, read_file, identify
        self._file = _File(path)
        self._scan = Scan(self._file.blocks())
        self.torn = self._scan.torn
        self.head, self.version = self._head()
        self._read: dict[int, Interaction] = {}
        self._cache = _Cache(_KEPT)
        self._read = {index: self._decoded(index) for index in range(len(self)) if not self._is_known(index)}

    def close(self) -> None:
        """Closes the file; nothing more can be read. It happens by itself when nobody can ask any more."""
        self._file.close()

    @property
    def whole(self) -> int:
        """How many bytes the file has up to what was not finished."""
        return self._scan.whole if self.torn else self._file.size

    def is_file(self, path: Path) -> bool:
        """Whether this is still what stands at `path`."""
        return self._file.is_file(path)

    def watch(self) -> Watch:
        """Tells whether what stands at the path is still what is read here."""
        watch = Watch(self._path, self._file.status, self.whole)
        watch.expect(lambda: self._is_alike(FileRecordings(self._path, self._read_file, self._identify)))
        return watch

    def _is_alike(self, other: FileRecordings) -> bool:
        return (
            (self.head, self.version, self.torn) == (other.head, other.version, other.torn)
            and self._scan.is_alike(other._scan)
            and {index: each.text for index, each in self._read.items()}
            == {index: each.text for index, each in other._read.items()}
        )

    def __len__(self) -> int:
        """How many there are."""
        return max(0, len(self._scan) - 1)

    def __getitem__(self, index: int) -> Interaction:
        """The interaction; CassetteError when the file was changed in place, or a body's file is not there."""
        found = self._read.get(index) or self._cache.get(index)
        if found is None:
            found = self._decoded(index)
            self._cache.put(index, found, self._scan.sizes[index + 1] + _bodies(found))
        return found

    def key(self, index: int, scheme: str) -> bytes | None:
        """The identity that the document's key tells, if it has one that proves itself."""
        return self._scan.key(index + 1, scheme) if self.version == FORMAT_VERSION else None

    def request(self, index: int) -> Request:
        """The request of the interaction; the response is not read for it."""
        found = self._read.get(index) or self._cache.get(index)
        if found is not None:
            return found.request
        document = self._document(index)
        with self._named():
            asked = Document(document.text.partition("\nresponse:\n")[0] + "\n", document.line)
            return decode_request(asked, self._read_file, proved=self._is_known(index))

    def directory(self) -> Directory:
        """Where the requests go, as the comments tell, and how long their bodies are in the file."""
        return self._directory

    def look(self, index: int) -> Look:
        """What the text of the request's body looks like."""
        scan, at = self._scan, index + 1
        start, size = scan.starts[at] + scan.bodies[at], scan.body_sizes[at]
        if size <= 2 * _WINDOW:
            return Look(size, self._file.read(start, size))
        return Look(size, self._file.read(start, _WINDOW) + self._file.read(start + size - _WINDOW, _WINDOW))

    def look_of(self, request: Request) -> Look:
        """What the text of the body would look like."""
        text = written_body(request).encode()
        return Look(len(text), text if len(text) <= 2 * _WINDOW else text[:_WINDOW] + text[-_WINDOW:])

    @cached_property
    def _directory(self) -> Directory:
        places, placed = self._scan.places, self._scan.placed[1:]
        for index, interaction in self._read.items():
            placed[index] = places.number(encode(f"{interaction.request.method} {interaction.request.path}"))
        return Directory(places, placed, self._scan.body_sizes[1:])

    def _head(self) -> tuple[Head, int]:
        if not len(self._scan):
            raise CassetteError("there is no head", path=str(self._path))
        with self._named():
            return decode_head(Document(self._raw(0).decode(), self._scan.lines[0]))

    def _is_known(self, index: int) -> bool:
        return self.version == FORMAT_VERSION and self._scan.is_proved(index + 1)

    def _decoded(self, index: int) -> Interaction:
        document = self._document(index)
        with self._named():
            proved = self._is_known(index)
            found = decode_interaction(document, self._read_file, self.version, proved=proved)
            if proved:
                self._check_key(index, found)
            return found

    def _check_key(self, index: int, interaction: Interaction) -> None:
        """What a request found here has to be what the document asks for."""
        scheme, key = self._identify(interaction.request)
        if (self._scan.key(index + 1, scheme) or key) != key:
            raise CassetteError(FOREIGN_KEY, line=interaction.line, cure=CURE_FOREIGN_KEY)

    def _document(self, index: int) -> Document:
        raw = self._raw(index + 1)
        if self._is_known(index) and not self._scan.is_same(index + 1, raw):
            what = "the cassette was changed while it is played"
            raise CassetteError(what, path=str(self._path), cure="Start again to play it as it is now")
        return Document(raw.decode(), self._scan.lines[index + 1])

    def _raw(self, at: int) -> bytes:
        raw = self._file.read(self._scan.starts[at], self._scan.sizes[at])
        return raw if raw.endswith(b"\n") else raw + b"\n"

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Names the file in errors that only know the line."""
        try:
            yield
        except CassetteError as error:
            raise error.at(str(self._path)) from error


class _File:
    """A file that is read at any place, from any thread."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        try:
            self._descriptor = open_regular(path)
            self._end = weakref.finalize(self, os.close, self._descriptor)
            status = self.status = os.fstat(self._descriptor)
            self.size = status.st_size
            self._known = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
        except OSError as error:
            raise failure(error, path, "read") from error

    def close(self) -> None:
        self._descriptor = -1  # the number may be another file's at once
        self._end()

    def is_file(self, path: Path) -> bool:
        try:
            there = os.stat(path)
        except OSError:
            return False
        return (there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns) == self._known

    def blocks(self) -> Iterator[bytes]:
        at = 0
        while block := self.read(at, _BLOCK):
            yield block
            at += len(block)

    def read(self, start: int, size: int) -> bytes:
        try:
            if hasattr(os, "pread"):
                return os.pread(self._descriptor, size, start)
            with self._lock:  # Windows
                os.lseek(self._descriptor, start, os.SEEK_SET)
                return os.read(self._descriptor, size)
        except OSError as error:
            raise failure(error, self._path, "read") from error


def _bodies(interaction: Interaction) -> int:
    """How many bytes the bodies have: those that lie in files beside are in no document's size."""
    bodies = (interaction.request.body, interaction.response.body)
    return sum(len(body) for body in bodies if isinstance(body, bytes))


class _Cache:
    """Interactions by index, up to so many bytes of text and bodies, but one at least."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size, self._lock = limit, 0, Lock()
        self._random = Random(0)  # noqa: S311 - nobody may guess a secret, anybody may guess what is kept
        self._kept: dict[int, Interaction] = {}
        self._indexes, self._sizes = array("I"), array("I")

    def get(self, index: int) -> Interaction | None:
        return self._kept.get(index)

    def put(self, index: int, interaction: Interaction, size: int) -> None:
        with self._lock:
            if index in self._kept:
                return
            while self._indexes and self._size + size > self._limit:
                self._forget(self._random.randrange(len(self._indexes)))
            self._kept[index] = interaction
            self._indexes.append(index)
            self._sizes.append(size)
            self._size += size

    def _forget(self, place: int) -> None:
        del self._kept[self._indexes[place]]
        self._size -= self._sizes[place]
        self._indexes[place], self._sizes[place] = self._indexes[-1], self._sizes[-1]
        self._indexes.pop()
        self._sizes.pop()
