"""The permissions of projects to use a checkpoint; a checkpoint is known by its name, whoever made it."""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, listed, not_found
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State
from replayproxy.openai_api.lists import PageQuery

__all__ = ["PERMISSION", "PERMISSION_ROUTES"]

_ORDERS = {"ascending": "asc", "descending": "desc"}


def _invent(_: State, record: Record) -> None:
    record.json = _permission(record, "proj_emulator")


PERMISSION = Kind("checkpoint permission", "cp_", _invent)


def _permission(record: Record, project: str) -> Json:
    return {
        "object": "checkpoint.permission",
        "id": record.id,
        "created_at": record.created_at,
        "project_id": project,
    }


def _create(state: State, asked: Asked) -> Answer:
    checkpoint = asked.params["fine_tuned_model_checkpoint"]
    made = []
    for project in asked.body["project_ids"]:

        def fill(record: Record, project: str = project) -> None:
            record.json = _permission(record, project)

        made.append(state.add(PERMISSION, fill, under=checkpoint).json)
    return listed(made)


def _list(state: State, asked: Asked) -> Answer:
    pairs = [(name, _ORDERS.get(value, value) if name == "order" else value) for name, value in asked.call.query]
    query = PageQuery.parse(pairs)
    if isinstance(query, Problem):
        return query
    project = asked.query.get("project_id")
    wanted = (lambda record: record.json["project_id"] == project) if project else None
    page = state.shelf(PERMISSION, asked.params["fine_tuned_model_checkpoint"]).page(query, wanted)
    if isinstance(page, str):
        return not_found(PERMISSION.name, page)
    return listed([record.json for _, record in page.items], has_more=page.has_more)


def _delete(state: State, asked: Asked) -> Answer:
    id_ = asked.params["permission_id"]
    if state.remove(PERMISSION, id_, asked.params["fine_tuned_model_checkpoint"]) is None:
        return not_found(PERMISSION.name, id_)
    return {"object": "checkpoint.permission", "id": id_, "deleted": True}


PERMISSION_ROUTES: Routes = (
    ("createFineTuningCheckpointPermission", _create),
    ("listFineTuningCheckpointPermissions", _list),
    ("deleteFineTuningCheckpointPermission", _delete),
)
