"""The files in a vector store, and the counts that the store keeps of them.

A file is read and cut when it is put in; what came of it is told when it, its batch or the store is next retrieved.
Fact (recordings of the real API): a file of 12 bytes uses 1036 of the store.
"""

from __future__ import annotations

from typing import Final

from replayproxy.emulator.files.text import text_of
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State
from replayproxy.emulator.vector_stores.chunks import chunk_spans, strategy_of

__all__ = ["VECTOR_STORE_FILE", "attach", "cancel", "detach", "finish", "forget_file", "settle"]

#: What a chunk takes up beside the file's own bytes.
CHUNK_BYTES: Final = 1024
_UNSUPPORTED = {"code": "unsupported_file", "message": "The file could not be parsed because it is not supported."}
_EMPTY = {"code": "invalid_file", "message": "The file is empty, or has no text in it."}


def _invent(state: State, record: Record) -> None:
    _fill(state, record, record.id, None, {}, "")
    _told(record)
    store = state.shelf(state.kinds["vector store"]).get(record.parent)
    if store is not None:
        _count(state, store, record, 1)


VECTOR_STORE_FILE = Kind("vector store file", "file-", _invent, 22)


def attach(
    state: State, store: Record, file_id: str, chunking: Json | None, attributes: Json | None, batch: str = ""
) -> Record:
    """Put a file, which must be there, into a store; one that is in already is put in anew."""
    before = state.shelf(VECTOR_STORE_FILE, store.id).get(file_id)
    if before is not None:
        _count(state, store, before, -1)
    entry = state.add(
        VECTOR_STORE_FILE,
        lambda record: _fill(state, record, file_id, chunking, attributes or {}, batch),
        store,
        id_=file_id,
    )
    _count(state, store, entry, 1)
    return entry


def finish(state: State, store: Record, entry: Record) -> None:
    """Move a file that is in progress to what has come of it."""
    if entry.json["status"] == "in_progress":
        _count(state, store, entry, -1)
        _told(entry)
        state.keep(entry)
        _count(state, store, entry, 1)


def cancel(state: State, store: Record, entry: Record) -> None:
    """Stop a file that is in progress."""
    if entry.json["status"] == "in_progress":
        _count(state, store, entry, -1)
        entry.json["status"] = "cancelled"
        state.keep(entry)
        _count(state, store, entry, 1)


def settle(state: State, store: Record) -> None:
    """Finish all files of a store that are in progress."""
    if store.json["file_counts"]["in_progress"]:
        for entry in state.shelf(VECTOR_STORE_FILE, store.id):
            finish(state, store, entry)


def detach(state: State, store: Record, entry: Record) -> None:
    """Take a file out of a store."""
    state.remove(VECTOR_STORE_FILE, entry.id, store.id)
    _count(state, store, entry, -1)


def forget_file(state: State, file_id: str) -> None:
    """Take a file that is deleted out of all stores."""
    for store in state.shelf(state.kinds["vector store"]):
        entry = state.shelf(VECTOR_STORE_FILE, store.id).get(file_id)
        if entry is not None:
            detach(state, store, entry)


def _fill(state: State, record: Record, file_id: str, chunking: Json | None, attributes: Json, batch: str) -> None:
    strategy = strategy_of(chunking)
    record.json = {
        "id": record.id,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": record.created_at,
        "vector_store_id": record.parent,
        "status": "in_progress",
        "last_error": None,
        "chunking_strategy": strategy,
        "attributes": attributes,
    }
    file = state.get(state.kinds["file"], file_id)
    name, content = (file.json["filename"], file.blob) if file else ("file.txt", b"")
    text = text_of(name, content)
    record.blob = (text or "").encode("utf-8", "replace")
    chunks = chunk_spans(text or "", strategy)
    record.hidden = {"filename": name, "batch": batch, "chunks": chunks, "unsupported": text is None}


def _told(entry: Record) -> None:
    """Write down what has come of a file."""
    chunks = entry.hidden["chunks"]
    if chunks:
        entry.json["status"] = "completed"
        entry.json["usage_bytes"] = CHUNK_BYTES * len(chunks) + len(entry.blob)
    else:
        entry.json["status"] = "failed"
        entry.json["last_error"] = dict(_UNSUPPORTED if entry.hidden["unsupported"] else _EMPTY)


def _count(state: State, store: Record, entry: Record, by: int) -> None:
    counts = store.json["file_counts"]
    counts[entry.json["status"]] += by
    counts["total"] += by
    store.json["usage_bytes"] += by * entry.json["usage_bytes"]
    store.json["status"] = "in_progress" if counts["in_progress"] else "completed"
    state.keep(store)
