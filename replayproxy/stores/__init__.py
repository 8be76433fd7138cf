"""Where cassettes are kept: on disk, and in memory for tests."""

from __future__ import annotations

from replayproxy.stores.contract import CassetteStore, Recorder, Spool
from replayproxy.stores.file_store import FileStore
from replayproxy.stores.memory import MemoryStore

__all__ = ["CassetteStore", "FileStore", "MemoryStore", "Recorder", "Spool"]
