"""The family of certificates: uploaded to the organisation, active there or in projects.

What is no certificate is taken all the same, and valid for a year: a made-up one is as good here as a real one.
"""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.organization_collections import Collection, Paging
from replayproxy.emulator.administration.organization_validity import validity
from replayproxy.emulator.administration.projects import project_of
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["CERTIFICATE", "KINDS", "PROJECT_CERTIFICATE", "ROUTES"]

_YEAR = 365 * 86_400
_PAGING = Paging(order="desc")


def _fill(record: Record, content: str, name: str | None) -> None:
    first, last = validity(content) or (record.created_at, record.created_at + _YEAR)
    record.blob = content.encode("utf-8", "surrogatepass")
    record.hidden = {"active": False}
    record.json = {
        "object": "certificate",
        "id": record.id,
        "name": name,
        "created_at": record.created_at,
        "certificate_details": {"valid_at": first, "expires_at": last},
    }


def _invent(_: State, record: Record) -> None:
    _fill(record, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "Certificate")


def _invent_use(_: State, record: Record) -> None:
    record.hidden = {"active": False}


CERTIFICATE = Kind("certificate", "cert_", _invent)
#: A certificate that is, or was, active in a project; its parent.
PROJECT_CERTIFICATE = Kind("project certificate", "cert_", _invent_use)
KINDS = (CERTIFICATE, PROJECT_CERTIFICATE)


def _shown(certificate: Record, object_: str, *, active: bool) -> Json:
    """A certificate as it stands in lists, with what is told of it there only."""
    told = certificate.json
    return {
        "object": object_,
        "id": told["id"],
        "name": told["name"],
        "active": active,
        "created_at": told["created_at"],
        "certificate_details": told["certificate_details"],
    }


def _in_organization(_: State, certificate: Record) -> Json:
    return _shown(certificate, "organization.certificate", active=certificate.hidden["active"])


def _in_project(state: State, use: Record) -> Json:
    certificate = state.shelf(CERTIFICATE).get(use.id)
    assert certificate is not None, "uses of deleted certificates are not shown"  # noqa: S101 -- for the type checker
    return _shown(certificate, "organization.project.certificate", active=use.hidden["active"])


def _still_there(state: State, _: Asked) -> Callable[[Record], bool]:
    return lambda use: state.shelf(CERTIFICATE).get(use.id) is not None


_CERTIFICATES = Collection(CERTIFICATE, "certificate_id", paging=_PAGING, item=_in_organization)
_USES = Collection(
    PROJECT_CERTIFICATE, "certificate_id", parent=project_of, paging=_PAGING, item=_in_project, wanted=_still_there
)


def _upload(state: State, asked: Asked) -> Answer:
    return state.add(CERTIFICATE, lambda record: _fill(record, asked.body["certificate"], asked.body.get("name"))).json


def _get(state: State, asked: Asked) -> Answer:
    certificate = _CERTIFICATES.find(state, asked)
    if isinstance(certificate, Problem):
        return certificate
    include = asked.query.get("include")
    if include is None or "content" not in include:
        return certificate.json
    content = certificate.blob.decode("utf-8", "surrogatepass")
    details = certificate.json["certificate_details"] | {"content": content}
    return certificate.json | {"certificate_details": details}


def _modify(state: State, asked: Asked) -> Answer:
    certificate = _CERTIFICATES.find(state, asked)
    if isinstance(certificate, Problem):
        return certificate
    certificate.json |= asked.body
    state.keep(certificate)
    return certificate.json


def _delete(state: State, asked: Asked) -> Answer:
    """Takes a certificate away that is active nowhere (how the API words its refusal is inferred)."""
    certificate = _CERTIFICATES.find(state, asked)
    if isinstance(certificate, Problem):
        return certificate
    if certificate.hidden["active"] or certificate.hidden.get("projects"):
        return Problem(f"Certificate '{certificate.id}' is active. Deactivate it before deleting it.")
    state.remove(CERTIFICATE, certificate.id)
    return {"object": "certificate.deleted", "id": certificate.id}


def _named(state: State, asked: Asked) -> list[Record] | Problem:
    """The certificates that a body names; or the first that is not there."""
    found = []
    for id_ in asked.body["certificate_ids"]:
        certificate = _CERTIFICATES.get(state, id_)
        if isinstance(certificate, Problem):
            return certificate
        found.append(certificate)
    return found


def _toggled(*, active: bool) -> Callable[[State, Asked], Answer]:
    def toggle(state: State, asked: Asked) -> Answer:
        certificates = _named(state, asked)
        if isinstance(certificates, Problem):
            return certificates
        for certificate in certificates:
            certificate.hidden["active"] = active
            state.keep(certificate)
        object_ = f"organization.certificate.{'activation' if active else 'deactivation'}"
        return {"object": object_, "data": [_in_organization(state, each) for each in certificates]}

    return toggle


def _toggled_in_project(*, active: bool) -> Callable[[State, Asked], Answer]:
    def toggle(state: State, asked: Asked) -> Answer:
        project, certificates = project_of(state, asked), _named(state, asked)
        if isinstance(project, Problem):
            return project
        if isinstance(certificates, Problem):
            return certificates
        uses = [_use(state, certificate, project, active=active) for certificate in certificates]
        object_ = f"organization.project.certificate.{'activation' if active else 'deactivation'}"
        return {"object": object_, "data": [_in_project(state, use) for use in uses]}

    return toggle


def _use(state: State, certificate: Record, project: Record, *, active: bool) -> Record:
    """Makes a certificate active in a project, or not; both remember it."""

    def fill(record: Record) -> None:
        record.hidden = {"active": active}

    projects = [id_ for id_ in certificate.hidden.get("projects", ()) if id_ != project.id]
    certificate.hidden["projects"] = [*projects, project.id] if active else projects
    state.keep(certificate)
    return state.add(PROJECT_CERTIFICATE, fill, project, id_=certificate.id)


ROUTES: Routes = (
    ("listOrganizationCertificates", _CERTIFICATES.page),
    ("uploadCertificate", _upload),
    ("getCertificate", _get),
    ("modifyCertificate", _modify),
    ("deleteCertificate", _delete),
    ("activateOrganizationCertificates", _toggled(active=True)),
    ("deactivateOrganizationCertificates", _toggled(active=False)),
    ("listProjectCertificates", _USES.page),
    ("activateProjectCertificates", _toggled_in_project(active=True)),
    ("deactivateProjectCertificates", _toggled_in_project(active=False)),
)
