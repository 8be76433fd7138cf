"""Roles, of the organisation and of its projects, and who has them: users and groups.

An assignment hangs from its principal (`user-1`, or `proj_1/user-1` in a project) under the id of the role, and shows
the role as it is now; with the role goes what was assigned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.organization_collections import Collection, Paging, gone
from replayproxy.emulator.administration.organization_groups import GROUPS, ULID
from replayproxy.emulator.administration.organization_people import OWNER_EMAIL, OWNER_NAME, USERS, owner_id
from replayproxy.emulator.administration.projects import project_of
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, not_found
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["PROJECT_ROLE", "ROLE", "ROLE_ASSIGNMENT", "ROUTES"]

_PAGING = Paging(1_000, 1_000, 0, shape="next")
Principal = Literal["user", "group"]


def _role(record: Record, body: Json) -> Json:
    return {
        "object": "role",
        "id": record.id,
        "name": body["role_name"],
        "description": body.get("description"),
        "permissions": body["permissions"],
        "resource_type": "api.project" if record.parent else "api.organization",
        "predefined_role": False,
    }


def _invent_role(_: State, record: Record) -> None:
    record.json = _role(record, {"role_name": "Role", "permissions": []})


def _invent_assignment(_: State, __: Record) -> None:
    """Says nothing of its own: what is shown is the role."""


ROLE = Kind("role", "role_", _invent_role, length=26, digits=ULID)
PROJECT_ROLE = Kind("project role", "role_", _invent_role, length=26, digits=ULID)
ROLE_ASSIGNMENT = Kind("role assignment", "role_", _invent_assignment, length=26, digits=ULID)
_ROLES = Collection(ROLE, "role_id", paging=_PAGING, removed=gone("role.deleted"))
_PROJECT_ROLES = Collection(PROJECT_ROLE, "role_id", project_of, _PAGING, gone("role.deleted"))


def _creation(roles: Collection) -> Callable[[State, Asked], Answer]:
    def create(state: State, asked: Asked) -> Answer:
        def fill(record: Record) -> None:
            record.json = _role(record, asked.body)

        role = roles.add(state, asked, fill)
        return role if isinstance(role, Problem) else role.json

    return create


def _change(roles: Collection) -> Callable[[State, Asked], Answer]:
    def change(state: State, asked: Asked) -> Answer:
        role = roles.find(state, asked)
        if isinstance(role, Problem):
            return role
        given = {name.removeprefix("role_"): value for name, value in asked.body.items() if value is not None}
        role.json |= given
        state.keep(role)
        return role.json

    return change


def _role_of(state: State, assignment: Record) -> Record | Problem:
    project, _, _ = assignment.parent.rpartition("/")
    return _PROJECT_ROLES.get(state, assignment.id, project) if project else _ROLES.get(state, assignment.id)


def _assigned(state: State, assignment: Record) -> Json:
    """The role of an assignment, with what is told of it in a list."""
    return _told(state, assignment) | {
        "created_by_user_obj": {"id": owner_id(state), "name": OWNER_NAME, "email": OWNER_EMAIL}
    }


def _told(state: State, assignment: Record) -> Json:
    found = _role_of(state, assignment)
    assert isinstance(found, Record), "an assignment without its role is not found"  # noqa: S101 -- for the type checker
    role = found.json
    return {
        **{name: role[name] for name in ("id", "name", "permissions", "resource_type", "predefined_role")},
        "description": role["description"],
        "created_at": found.created_at,
        "updated_at": found.created_at,
        "created_by": owner_id(state),
        "created_by_user_obj": None,
        "metadata": {},
        "assignment_sources": None,
    }


class _Assignments:
    """The four operations on the roles of one sort of principal, in the organisation or in projects."""

    def __init__(self, principal: Principal, *, in_project: bool) -> None:
        self._principal = principal
        self._in_project = in_project
        self._principals = USERS if principal == "user" else GROUPS

    def under(self, state: State, asked: Asked) -> str | Problem:
        """What the assignments hang from."""
        project = project_of(state, asked) if self._in_project else None
        if isinstance(project, Problem):
            return project
        principal = self._principals.find(state, asked)
        if isinstance(principal, Problem):
            return principal
        return f"{project.id}/{principal.id}" if project else principal.id

    def find(self, state: State, asked: Asked) -> Record | Problem:
        """The assignment that the path names."""
        under, id_ = self.under(state, asked), asked.params["role_id"]
        if isinstance(under, Problem):
            return under
        found = state.get(ROLE_ASSIGNMENT, id_, under) or not_found("role", id_)
        role = found if isinstance(found, Problem) else _role_of(state, found)
        return role if isinstance(role, Problem) else found

    def page(self, state: State, asked: Asked) -> Answer:
        """Handler: the list."""
        under, query = self.under(state, asked), _PAGING.query(asked)
        if isinstance(under, Problem):
            return under
        if isinstance(query, Problem):
            return query
        shelf = state.shelf(ROLE_ASSIGNMENT, under)
        page = shelf.page(query, lambda each: isinstance(_role_of(state, each), Record))
        if isinstance(page, str):
            return not_found("role", page)
        items = [_assigned(state, each) for _, each in page.items]
        return _PAGING.render(items, page.items[-1][0] if page.items else None, has_more=page.has_more)

    def show(self, state: State, asked: Asked) -> Answer:
        """Handler: one role that is assigned."""
        found = self.find(state, asked)
        return found if isinstance(found, Problem) else _told(state, found)

    def assign(self, state: State, asked: Asked) -> Answer:
        """Handler: gives a role to a principal."""
        under, id_ = self.under(state, asked), asked.body["role_id"]
        if isinstance(under, Problem):
            return under
        project = under.rpartition("/")[0]
        role = _PROJECT_ROLES.get(state, id_, project) if project else _ROLES.get(state, id_)
        if isinstance(role, Problem):
            return role
        state.add(ROLE_ASSIGNMENT, lambda record: _invent_assignment(state, record), id_=id_, under=under)
        return {"object": f"{self._principal}.role", self._principal: self._shown(state, asked), "role": role.json}

    def unassign(self, state: State, asked: Asked) -> Answer:
        """Handler: takes a role from a principal."""
        found = self.find(state, asked)
        if isinstance(found, Problem):
            return found
        state.remove(ROLE_ASSIGNMENT, found.id, found.parent)
        return {"object": f"{self._principal}.role.deleted", "deleted": True}

    def _shown(self, state: State, asked: Asked) -> Json:
        principal = self._principals.find(state, asked)
        assert isinstance(principal, Record), "it was there a moment ago"  # noqa: S101 -- for the type checker
        if self._principal == "user":
            return principal.json
        return {
            "object": "group",
            "id": principal.id,
            "name": principal.json["name"],
            "created_at": principal.created_at,
            "scim_managed": principal.json["is_scim_managed"],
        }


def _roles(prefix: str, roles: Collection) -> Routes:
    return (
        (f"list-{prefix}roles", roles.page),
        (f"create-{prefix}role", _creation(roles)),
        (f"retrieve-{prefix}role", roles.show),
        (f"update-{prefix}role", _change(roles)),
        (f"delete-{prefix}role", roles.remove),
    )


def _assignments(prefix: str, assignments: _Assignments) -> Routes:
    return (
        (f"list-{prefix}-role-assignments", assignments.page),
        (f"assign-{prefix}-role", assignments.assign),
        (f"retrieve-{prefix}-role", assignments.show),
        (f"unassign-{prefix}-role", assignments.unassign),
    )


ROUTES: Routes = (
    *_roles("", _ROLES),
    *_roles("project-", _PROJECT_ROLES),
    *_assignments("user", _Assignments("user", in_project=False)),
    *_assignments("group", _Assignments("group", in_project=False)),
    *_assignments("project-user", _Assignments("user", in_project=True)),
    *_assignments("project-group", _Assignments("group", in_project=True)),
)
