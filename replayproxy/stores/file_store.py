"""A cassette in a file.

Rules:
1. What cannot be read stops whoever asked, and is left as it is.
2. A recording holds a lock beside the cassette. In record mode nothing changes before the first interaction is saved;
   then the earlier take is copied to `NAME.yaml~` and the new one moved into place.
3. A torn last document is not loaded; recording on moves it to the end of `NAME.yaml.torn`.
4. A link is followed inside of its folder only. (Who names a cassette to the command line may name a link.)
5. A file of an earlier version of the format is written anew, in the present one, when something is added to it; what
   it was is copied to `NAME.yaml~`.
"""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from replayproxy.core.cassette import Cassette, Head
from replayproxy.core.codec import (
    Identified,
    decode_documents,
    encode_head,
    identified,
    split_cassette,
    upgraded,
)
from replayproxy.core.documents import Documents
from replayproxy.core.messages import FileBody
from replayproxy.core.recordings import Recordings
from replayproxy.core.takes import EarlierTake, same_head
from replayproxy.core.upgrades import FORMAT_VERSION
from replayproxy.errors import CassetteError
from replayproxy.stores.lock import Lock
from replayproxy.stores.plain_files import beside, failure, make_folder, opened_regular
from replayproxy.stores.reading import FileRecordings
from replayproxy.stores.side_files import SideFiles
from replayproxy.stores.watch import Watch

if TYPE_CHECKING:
    from replayproxy.stores.recorder import Earlier, FileRecorder

__all__ = ["MAX_BYTES", "FileStore", "collecting_no_garbage"]

#: Larger files are not read.
MAX_BYTES = 1024 * 1024 * 1024


