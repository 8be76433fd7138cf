"""The family of batches. One moves on when it is retrieved: it is checked, run, written down, done.

Facts (recordings of the real API): the order of keys, the forms of the times, `metadata` being null when none is given.
"""

from __future__ import annotations

from typing import Final

import orjson

from replayproxy.core.messages import Headers
from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.batches.lines import checked_lines
from replayproxy.emulator.batches.runs import run_lines
from replayproxy.emulator.family import Routes, find, page_answer
from replayproxy.emulator.files.files import FILE, add_file
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX, mint
from replayproxy.emulator.state import State

__all__ = ["BATCH", "KINDS", "ROUTES"]

_DAY: Final = 86_400
_PURPOSE = "Invalid file purpose: expected a file of purpose 'batch', but '{}' has purpose '{}'."
_OVER: Final = frozenset({"completed", "failed", "expired", "cancelled"})
_POLL = {"openai-poll-after-ms": "10"}


def _invent(state: State, record: Record) -> None:
    file = mint("file-", state.settings.seed, record.id, length=22)
    record.json = _batch(record, {"input_file_id": file, "endpoint": "/v1/chat/completions"})
    record.json |= {"status": "in_progress", "in_progress_at": record.created_at + 1}
    record.hidden = {"lines": [], "invented": True}


BATCH = Kind("batch", "batch_", _invent, 32, HEX)
KINDS = (BATCH,)


def _batch(record: Record, body: Json) -> Json:
    return {
        "id": record.id,
        "object": "batch",
        "endpoint": body["endpoint"],
        "errors": None,
        "input_file_id": body["input_file_id"],
        "completion_window": body.get("completion_window", "24h"),
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": record.created_at,
        "in_progress_at": None,
        "expires_at": record.created_at + _DAY,
        "finalizing_at": None,
        "completed_at": None,
        "failed_at": None,
        "expired_at": None,
        "cancelling_at": None,
        "cancelled_at": None,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": body.get("metadata"),
    }


def _create(state: State, asked: Asked) -> Answer:
    body = asked.body
    file = state.get(FILE, body["input_file_id"])
    if file is None:
        return Problem(f"No such File object: {body['input_file_id']}", "input_file_id")
    purpose = file.json["purpose"]
    if purpose != "batch" and not file.hidden.get("invented"):
        return Problem(_PURPOSE.format(file.id, purpose), "input_file_id")

    def fill(record: Record) -> None:
        record.json = _batch(record, body)
        record.hidden = {"lines": [], "expires_after": body.get("output_expires_after")}

    return _told(state.add(BATCH, fill))


def _list(state: State, asked: Asked) -> Answer:
    return page_answer(state.shelf(BATCH), BATCH, asked)


def _told(batch: Record) -> Told:
    return Told(batch.json, headers={} if batch.json["status"] in _OVER else _POLL)


def _batch_of(state: State, asked: Asked) -> Record | Problem:
    id_ = asked.params["batch_id"]
    return find(state, BATCH, id_)


async def _get(state: State, asked: Asked) -> Answer:
    batch = _batch_of(state, asked)
    if isinstance(batch, Problem):
        return batch
    status = batch.json["status"]
    if status == "validating":
        _validate(state, batch)
    elif status == "in_progress":
        if batch.hidden.get("running"):
            return _told(batch)
        await _run(state, batch, asked.headers)
    elif status in ("finalizing", "cancelling"):
        _finish(state, batch)
    state.keep(batch)
    return _told(batch)


def _move(batch: Record, status: str, after: int) -> None:
    """To another status, that many seconds after the batch was made."""
    batch.json["status"] = status
    batch.json[f"{status}_at"] = batch.created_at + after


def _validate(state: State, batch: Record) -> None:
    file = state.get(FILE, batch.json["input_file_id"])
    lines, errors = checked_lines(file.blob if file else b"", batch.json["endpoint"])
    if errors:
        batch.json["errors"] = {"object": "list", "data": errors}
        _move(batch, "failed", 1)
        return
    batch.hidden["lines"] = lines
    batch.json["request_counts"]["total"] = len(lines)
    _move(batch, "in_progress", 1)


async def _run(state: State, batch: Record, headers: Headers) -> None:
    """Run the lines, once; who asks meanwhile is told that they are in progress."""
    batch.hidden["running"] = True
    try:
        outcome = await run_lines(state, batch.id, batch.hidden["lines"], headers)
    finally:
        del batch.hidden["running"]  # never kept: a batch that was cut off is to be run again
    counts = batch.json["request_counts"]
    counts["completed"], counts["failed"] = len(outcome.output), len(outcome.errors)
    models = [line["body"].get("model") for line in batch.hidden["lines"]]
    batch.hidden |= {
        "lines": [],
        "output": outcome.output,
        "errors": outcome.errors,
        "usage": outcome.as_usage(),
        "model": next(filter(None, models), None),
    }
    if batch.json["status"] == "in_progress":  # it may have been cancelled meanwhile
        _move(batch, "finalizing", 2)


def _finish(state: State, batch: Record) -> None:
    """Write the files of what has been run."""
    for key, name in (("output", "output"), ("errors", "error")):
        lines = batch.hidden.pop(key, [])
        if lines:
            content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
            after = batch.hidden.get("expires_after")
            file = add_file(state, f"{batch.id}_{name}.jsonl", content, "batch_output", after)
            batch.json[f"{name}_file_id"] = file.id
    if batch.json["status"] == "cancelling":
        _move(batch, "cancelled", 3)
        return
    _move(batch, "completed", 3)
    if batch.hidden.get("model"):
        batch.json |= {"model": batch.hidden["model"], "usage": batch.hidden["usage"]}


def _cancel(state: State, asked: Asked) -> Answer:
    batch = _batch_of(state, asked)
    if isinstance(batch, Problem):
        return batch
    status = batch.json["status"]
    if status in _OVER and not batch.hidden.get("invented"):
        return Problem(f"Cannot cancel a batch with status '{status}'.")
    if status not in (*_OVER, "cancelling"):
        _move(batch, "cancelling", 2)
        if not batch.hidden.get("running"):
            state.keep(batch)
    return _told(batch)


ROUTES: Routes = (
    ("createBatch", _create),
    ("listBatches", _list),
    ("retrieveBatch", _get),
    ("cancelBatch", _cancel),
)
