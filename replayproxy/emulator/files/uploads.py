"""The family of uploads: files that come in parts.

The wording of the refusals is inferred; which calls are refused, and when an upload expires, is the API's reference.
"""

from __future__ import annotations

import hashlib
from typing import Final

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, not_found
from replayproxy.emulator.files.files import add_file
from replayproxy.emulator.files.room import room_problem
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX
from replayproxy.emulator.state import State

__all__ = ["KINDS", "PART_BYTES", "ROUTES"]

_HOUR: Final = 3600
#: The largest part, in bytes.
PART_BYTES: Final = 64 * 1024**2
_PARTS_TOO_SMALL = "Expected upload to contain {wanted} bytes, but the parts have {given} bytes."


def _invent(_: State, record: Record) -> None:
    record.hidden = {"invented": True, "held": 0}
    record.json = _upload(record, {"bytes": 0, "filename": "file.txt", "purpose": "assistants"})


def _invent_part(_: State, record: Record) -> None:
    record.json = _part(record)


UPLOAD = Kind("upload", "upload_", _invent, 32, HEX)
PART = Kind("upload part", "part_", _invent_part, 32, HEX)
KINDS = (UPLOAD, PART)


def _upload(record: Record, body: Json) -> Json:
    return {
        "id": record.id,
        "object": "upload",
        "bytes": body["bytes"],
        "created_at": record.created_at,
        "filename": body["filename"],
        "purpose": body["purpose"],
        "status": "pending",
        "expires_at": record.created_at + _HOUR,
        "file": None,
    }


def _part(record: Record) -> Json:
    return {"id": record.id, "object": "upload.part", "created_at": record.created_at, "upload_id": record.parent}


def _create(state: State, asked: Asked) -> Answer:
    body = asked.body
    problem = room_problem(state, body["bytes"])
    if problem is not None:
        return problem

    def fill(record: Record) -> None:
        record.hidden = {"held": 0, "media_type": body["mime_type"], "expires_after": body.get("expires_after")}
        record.json = _upload(record, body)

    return state.add(UPLOAD, fill).json


def _open_upload(state: State, asked: Asked) -> Record | Problem:
    """The upload that the path names, if it still takes something."""
    id_ = asked.params["upload_id"]
    upload = state.get(UPLOAD, id_)
    if upload is None:
        return not_found("upload", id_)
    status = upload.json["status"]
    if status != "pending" and not upload.hidden.get("invented"):
        return Problem(f"Upload {id_} has status '{status}'; only one with status 'pending' can be changed.")
    return upload


def _add_part(state: State, asked: Asked) -> Answer:
    upload = _open_upload(state, asked)
    if isinstance(upload, Problem):
        return upload
    uploads = asked.uploads("data")
    if not uploads:
        return Problem("'data' is a required property", "data")
    content = uploads[0].content
    if len(content) > PART_BYTES:
        message = f"Part too large: it has {len(content)} bytes, and a part has at most {PART_BYTES}."
        return Problem(message, "data", status=413)
    problem = room_problem(state, len(content))
    if problem is not None:
        return problem

    def fill(record: Record) -> None:
        record.blob = content
        record.json = _part(record)

    part = state.add(PART, fill, upload)
    upload.hidden["held"] += len(content)
    state.keep(upload)
    return part.json


def _complete(state: State, asked: Asked) -> Answer:
    upload = _open_upload(state, asked)
    if isinstance(upload, Problem):
        return upload
    content = _joined(state, upload, asked.body["part_ids"])
    if isinstance(content, Problem):
        return content
    problem = _content_problem(upload, content, asked.body.get("md5"))
    if problem is not None:
        return problem
    _close(state, upload, "completed")
    json, after = upload.json, upload.hidden.get("expires_after")
    file = add_file(
        state, json["filename"], content, json["purpose"], after, media_type=upload.hidden.get("media_type", "")
    )
    json["file"] = dict(file.json)
    state.keep(upload)
    return json


def _joined(state: State, upload: Record, part_ids: list[str]) -> bytes | Problem:
    parts = []
    for id_ in part_ids:
        part = state.get(PART, id_, upload.id)
        if part is None:
            return not_found("upload part", id_)
        parts.append(part.blob)
    return b"".join(parts)


def _content_problem(upload: Record, content: bytes, md5: str | None) -> Problem | None:
    if upload.hidden.get("invented"):
        return None
    if len(content) != upload.json["bytes"]:
        return Problem(_PARTS_TOO_SMALL.format(wanted=upload.json["bytes"], given=len(content)), "part_ids")
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 is not None and md5.lower() != digest:
        return Problem(f"The md5 checksum of the parts is {digest}, not {md5}.", "md5")
    return None


def _close(state: State, upload: Record, status: str) -> None:
    """An upload that is over keeps nothing of its parts' content."""
    for part in state.shelf(PART, upload.id):
        part.blob = b""
        state.keep(part)
    upload.hidden["held"] = 0
    upload.json["status"] = status
    state.keep(upload)


def _cancel(state: State, asked: Asked) -> Answer:
    upload = _open_upload(state, asked)
    if isinstance(upload, Problem):
        return upload
    _close(state, upload, "cancelled")
    return upload.json


ROUTES: Routes = (
    ("createUpload", _create),
    ("addUploadPart", _add_part),
    ("completeUpload", _complete),
    ("cancelUpload", _cancel),
)