class FileStore:
    """One cassette in one file.

    `inline_limit` is the size from which a body gets a file of its own; `identify` makes the keys of what is recorded.
    """

    def __init__(self, path: Path, inline_limit: int = 65536, identify: Identified = identified) -> None:
        self.path, self._is_inside = _place(path)
        self._inline_limit, self._identify = inline_limit, identify
        self._files = SideFiles(self.path)
        self._torn = ""
        self._found: FileRecordings | None = None
        self._watch: Watch | None = None
        self._outdated = False

    @property
    def torn(self) -> str:
        """What the last `load` left out; empty when nothing."""
        return self._torn

    def exists(self) -> bool:
        """Whether there is a file, readable or not."""
        return self.path.exists() or self.path.is_symlink()

    def load(self) -> Cassette:
        """The cassette; CassetteError names file, line and cure."""
        return self._load(self._read())[0]

    def open_recordings(self) -> tuple[Head, Recordings]:
        """The head and the interactions, which are read when they are asked for; CassetteError names file, line and
        cure."""
        found = self._scanned()
        if found is None:
            self._watch = Watch(self.path)
            cassette = self.load()
            self._watch.expect(lambda: FileStore(self.path).load() == cassette)
            return cassette.head, cassette
        self._torn, self._watch = self._told_torn(found.torn), found.watch()
        self._outdated = found.version != FORMAT_VERSION  # a recording that adds to it moves another one into its place
        return found.head, found

    def is_current(self, *, grows: bool = False) -> bool:
        """Whether the file is still what `open_recordings` found, or has the same content again.

        `grows`: a recording adds to it, and everything that only adds is that. Before `open_recordings` it is current.
        """
        if self._watch is None or (grows and self._outdated):
            return True
        return self._watch.is_current(grows=grows)

    def open_body(self, body: FileBody) -> BinaryIO:
        """The content of a large body, for reading."""
        return self._files.open(body)

    def append_to(self, head: Head) -> FileRecorder:
        """A recorder that adds to the file, or makes it when there is none."""
        lock = self._lock()
        try:
            if not self.exists():
                return self._recorder(lock, encode_head(head))
            with self._named():
                place = self._place()
                if place is None:
                    raw = self._read()
                    return self._append_to_old(raw, _documents(raw), lock)
            recorder = self._recorder(lock)
            recorder.resume(*place)
            return recorder
        except BaseException:
            lock.release()
            raise

    def replace_take(self, head: Head) -> FileRecorder:
        """A recorder that begins the file anew with its first interaction, keeping what did not change."""
        from replayproxy.stores.recorder import Earlier, digest_of

        lock = self._lock()
        try:
            head_text, earlier = encode_head(head), None
            if self.exists():
                raw = self._read()
                cassette, documents = self._load(raw)
                alike, current = same_head(head, cassette.head), upgraded(documents)
                if alike:
                    head_text = documents.prolog + current.items[0].text
                texts = (item.text for item in current.items[1:])
                pairs = zip(cassette.interactions, texts, strict=True)
                take = EarlierTake([replace(interaction, text=text) for interaction, text in pairs])
                earlier = Earlier(take, digest_of(raw), raw if alike and documents.torn is None else b"")
            return self._recorder(lock, head_text, earlier)
        except BaseException:
            lock.release()
            raise

    def _recorder(self, lock: Lock, head_text: str = "", earlier: Earlier | None = None) -> FileRecorder:
        from replayproxy.stores.recorder import FileRecorder  # playback has no use for what writes

        return FileRecorder(self.path, lock, self._files, head_text, self._inline_limit, earlier, self._identify)

    def _place(self) -> tuple[int, int] | None:
        """Where a recording goes on: after so many bytes and interactions; None in a file of an earlier version, or one
        that cannot be read.

        What is scanned for playing need not be scanned again.
        """
        found = self._found if self._found is not None and self._found.is_file(self.path) else self._scanned()
        return (found.whole, len(found)) if found is not None and found.version == FORMAT_VERSION else None

    def _scanned(self) -> FileRecordings | None:
        """The file scanned; None when that cannot be done: reading the whole says in better words what is wrong."""
        self._check_size()
        try:
            with collecting_no_garbage():
                self._found = FileRecordings(self.path, self._files.read, self._identify)
        except (CassetteError, UnicodeDecodeError):
            self._found = None
        return self._found

    def _append_to_old(self, raw: bytes, documents: Documents, lock: Lock) -> FileRecorder:
        """A recorder that adds to a file of an earlier version."""
        text, content, place = _text(raw[: documents.whole] if documents.torn else raw), "", 0
        for old, new in zip(documents.items, upgraded(documents).items, strict=True):
            start = text.index(old.text.removesuffix("\n"), place)
            content += text[place:start] + new.text.removesuffix("\n")
            place = start + len(old.text) - 1
        content += text[place:].removesuffix("\n") + "\n"
        recorder = self._recorder(lock, content)
        recorder.outdated(raw, len(documents.items) - 1)
        return recorder

    def _load(self, raw: bytes) -> tuple[Cassette, Documents]:
        with self._named(), collecting_no_garbage():
            documents = _documents(raw)
            cassette = decode_documents(documents, self._files.read)
        self._torn = self._told_torn(documents.torn.line if documents.torn else 0)
        return cassette, documents

    def _told_torn(self, line: int) -> str:
        return f"{self.path}:{line}: the last document was not finished and is left out" if line else ""

    def _read(self) -> bytes:
        self._check_size()
        try:
            with opened_regular(self.path) as file:
                return file.read()
        except OSError as error:
            raise failure(error, self.path, "read") from error

    def _check_size(self) -> None:
        self._check_place()
        try:
            size = self.path.stat().st_size
        except OSError as error:
            raise failure(error, self.path, "read") from error
        if size > MAX_BYTES:
            cure = "Record into several cassettes"
            raise CassetteError(f"a cassette of {size:,} bytes is too large", path=str(self.path), cure=cure)

    def _lock(self) -> Lock:
        self._check_place()
        try:
            make_folder(self.path.parent)
            lock = Lock(self.path)
        except OSError as error:
            raise failure(error, self.path, "recorded") from error
        with contextlib.suppress(OSError):  # what cannot be removed is in nobody's way
            for name in (self.path.name, f"{self.path.name}~"):
                beside(self.path.with_name(name)).unlink(missing_ok=True)
            self._files.sweep_spools()
        return lock

    def _check_place(self) -> None:
        if not self._is_inside:
            cure = "Put the file itself into the folder, or name it with --cassette"
            raise CassetteError("the cassette is a link that leads out of its folder", path=str(self.path), cure=cure)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Names the file in errors that only know the line."""
        try:
            yield
        except CassetteError as error:
            raise error.at(str(self.path)) from error


def _place(path: Path) -> tuple[Path, bool]:
    """The file that is meant: a link's own, when it stays in its folder; and whether it does."""
    if not path.is_symlink():
        return path, True
    there = Path(os.path.realpath(path))
    inside = there.is_relative_to(os.path.realpath(path.parent))
    return (there, True) if inside else (path, False)


def _documents(raw: bytes) -> Documents:
    return split_cassette(_text(raw))


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        kind = "UTF-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "not UTF-8"
        line = raw.count(b"\n", 0, error.start) + 1
        raise CassetteError(f"the file is {kind}", line=line, cure="Save it as UTF-8") from error


@contextmanager
def collecting_no_garbage() -> Iterator[None]:
    """Reading makes many values and no garbage: the collector would take half of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
