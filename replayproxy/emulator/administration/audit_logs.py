"""The family of audit logs: what was done in the administration, and by whom, the newest first.

An entry belongs to the project that the operation is about, else to the default project. Its time is its own: one
second after the entry before it.
"""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.audit_events import events_of
from replayproxy.emulator.administration.organization_collections import Collection, Paging
from replayproxy.emulator.administration.organization_keys import Caller, caller_of, default_project_id
from replayproxy.emulator.administration.organization_people import email_of
from replayproxy.emulator.administration.projects import PROJECTS
from replayproxy.emulator.answers import Answer, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["AUDIT_LOG", "KINDS", "ROUTES", "observe"]


def _invent(state: State, record: Record) -> None:
    record.json = {
        "id": record.id,
        "type": "project.created",
        "effective_at": record.created_at,
        "project.created": {"id": default_project_id(state)},
    }


AUDIT_LOG = Kind("audit log", "audit_log-", _invent)
KINDS = (AUDIT_LOG,)
#: Which comparison each bound on the time is.
_BOUNDS: dict[str, Callable[[int, float], bool]] = {
    "gt": lambda time, bound: time > bound,
    "gte": lambda time, bound: time >= bound,
    "lt": lambda time, bound: time < bound,
    "lte": lambda time, bound: time <= bound,
}


def observe(state: State, asked: Asked, answer: Answer) -> None:
    """Logs a request that was answered, when it is one that belongs into the log."""
    told = answer.json if isinstance(answer, Told) else answer
    if not isinstance(told, dict):
        return
    for type_, details in events_of(asked, told):
        _log(state, asked, type_, details)


def _log(state: State, asked: Asked, type_: str, details: Json) -> None:
    caller = caller_of(state, asked)
    project = _project(state, asked.params.get("project_id", default_project_id(state)))
    actor = _actor(state, caller)

    def fill(record: Record) -> None:
        record.json = {
            "id": record.id,
            "type": type_,
            "effective_at": record.created_at,
            "project": project,
            "actor": actor,
            type_: details,
        }
        record.hidden = {
            "actors": [caller.key_id, caller.owner_id],
            "resources": [each["id"] for each in details.get("certificates", [details])],
        }

    state.add(AUDIT_LOG, fill)


def _project(state: State, id_: str) -> Json:
    project = PROJECTS.get(state, id_)
    return {"id": id_} if isinstance(project, Problem) else {"id": id_, "name": project.json["name"]}


def _actor(state: State, caller: Caller) -> Json:
    owner: Json = {"type": "service_account", "service_account": {"id": caller.owner_id}}
    if not caller.service_account:
        owner = {"type": "user", "user": {"id": caller.owner_id, "email": email_of(state, caller.owner_id)}}
    return {"type": "api_key", "api_key": {"id": caller.key_id, **owner}}


def _wanted(_: State, asked: Asked) -> Callable[[Record], bool]:
    query = asked.query
    times = query.get("effective_at")
    given = times.items() if isinstance(times, dict) else ()
    bounds = [(_BOUNDS[name], float(text)) for name, text in given if name in _BOUNDS]
    chosen = {name: _listed(query.get(name)) for name in _FILTERS}

    def wanted(record: Record) -> bool:
        return (
            query.get("tenant_only") != "true"  # nothing here concerns tenants
            and all(compare(record.json["effective_at"], bound) for compare, bound in bounds)
            and all(values is None or values & _FILTERS[name](record) for name, values in chosen.items())
        )

    return wanted


def _listed(given: object) -> set[str] | None:
    """The values of a filter; None when it is not given."""
    if given is None:
        return None
    return set(map(str, given)) if isinstance(given, list) else {str(given)}


def _emails(record: Record) -> set[str]:
    user = record.json.get("actor", {}).get("api_key", {}).get("user")
    return {user["email"]} if user else set()


#: What an entry has of that which each filter asks for.
_FILTERS: dict[str, Callable[[Record], set[str]]] = {
    "project_ids": lambda record: {record.json.get("project", {}).get("id", "")},
    "event_types": lambda record: {record.json["type"]},
    "actor_ids": lambda record: set(record.hidden.get("actors", ())),
    "actor_emails": _emails,
    "resource_ids": lambda record: set(record.hidden.get("resources", ())),
}
_LOGS = Collection(AUDIT_LOG, "", paging=Paging(order="desc"), wanted=_wanted)
ROUTES: Routes = (("list-audit-logs", _LOGS.page),)
