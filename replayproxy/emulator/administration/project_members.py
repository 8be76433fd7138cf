"""The family of what belongs to a project: its users here; its accounts, keys and limits in modules of their own."""

from __future__ import annotations

from replayproxy.core import wording
from replayproxy.core.problem import Problem
from replayproxy.emulator.administration import project_accounts, project_limits
from replayproxy.emulator.administration.organization_collections import Collection, gone
from replayproxy.emulator.administration.organization_people import USERS, user_by_email
from replayproxy.emulator.administration.projects import open_project
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["KINDS", "PROJECT_USER", "ROUTES"]


def _member(record: Record, user: Json, role: str) -> Json:
    return {
        "object": "organization.project.user",
        "id": record.id,
        "name": user["name"],
        "email": user["email"],
        "role": role,
        "added_at": record.created_at,
    }


def _invent(state: State, record: Record) -> None:
    user = USERS.get(state, record.id)
    known = {"name": "Some User", "email": f"{record.id.lower()}@example.com"}
    record.json = _member(record, known if isinstance(user, Problem) else user.json, "member")


PROJECT_USER = Kind("project user", "user-", _invent)
KINDS = (PROJECT_USER, project_accounts.SERVICE_ACCOUNT, project_accounts.API_KEY, project_limits.RATE_LIMIT)
_MEMBERS = Collection(PROJECT_USER, "user_id", parent=open_project, removed=gone("organization.project.user.deleted"))


def _named(state: State, body: Json) -> Record | Problem:
    """The user of the organisation whom a body names; somebody, when unknown ids are good and it names nobody."""
    if body.get("user_id"):
        return USERS.get(state, body["user_id"])
    email = body.get("email") or ("somebody@example.com" if state.settings.unknown_ids == "create" else None)
    return user_by_email(state, email) if email else wording.missing("user_id")


def _create(state: State, asked: Asked) -> Answer:
    project = open_project(state, asked)
    user = project if isinstance(project, Problem) else _named(state, asked.body)
    if isinstance(user, Problem):
        return user
    known = user.json

    def fill(record: Record) -> None:
        record.json = _member(record, known, asked.body["role"])

    member = _MEMBERS.add(state, asked, fill, user.id)
    return member if isinstance(member, Problem) else member.json


def _modify(state: State, asked: Asked) -> Answer:
    member = _MEMBERS.find(state, asked)
    if isinstance(member, Problem):
        return member
    if asked.body.get("role") is not None:
        member.json["role"] = asked.body["role"]
        state.keep(member)
    return member.json


ROUTES: Routes = (
    ("list-project-users", _MEMBERS.page),
    ("create-project-user", _create),
    ("retrieve-project-user", _MEMBERS.show),
    ("modify-project-user", _modify),
    ("delete-project-user", _MEMBERS.remove),
    *project_accounts.ROUTES,
    *project_limits.ROUTES,
)
