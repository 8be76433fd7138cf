"""Certificates: of the organisation, and active in its projects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import trustme
from cryptography import x509
from openai import AsyncOpenAI

from replayproxy.emulator.administration.organization_validity import validity
from replayproxy.emulator.state import EmulatorSettings
from tests.strict_clients import strict_client

PEM = trustme.CA().cert_pem.bytes().decode()
YEAR = 365 * 86_400


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A strict client on a new emulator."""
    async with strict_client() as started:
        yield started


@pytest.fixture
def certificates(client: AsyncOpenAI) -> Any:
    """What the client has for the certificates of the organisation."""
    return client.admin.organization.certificates


async def test_life_of_a_certificate(certificates: Any) -> None:
    """Uploaded, shown with its content when that is asked for, renamed, deleted."""
    made = await certificates.create(certificate=PEM, name="One")
    assert made.object == "certificate"
    details = made.certificate_details
    assert (details.valid_at, details.expires_at, details.content) == (*(validity(PEM) or ()), None)
    assert await certificates.retrieve(made.id) == made
    assert (await certificates.retrieve(made.id, include=["content"])).certificate_details.content == PEM
    assert (await certificates.update(made.id, name="Uno")).name == "Uno"
    second = await certificates.create(certificate=PEM)
    assert second.name is None
    assert [each.id async for each in certificates.list(limit=1)] == [second.id, made.id]
    assert [each.id async for each in certificates.list(order="asc")] == [made.id, second.id]
    assert (await certificates.delete(made.id)).id == made.id
    for call in (certificates.retrieve, certificates.update, certificates.delete):
        with pytest.raises(openai.NotFoundError, match=f"No certificate found with id '{made.id}'"):
            await call(made.id)


async def test_certificates_become_active_and_inactive(certificates: Any) -> None:
    """Several at once, or none when one of them is not there; one that is active stays."""
    ids = [(await certificates.create(certificate=PEM)).id for _ in range(3)]
    activated = [each async for each in certificates.activate(certificate_ids=ids[:2])]
    assert [(each.id, each.active) for each in activated] == [(ids[0], True), (ids[1], True)]
    with pytest.raises(openai.NotFoundError, match="cert_x"):
        await certificates.activate(certificate_ids=[ids[2], "cert_x"])
    assert [each.active async for each in certificates.list(order="asc")] == [True, True, False]
    with pytest.raises(openai.BadRequestError, match="is active"):
        await certificates.delete(ids[0])
    [each async for each in certificates.deactivate(certificate_ids=[ids[0]])]
    assert (await certificates.delete(ids[0])).id == ids[0]


async def test_certificates_of_a_project(client: AsyncOpenAI, certificates: Any) -> None:
    """Those that are, or were, active there; it says nothing about the organisation."""
    projects: Any = client.admin.organization.projects
    project = (await projects.create(name="Shop")).id
    ids = [(await certificates.create(certificate=PEM)).id for _ in range(2)]
    [each async for each in projects.certificates.activate(project, certificate_ids=ids)]
    [each async for each in projects.certificates.deactivate(project, certificate_ids=ids[:1])]
    listed = [each async for each in projects.certificates.list(project, order="asc")]
    assert [(each.id, each.active) for each in listed] == [(ids[0], False), (ids[1], True)]
    assert [each.active async for each in certificates.list()] == [False, False]
    with pytest.raises(openai.BadRequestError, match="is active"):
        await certificates.delete(ids[1])
    await certificates.delete(ids[0])
    assert [each.id async for each in projects.certificates.list(project)] == [ids[1]]
    with pytest.raises(openai.NotFoundError, match="The project proj_x"):
        await projects.certificates.activate("proj_x", certificate_ids=ids[1:])
    with pytest.raises(openai.NotFoundError, match="No certificate found"):
        await projects.certificates.activate(project, certificate_ids=ids[:1])


async def test_made_up_certificates() -> None:
    """Text that is no certificate is valid for a year; a made-up id is one."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        certificates: Any = client.admin.organization.certificates
        made = await certificates.create(certificate="nonsense")
        assert made.certificate_details.valid_at == made.created_at
        assert made.certificate_details.expires_at == made.created_at + YEAR
        assert (await certificates.retrieve("cert_mine")).name == "Certificate"


def test_validity_is_what_the_certificate_says() -> None:
    """Read without a library for certificates, and the same; text around it does not count."""
    known = x509.load_pem_x509_certificate(PEM.encode())
    expected = (int(known.not_valid_before_utc.timestamp()), int(known.not_valid_after_utc.timestamp()))
    assert validity(PEM) == expected
    assert validity(f"subject=me\n{PEM}\n{PEM}") == expected


def pem(*der: int) -> str:
    """Bytes as if they were a certificate."""
    import ssl

    return ssl.DER_cert_to_PEM_cert(bytes(der))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----MIIDeT...-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        pem(),
        pem(0x30),
        pem(0x30, 0x82),
        pem(0x30, 4, 0x30, 2, 0x05, 0),
        pem(0x30, 13, 0x30, 11, 2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 2, 5, 0),
        pem(0x30, 14, 0x30, 12, 2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 3, 0x17, 1, 0x41),
        pem(0x30, 11, 0x30, 9, 2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0),
    ],
)
def test_what_is_no_certificate_has_no_validity(text: str) -> None:
    """However it is broken."""
    assert validity(text) is None
