"""Keys that the emulator gives out: the administration's own, and how it knows again whose key a request has.

A key is told once, when it is made. Whether a key is good is not decided here: any is, unless the settings say which.
"""

from __future__ import annotations

from dataclasses import dataclass

from replayproxy.emulator.administration.organization_collections import Collection
from replayproxy.emulator.administration.organization_people import OWNER_NAME, owner_id
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import mint
from replayproxy.emulator.state import State

__all__ = [
    "ADMIN_KEY",
    "ISSUED",
    "ROUTES",
    "Caller",
    "caller_of",
    "default_project_id",
    "issue",
    "key_value",
    "redacted",
    "withdraw",
]

#: Digits of a key behind its prefix.
_DIGITS = 48


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose a request is: the ids of its key, of the key's owner, and of the project it counts for."""

    key_id: str
    owner_id: str
    project_id: str
    service_account: bool = False


def default_project_id(state: State) -> str:
    """The id of the project that is there from the start."""
    return mint("proj_", state.settings.seed, "default")


def key_value(state: State, prefix: str, id_: str) -> str:
    """The key itself, by the id that stands for it."""
    return mint(prefix, state.settings.seed, id_, length=_DIGITS)


def redacted(value: str) -> str:
    """As much of a key as is told later on."""
    return f"{value[:8]}...{value[-3:]}"


def _invent_issued(_: State, record: Record) -> None:
    """Nobody asks for one by its id."""


def _invent_admin_key(state: State, record: Record) -> None:
    record.json = _admin_key(state, record, {"name": "Admin Key"})


#: Keys that were given out: under an id that follows from the key, whose it is.
ISSUED = Kind("issued key", "issued_", _invent_issued)
ADMIN_KEY = Kind("admin API key", "key_", _invent_admin_key, length=16)
_ADMIN_KEYS = Collection(
    ADMIN_KEY,
    "key_id",
    removed=lambda id_: {"id": id_, "object": "organization.admin_api_key.deleted", "deleted": True},
)


def _issued_id(value: str) -> str:
    return mint("issued_", value)


def issue(state: State, value: str, caller: Caller) -> None:
    """Takes note that a key was given out."""

    def fill(record: Record) -> None:
        record.hidden = {
            "key": caller.key_id,
            "owner": caller.owner_id,
            "project": caller.project_id,
            "service_account": caller.service_account,
        }

    state.add(ISSUED, fill, id_=_issued_id(value))


def withdraw(state: State, value: str) -> None:
    """Takes note that a key is no more."""
    if state.shelf(ISSUED).get(_issued_id(value)) is not None:
        state.remove(ISSUED, _issued_id(value))


def caller_of(state: State, asked: Asked) -> Caller:
    """Whose a request is. A key that was not given out here is one of the owner's, in the default project.

    A request may name another project, in the header that the API has for it.
    """
    value = (asked.headers.get("authorization") or "").partition(" ")[2].strip()
    project = asked.headers.get("openai-project")
    known = state.shelf(ISSUED).get(_issued_id(value))
    if known is None:
        return Caller(mint("key_", value, length=16), owner_id(state), project or default_project_id(state))
    hidden = known.hidden
    return Caller(hidden["key"], hidden["owner"], project or hidden["project"], hidden["service_account"])


def _admin_key(state: State, record: Record, body: Json) -> Json:
    lifetime = body.get("expires_in_seconds")
    return {
        "object": "organization.admin_api_key",
        "id": record.id,
        "name": body["name"],
        "redacted_value": redacted(key_value(state, "sk-admin-", record.id)),
        "created_at": record.created_at,
        "expires_at": record.created_at + lifetime if lifetime else None,
        "last_used_at": None,
        "owner": {
            "type": "user",
            "object": "organization.user",
            "id": owner_id(state),
            "name": OWNER_NAME,
            "created_at": state.settings.clock_start,
            "role": "owner",
        },
    }


def _create_admin_key(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = _admin_key(state, record, asked.body)

    record = state.add(ADMIN_KEY, fill)
    value = key_value(state, "sk-admin-", record.id)
    issue(state, value, Caller(record.id, owner_id(state), default_project_id(state)))
    return record.json | {"value": value}


def _delete_admin_key(state: State, asked: Asked) -> Answer:
    withdraw(state, key_value(state, "sk-admin-", asked.params["key_id"]))
    return _ADMIN_KEYS.remove(state, asked)


ROUTES: Routes = (
    ("admin-api-keys-list", _ADMIN_KEYS.page),
    ("admin-api-keys-create", _create_admin_key),
    ("admin-api-keys-get", _ADMIN_KEYS.show),
    ("admin-api-keys-delete", _delete_admin_key),
)
