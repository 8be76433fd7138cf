"""The people of the organisation: its users, and those who are invited.

The organisation has one user from the start, its owner. Who is added to a project by an address that nobody has
becomes a user of the organisation; nothing else makes users, but for a fixtures file.
"""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.organization_collections import Collection, gone
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import mint
from replayproxy.emulator.state import State

__all__ = ["INVITE", "OWNER_EMAIL", "OWNER_NAME", "ROUTES", "USER", "USERS", "email_of", "owner_id", "user_by_email"]

OWNER_NAME, OWNER_EMAIL = "Emulator Owner", "owner@example.com"
#: Seconds for which an invitation is good.
_INVITED = 7 * 86_400


def owner_id(state: State) -> str:
    """The id of the user who is there from the start, and whose every key is that nobody else has."""
    return mint("user-", state.settings.seed, "owner")


def _user(record: Record, name: str, email: str, role: str) -> Json:
    return {
        "object": "organization.user",
        "id": record.id,
        "name": name,
        "email": email,
        "role": role,
        "added_at": record.created_at,
    }


def _invent_user(_: State, record: Record) -> None:
    record.json = _user(record, "Some User", f"{record.id.lower()}@example.com", "reader")


def _invent_invite(_: State, record: Record) -> None:
    record.json = _invite(record, {"email": "invited@example.com", "role": "reader"})


USER = Kind("user", "user-", _invent_user)
INVITE = Kind("invite", "invite-", _invent_invite)


def _with_owner(state: State, _: str) -> None:
    """Puts the owner in, who comes first."""
    id_ = owner_id(state)
    if not state.shelf(USER).was_there(id_):

        def fill(record: Record) -> None:
            record.json = _user(record, OWNER_NAME, OWNER_EMAIL, "owner")

        state.add(USER, fill, id_=id_)


def _with_emails(_: State, asked: Asked) -> Callable[[Record], bool] | None:
    emails = asked.query.get("emails")
    wanted = [emails] if isinstance(emails, str) else emails
    return None if wanted is None else lambda user: user.json["email"] in wanted


USERS = Collection(USER, "user_id", removed=gone("organization.user.deleted"), wanted=_with_emails, prepare=_with_owner)
_INVITES = Collection(INVITE, "invite_id", removed=gone("organization.invite.deleted"))


def user_by_email(state: State, email: str) -> Record:
    """The user of the organisation with that address; made when there is none."""
    users = USERS.shelf_of(state, "")

    def fill(record: Record) -> None:
        record.json = _user(record, email.partition("@")[0], email, "reader")

    return next((user for user in users if user.json["email"] == email), None) or state.add(USER, fill)


def email_of(state: State, user_id: str) -> str:
    """The address of a user; the owner's when nobody has the id."""
    user = USERS.shelf_of(state, "").get(user_id)
    return str(user.json["email"]) if user else OWNER_EMAIL


def _modify_user(state: State, asked: Asked) -> Answer:
    user = USERS.find(state, asked)
    if isinstance(user, Problem):
        return user
    user.json |= {name: value for name, value in asked.body.items() if value is not None and name != "role_id"}
    state.keep(user)
    return user.json


def _invite(record: Record, body: Json) -> Json:
    return {
        "object": "organization.invite",
        "id": record.id,
        "email": body["email"],
        "role": body["role"],
        "status": "pending",
        "created_at": record.created_at,
        "expires_at": record.created_at + _INVITED,
        "accepted_at": None,
        "projects": [{"id": each["id"], "role": each["role"]} for each in body.get("projects") or ()],
    }


def _create_invite(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = _invite(record, asked.body)

    return state.add(INVITE, fill).json


ROUTES: Routes = (
    ("list-users", USERS.page),
    ("retrieve-user", USERS.show),
    ("modify-user", _modify_user),
    ("delete-user", USERS.remove),
    ("list-invites", _INVITES.page),
    ("inviteUser", _create_invite),
    ("retrieve-invite", _INVITES.show),
    ("delete-invite", _INVITES.remove),
)
