"""The service accounts of a project, and its API keys.

A key's value is told once, when it is made; keys are made for service accounts only, as everywhere in the API.
"""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.organization_collections import Collection, gone
from replayproxy.emulator.administration.organization_keys import Caller, issue, key_value, redacted, withdraw
from replayproxy.emulator.administration.projects import open_project, project_of
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["API_KEY", "ROUTES", "SERVICE_ACCOUNT"]


def _account(record: Record, name: str, role: str) -> Json:
    return {
        "object": "organization.project.service_account",
        "id": record.id,
        "name": name,
        "role": role,
        "created_at": record.created_at,
    }


def _invent_account(_: State, record: Record) -> None:
    record.json = _account(record, "Service Account", "member")


def _key(state: State, record: Record, name: str, account: Json) -> Json:
    return {
        "object": "organization.project.api_key",
        "redacted_value": redacted(_value(state, record)),
        "name": name,
        "created_at": record.created_at,
        "last_used_at": None,
        "id": record.id,
        "owner_project_access": "active",
        "owner": {
            "type": "service_account",
            "service_account": {each: account[each] for each in ("id", "name", "created_at", "role")},
        },
    }


def _invent_key(state: State, record: Record) -> None:
    id_ = SERVICE_ACCOUNT.id_at(state.settings.seed, record.parent, 0)
    owner = Record("", id_, record.parent, 0, record.created_at)
    record.json = _key(state, record, "Secret Key", _account(owner, "Service Account", "member"))


def _value(state: State, record: Record) -> str:
    return key_value(state, "sk-svcacct-", f"{record.parent}/{record.id}")


SERVICE_ACCOUNT = Kind("service account", "svc_acct_", _invent_account)
API_KEY = Kind("API key", "key_", _invent_key, length=16)


def _of_access(_: State, asked: Asked) -> Callable[[Record], bool] | None:
    access = asked.query.get("owner_project_access")
    return (lambda key: key.json["owner_project_access"] == access) if access in ("active", "inactive") else None


_ACCOUNTS = Collection(
    SERVICE_ACCOUNT,
    "service_account_id",
    parent=open_project,
    removed=gone("organization.project.service_account.deleted"),
)
_KEYS = Collection(
    API_KEY,
    "api_key_id",
    parent=project_of,
    removed=gone("organization.project.api_key.deleted"),
    wanted=_of_access,
)


def _create_account(state: State, asked: Asked) -> Answer:
    bare = asked.body.get("create_service_account_only") is True

    def fill(record: Record) -> None:
        record.json = _account(record, asked.body["name"], "none" if bare else "member")

    account = _ACCOUNTS.add(state, asked, fill)
    if isinstance(account, Problem):
        return account
    return account.json | {"api_key": None if bare else _issued(state, account, "Secret Key")}


def _issued(state: State, account: Record, name: str) -> Json:
    """A new key of a service account, its value included."""

    def fill(record: Record) -> None:
        record.json = _key(state, record, name, account.json)

    key = state.add(API_KEY, fill, under=account.parent)
    issue(state, _value(state, key), Caller(key.id, account.id, account.parent, service_account=True))
    return {
        "object": "organization.project.service_account.api_key",
        "value": _value(state, key),
        "name": name,
        "created_at": key.created_at,
        "id": key.id,
    }


def _create_key(state: State, asked: Asked) -> Answer:
    account = _ACCOUNTS.find(state, asked)
    return account if isinstance(account, Problem) else _issued(state, account, asked.body.get("name") or "Secret Key")


def _modify_account(state: State, asked: Asked) -> Answer:
    account = _ACCOUNTS.find(state, asked)
    if isinstance(account, Problem):
        return account
    account.json |= asked.body
    state.keep(account)
    return account.json


def _delete_account(state: State, asked: Asked) -> Answer:
    """Takes a service account away, and its keys with it."""
    account = _ACCOUNTS.find(state, asked)
    if isinstance(account, Problem):
        return account
    for key in state.shelf(API_KEY, account.parent):
        if key.json["owner"].get("service_account", {}).get("id") == account.id:
            _withdraw(state, key)
    return _ACCOUNTS.remove(state, asked)


def _withdraw(state: State, key: Record) -> None:
    withdraw(state, _value(state, key))
    state.remove(API_KEY, key.id, key.parent)


def _delete_key(state: State, asked: Asked) -> Answer:
    key = _KEYS.find(state, asked)
    if isinstance(key, Problem):
        return key
    _withdraw(state, key)
    return _KEYS.removed(key.id)


ROUTES: Routes = (
    ("list-project-service-accounts", _ACCOUNTS.page),
    ("create-project-service-account", _create_account),
    ("retrieve-project-service-account", _ACCOUNTS.show),
    ("update-project-service-account", _modify_account),
    ("delete-project-service-account", _delete_account),
    ("CreateanAPIkeyforaserviceaccount", _create_key),
    ("list-project-api-keys", _KEYS.page),
    ("retrieve-project-api-key", _KEYS.show),
    ("delete-project-api-key", _delete_key),
)
