"""Where cassettes are kept: on disk, and in memory for tests (memory.py). What saves is in writer.py."""

from __future__ import annotations

from replayproxy.stores.contract import CassetteStore, Recorder, Spool
from replayproxy.stores.file_store import FileStore

__all__ = ["CassetteStore", "FileStore", "Recorder", "Spool"]
