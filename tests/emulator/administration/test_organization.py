"""The organisation: people, keys, groups, roles, settings, alerts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from replayproxy.emulator.families import HANDLERS, KINDS
from replayproxy.emulator.records import Record
from replayproxy.emulator.state import EmulatorSettings, State
from replayproxy.openai_api import catalog
from tests.strict_clients import strict_client

CHANNEL = {"type": "email", "recipients": ["a@example.com"], "subject_prefix": "Spend"}
ALERT: dict[str, Any] = {
    "currency": "USD",
    "interval": "month",
    "threshold_amount": 5000,
    "notification_channel": CHANNEL,
}
LIMIT: dict[str, Any] = {"currency": "USD", "interval": "month", "threshold_amount": 5000}


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A strict client on a new emulator."""
    async with strict_client() as started:
        yield started


@pytest.fixture
def organization(client: AsyncOpenAI) -> Any:
    """What the client has for the organisation."""
    return client.admin.organization


@dataclass(frozen=True)
class Life:
    """How the client makes, changes and names one thing."""

    name: str
    made: dict[str, Any]
    changed: dict[str, Any] = field(default_factory=dict)
    project: bool = False

    def resource(self, organization: Any) -> Any:
        """What the client has for it."""
        found = organization.projects if self.project else organization
        for part in self.name.split("."):
            found = getattr(found, part)
        return found


LIVES = (
    Life("invites", {"email": "a@example.com", "role": "reader", "projects": [{"id": "proj_a", "role": "member"}]}),
    Life("admin_api_keys", {"name": "Main"}),
    Life("groups", {"name": "Team"}, {"name": "Crew"}),
    Life("roles", {"role_name": "Reader", "permissions": ["api.read"]}, {"description": "Reads", "role_name": "R"}),
    Life("roles", {"role_name": "Reader", "permissions": ["api.read"]}, {"permissions": []}, project=True),
    Life("spend_alerts", ALERT, ALERT | {"threshold_amount": 9000}),
    Life("spend_alerts", ALERT, ALERT | {"threshold_amount": 9000}, project=True),
)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: f"{'project-' * life.project}{life.name}")
async def test_life_of_a_thing(organization: Any, life: Life) -> None:
    """Made, listed page by page, shown, changed, deleted, and then not found."""
    resource = life.resource(organization)
    place = {"project_id": (await organization.projects.create(name="Shop")).id} if life.project else {}
    first, second = await resource.create(**place, **life.made), await resource.create(**place, **life.made)
    assert [each.id async for each in resource.list(**place, limit=1)] == [first.id, second.id]
    shown = await resource.retrieve(first.id, **place)
    assert shown.model_dump(exclude={"value"}) == first.model_dump(exclude={"value"})
    if life.changed:
        await resource.update(first.id, **place, **life.changed)
        now = (await resource.retrieve(first.id, **place)).model_dump()
        for name, value in life.changed.items():
            assert now.get(name.removeprefix("role_")) == value
    assert (await resource.delete(first.id, **place)).deleted
    assert [each.id async for each in resource.list(**place)] == [second.id]
    calls: list[Callable[..., Awaitable[Any]]] = [resource.retrieve, resource.delete]
    for call in calls:
        with pytest.raises(openai.NotFoundError, match=f"found with id '{first.id}'"):
            await call(first.id, **place)
    if life.changed:
        with pytest.raises(openai.NotFoundError):
            await resource.update(first.id, **place, **life.changed)
    if life.project:
        with pytest.raises(openai.NotFoundError, match="The project proj_x was not found"):
            await resource.create("proj_x", **life.made)


async def test_owner_is_there_from_the_start(organization: Any) -> None:
    """The organisation has one user; a user is changed and taken away like anything else."""
    owner = (await organization.users.list()).data[0]
    assert (owner.role, owner.email) == ("owner", "owner@example.com")
    assert (await organization.users.update(owner.id, role="reader", technical_level="expert")).role == "reader"
    assert (await organization.users.retrieve(owner.id)).technical_level == "expert"
    assert [each.id async for each in organization.users.list(emails=["owner@example.com"])] == [owner.id]
    assert [each.id async for each in organization.users.list(emails=["other@example.com"])] == []
    assert (await organization.users.delete(owner.id)).deleted
    assert [each.id async for each in organization.users.list()] == []
    with pytest.raises(openai.NotFoundError, match="No user found"):
        await organization.users.update(owner.id, role="owner")


async def test_admin_key_expires_when_asked_to(organization: Any) -> None:
    """The key itself is told once, its end is told always; the list can begin with the newest."""
    await organization.admin_api_keys.create(name="First")
    made = await organization.admin_api_keys.create(name="Second", expires_in_seconds=60)
    assert made.value.startswith("sk-admin-")
    assert made.expires_at == made.created_at + 60
    listed = [each async for each in organization.admin_api_keys.list(order="desc")]
    assert [each.name for each in listed] == ["Second", "First"]
    assert "value" not in listed[0].model_dump()


