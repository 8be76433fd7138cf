"""The family of containers, and the files in them.

Facts (examples of the API's reference): the order of keys, the forms of the ids, and the path of a file that was sent.
"""

from __future__ import annotations

from typing import Final

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Raw
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted, find, not_found, page_answer
from replayproxy.emulator.files.files import attachment, missing_files, told_name
from replayproxy.emulator.files.room import room_problem
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX, mint
from replayproxy.emulator.state import State

__all__ = ["CONTAINER", "CONTAINER_FILE", "KINDS", "ROUTES", "add_container", "add_container_file"]

_MINUTES: Final = 20
_INVENTED = b"This file was made by the emulator, since it was asked for.\n"


def _invent(_: State, record: Record) -> None:
    record.hidden = {"held": 0}
    record.json = _container(record, {"name": "container"})


def _invent_file(_: State, record: Record) -> None:
    record.blob = _INVENTED
    record.hidden = {"filename": "file.txt"}
    record.json = _file(record, "file.txt", "user")


CONTAINER = Kind("container", "cntr_", _invent, 48, HEX)
CONTAINER_FILE = Kind("container file", "cfile_", _invent_file, 32, HEX)
KINDS = (CONTAINER, CONTAINER_FILE)


def add_container(state: State, body: Json) -> Record:
    """Make the container that a valid create-container body describes; files that are not there are passed over."""

    def fill(record: Record) -> None:
        record.hidden = {"held": 0}
        record.json = _container(record, body)

    container = state.add(CONTAINER, fill)
    for id_ in body.get("file_ids") or ():
        file = state.get(state.kinds["file"], id_)
        if file is not None:
            add_container_file(state, container, file.json["filename"], file.blob)
    return container


def add_container_file(state: State, container: Record, filename: str, content: bytes, source: str = "user") -> Record:
    """Put a file into a container; `source` is `user`, or `assistant` for one that was made in it."""

    def fill(record: Record) -> None:
        record.blob = content
        record.hidden = {"filename": told_name(filename)}
        record.json = _file(record, told_name(filename), source)

    file = state.add(CONTAINER_FILE, fill, container)
    container.hidden["held"] += len(content)
    state.keep(container)
    return file


def _container(record: Record, body: Json) -> Json:
    policy = body.get("network_policy") or {"type": "disabled"}
    return {
        "id": record.id,
        "object": "container",
        "created_at": record.created_at,
        "status": "running",
        "expires_after": body.get("expires_after") or {"anchor": "last_active_at", "minutes": _MINUTES},
        "last_active_at": record.created_at,
        "memory_limit": body.get("memory_limit") or "1g",
        "name": body["name"],
        "network_policy": {key: policy[key] for key in ("type", "allowed_domains") if key in policy},
    }


def _file(record: Record, filename: str, source: str) -> Json:
    path = f"{mint('', record.id, length=32, digits=HEX)}-{filename}" if source == "user" else filename
    return {
        "id": record.id,
        "object": "container.file",
        "created_at": record.created_at,
        "bytes": len(record.blob),
        "container_id": record.parent,
        "path": f"/mnt/data/{path}",
        "source": source,
    }


def _container_of(state: State, asked: Asked) -> Record | Problem:
    id_ = asked.params["container_id"]
    return find(state, CONTAINER, id_)


def _file_of(state: State, asked: Asked) -> tuple[Record, Record] | Problem:
    container = _container_of(state, asked)
    if isinstance(container, Problem):
        return container
    id_ = asked.params["file_id"]
    file = state.get(CONTAINER_FILE, id_, container.id)
    return (container, file) if file else not_found("container file", id_)


def _create(state: State, asked: Asked) -> Answer:
    body: Json = {"name": "container"} | asked.body
    return missing_files(state, body.get("file_ids") or []) or add_container(state, body).json


def _list(state: State, asked: Asked) -> Answer:
    name = asked.query.get("name")
    wanted = (lambda container: container.json["name"] == name) if name else None
    return page_answer(state.shelf(CONTAINER), CONTAINER, asked, wanted)


def _get(state: State, asked: Asked) -> Answer:
    container = _container_of(state, asked)
    return container if isinstance(container, Problem) else container.json


def _delete(state: State, asked: Asked) -> Answer:
    id_ = asked.params["container_id"]
    return deleted(id_, "container.deleted") if state.remove(CONTAINER, id_) else not_found("container", id_)


def _create_file(state: State, asked: Asked) -> Answer:
    container = _container_of(state, asked)
    if isinstance(container, Problem):
        return container
    sent = _sent(state, asked)
    if isinstance(sent, Problem):
        return sent
    return room_problem(state, len(sent[1])) or add_container_file(state, container, *sent).json


def _sent(state: State, asked: Asked) -> tuple[str, bytes] | Problem:
    """The name and content of the file that a request brings, or names."""
    uploads = asked.uploads("file")
    if uploads:
        return uploads[0].filename, uploads[0].content
    id_ = asked.body.get("file_id")
    if id_ is None and state.settings.unknown_ids == "create":
        return "file.txt", _INVENTED
    if id_ is None:
        return Problem("Either 'file' or 'file_id' is required.", "file", "missing_required_parameter")
    file = state.get(state.kinds["file"], id_)
    if file is None:
        return Problem(f"Files [{id_}] were not found", status=404)
    return file.json["filename"], file.blob


def _list_files(state: State, asked: Asked) -> Answer:
    container = _container_of(state, asked)
    if isinstance(container, Problem):
        return container
    return page_answer(state.shelf(CONTAINER_FILE, container.id), CONTAINER_FILE, asked)


def _get_file(state: State, asked: Asked) -> Answer:
    found = _file_of(state, asked)
    return found if isinstance(found, Problem) else found[1].json


def _content(state: State, asked: Asked) -> Answer:
    found = _file_of(state, asked)
    if isinstance(found, Problem):
        return found
    headers = {"content-disposition": attachment(found[1].hidden["filename"])}
    return Raw(found[1].blob, "application/octet-stream", headers=headers)


def _delete_file(state: State, asked: Asked) -> Answer:
    found = _file_of(state, asked)
    if isinstance(found, Problem):
        return found
    container, file = found
    state.remove(CONTAINER_FILE, file.id, container.id)
    container.hidden["held"] -= min(len(file.blob), container.hidden["held"])
    state.keep(container)
    return deleted(file.id, "container.file.deleted")


ROUTES: Routes = (
    ("CreateContainer", _create),
    ("ListContainers", _list),
    ("RetrieveContainer", _get),
    ("DeleteContainer", _delete),
    ("CreateContainerFile", _create_file),
    ("ListContainerFiles", _list_files),
    ("RetrieveContainerFile", _get_file),
    ("RetrieveContainerFileContent", _content),
    ("DeleteContainerFile", _delete_file),
)
