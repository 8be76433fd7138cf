"""Recording into a file: what is saved together is one write at its end.

Rules:
1. A document is in the file whole or not at all: what a failed write left is cut off again.
2. The file is ours while we record: when somebody else changed or moved it, saving fails instead of getting lost.
3. A new file is written beside and moved into place; so is one whose documents have to be put in order.
4. What cannot be saved fails alone, those that are saved with it do not.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from io import FileIO
from itertools import accumulate
from pathlib import Path

from replayproxy.core.cassette import Interaction, exchange_key
from replayproxy.core.codec import Identified, encode, identified, renumber
from replayproxy.core.messages import FileBody
from replayproxy.core.takes import EarlierTake
from replayproxy.errors import CassetteError
from replayproxy.stores.contract import Unsaved
from replayproxy.stores.lock import Lock
from replayproxy.stores.plain_files import (
    failure,
    open_regular,
    opened_regular,
    sync_folder,
    write_all,
    write_whole,
)
from replayproxy.stores.side_files import FileSpool, SideFiles
from replayproxy.stores.written import Written, WrittenDocuments

__all__ = ["Earlier", "FileRecorder", "digest_of"]


@dataclass(frozen=True, slots=True)
class Earlier:
    """The take that is recorded over, and the `digest_of` the file it stands in; `raw` is that file, empty when the new
    one cannot equal it."""

    take: EarlierTake
    digest: bytes
    raw: bytes


def digest_of(raw: bytes) -> bytes:
    """What tells a file that somebody changed from the one that was read."""
    return blake2b(raw, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class _Document:
    place: int
    arrival: int
    key: bytes
    content: bytes


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
        identify: Identified = identified,
    ) -> None:
        self._path, self._lock, self._files, self._identify = path, lock, files, identify
        self._prefix, self._inline_limit, self._earlier = head_text.encode(), inline_limit, earlier
        self._first = len(self._prefix)  # where the first document of this recording begins
        self._file: FileIO | None = None
        self._written = WrittenDocuments()
        self._outdated = b""
        self._unsynced = set[str]()
        self._count = 0
        self._closed = self._spooled = self._moved = self._gaps = False

    def resume(self, whole: int, count: int) -> None:
        """Goes on after the `count` interactions in the first `whole` bytes of the file; the rest is set aside."""
        try:
            self._file = self._opened()
            self._file.seek(whole)
            if torn := self._file.read():
                self._set_torn_aside(torn)
            self._file.truncate(whole)
            self._file.seek(whole - 1)
            if self._file.read() != b"\n":
                write_all(self._file, b"\n")
        except OSError as error:
            raise failure(error, self._path, "recorded") from error
        self._first = self._file.tell()
        self._written, self._count = WrittenDocuments(self._first), count

    def outdated(self, raw: bytes, count: int) -> None:
        """Goes on after the `count` interactions of the head text, which then take the place of the file `raw`."""
        self._outdated, self._count = digest_of(raw), count

    def append(self, interaction: Interaction, arrival: int) -> None:
        """Saves an interaction whole, or raises CassetteError."""
        error = self.append_all([Unsaved(interaction, arrival)])[0]
        if error is not None:
            raise error

    def append_all(self, batch: Sequence[Unsaved]) -> list[CassetteError | None]:
        """Saves interactions with one write, and tells of each what kept it from being saved."""
        errors: list[CassetteError | None] = [None] * len(batch)
        documents = self._documents(batch, errors)
        while documents:
            count, error = self._put(documents)
            if error is not None:
                errors[documents[count].place] = error
                self._gaps = True
                count += 1
            documents = documents[count:]
        return errors

    def sync(self) -> None:
        """Makes what was saved outlast a loss of power; CassetteError when the system cannot."""
        if self._file is None or self._closed:
            return
        try:
            beside, self._unsynced = self._unsynced, set()
            self._files.sync(beside)
            os.fsync(self._file.fileno())
            if self._moved:
                sync_folder(self._path.parent)
                self._moved = False
        except OSError as error:
            raise failure(error, self._path, "made durable") from error

    def spool(self) -> FileSpool:
        """A new file for a large body."""
        self._spooled = True
        return self._files.spool()

    def close(self) -> None:
        """Puts the documents in order and gives the cassette free."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._file is not None and self._written:
                self._settle(self._file)
            if self._written or self._spooled:
                self._files.sweep()
        except OSError as error:
            raise failure(error, self._path, "put in order") from error
        finally:
            if self._file is not None:
                self._file.close()
            self._lock.release()

    def _documents(self, batch: Sequence[Unsaved], errors: list[CassetteError | None]) -> list[_Document]:
        """The documents of a batch. What cannot be one is left out; why goes into its place in `errors`."""
        documents, first = list[_Document](), self._count + len(self._written) + 1
        for place, unsaved in enumerate(batch):
            try:
                key = exchange_key(unsaved.interaction) if self._earlier else b""
                content = self._content_of(unsaved, key, first + len(documents))
            except CassetteError as error:
                errors[place] = error
            else:
                documents.append(_Document(place, unsaved.arrival, key, content))
        return documents

    def _content_of(self, unsaved: Unsaved, key: bytes, number: int) -> bytes:
        if self._closed:
            raise CassetteError("the recording has ended", path=str(self._path))
        bodies = (unsaved.interaction.request.body, unsaved.interaction.response.body)
        self._unsynced.update(body.name for body in bodies if isinstance(body, FileBody) and body.name)
        kept = self._earlier.take.take(key, number) if self._earlier else None
        if kept is not None:
            return kept.encode()
        try:
            encoded = encode(unsaved.interaction, number, self._inline_limit, self._identify)
        except CassetteError as error:
            raise error.at(str(self._path)) from error
        for name, content in encoded.files.items():
            self._files.write(name, content)
        self._unsynced.update(encoded.files)
        return encoded.text.encode()

    def _put(self, documents: Sequence[_Document]) -> tuple[int, CassetteError | None]:
        """Writes the first of these documents; how many are in the file now, and what kept the next one out, if any."""
        try:
            if self._file is not None:
                return self._write(self._file, documents)
            # One alone: a file that begins with many would begin with all of them or not at all.
            self._begin(self._prefix + documents[0].content)
        except CassetteError as error:
            return 0, error
        self._written = WrittenDocuments(len(self._prefix))
        self._note(documents[:1])
        return 1, None

    def _write(self, file: FileIO, documents: Sequence[_Document]) -> tuple[int, CassetteError | None]:
        try:
            self._check_ours(file)
            write_all(file, b"".join([document.content for document in documents]))
        except OSError as error:
            return self._keep_whole(file, documents), failure(error, self._path, "written")
        self._note(documents)
        return len(documents), None

    def _keep_whole(self, file: FileIO, documents: Sequence[_Document]) -> int:
        """Cuts off what a failed write left of a document; how many are whole.

        A cassette that cannot even shrink is reported by the next write.
        """
        ends = accumulate((len(document.content) for document in documents), initial=self._written.end)
        whole = sum(end <= file.tell() for end in ends) - 1
        self._note(documents[:whole])
        with contextlib.suppress(OSError):
            file.truncate(self._written.end)
            file.seek(self._written.end)
        return whole

    def _note(self, documents: Sequence[_Document]) -> None:
        """Takes down that documents were written behind each other."""
        for document in documents:
            self._written.add(document.arrival, document.key, len(document.content))

    def _begin(self, content: bytes) -> None:
        try:
            if self._path.exists():
                there = self._content_there()
                if digest_of(there) != (self._earlier.digest if self._earlier else self._outdated):
                    raise self._changed()  # an edit that came in between, or another one's recording
                write_whole(self._path.with_name(f"{self._path.name}~"), there)
            write_whole(self._path, content)
            self._moved = True
            self._file = self._opened()
            self._file.seek(len(content))
        except OSError as error:
            raise failure(error, self._path, "written") from error

    def _check_ours(self, file: FileIO) -> None:
        there, ours = os.stat(self._path), os.fstat(file.fileno())
        if not os.path.samestat(there, ours) or ours.st_size != self._written.end:
            raise self._changed()

    def _changed(self) -> CassetteError:
        cure = "Stop the recording before changing the file"
        return CassetteError("the cassette was changed while it was recorded", path=str(self._path), cure=cure)

    def _set_torn_aside(self, tail: bytes) -> None:
        aside = self._path.with_name(f"{self._path.name}.torn")
        descriptor = open_regular(aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            write_all(file, tail)
            os.fsync(file.fileno())

    def _opened(self) -> FileIO:
        return FileIO(open_regular(self._path, os.O_RDWR), "r+")

    def _content_there(self) -> bytes:
        with opened_regular(self._path) as file:
            return file.read()

    def _settle(self, file: FileIO) -> None:
        self._check_ours(file)
        if self._written.in_order and not self._gaps and not (self._earlier and self._earlier.raw):
            return
        written = self._content_there()
        content = self._content(list(self._written.by_arrival()), written)
        if content != written:
            write_whole(self._path, content)

    def _content(self, ordered: Sequence[Written], written: bytes) -> bytes:
        """The whole file in its final order."""
        texts = [written[each.start : each.end].decode() for each in ordered]
        if self._earlier is None:
            texts = [renumber(text, self._count + index) for index, text in enumerate(texts, 1)]
        else:
            texts = self._earlier.take.rearranged([each.key for each in ordered], texts)
            if self._earlier.raw and self._earlier.take.is_same(texts):
                return self._earlier.raw
        return written[: self._first] + "".join(texts).encode()