async def test_users_of_a_group(organization: Any) -> None:
    """Users of the organisation come into a group and leave it; the newest come first."""
    project = await organization.projects.create(name="Shop")
    ids = [
        (await organization.projects.users.create(project.id, email=f"{name}@example.com", role="member")).id
        for name in ("ada", "bob")
    ]
    group = await organization.groups.create(name="Team")
    users = organization.groups.users
    for id_ in ids:
        assert (await users.create(group.id, user_id=id_)).user_id == id_
    assert [each.id async for each in users.list(group.id, limit=1)] == ids[::-1]
    page = await users.list(group.id, limit=1)
    assert (page.has_more, page.next) == (True, ids[1])
    assert (await users.retrieve(ids[0], group_id=group.id)).email == "ada@example.com"
    assert (await users.delete(ids[0], group_id=group.id)).deleted
    with pytest.raises(openai.NotFoundError, match="No group user found"):
        await users.retrieve(ids[0], group_id=group.id)
    with pytest.raises(openai.NotFoundError, match="No user found"):
        await users.create(group.id, user_id="user-x")
    with pytest.raises(openai.NotFoundError, match="No group found"):
        await users.create("group_x", user_id=ids[0])


async def test_groups_of_a_project(organization: Any) -> None:
    """A group gets access to a project, and loses it."""
    project = (await organization.projects.create(name="Shop")).id
    group = await organization.groups.create(name="Team")
    groups = organization.projects.groups
    made = await groups.create(project, group_id=group.id, role="role_x")
    assert (made.group_id, made.group_name, made.project_id) == (group.id, "Team", project)
    assert [each.group_id async for each in groups.list(project)] == [group.id]
    assert await groups.retrieve(group.id, project_id=project) == made
    assert (await groups.delete(group.id, project_id=project)).deleted
    with pytest.raises(openai.NotFoundError, match="No project group found"):
        await groups.retrieve(group.id, project_id=project)
    with pytest.raises(openai.NotFoundError, match="No group found"):
        await groups.create(project, group_id="group_x", role="role_x")
    with pytest.raises(openai.NotFoundError, match="The project proj_x"):
        await groups.create("proj_x", group_id=group.id, role="role_x")


@pytest.mark.parametrize("in_project", [False, True], ids=["organization", "project"])
@pytest.mark.parametrize("principal", ["user", "group"])
async def test_roles_are_assigned(organization: Any, principal: str, in_project: bool) -> None:
    """A role is given to a user or a group, shown as it is now, and taken again; it goes with itself."""
    project = (await organization.projects.create(name="Shop")).id
    place = {"project_id": project} if in_project else {}
    scope = organization.projects if in_project else organization
    roles = [await scope.roles.create(**place, role_name=name, permissions=["x"]) for name in ("One", "Two")]
    group = await organization.groups.create(name="Team")
    who = group.id if principal == "group" else (await organization.users.list()).data[0].id
    assigned = getattr(scope, f"{principal}s").roles
    for role in roles:
        made = await assigned.create(who, **place, role_id=role.id)
        assert made.role.id == role.id
        assert getattr(made, principal).id == who
    named = place | {f"{principal}_id": who}
    assert [each.id async for each in assigned.list(who, **place, limit=1, order="asc")] == [each.id for each in roles]
    await scope.roles.update(roles[0].id, **place, role_name="Uno")
    assert (await assigned.retrieve(roles[0].id, **named)).name == "Uno"
    assert (await assigned.delete(roles[0].id, **named)).deleted
    with pytest.raises(openai.NotFoundError, match="No role found"):
        await assigned.retrieve(roles[0].id, **named)
    with pytest.raises(openai.NotFoundError, match="No role found"):
        await assigned.delete(roles[0].id, **named)
    await scope.roles.delete(roles[1].id, **place)
    assert [each.id async for each in assigned.list(who, **place)] == []
    with pytest.raises(openai.NotFoundError, match="role found"):
        await assigned.create(who, **place, role_id=roles[1].id)
    with pytest.raises(openai.NotFoundError, match=f"No {principal} found"):
        await assigned.create("nobody", **place, role_id=roles[0].id)
    with pytest.raises(openai.NotFoundError, match=f"No {principal} found"):
        await assigned.list("nobody", **place)
    with pytest.raises(openai.NotFoundError, match=f"No {principal} found"):
        await assigned.retrieve(roles[0].id, **place | {f"{principal}_id": "nobody"})
    with pytest.raises(openai.NotFoundError, match="No role found with id 'never'"):
        await assigned.list(who, **place, after="never")
    with pytest.raises(openai.BadRequestError, match="limit"):
        await assigned.list(who, **place, limit=2_000)
    if in_project:
        with pytest.raises(openai.NotFoundError, match="The project proj_x"):
            await assigned.list(who, project_id="proj_x")


