"""Changes to a cassette's file that somebody asks for: an interaction added, written by hand, or taken out.

Rules:
1. Who records has the cassette for itself (stores/lock.py): meanwhile a change is refused.
2. A file that is changed is written beside and moved into place whole; what it was is copied to `NAME.yaml~`.
3. What could not be loaded again is refused before anything is written, and what somebody wrote is redacted first.
4. Files of large bodies stay as long as the cassette, or what it was, mentions them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.codec import Identified, decode_head, identified, split_cassette
from replayproxy.core.document_edits import edited_document, rewritten
from replayproxy.core.documents import Documents
from replayproxy.core.redaction import Redactor
from replayproxy.core.secrets.rewrite import redacted_cassette
from replayproxy.errors import CassetteError
from replayproxy.stores.file_store import FileStore
from replayproxy.stores.lock import Lock
from replayproxy.stores.plain_files import failure, opened_regular, sync_folder, write_whole
from replayproxy.stores.side_files import SideFiles

__all__ = ["CassetteEditor"]


class CassetteEditor:
    """Changes one cassette's file; each change has it for itself as long as it takes.

    `redactor` takes secrets out of what somebody wrote; `inline_limit` is the size from which a body gets a file of its
    own; `identify` makes the keys.
    """

    def __init__(
        self, path: Path, redactor: Redactor, inline_limit: int = 65536, identify: Identified = identified
    ) -> None:
        self._store = FileStore(path, inline_limit, identify)
        self._path, self._files = self._store.path, SideFiles(self._store.path)
        self._redactor, self._inline_limit, self._identify = redactor, inline_limit, identify

    def add(self, head: Head, interaction: Interaction) -> int:
        """Adds an interaction at the end, and gives its number; `head` begins a cassette that was not there.

        CassetteError when it is recorded meanwhile, or cannot be written.
        """
        recorder = self._store.append_to(head)
        try:
            recorder.append(interaction, 1)
            recorder.sync()
        finally:
            recorder.close()
        return len(self._store.open_recordings()[1])

    def replace(self, number: int, text: str) -> int:
        """Lets interaction `number` read as somebody wrote it; gives how many secrets were taken out of that.

        CassetteError: without a path when it is about `text`, whose line it names then. IndexError: there is no such
        interaction.
        """
        secrets = 0

        def change(whole: str, documents: Documents) -> str:
            nonlocal secrets
            _check(documents, number)
            document, secrets = self._redacted(text, documents)
            return rewritten(whole, documents, number, document)

        self._change(change)
        return secrets

    def remove(self, number: int) -> int:
        """Takes interaction `number` out; gives how many are left. IndexError: there is no such interaction."""
        left = 0

        def change(whole: str, documents: Documents) -> str:
            nonlocal left
            _check(documents, number)
            left = len(documents.items) - 2
            return rewritten(whole, documents, number, None)

        self._change(change)
        return left

    def _redacted(self, text: str, documents: Documents) -> tuple[str, int]:
        """What somebody wrote without its secrets, in a form that loads; and how many secrets there were."""
        head = documents.items[0]
        version = decode_head(head)[1]
        document, _ = edited_document(text, self._files.read, version, self._identify)
        result = redacted_cassette(
            head.text + document, self._redactor, self._files.read, lambda body, *_: (body, 0), self._inline_limit
        )
        own = split_cassette(result.text).items[0].text
        without = result.text[result.text.index(own) + len(own) :]
        if without == document:
            return document, 0
        for name, content in result.files.items():
            self._files.write(name, content)
        return edited_document(without, self._files.read, version, self._identify)[0], result.secrets

    def _change(self, change: Callable[[str, Documents], str]) -> None:
        with self._locked():
            raw = self._read()
            text = _decoded(raw, self._path)
            changed = change(text, self._documents(text)).encode("utf-8", "surrogatepass")
            if changed == raw:
                return
            try:
                write_whole(self._path.with_name(f"{self._path.name}~"), raw)
                write_whole(self._path, changed)
                self._files.sweep()
                sync_folder(self._path.parent)
            except OSError as error:
                raise failure(error, self._path, "written") from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            lock = Lock(self._path)
        except OSError as error:
            raise failure(error, self._path, "written") from error
        try:
            yield
        finally:
            lock.release()

    def _read(self) -> bytes:
        try:
            with opened_regular(self._path) as file:
                return file.read()
        except OSError as error:
            raise failure(error, self._path, "read") from error

    def _documents(self, text: str) -> Documents:
        try:
            return split_cassette(text)
        except CassetteError as error:
            raise error.at(str(self._path)) from error


def _check(documents: Documents, number: int) -> None:
    if not 1 <= number < len(documents.items):
        raise IndexError(number)


def _decoded(raw: bytes, path: Path) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise CassetteError("the file is not UTF-8", path=str(path), cure="Save it as UTF-8") from error
