"""Recording into a file: each interaction is one write at its end.

Rules:
1. A document is in the file whole or not at all: what a failed write left is cut off again.
2. The file is ours while we record: when somebody else changed or moved it, saving fails instead of getting lost.
3. A new file is written beside and moved into place; so is one whose documents have to be put in order.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from replayproxy.core.cassette import Interaction, exchange_key
from replayproxy.core.codec import encode, renumber
from replayproxy.core.takes import EarlierTake
from replayproxy.errors import CassetteError
from replayproxy.stores.lock import Lock
from replayproxy.stores.side_files import FileSpool, SideFiles, failure, write_all, write_whole

__all__ = ["Earlier", "FileRecorder"]


@dataclass(frozen=True, slots=True)
class Earlier:
    """The take that is recorded over; `raw` is the file it stands in, empty when the new one cannot equal it."""

    take: EarlierTake
    raw: bytes


@dataclass(frozen=True, slots=True)
class _Saved:
    arrival: int
    key: bytes
    start: int
    end: int


class FileRecorder:
    """One recording into one file (see `stores/contract.py`)."""

    def __init__(
        self,
        path: Path,
        lock: Lock,
        files: SideFiles,
        head_text: str,
        inline_limit: int,
        earlier: Earlier | None = None,
    ) -> None:
        self._path, self._lock, self._files = path, lock, files
        self._prefix, self._inline_limit, self._earlier = head_text.encode(), inline_limit, earlier
        self._file: FileIO | None = None
        self._saved: list[_Saved] = []
        self._outdated: bytes | None = None
        self._end = self._count = 0
        self._closed = self._spooled = False

    def resume(self, raw: bytes, whole: int, count: int) -> None:
        """Goes on after the `count` interactions in the first `whole` bytes of the file; the rest is set aside."""
        try:
            if whole < len(raw):
                self._set_torn_aside(raw[whole:])
            self._file = FileIO(self._path, "r+")
            self._prefix = raw[:whole] if raw[:whole].endswith(b"\n") else raw[:whole] + b"\n"
            self._file.truncate(whole)
            self._file.seek(whole)
            write_all(self._file, self._prefix[whole:])
        except OSError as error:
            raise failure(error, self._path, "recorded") from error
        self._end, self._count = len(self._prefix), count

    def outdated(self, raw: bytes, count: int) -> None:
        """Goes on after the `count` interactions of the head text, which then take the place of the file `raw`."""
        self._outdated, self._count = raw, count

    def append(self, interaction: Interaction, arrival: int) -> None:
        """Saves an interaction whole, or raises CassetteError."""
        if self._closed:
            raise CassetteError("the recording has ended", path=str(self._path))
        key = exchange_key(interaction) if self._earlier else b""
        document = self._document(interaction, key)
        start = self._end
        if self._file is None:
            start = len(self._prefix)
            self._begin(self._prefix + document)
        else:
            self._write(self._file, document)
        self._end = start + len(document)
        self._saved.append(_Saved(arrival, key, start, self._end))

    def spool(self) -> FileSpool:
        """A new file for a large body."""
        self._spooled = True
        return self._files.spool()

    def close(self) -> None:
        """Puts the documents in order, makes them durable and gives the cassette free."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._file is not None and self._saved:
                self._settle(self._file)
            if self._saved or self._spooled:
                self._files.sweep()
        except OSError as error:
            raise failure(error, self._path, "put in order") from error
        finally:
            if self._file is not None:
                self._file.close()
            self._lock.release()

    def _document(self, interaction: Interaction, key: bytes) -> bytes:
        number = self._count + len(self._saved) + 1
        kept = self._earlier.take.take(key, number) if self._earlier else None
        if kept is not None:
            return kept.encode()
        try:
            encoded = encode(interaction, number, self._inline_limit)
        except CassetteError as error:
            raise error.at(str(self._path)) from error
        for name, content in encoded.files.items():
            self._files.write(name, content)
        return encoded.text.encode()

    def _begin(self, content: bytes) -> None:
        try:
            if self._path.exists():
                there = self._path.read_bytes()
                if self._earlier is None and there != self._outdated:
                    raise self._changed()
                write_whole(self._path.with_name(f"{self._path.name}~"), there)
            write_whole(self._path, content)
            self._file = FileIO(self._path, "r+")
            self._file.seek(len(content))
        except OSError as error:
            raise failure(error, self._path, "written") from error

    def _write(self, file: FileIO, document: bytes) -> None:
        try:
            self._check_ours(file)
            write_all(file, document)
        except OSError as error:
            self._cut_off(file)
            raise failure(error, self._path, "written") from error

    def _cut_off(self, file: FileIO) -> None:
        """Takes back what a failed write left; a cassette that cannot even shrink is reported by the next write."""
        try:
            file.truncate(self._end)
            file.seek(self._end)
        except OSError:
            return

    def _check_ours(self, file: FileIO) -> None:
        there, ours = os.stat(self._path), os.fstat(file.fileno())
        if not os.path.samestat(there, ours) or ours.st_size != self._end:
            raise self._changed()

    def _changed(self) -> CassetteError:
        cure = "Stop the recording before changing the file"
        return CassetteError("the cassette was changed while it was recorded", path=str(self._path), cure=cure)

    def _set_torn_aside(self, tail: bytes) -> None:
        aside = self._path.with_name(f"{self._path.name}.torn")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(aside, flags, 0o600), "wb", buffering=0) as file:
            write_all(file, tail)
            os.fsync(file.fileno())

    def _settle(self, file: FileIO) -> None:
        os.fsync(file.fileno())
        self._check_ours(file)
        ordered = sorted(self._saved, key=lambda saved: saved.arrival)
        if ordered == self._saved and not (self._earlier and self._earlier.raw):
            return
        written = self._path.read_bytes()
        content = self._content(ordered, written)
        if content != written:
            write_whole(self._path, content)

    def _content(self, ordered: list[_Saved], written: bytes) -> bytes:
        """The whole file in its final order."""
        texts = [written[saved.start : saved.end].decode() for saved in ordered]
        if self._earlier is None:
            texts = [renumber(text, self._count + index) for index, text in enumerate(texts, 1)]
        else:
            texts = self._earlier.take.rearranged([saved.key for saved in ordered], texts)
            if self._earlier.raw and self._earlier.take.is_same(texts):
                return self._earlier.raw
        return self._prefix + "".join(texts).encode()