async def test_data_retention(organization: Any) -> None:
    """What is set is answered from then on; a project follows the organisation until it is set."""
    project = (await organization.projects.create(name="Shop")).id
    assert (await organization.data_retention.retrieve()).type == "modified_abuse_monitoring"
    await organization.data_retention.update(retention_type="zero_data_retention")
    assert (await organization.data_retention.retrieve()).type == "zero_data_retention"
    of_project = organization.projects.data_retention
    assert (await of_project.retrieve(project)).type == "organization_default"
    await of_project.update(project, retention_type="none")
    assert (await of_project.retrieve(project)).type == "none"
    with pytest.raises(openai.NotFoundError, match="The project proj_x"):
        await of_project.update("proj_x", retention_type="none")


@pytest.mark.parametrize("in_project", [False, True], ids=["organization", "project"])
async def test_spend_limit(organization: Any, in_project: bool) -> None:
    """There is none until it is set, and none again when it is deleted."""
    place = {"project_id": (await organization.projects.create(name="Shop")).id} if in_project else {}
    limits = organization.projects.spend_limit if in_project else organization.spend_limit
    for call in (limits.retrieve, limits.delete):
        with pytest.raises(openai.NotFoundError, match="No spend limit found"):
            await call(**place)
    made = await limits.update(**place, **LIMIT)
    assert (made.threshold_amount, made.enforcement.status) == (5000, "inactive")
    assert await limits.retrieve(**place) == made
    assert (await limits.delete(**place)).deleted
    with pytest.raises(openai.NotFoundError, match="No spend limit found"):
        await limits.retrieve(**place)


async def test_permissions_of_a_project(organization: Any) -> None:
    """All models and tools are allowed until they are not; deleting what was never set is no error."""
    project = (await organization.projects.create(name="Shop")).id
    models, tools = organization.projects.model_permissions, organization.projects.hosted_tool_permissions
    assert (await models.retrieve(project)).mode == "deny_list"
    assert (await models.update(project, mode="allow_list", model_ids=["o3"])).api_model_ids == ["o3"]
    assert (await models.retrieve(project)).api_model_ids == ["o3"]
    for _ in range(2):
        assert (await models.delete(project)).deleted
    assert (await models.retrieve(project)).api_model_ids == []
    assert (await tools.retrieve(project)).mcp.enabled
    assert not (await tools.update(project, mcp={"enabled": False})).mcp.enabled
    assert (await tools.retrieve(project)).web_search.enabled
    for call in (models.retrieve, models.delete):
        with pytest.raises(openai.NotFoundError, match="The project proj_x"):
            await call("proj_x")


async def test_made_up_ids() -> None:
    """With the emulator so told, what somebody else made is there."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        organization: Any = client.admin.organization
        assert (await organization.users.retrieve("user-mine")).role == "reader"
        assert (await organization.invites.retrieve("invite-mine")).status == "pending"
        assert (await organization.admin_api_keys.retrieve("key_mine")).name == "Admin Key"
        assert (await organization.groups.update("group_mine", name="Mine")).name == "Mine"
        assert (await organization.groups.users.retrieve("user-other", group_id="group_other")).name == "Some User"
        assert (await organization.roles.retrieve("role_mine")).permissions == []
        assert (await organization.users.roles.retrieve("role_1", user_id="user-1")).name == "Role"
        role = await organization.projects.groups.roles.retrieve("role_1", project_id="proj_1", group_id="group_1")
        assert role.resource_type == "api.project"
        assert (await organization.projects.groups.retrieve("group_1", project_id="proj_1")).group_name == "Group"
        assert (await organization.spend_alerts.retrieve("alert_mine")).threshold_amount == 10_000
        assert (await organization.projects.spend_alerts.retrieve("alert_1", project_id="proj_1")).id == "alert_1"
        assert (await organization.spend_limit.retrieve()).threshold_amount == 10_000
        assert (await organization.projects.spend_limit.delete("proj_1")).deleted


def test_whole_administration_is_served() -> None:
    """No operation of the organisation answers that it is not emulated."""
    operations = [each for each in catalog() if each.template.startswith(("/organization", "/projects/"))]
    assert len(operations) > 100
    assert [each.id for each in operations if each.id not in HANDLERS] == []


def test_every_kind_can_be_made_up() -> None:
    """Also those that no path names: what is preloaded is made up first."""

    class Nobody:
        async def reply(self, turn: Any) -> Any:
            raise NotImplementedError

    state = State(EmulatorSettings(), KINDS, Nobody())
    for name in (
        "issued key",
        "audit log",
        "usage entry",
        "unfinished usage",
        "role assignment",
        "project certificate",
    ):
        record = Record(name, "id", "", 0, 0)
        state.kinds[name].invent(state, record)
        assert record.json.get("id", "id") == "id"
