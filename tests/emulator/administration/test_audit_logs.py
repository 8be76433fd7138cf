"""The audit log: what stands in it after real requests, and how it is searched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests.strict_clients import strict_client

START = 1_704_067_200


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A strict client on a new emulator."""
    async with strict_client() as started:
        yield started


@pytest.fixture
def organization(client: AsyncOpenAI) -> Any:
    """What the client has for the organisation."""
    return client.admin.organization


async def told(organization: Any, **query: Any) -> list[tuple[str, dict[str, Any]]]:
    """The entries, the oldest first: type and details."""
    raw = (await organization.audit_logs.with_raw_response.list(**query, limit=100)).http_response.json()
    return [(each["type"], each[each["type"]]) for each in reversed(raw["data"])]


async def test_projects_and_their_members_are_logged(organization: Any) -> None:
    """Everything that is done to them, in order, with the details that the API tells."""
    projects = organization.projects
    id_ = (await projects.create(name="Shop")).id
    await projects.update(id_, name="Store")
    user = (await projects.users.create(id_, email="ada@example.com", role="member")).id
    await projects.users.update(user, project_id=id_, role="owner")
    await projects.users.delete(user, project_id=id_)
    bot = await projects.service_accounts.create(id_, name="bot")
    bare = await projects.service_accounts.create(id_, name="bare", create_service_account_only=True)
    await projects.service_accounts.update(bot.id, project_id=id_, role="owner")
    key = await projects.service_accounts.api_keys.create(bot.id, project_id=id_, scopes=["api.read"])
    await projects.api_keys.delete(key.id, project_id=id_)
    await projects.service_accounts.delete(bot.id, project_id=id_)
    await projects.rate_limits.update_rate_limit("rl-o3", project_id=id_, max_requests_per_1_minute=5)
    await projects.archive(id_)
    assert await told(organization) == [
        ("project.created", {"id": id_, "data": {"name": "Shop", "title": "Shop"}}),
        ("project.updated", {"id": id_, "changes_requested": {"title": "Store"}}),
        ("user.added", {"id": user, "data": {"role": "member"}}),
        ("user.updated", {"id": user, "changes_requested": {"role": "owner"}}),
        ("user.deleted", {"id": user}),
        ("service_account.created", {"id": bot.id, "data": {"role": "member"}}),
        ("api_key.created", {"id": bot.api_key.id, "data": {"scopes": []}}),
        ("service_account.created", {"id": bare.id, "data": {"role": "none"}}),
        ("service_account.updated", {"id": bot.id, "changes_requested": {"role": "owner"}}),
        ("api_key.created", {"id": key.id, "data": {"scopes": ["api.read"]}}),
        ("api_key.deleted", {"id": key.id}),
        ("service_account.deleted", {"id": bot.id}),
        ("rate_limit.updated", {"id": "rl-o3", "changes_requested": {"max_requests_per_1_minute": 5}}),
        ("project.archived", {"id": id_}),
    ]


async def test_the_organisation_is_logged(organization: Any) -> None:
    """Invites, keys, groups, roles and who has them, users."""
    invite = await organization.invites.create(email="a@example.com", role="reader")
    await organization.invites.delete(invite.id)
    key = await organization.admin_api_keys.create(name="Main")
    await organization.admin_api_keys.delete(key.id)
    group = await organization.groups.create(name="Team")
    await organization.groups.update(group.id, name="Crew")
    role = await organization.roles.create(role_name="Reader", permissions=["x"])
    await organization.roles.update(role.id, description="Reads")
    await organization.groups.roles.create(group.id, role_id=role.id)
    await organization.groups.roles.delete(role.id, group_id=group.id)
    await organization.roles.delete(role.id)
    await organization.groups.delete(group.id)
    owner = (await organization.users.list()).data[0].id
    await organization.users.update(owner, role="reader")
    await organization.users.delete(owner)
    place = {"resource_id": "organization", "resource_type": "api.organization"}
    found = await told(organization)
    assigned = {"id": found[8][1]["id"], "principal_id": group.id, "principal_type": "group", **place}
    named = {"id": role.id, "role_name": "Reader", "permissions": ["x"]}
    assert found == [
        ("invite.sent", {"id": invite.id, "data": {"email": "a@example.com", "role": "reader"}}),
        ("invite.deleted", {"id": invite.id}),
        ("api_key.created", {"id": key.id, "data": {"scopes": []}}),
        ("api_key.deleted", {"id": key.id}),
        ("group.created", {"id": group.id, "data": {"group_name": "Team"}}),
        ("group.updated", {"id": group.id, "changes_requested": {"group_name": "Crew"}}),
        ("role.created", named | place),
        ("role.updated", {"id": role.id, "changes_requested": {"description": "Reads"} | place}),
        ("role.assignment.created", assigned),
        ("role.assignment.deleted", assigned),
        ("role.deleted", {"id": role.id}),
        ("group.deleted", {"id": group.id}),
        ("user.updated", {"id": owner, "changes_requested": {"role": "reader"}}),
        ("user.deleted", {"id": owner}),
    ]


