"""The groups of the organisation, who is in them, and the projects that they have access to."""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.organization_collections import Collection, Paging, gone
from replayproxy.emulator.administration.organization_people import USERS
from replayproxy.emulator.administration.projects import open_project, project_of
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["GROUP", "GROUPS", "GROUP_USER", "PROJECT_GROUP", "ROUTES", "ULID"]

#: The digits of the ids of groups and roles (https://github.com/ulid/spec).
ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _group(record: Record, name: str) -> Json:
    return {
        "id": record.id,
        "name": name,
        "created_at": record.created_at,
        "is_scim_managed": False,
        "group_type": "group",
    }


def _invent_group(_: State, record: Record) -> None:
    record.json = _group(record, "Group")


def _user(state: State, id_: str) -> Json:
    """What a group tells of a user of the organisation."""
    user = USERS.get(state, id_)
    known = {"name": "Some User", "email": None} if isinstance(user, Problem) else user.json
    return {
        "id": id_,
        "name": known["name"],
        "email": known["email"],
        "picture": None,
        "is_service_account": False,
        "user_type": "user",
    }


def _invent_user(state: State, record: Record) -> None:
    record.json = _user(state, record.id)


def _project_group(state: State, record: Record) -> Json:
    group = GROUPS.get(state, record.id)
    return {
        "object": "project.group",
        "project_id": record.parent,
        "group_id": record.id,
        "group_name": "Group" if isinstance(group, Problem) else group.json["name"],
        "group_type": "group",
        "created_at": record.created_at,
    }


def _invent_project_group(state: State, record: Record) -> None:
    record.json = _project_group(state, record)


GROUP = Kind("group", "group_", _invent_group, length=26, digits=ULID)
GROUP_USER = Kind("group user", "user-", _invent_user)
PROJECT_GROUP = Kind("project group", "group_", _invent_project_group, length=26, digits=ULID)


def _short(_: State, record: Record) -> Json:
    return {name: record.json[name] for name in ("id", "name", "email")}


def _group_of(state: State, asked: Asked) -> Record | Problem:
    return GROUPS.find(state, asked)


GROUPS = Collection(GROUP, "group_id", paging=Paging(100, 1_000, 0, shape="next"), removed=gone("group.deleted"))
_USERS = Collection(
    GROUP_USER,
    "user_id",
    parent=_group_of,
    paging=Paging(100, 1_000, 0, "desc", "next"),
    removed=gone("group.user.deleted", named=False),
    item=_short,
)
_PROJECT_GROUPS = Collection(
    PROJECT_GROUP,
    "group_id",
    parent=project_of,
    paging=Paging(20, 100, 0, shape="next"),
    removed=gone("project.group.deleted", named=False),
)


def _create(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = _group(record, asked.body["name"])

    return state.add(GROUP, fill).json


def _modify(state: State, asked: Asked) -> Answer:
    group = GROUPS.find(state, asked)
    if isinstance(group, Problem):
        return group
    group.json["name"] = asked.body["name"]
    state.keep(group)
    return {name: value for name, value in group.json.items() if name != "group_type"}


def _add_user(state: State, asked: Asked) -> Answer:
    group, user = GROUPS.find(state, asked), USERS.get(state, asked.body["user_id"])
    if isinstance(group, Problem):
        return group
    if isinstance(user, Problem):
        return user
    state.add(GROUP_USER, lambda record: _invent_user(state, record), group, id_=user.id)
    return {"object": "group.user", "user_id": user.id, "group_id": group.id}


def _add_to_project(state: State, asked: Asked) -> Answer:
    project, group = open_project(state, asked), GROUPS.get(state, asked.body["group_id"])
    if isinstance(project, Problem):
        return project
    if isinstance(group, Problem):
        return group
    return state.add(PROJECT_GROUP, lambda record: _invent_project_group(state, record), project, id_=group.id).json


ROUTES: Routes = (
    ("list-groups", GROUPS.page),
    ("create-group", _create),
    ("retrieve-group", GROUPS.show),
    ("update-group", _modify),
    ("delete-group", GROUPS.remove),
    ("list-group-users", _USERS.page),
    ("add-group-user", _add_user),
    ("retrieve-group-user", _USERS.show),
    ("remove-group-user", _USERS.remove),
    ("list-project-groups", _PROJECT_GROUPS.page),
    ("add-project-group", _add_to_project),
    ("retrieve-project-group", _PROJECT_GROUPS.show),
    ("remove-project-group", _PROJECT_GROUPS.remove),
)
