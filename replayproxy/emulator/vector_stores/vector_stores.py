"""The family of vector stores; their files are in vector_store_files, the search in vector_search."""

from __future__ import annotations

from typing import Final

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted, find, metadata_of, not_found, page_answer
from replayproxy.emulator.files.files import missing_files
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State
from replayproxy.emulator.vector_stores.chunks import overlap_problem
from replayproxy.emulator.vector_stores.contents import attach, settle
from replayproxy.emulator.vector_stores.search import search_store

__all__ = ["KINDS", "ROUTES", "VECTOR_STORE", "add_store", "chunking_problem", "store_of"]

_DAY: Final = 86_400


def _invent(_: State, record: Record) -> None:
    record.json = _store(record, {})


VECTOR_STORE = Kind("vector store", "vs_", _invent)
KINDS = (VECTOR_STORE,)


def add_store(state: State, body: Json) -> Record:
    """Make the store that a valid create-vector-store body describes; `file_ids` that are not there are passed over.

    Whoever must refuse these asks `files.missing_files` before.
    """

    def fill(record: Record) -> None:
        record.json = _store(record, body)

    store = state.add(VECTOR_STORE, fill)
    for id_ in body.get("file_ids") or ():
        if state.get(state.kinds["file"], id_) is not None:
            attach(state, store, id_, body.get("chunking_strategy"), None)
    return store


def store_of(state: State, asked: Asked) -> Record | Problem:
    """The store that the path names."""
    id_ = asked.params["vector_store_id"]
    return find(state, VECTOR_STORE, id_)


def chunking_problem(given: Json | None) -> Problem | None:
    """What is wrong with a chunking strategy that is of the right form (inferred wording)."""
    message = overlap_problem(given)
    if message is None:
        return None
    return Problem(message, "chunking_strategy.static.chunk_overlap_tokens", "invalid_value")


def _store(record: Record, body: Json) -> Json:
    return {
        "id": record.id,
        "object": "vector_store",
        "name": body.get("name") or "",  # null in the real one, which the client's own type does not allow
        "status": "completed",
        "usage_bytes": 0,
        "created_at": record.created_at,
        "file_counts": {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0},
        "metadata": metadata_of(body, otherwise={}),
        "expires_after": body.get("expires_after"),
        "expires_at": _expiry(record.created_at, body.get("expires_after")),
        "last_active_at": record.created_at,
    }


def _expiry(active: int, after: Json | None) -> int | None:
    return active + after["days"] * _DAY if after else None


def _create(state: State, asked: Asked) -> Answer:
    problem = chunking_problem(asked.body.get("chunking_strategy"))
    problem = problem or missing_files(state, asked.body.get("file_ids") or [])
    return problem or add_store(state, asked.body).json


def _list(state: State, asked: Asked) -> Answer:
    return page_answer(state.shelf(VECTOR_STORE), VECTOR_STORE, asked)


def _get(state: State, asked: Asked) -> Answer:
    store = store_of(state, asked)
    if isinstance(store, Problem):
        return store
    settle(state, store)
    return store.json


def _modify(state: State, asked: Asked) -> Answer:
    store = store_of(state, asked)
    if isinstance(store, Problem):
        return store
    if "name" in asked.body:
        store.json["name"] = asked.body["name"] or ""
    if "expires_after" in asked.body:
        store.json["expires_after"] = asked.body["expires_after"]
        store.json["expires_at"] = _expiry(store.json["last_active_at"], asked.body["expires_after"])
    store.json["metadata"] = metadata_of(asked.body, otherwise=store.json["metadata"])
    state.keep(store)
    return store.json


def _delete(state: State, asked: Asked) -> Answer:
    id_ = asked.params["vector_store_id"]
    removed = state.remove(VECTOR_STORE, id_)
    return deleted(id_, "vector_store.deleted") if removed else not_found("vector store", id_)


ROUTES: Routes = (
    ("createVectorStore", _create),
    ("listVectorStores", _list),
    ("getVectorStore", _get),
    ("modifyVectorStore", _modify),
    ("deleteVectorStore", _delete),
    ("searchVectorStore", search_store),
)
