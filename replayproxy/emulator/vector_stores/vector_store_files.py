"""The family of files in vector stores; batches of them are in vector_file_batches."""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted, page_answer
from replayproxy.emulator.files.files import missing_files
from replayproxy.emulator.records import Record
from replayproxy.emulator.state import State
from replayproxy.emulator.vector_stores.contents import VECTOR_STORE_FILE, attach, detach, finish
from replayproxy.emulator.vector_stores.file_batches import BATCH_ROUTES, VECTOR_STORE_FILE_BATCH
from replayproxy.emulator.vector_stores.vector_stores import chunking_problem, store_of

__all__ = ["KINDS", "ROUTES"]

KINDS = (VECTOR_STORE_FILE, VECTOR_STORE_FILE_BATCH)


def _entry_of(state: State, asked: Asked) -> tuple[Record, Record] | Problem:
    """The store and the file in it that the path names."""
    store = store_of(state, asked)
    if isinstance(store, Problem):
        return store
    id_ = asked.params["file_id"]
    entry = state.get(VECTOR_STORE_FILE, id_, store.id)
    if entry is None:
        return Problem(f"No file found with id '{id_}' in vector store '{store.id}'.", status=404)
    return store, entry


def _create(state: State, asked: Asked) -> Answer:
    store = store_of(state, asked)
    if isinstance(store, Problem):
        return store
    body = asked.body
    problem = chunking_problem(body.get("chunking_strategy")) or missing_files(state, [body["file_id"]])
    if problem is not None:
        return problem
    return attach(state, store, body["file_id"], body.get("chunking_strategy"), body.get("attributes")).json


def _list(state: State, asked: Asked) -> Answer:
    store = store_of(state, asked)
    if isinstance(store, Problem):
        return store
    status = asked.query.get("filter")
    wanted = (lambda entry: entry.json["status"] == status) if status else None
    return page_answer(state.shelf(VECTOR_STORE_FILE, store.id), VECTOR_STORE_FILE, asked, wanted)


def _get(state: State, asked: Asked) -> Answer:
    found = _entry_of(state, asked)
    if isinstance(found, Problem):
        return found
    finish(state, *found)
    return found[1].json


def _update(state: State, asked: Asked) -> Answer:
    found = _entry_of(state, asked)
    if isinstance(found, Problem):
        return found
    found[1].json["attributes"] = asked.body["attributes"] or {}
    state.keep(found[1])
    return found[1].json


def _delete(state: State, asked: Asked) -> Answer:
    found = _entry_of(state, asked)
    if isinstance(found, Problem):
        return found
    detach(state, *found)
    return deleted(found[1].id, "vector_store.file.deleted")


def _content(state: State, asked: Asked) -> Answer:
    found = _entry_of(state, asked)
    if isinstance(found, Problem):
        return found
    text = found[1].blob.decode()
    return {
        "object": "vector_store.file_content.page",
        "data": [{"type": "text", "text": text}] if found[1].hidden["chunks"] else [],
        "has_more": False,
        "next_page": None,
    }


ROUTES: Routes = (
    ("createVectorStoreFile", _create),
    ("listVectorStoreFiles", _list),
    ("getVectorStoreFile", _get),
    ("updateVectorStoreFileAttributes", _update),
    ("deleteVectorStoreFile", _delete),
    ("retrieveVectorStoreFileContent", _content),
    *BATCH_ROUTES,
)
