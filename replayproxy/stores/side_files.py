"""Large bodies, in a folder beside their cassette: `NAME.files/` for `NAME.yaml`.

Rules:
1. A file is named by its content, written under another name and moved into place whole; it is for its owner only.
2. Nothing outside the folder is ever read or written: names are plain, and links are not followed.
3. A file that no cassette of that name mentions any more is removed when a recording ends.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.body_forms import FILE_NAME
from replayproxy.core.messages import Body, FileBody
from replayproxy.errors import CassetteError
from replayproxy.stores.plain_files import failure, make_folder, open_regular, opened_regular, sync_folder, write_whole

__all__ = ["FileSpool", "SideFiles"]

_OWN_NAME = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{1,8}")
_MENTION = re.compile(rb"[0-9a-f]{32}\.[a-z0-9]{1,8}")
_TEMPORARY, _BESIDE = ".spool-", ".new"
# Files are searched for mentions in steps of so many bytes, each with the end of the one before.
_STEP, _OVERLAP = 1024 * 1024, 64


class SideFiles:
    """The folder of one cassette's large bodies."""

    def __init__(self, cassette: Path) -> None:
        self._cassette = cassette
        self._folder = cassette.with_name(f"{cassette.stem}.files")

    def read(self, body: FileBody) -> Body:
        """The content, or the body itself when it is large; CassetteError when it is not there or not as it was."""
        with self.open(body) as file:
            size = os.fstat(file.fileno()).st_size
            if size <= PARSE_LIMIT:
                return file.read()
        if size != body.size:
            what = f"the file {body.name} has {size} bytes instead of {body.size}"
            raise CassetteError(what, path=str(self._cassette), cure=f"Restore it in {self._folder}")
        return body

    def open(self, body: FileBody) -> BinaryIO:
        """The content, for reading."""
        path = self._folder / body.name
        if not FILE_NAME.fullmatch(body.name) or path.is_symlink() or self._folder.is_symlink():
            what = f"the file {body.name} is a link or has no plain name"
            raise CassetteError(what, path=str(self._cassette), cure=f"Put the file itself into {self._folder}")
        try:
            return opened_regular(path)
        except OSError as error:
            what = f"the file {body.name} cannot be read: {error.strerror}"
            raise CassetteError(what, path=str(self._cassette), cure=f"Restore it in {self._folder}") from error

    def write(self, name: str, content: bytes) -> None:
        """Keeps a body under a name made from its content."""
        path = self._folder / name
        try:
            self._make_folder()
            if not _holds(path, content):
                write_whole(path, content)
        except OSError as error:
            raise failure(error, path, "written") from error

    def spool(self) -> FileSpool:
        """A new file for a body that arrives in pieces."""
        try:
            self._make_folder()
            return FileSpool(self._folder)
        except OSError as error:
            raise failure(error, self._folder, "written") from error

    def sync(self, names: Collection[str]) -> None:
        """Makes bodies outlast a loss of power; OSError when the system cannot."""
        for name in names:
            with os.fdopen(open_regular(self._folder / name, os.O_RDWR), "rb+") as file:
                os.fsync(file.fileno())
        if names:
            sync_folder(self._folder)

    def sweep(self) -> None:
        """Removes what nobody mentions: neither the cassette nor what stands beside it under the same name."""
        if not self._folder.is_dir() or self._folder.is_symlink():
            return
        mentioned = set[str]()
        for cassette in self._cassette.parent.iterdir():
            if cassette.name.startswith(f"{self._cassette.stem}.") and cassette.is_file():
                mentioned |= _mentioned(cassette)
        for file in self._folder.iterdir():
            if file.name.startswith(_TEMPORARY) or (_OWN_NAME.fullmatch(file.name) and file.name not in mentioned):
                file.unlink()
        with contextlib.suppress(OSError):  # not empty
            self._folder.rmdir()

    def sweep_spools(self) -> None:
        """Removes what recordings left that were killed over it. To be called while there is no recording."""
        if self._folder.is_dir() and not self._folder.is_symlink():
            for file in self._folder.iterdir():
                if file.name.startswith(_TEMPORARY) or (file.name.startswith(".") and file.name.endswith(_BESIDE)):
                    file.unlink(missing_ok=True)

    def _make_folder(self) -> None:
        make_folder(self._folder)
        if self._folder.is_symlink():
            raise NotADirectoryError(0, "it is a link", str(self._folder))


def _holds(path: Path, content: bytes) -> bool:
    """Whether that is what is in the file already: who put it there is not known."""
    try:
        with opened_regular(path) as file:
            return os.fstat(file.fileno()).st_size == len(content) and file.read() == content
    except OSError:
        return False


def _mentioned(cassette: Path) -> set[str]:
    """What looks like the name of a body's file in a cassette, or in what stands beside it."""
    found, end = set[str](), b""
    with opened_regular(cassette.resolve()) as file:
        while data := file.read(_STEP):
            found.update(name.decode() for name in _MENTION.findall(end + data))
            end = data[-_OVERLAP:]
    return found


class FileSpool:
    """A body on its way into a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=folder)
        self._file: BinaryIO = os.fdopen(descriptor, "wb")
        self._path = Path(name)

    def write(self, data: bytes) -> None:
        """Takes in the next piece."""
        try:
            self._file.write(data)
        except OSError as error:
            raise failure(error, self._path, "written") from error

    def adopt(self, sha256: str, extension: str) -> str:
        """Moves it into place under the name of its content."""
        name = sha256[:32] + extension
        if not _OWN_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not made of a digest and an extension")
        try:
            self._file.close()
            os.replace(self._path, self._folder / name)
        except OSError as error:
            raise failure(error, self._path, "written") from error
        return name

    def discard(self) -> None:
        """Throws it away."""
        with contextlib.suppress(OSError):  # what could not be written cannot be flushed either
            self._file.close()
        self._path.unlink(missing_ok=True)
