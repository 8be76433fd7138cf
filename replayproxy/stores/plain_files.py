"""Files beside which somebody else may have put something: opened, made and written without being led astray.

Rules:
1. What is made is for its owner only, folders too; what is replaced keeps the rights that it had.
2. A file is a regular one: a link is not followed, and a pipe or a device is not waited for.
3. A file is written beside and moved into place whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from replayproxy.errors import CassetteError

__all__ = [
    "beside",
    "failure",
    "followed",
    "make_folder",
    "open_regular",
    "opened_regular",
    "sync_folder",
    "write_all",
    "write_whole",
]

_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def failure(error: OSError, path: Path, deed: str) -> CassetteError:
    """What the system refused, as an error that the user can act on."""
    reason = error.strerror or str(error)
    return CassetteError(
        f"cannot be {deed}: {reason}", path=str(path), cure="Check the folder, its rights and the disk"
    )


def followed(path: Path) -> Path:
    """Where a link leads that somebody named on purpose; the path itself when it is none."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def make_folder(path: Path) -> None:
    """Makes a folder, and those that it is in, for their owner only; OSError when something else is in its place."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            with contextlib.suppress(FileExistsError):  # somebody was quicker, or it is a link to nothing
                folder.mkdir(mode=0o700)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a regular file; OSError when it is none. What is made is readable by its owner only."""
    with contextlib.suppress(FileNotFoundError):
        _check_regular(os.lstat(path), path)  # before it is opened: that alone may do something to a device
    descriptor = os.open(path, flags | _FLAGS, 0o600)
    try:
        _check_regular(os.fstat(descriptor), path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def opened_regular(path: Path) -> BinaryIO:
    """A regular file, for reading."""
    return os.fdopen(open_regular(path), "rb")


def beside(path: Path) -> Path:
    """Where a file is written before it is moved to `path`; what is there was left by somebody who was killed."""
    return path.with_name(f".{path.name}.new")


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file beside `path` and moves it there; OSError leaves `path` as it was."""
    new = beside(path)
    try:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600), "wb", 0) as file:
            _keep_rights(path, new)
            write_all(file, content)
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


def sync_folder(path: Path) -> None:
    """Makes a folder's names outlast a loss of power, where the platform lets it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(file: BinaryIO, content: bytes) -> None:
    """Writes to an unbuffered file, which may take less at a time than it is given."""
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


def _check_regular(status: os.stat_result, path: Path) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "it is a link", str(path))
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def _keep_rights(path: Path, new: Path) -> None:
    """Gives a file the rights of the one whose place it takes: one that is committed is readable by everybody."""
    try:
        there = os.lstat(path)
    except OSError:
        return
    if stat.S_ISREG(there.st_mode):
        new.chmod(stat.S_IMODE(there.st_mode) & 0o777)
