"""The family of files.

Facts (recordings of the real API): the order of keys, the sibling `detail` in the errors of an upload, the sentences
of `file_not_found` and `_PURPOSE`; content is always downloaded as octets.
"""

from __future__ import annotations

from dataclasses import replace

from replayproxy.core import wording
from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Raw, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, listed
from replayproxy.emulator.files.room import room_problem
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import BASE_62
from replayproxy.emulator.state import State
from replayproxy.emulator.vector_stores.contents import forget_file
from replayproxy.openai_api.lists import MAX_LIMIT, PageQuery

__all__ = ["FILE", "KINDS", "ROUTES", "add_file", "attachment", "file_not_found", "missing_files", "told_name"]

_INVENTED = b"This file was made by the emulator, since it was asked for.\n"
#: What came in under these purposes is not given out again.
_KEPT = frozenset({"assistants", "user_data"})
_KEPT_BACK = "Not allowed to download files of purpose: {purpose}"
_NO_JSONL = "Invalid file format for Batch API. Must be .jsonl"
_NO_FILE = "'file' is a required property"
_HEADERS = {"access-control-allow-origin": "*"}
#: The most files that a page can have, which is how many it has when nothing is said.
_LONGEST_PAGE = 10_000


def _invent(_: State, record: Record) -> None:
    record.blob = _INVENTED
    record.hidden = {"invented": True}
    record.json = _file(record, "file.txt", "assistants", None)


FILE = Kind("file", "file-", _invent, 22, BASE_62)
KINDS = (FILE,)


def add_file(
    state: State, filename: str, content: bytes, purpose: str, expires_after: Json | None = None, **hidden: str
) -> Record:
    """Keep a file, whether there is room for it or not (`file_room.room_problem` tells). It is processed at once."""

    def fill(record: Record) -> None:
        record.blob = content
        record.hidden = dict(hidden)
        seconds = expires_after["seconds"] if expires_after else None
        record.json = _file(record, told_name(filename), purpose, seconds)

    return state.add(FILE, fill)


def file_not_found(id_: str) -> Problem:
    """There is no file with the id."""
    return Problem(f"No such File object: {id_}", "id", status=404)


def missing_files(state: State, ids: list[str]) -> Problem | None:
    """The problem that some of the files are not there, or None."""
    missing = [id_ for id_ in ids if state.get(FILE, id_) is None]
    return Problem(f"Files [{', '.join(missing)}] were not found", status=404) if missing else None


def told_name(filename: str) -> str:
    """A file's name as JSON can tell it: what is no UTF-8 in it replaced."""
    return filename.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def attachment(filename: str) -> str:
    """A content-disposition that has the client keep what it gets under that name (RFC 6266)."""
    plain = "".join(each if each.isascii() and each.isprintable() and each not in '"\\' else "_" for each in filename)
    if plain == filename:
        return f'attachment; filename="{plain}"'
    octets = filename.encode("utf-8", "replace")
    quoted = "".join(chr(each) if chr(each).isalnum() and each < 128 else f"%{each:02X}" for each in octets)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quoted}"


def _file(record: Record, filename: str, purpose: str, seconds: int | None) -> Json:
    return {
        "object": "file",
        "id": record.id,
        "purpose": purpose,
        "filename": filename,
        "bytes": len(record.blob),
        "created_at": record.created_at,
        "expires_at": None if seconds is None else record.created_at + seconds,
        "status": "processed",
        "status_details": None,
    }


def _refused(message: str) -> Told:
    """What the API says to an upload that it does not take: the envelope has a sibling that others have not."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Told({"error": error, "detail": {"message": message, "code": None}}, status=400, headers=_HEADERS)


def _create(state: State, asked: Asked) -> Answer:
    uploads = asked.uploads("file")
    if not uploads:
        return _refused(_NO_FILE)
    purpose = asked.body["purpose"]
    if purpose == "batch" and not uploads[0].filename.lower().endswith(".jsonl"):
        return _refused(_NO_JSONL)
    full = room_problem(state, len(uploads[0].content))
    if full is not None:
        return full
    record = add_file(
        state,
        uploads[0].filename,
        uploads[0].content,
        purpose,
        asked.body.get("expires_after"),
        media_type=uploads[0].media_type,
    )
    return Told(record.json, headers=_HEADERS)


def _list(state: State, asked: Asked) -> Answer:
    query = _page_query(asked)
    if isinstance(query, Problem):
        return query
    purpose = asked.query.get("purpose")
    wanted = (lambda record: record.json["purpose"] == purpose) if purpose else None
    page = state.shelf(FILE).page(query, wanted)
    if isinstance(page, str):
        return file_not_found(page)
    answer = listed([record.json for _, record in page.items], has_more=page.has_more)
    return Told(answer, headers=_HEADERS)


def _page_query(asked: Asked) -> PageQuery | Problem:
    """The page asked for: of this list, it can be longer than of others."""
    given = dict(asked.call.query).get("limit")
    if given is None or (given.isascii() and given.isdigit() and int(given[:20]) > MAX_LIMIT):
        limit = _LONGEST_PAGE if given is None else int(given[:20])
        if limit > _LONGEST_PAGE:
            return wording.above_maximum("limit", _LONGEST_PAGE, limit)
        query = PageQuery.parse([pair for pair in asked.call.query if pair[0] != "limit"])
        return query if isinstance(query, Problem) else replace(query, limit=limit)
    return asked.page()


def _get(state: State, asked: Asked) -> Answer:
    id_ = asked.params["file_id"]
    record = state.get(FILE, id_)
    return Told(record.json, headers=_HEADERS) if record else file_not_found(id_)


def _content(state: State, asked: Asked) -> Answer:
    id_ = asked.params["file_id"]
    record = state.get(FILE, id_)
    if record is None:
        return file_not_found(id_)
    if record.json["purpose"] in _KEPT and not record.hidden.get("invented"):
        return Problem(_KEPT_BACK.format(purpose=record.json["purpose"]))
    headers = {"content-disposition": attachment(record.json["filename"]), **_HEADERS}
    return Raw(record.blob, "application/octet-stream", headers=headers)


def _delete(state: State, asked: Asked) -> Answer:
    id_ = asked.params["file_id"]
    if state.remove(FILE, id_) is None:
        return file_not_found(id_)
    forget_file(state, id_)
    return Told({"object": "file", "id": id_, "deleted": True}, headers=_HEADERS)


ROUTES: Routes = (
    ("createFile", _create),
    ("listFiles", _list),
    ("retrieveFile", _get),
    ("downloadFile", _content),
    ("deleteFile", _delete),
)
