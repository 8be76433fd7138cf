"""Batches of files that are put into a vector store together."""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, not_found, page_answer
from replayproxy.emulator.files.files import missing_files
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX
from replayproxy.emulator.state import State
from replayproxy.emulator.vector_stores.contents import VECTOR_STORE_FILE, attach, cancel, finish
from replayproxy.emulator.vector_stores.vector_stores import chunking_problem, store_of

__all__ = ["BATCH_ROUTES", "VECTOR_STORE_FILE_BATCH"]

_STATUSES = ("in_progress", "completed", "failed", "cancelled")


def _invent(_: State, record: Record) -> None:
    record.json = _batch(record) | {"status": "completed"}


VECTOR_STORE_FILE_BATCH = Kind("vector store file batch", "vsfb_", _invent, 32, HEX)


def _batch(record: Record) -> Json:
    return {
        "id": record.id,
        "object": "vector_store.file_batch",
        "created_at": record.created_at,
        "status": "in_progress",
        "vector_store_id": record.parent,
        "file_counts": {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0},
    }


def _wanted(body: Json) -> list[Json]:
    """The files of a valid body, each with its own attributes and strategy or those that hold for all."""
    if body.get("files"):
        return list(body["files"])
    shared = {key: body.get(key) for key in ("attributes", "chunking_strategy")}
    return [{"file_id": id_, **shared} for id_ in body.get("file_ids") or ()]


def _create(state: State, asked: Asked) -> Answer:
    store = store_of(state, asked)
    if isinstance(store, Problem):
        return store
    files = _wanted(asked.body)
    problem = next(filter(None, (chunking_problem(each.get("chunking_strategy")) for each in files)), None)
    problem = problem or missing_files(state, [each["file_id"] for each in files])
    if problem is not None:
        return problem

    def fill(record: Record) -> None:
        record.json = _batch(record)

    batch = state.add(VECTOR_STORE_FILE_BATCH, fill, store)
    for each in files:
        attach(state, store, each["file_id"], each.get("chunking_strategy"), each.get("attributes"), batch.id)
    batch.hidden = {"file_ids": list(dict.fromkeys(each["file_id"] for each in files))}
    _recount(state, batch)
    return batch.json


def _entries(state: State, batch: Record) -> list[Record]:
    """The files of a batch that are in the store still, and have not been put in anew since."""
    shelf = state.shelf(VECTOR_STORE_FILE, batch.parent)
    found = [shelf.get(id_) for id_ in batch.hidden.get("file_ids", ())]
    return [entry for entry in found if entry is not None and entry.hidden["batch"] == batch.id]


def _recount(state: State, batch: Record) -> None:
    statuses = [entry.json["status"] for entry in _entries(state, batch)]
    batch.json["file_counts"] = {status: statuses.count(status) for status in _STATUSES} | {"total": len(statuses)}
    if "in_progress" not in statuses and batch.json["status"] == "in_progress":
        batch.json["status"] = "failed" if statuses and set(statuses) == {"failed"} else "completed"
    state.keep(batch)


def _batch_of(state: State, asked: Asked) -> tuple[Record, Record] | Problem:
    store = store_of(state, asked)
    if isinstance(store, Problem):
        return store
    id_ = asked.params["batch_id"]
    batch = state.get(VECTOR_STORE_FILE_BATCH, id_, store.id)
    return (store, batch) if batch else not_found("vector store file batch", id_)


def _get(state: State, asked: Asked) -> Answer:
    found = _batch_of(state, asked)
    if isinstance(found, Problem):
        return found
    store, batch = found
    for entry in _entries(state, batch):
        finish(state, store, entry)
    if batch.hidden:
        _recount(state, batch)
    return batch.json


def _cancel(state: State, asked: Asked) -> Answer:
    found = _batch_of(state, asked)
    if isinstance(found, Problem):
        return found
    store, batch = found
    if batch.json["status"] == "in_progress":
        for entry in _entries(state, batch):
            cancel(state, store, entry)
        batch.json["status"] = "cancelled"
        _recount(state, batch)
    return batch.json


def _files(state: State, asked: Asked) -> Answer:
    found = _batch_of(state, asked)
    if isinstance(found, Problem):
        return found
    store, batch = found
    status = asked.query.get("filter")

    def wanted(entry: Record) -> bool:
        return entry.hidden["batch"] == batch.id and status in (None, entry.json["status"])

    return page_answer(state.shelf(VECTOR_STORE_FILE, store.id), VECTOR_STORE_FILE, asked, wanted)


BATCH_ROUTES: Routes = (
    ("createVectorStoreFileBatch", _create),
    ("getVectorStoreFileBatch", _get),
    ("cancelVectorStoreFileBatch", _cancel),
    ("listFilesInVectorStoreBatch", _files),
)
