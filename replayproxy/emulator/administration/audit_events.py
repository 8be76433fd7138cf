"""What stands in the audit log for each operation: the types of events, and their details.

Facts: the API's description of the audit log. What it does not tell of an operation (spend limits, retention) is not
logged. Some details cannot be told from a request and its answer alone, and are left out: the former permissions of a
role, the name and text of a certificate that is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from replayproxy.emulator.asked import Asked
from replayproxy.emulator.records import Json
from replayproxy.emulator.shelf import mint

__all__ = ["events_of"]

#: A type of event and its details.
Event = tuple[str, Json]
Teller = Callable[[Asked, Json], Iterator[Event]]


def events_of(asked: Asked, answer: Json) -> tuple[Event, ...]:
    """The events that a request makes, once it has been answered; none for most."""
    teller = _TELLERS.get(asked.operation.id)
    return tuple(teller(asked, answer)) if teller else ()


def _given(asked: Asked, names: Mapping[str, str]) -> Json:
    """What a body says, under the names that events have for it."""
    body = asked.body
    return {name: body[field] for field, name in names.items() if body.get(field) is not None}


def _created(type_: str, names: Mapping[str, str], _: Asked, answer: Json) -> Iterator[Event]:
    """Something new, its facts under `data`."""
    yield type_, {"id": answer["id"], "data": {name: answer.get(field) for field, name in names.items()}}


def _updated(type_: str, names: Mapping[str, str], asked: Asked, answer: Json) -> Iterator[Event]:
    yield type_, {"id": answer["id"], "changes_requested": _given(asked, names)}


def _removed(type_: str, asked: Asked, _: Json) -> Iterator[Event]:
    """Something that the last parameter of the path names is gone."""
    yield type_, {"id": list(asked.params.values())[-1]}


def _project_created(asked: Asked, answer: Json) -> Iterator[Event]:
    yield "project.created", {"id": answer["id"], "data": {"name": asked.body["name"], "title": asked.body["name"]}}


def _key_created(asked: Asked, answer: Json) -> Iterator[Event]:
    yield "api_key.created", {"id": answer["id"], "data": {"scopes": asked.body.get("scopes") or []}}


def _account_created(asked: Asked, answer: Json) -> Iterator[Event]:
    yield from _created("service_account.created", {"role": "role"}, asked, answer)
    if answer["api_key"] is not None:
        yield from _key_created(asked, answer["api_key"])


def _certificate(type_: str, _: Asked, answer: Json) -> Iterator[Event]:
    yield type_, {"id": answer["id"], **({"name": answer["name"]} if answer["name"] is not None else {})}


def _certificates(type_: str, _: Asked, answer: Json) -> Iterator[Event]:
    told = [next(_certificate("", _, each))[1] for each in answer["data"]]
    yield type_, {"certificates": told}


def _role_created(asked: Asked, answer: Json) -> Iterator[Event]:
    details = {"id": answer["id"], "role_name": answer["name"], "permissions": answer["permissions"]}
    yield "role.created", details | {"resource_type": answer["resource_type"], "resource_id": _resource(asked)}


def _role_updated(asked: Asked, answer: Json) -> Iterator[Event]:
    changes = _given(asked, {"role_name": "role_name", "description": "description"})
    place = {"resource_id": _resource(asked), "resource_type": answer["resource_type"]}
    yield "role.updated", {"id": answer["id"], "changes_requested": changes | place}


def _assignment(type_: str, principal: str, asked: Asked, _: Json) -> Iterator[Event]:
    role = asked.params.get("role_id") or asked.body["role_id"]
    principal_id, resource = asked.params[f"{principal}_id"], _resource(asked)
    yield (
        type_,
        {
            "id": mint("role_assignment_", role, principal_id, resource),
            "principal_id": principal_id,
            "principal_type": principal,
            "resource_id": resource,
            "resource_type": "api.project" if "project_id" in asked.params else "api.organization",
        },
    )


def _resource(asked: Asked) -> str:
    """What a role is for: a project, or the organisation."""
    return asked.params.get("project_id") or "organization"


def _permissions(asked: Asked, answer: Json) -> Iterator[Event]:
    model = asked.params["fine_tuned_model_checkpoint"]
    for each in answer["data"]:
        data = {"project_id": each["project_id"], "fine_tuned_model_checkpoint": model}
        yield "checkpoint.permission.created", {"id": each["id"], "data": data}


_ROLE = {"role": "role"}
_LIMITS = (
    *("max_requests_per_1_minute", "max_tokens_per_1_minute", "max_images_per_1_minute"),
    *("max_audio_megabytes_per_1_minute", "max_requests_per_1_day", "batch_1_day_max_input_tokens"),
)


def _principals(operation: str, type_: str) -> dict[str, Teller]:
    """The assignments of roles to users and groups, in the organisation and in projects."""
    return {
        f"{operation}-{scope}{principal}-role": partial(_assignment, type_, principal)
        for scope in ("", "project-")
        for principal in ("user", "group")
    }


_TELLERS: Mapping[str, Teller] = {
    "create-project": _project_created,
    "modify-project": partial(_updated, "project.updated", {"name": "title"}),
    "archive-project": partial(_removed, "project.archived"),
    "create-project-user": partial(_created, "user.added", _ROLE),
    "modify-project-user": partial(_updated, "user.updated", _ROLE),
    "delete-project-user": partial(_removed, "user.deleted"),
    "modify-user": partial(_updated, "user.updated", _ROLE),
    "delete-user": partial(_removed, "user.deleted"),
    "create-project-service-account": _account_created,
    "update-project-service-account": partial(_updated, "service_account.updated", _ROLE),
    "delete-project-service-account": partial(_removed, "service_account.deleted"),
    "CreateanAPIkeyforaserviceaccount": _key_created,
    "delete-project-api-key": partial(_removed, "api_key.deleted"),
    "admin-api-keys-create": _key_created,
    "admin-api-keys-delete": partial(_removed, "api_key.deleted"),
    "update-project-rate-limits": partial(_updated, "rate_limit.updated", {name: name for name in _LIMITS}),
    "inviteUser": partial(_created, "invite.sent", {"email": "email", "role": "role"}),
    "delete-invite": partial(_removed, "invite.deleted"),
    "create-group": partial(_created, "group.created", {"name": "group_name"}),
    "update-group": partial(_updated, "group.updated", {"name": "group_name"}),
    "delete-group": partial(_removed, "group.deleted"),
    "create-role": _role_created,
    "create-project-role": _role_created,
    "update-role": _role_updated,
    "update-project-role": _role_updated,
    "delete-role": partial(_removed, "role.deleted"),
    "delete-project-role": partial(_removed, "role.deleted"),
    **_principals("assign", "role.assignment.created"),
    **_principals("unassign", "role.assignment.deleted"),
    "uploadCertificate": partial(_certificate, "certificate.created"),
    "modifyCertificate": partial(_certificate, "certificate.updated"),
    "deleteCertificate": partial(_removed, "certificate.deleted"),
    "activateOrganizationCertificates": partial(_certificates, "certificates.activated"),
    "deactivateOrganizationCertificates": partial(_certificates, "certificates.deactivated"),
    "activateProjectCertificates": partial(_certificates, "certificates.activated"),
    "deactivateProjectCertificates": partial(_certificates, "certificates.deactivated"),
    "createFineTuningCheckpointPermission": _permissions,
    "deleteFineTuningCheckpointPermission": partial(_removed, "checkpoint.permission.deleted"),
}
