"""Records in a file, so that an emulator that starts again remembers them: SQLite, from the standard library."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import orjson

from replayproxy.emulator.records import Record
from replayproxy.errors import StartError

__all__ = ["FileKeeper"]

#: Says that a file is ours, and in which form ("rpE" and the form's number).
_APPLICATION, _FORM = 0x72704500, 1
_TABLE = """
CREATE TABLE IF NOT EXISTS records (
  n INTEGER PRIMARY KEY, kind TEXT NOT NULL, parent TEXT NOT NULL, id TEXT NOT NULL, place INTEGER NOT NULL,
  created_at INTEGER NOT NULL, json TEXT NOT NULL, hidden TEXT NOT NULL, blob BLOB NOT NULL, there INTEGER NOT NULL,
  UNIQUE (kind, parent, id)
)
"""
_PUT = """
INSERT INTO records (kind, parent, id, place, created_at, json, hidden, blob, there) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
ON CONFLICT (kind, parent, id) DO UPDATE SET
  created_at = excluded.created_at, json = excluded.json, hidden = excluded.hidden, blob = excluded.blob, there = 1
"""
_DROP = "UPDATE records SET there = 0, json = '{}', hidden = '{}', blob = x'' WHERE kind = ? AND parent = ? AND id = ?"
_LOAD = "SELECT kind, id, parent, place, created_at, json, hidden, blob, there FROM records ORDER BY n"


class FileKeeper:
    """Keeps records in the SQLite file `path`, which it makes when there is none.

    A crash of the process loses nothing, one of the machine the last moments. StartError when the file is something
    else, or another emulator has it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with contextlib.suppress(FileExistsError):  # SQLite's own files take the rights of this one
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
            # Requests are served on one thread, which need not be the one that opens the file.
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.2)
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise StartError(f"{path} cannot be used to keep the emulator's state: {error}") from error

    def put(self, record: Record) -> None:
        """Keeps a record as it is now."""
        hidden, json = orjson.dumps(record.hidden).decode(), orjson.dumps(record.json).decode()
        self._file.execute(
            _PUT,
            (record.kind, record.parent, record.id, record.place, record.created_at, json, hidden, record.blob),
        )

    def drop(self, record: Record) -> None:
        """Keeps that a record was removed: its place stays used."""
        self._file.execute(_DROP, (record.kind, record.parent, record.id))

    def load(self) -> Iterator[tuple[Record, bool]]:
        """All that was kept, and whether it is still there, in the order in which it was first put."""
        for kind, id_, parent, place, created_at, json, hidden, blob, there in self._file.execute(_LOAD):
            told, known = orjson.loads(json), orjson.loads(hidden)
            yield Record(kind, id_, parent, place, created_at, told, known, bytes(blob)), bool(there)

    def clear(self) -> None:
        """Forgets everything."""
        self._file.execute("DELETE FROM records")

    def close(self) -> None:
        """Ends the file in order."""
        self._file.close()

    def _prepare(self) -> None:
        (application,) = self._file.execute("PRAGMA application_id").fetchone()
        tables = self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application != _APPLICATION + _FORM and (tables or application):
            raise StartError(f"{self._path} is no state of an emulator; name another file, or one that does not exist")
        self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.execute(f"PRAGMA application_id = {_APPLICATION + _FORM}")
        self._file.execute(_TABLE)
