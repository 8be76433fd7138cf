"""The family of projects.

The organisation has one project from the start, which cannot be changed. What is archived can be looked at, no more.
"""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.organization_collections import Collection
from replayproxy.emulator.administration.organization_keys import default_project_id
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["KINDS", "PROJECT", "PROJECTS", "ROUTES", "open_project", "project_of"]


def _project(record: Record, body: Json) -> Json:
    return {
        "id": record.id,
        "object": "organization.project",
        "name": body["name"],
        "created_at": record.created_at,
        "archived_at": None,
        "status": "active",
        **{name: body[name] for name in ("external_key_id", "residency") if body.get(name) is not None},
    }


def _invent(_: State, record: Record) -> None:
    record.json = _project(record, {"name": "Project"})


PROJECT = Kind("project", "proj_", _invent)
KINDS = (PROJECT,)


def _with_default(state: State, _: str) -> None:
    """Puts the default project in, which comes first."""
    id_ = default_project_id(state)
    if not state.shelf(PROJECT).was_there(id_):

        def fill(record: Record) -> None:
            record.json = _project(record, {"name": "Default project"})

        state.add(PROJECT, fill, id_=id_)


def _unarchived(_: State, asked: Asked) -> Callable[[Record], bool] | None:
    if asked.query.get("include_archived") == "true":
        return None
    return lambda project: project.json["status"] != "archived"


PROJECTS = Collection(PROJECT, "project_id", wanted=_unarchived, prepare=_with_default)


def project_of(state: State, asked: Asked) -> Record | Problem:
    """The project that the path names. The wording is that of the API's description."""
    project = PROJECTS.find(state, asked)
    if isinstance(project, Problem):
        return Problem(f"The project {asked.params['project_id']} was not found", status=404)
    return project


def open_project(state: State, asked: Asked) -> Record | Problem:
    """The project that the path names, when it is not archived (how the API words the refusal is inferred)."""
    project = project_of(state, asked)
    if isinstance(project, Record) and project.json["status"] == "archived":
        return Problem(f"The project {project.id} is archived. Archived projects cannot be used or updated.")
    return project


def _changeable(state: State, asked: Asked) -> Record | Problem:
    project = open_project(state, asked)
    if isinstance(project, Record) and project.id == default_project_id(state):
        return Problem("The default project cannot be updated or archived.")
    return project


def _create(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = _project(record, asked.body)

    made = PROJECTS.add(state, asked, fill)
    return made if isinstance(made, Problem) else made.json


def _get(state: State, asked: Asked) -> Answer:
    project = project_of(state, asked)
    return project if isinstance(project, Problem) else project.json


def _modify(state: State, asked: Asked) -> Answer:
    project = _changeable(state, asked)
    if isinstance(project, Problem):
        return project
    project.json |= {name: value for name, value in asked.body.items() if value is not None}
    state.keep(project)
    return project.json


def _archive(state: State, asked: Asked) -> Answer:
    """Archives a project; it has no clock to tell when, so it is when it was made."""
    project = _changeable(state, asked)
    if isinstance(project, Problem):
        return project
    project.json |= {"archived_at": project.created_at, "status": "archived"}
    state.keep(project)
    return project.json


ROUTES: Routes = (
    ("list-projects", PROJECTS.page),
    ("create-project", _create),
    ("retrieve-project", _get),
    ("modify-project", _modify),
    ("archive-project", _archive),
)
