"""What the organisation, or a project, has one of: data retention, spend limit, permissions of models and tools.

What was never set answers its default; a spend limit has none, and is not found. Nothing here has consequences: no
limit is enforced, no tool refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.organization_collections import organization
from replayproxy.emulator.administration.projects import open_project
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["ROUTES", "SETTING"]

_TOOLS = ("file_search", "web_search", "image_generation", "mcp", "code_interpreter")


def _limit(body: Json) -> Json:
    given = {name: body[name] for name in ("threshold_amount", "currency", "interval")}
    return {**given, "enforcement": {"status": "inactive"}}


#: A spend limit of somebody else's, in cents.
_SOME_LIMIT = _limit({"threshold_amount": 10_000, "currency": "USD", "interval": "month"})


def _invent(_: State, record: Record) -> None:
    object_ = f"{'project' if record.parent else 'organization'}.{record.id}"
    record.json = {"object": object_, **_SOME_LIMIT}


SETTING = Kind("setting", "", _invent)


def _retention(body: Json) -> Json:
    return {"type": body["retention_type"]}


def _models(body: Json) -> Json:
    return {"mode": body["mode"], "model_ids": body["model_ids"]}


def _tools(body: Json) -> Json:
    return {name: {"enabled": value["enabled"]} for name, value in body.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Setting:
    """One of them: `default` when it was never set (None: there is none), `made` what a body makes of it.

    `object_` is what the answer calls itself; "" when it does not.
    """

    name: str
    object_: str
    default: Mapping[str, object] | None
    made: Callable[[Json], Json]
    parent: Callable[[State, Asked], Record | Problem | None] = open_project

    def show(self, state: State, asked: Asked) -> Answer:
        """Handler: as it is."""
        parent = self.parent(state, asked)
        return parent if isinstance(parent, Problem) else self._now(state, parent) or self._missing()

    def set(self, state: State, asked: Asked) -> Answer:
        """Handler: as it is to be."""
        parent = self.parent(state, asked)
        if isinstance(parent, Problem):
            return parent
        before = self._now(state, parent) or self._named()
        changed = before | self.made(asked.body)

        def fill(record: Record) -> None:
            record.json = changed

        return state.add(SETTING, fill, parent, id_=self.name).json

    def unset(self, state: State, asked: Asked) -> Answer:
        """Handler: as it was before it was set."""
        parent = self.parent(state, asked)
        if isinstance(parent, Problem):
            return parent
        if self._now(state, parent) is None:
            return self._missing()
        if state.shelf(SETTING, parent.id if parent else "").get(self.name) is not None:
            state.remove(SETTING, self.name, parent.id if parent else "")
        return {"object": f"{self.object_}.deleted", "deleted": True}

    def _now(self, state: State, parent: Record | None) -> Json | None:
        """The setting of a parent; one that has a default is never made up."""
        under = parent.id if parent else ""
        if self.default is None:
            found = state.get(SETTING, self.name, under)
            return found.json if found else None
        found = state.shelf(SETTING, under).get(self.name)
        return found.json if found else self._named() | dict(self.default)

    def _named(self) -> Json:
        return {"object": self.object_} if self.object_ else {}

    def _missing(self) -> Problem:
        return Problem(f"No {self.name.replace('_', ' ')} found.", status=404)


_RETENTION = _Setting(
    "data_retention", "organization.data_retention", {"type": "modified_abuse_monitoring"}, _retention, organization
)
_PROJECT_RETENTION = _Setting("data_retention", "project.data_retention", {"type": "organization_default"}, _retention)
_LIMIT = _Setting("spend_limit", "organization.spend_limit", None, _limit, organization)
_PROJECT_LIMIT = _Setting("spend_limit", "project.spend_limit", None, _limit)
_MODELS = _Setting("model_permissions", "project.model_permissions", {"mode": "deny_list", "model_ids": []}, _models)
_HOSTED = _Setting("hosted_tool_permissions", "", {name: {"enabled": True} for name in _TOOLS}, _tools)

ROUTES: Routes = (
    ("retrieve-organization-data-retention", _RETENTION.show),
    ("update-organization-data-retention", _RETENTION.set),
    ("retrieve-project-data-retention", _PROJECT_RETENTION.show),
    ("update-project-data-retention", _PROJECT_RETENTION.set),
    ("Getorganizationspendlimit", _LIMIT.show),
    ("Updateorganizationspendlimit", _LIMIT.set),
    ("Deleteorganizationspendlimit", _LIMIT.unset),
    ("Getprojectspendlimit", _PROJECT_LIMIT.show),
    ("Updateprojectspendlimit", _PROJECT_LIMIT.set),
    ("Deleteprojectspendlimit", _PROJECT_LIMIT.unset),
    ("retrieve-project-model-permissions", _MODELS.show),
    ("update-project-model-permissions", _MODELS.set),
    ("delete-project-model-permissions", _MODELS.unset),
    ("retrieve-project-hosted-tool-permissions", _HOSTED.show),
    ("update-project-hosted-tool-permissions", _HOSTED.set),
)