async def test_certificates_are_logged(organization: Any) -> None:
    """By id and name, if they have one; where they are active too."""
    certificates = organization.certificates
    project = (await organization.projects.create(name="Shop")).id
    named = await certificates.create(certificate="pem", name="One")
    nameless = await certificates.create(certificate="pem")
    await certificates.update(named.id, name="Uno")
    await certificates.activate(certificate_ids=[named.id, nameless.id])
    await certificates.deactivate(certificate_ids=[named.id])
    await organization.projects.certificates.activate(project, certificate_ids=[named.id])
    await organization.projects.certificates.deactivate(project, certificate_ids=[named.id])
    await certificates.delete(named.id)
    assert (await told(organization))[1:] == [
        ("certificate.created", {"id": named.id, "name": "One"}),
        ("certificate.created", {"id": nameless.id}),
        ("certificate.updated", {"id": named.id, "name": "Uno"}),
        ("certificates.activated", {"certificates": [{"id": named.id, "name": "Uno"}, {"id": nameless.id}]}),
        ("certificates.deactivated", {"certificates": [{"id": named.id, "name": "Uno"}]}),
        ("certificates.activated", {"certificates": [{"id": named.id, "name": "Uno"}]}),
        ("certificates.deactivated", {"certificates": [{"id": named.id, "name": "Uno"}]}),
        ("certificate.deleted", {"id": named.id}),
    ]
    assert len(await told(organization, resource_ids=[nameless.id])) == 2


async def test_only_what_was_done_is_logged(organization: Any) -> None:
    """Looking is not logged, nor what was refused."""
    await organization.projects.list()
    with pytest.raises(openai.NotFoundError):
        await organization.projects.archive("proj_x")
    assert await told(organization) == []


async def test_entry_says_who_and_where(client: AsyncOpenAI, organization: Any) -> None:
    """A user's key, or a service account's; the project that it was about, else the default one."""
    projects = organization.projects
    project = await projects.create(name="Shop")
    bot = await projects.service_accounts.create(project.id, name="bot")
    as_bot: Any = client.with_options(admin_api_key=bot.api_key.value).admin.organization
    await as_bot.projects.update(project.id, name="Store")
    entries = [each async for each in organization.audit_logs.list()]
    owner = (await organization.users.list()).data[0]
    assert [each.type for each in entries] == [
        *("project.updated", "api_key.created", "service_account.created", "project.created")
    ]
    assert [each.effective_at for each in entries] == [START + 3, START + 2, START + 1, START]
    assert [each.project.name for each in entries] == ["Store", "Shop", "Shop", "Default project"]
    assert entries[0].actor.api_key.id == bot.api_key.id
    assert entries[0].actor.api_key.service_account.id == bot.id
    user = entries[1].actor.api_key.user
    assert (user.id, user.email) == (owner.id, owner.email)
    logs = organization.audit_logs
    filters: list[tuple[dict[str, Any], list[str]]] = [
        ({"event_types": ["project.created", "project.updated"]}, ["project.updated", "project.created"]),
        ({"project_ids": [project.id]}, ["project.updated", "api_key.created", "service_account.created"]),
        ({"actor_ids": [bot.id]}, ["project.updated"]),
        ({"actor_ids": [bot.api_key.id]}, ["project.updated"]),
        ({"actor_emails": [owner.email], "event_types": ["project.created"]}, ["project.created"]),
        ({"resource_ids": [bot.id]}, ["service_account.created"]),
        ({"effective_at": {"gt": START, "lte": START + 2}}, ["api_key.created", "service_account.created"]),
        ({"effective_at": {"gte": START + 3}}, ["project.updated"]),
        ({"effective_at": {"lt": START + 1}}, ["project.created"]),
        ({"tenant_only": True}, []),
        ({"extra_query": {"event_types[]": "project.created"}}, ["project.created"]),
    ]
    for query, types in filters:
        assert [each.type async for each in logs.list(**query)] == types
    assert [each.type async for each in logs.list(limit=1, event_types=["project.created", "project.updated"])] == [
        *("project.updated", "project.created")
    ]
    page = await logs.list(before=entries[2].id, limit=1)
    assert [each.id for each in page.data] == [entries[1].id]
    assert (await logs.list(after=entries[2].id)).data == [entries[3]]


async def test_deleted_admin_key_is_the_owners_again(client: AsyncOpenAI, organization: Any) -> None:
    """A key that is given out acts under its own id; any other is taken for one of the owner's."""
    made = await organization.admin_api_keys.create(name="Main")
    other: Any = client.with_options(admin_api_key=made.value).admin.organization
    await other.groups.create(name="A")
    await other.admin_api_keys.delete(made.id)
    await other.groups.create(name="B")
    last, _, first, _ = [each async for each in organization.audit_logs.list()]
    assert first.actor.api_key.id == made.id
    assert last.actor.api_key.id != made.id


async def test_checkpoint_permissions_are_logged(client: AsyncOpenAI, organization: Any) -> None:
    """Those of fine-tuning belong to the administration, too."""
    permissions: Any = client.fine_tuning.checkpoints.permissions
    checkpoint = "ft:gpt-4o-mini:emulator::0"
    created = [each async for each in permissions.create(checkpoint, project_ids=["proj_a"])]
    await permissions.delete(created[0].id, fine_tuned_model_checkpoint=checkpoint)
    data = {"project_id": "proj_a", "fine_tuned_model_checkpoint": checkpoint}
    assert await told(organization) == [
        ("checkpoint.permission.created", {"id": created[0].id, "data": data}),
        ("checkpoint.permission.deleted", {"id": created[0].id}),
    ]
