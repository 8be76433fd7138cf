"""Projects and what belongs to them: users, service accounts, keys, limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings
from tests.strict_clients import strict_client


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A strict client on a new emulator."""
    async with strict_client() as started:
        yield started


@pytest.fixture
def projects(client: AsyncOpenAI) -> Any:
    """What the client has for projects."""
    return client.admin.organization.projects


async def test_life_of_a_project(projects: Any) -> None:
    """Created, shown, changed, archived; what is archived is listed only when asked for."""
    made = await projects.create(name="Shop", residency="EU_STORAGE_PROCESSING")
    assert (made.name, made.status, made.archived_at) == ("Shop", "active", None)
    assert made.residency == "EU_STORAGE_PROCESSING"
    assert await projects.retrieve(made.id) == made
    assert (await projects.update(made.id, name="Store")).name == "Store"
    archived = await projects.archive(made.id)
    assert (archived.status, archived.archived_at) == ("archived", made.created_at)
    assert [each.name async for each in projects.list()] == ["Default project"]
    assert [each.name async for each in projects.list(include_archived=True)] == ["Default project", "Store"]
    with pytest.raises(openai.BadRequestError, match="is archived"):
        await projects.update(made.id, name="Again")
    with pytest.raises(openai.BadRequestError, match="is archived"):
        await projects.users.list(made.id)
    with pytest.raises(openai.NotFoundError, match="The project proj_x was not found"):
        await projects.archive("proj_x")


async def test_default_project_stays_as_it_is(projects: Any) -> None:
    """The API refuses to change it."""
    default = (await projects.list()).data[0]
    with pytest.raises(openai.BadRequestError, match="default project"):
        await projects.update(default.id, name="Other")
    with pytest.raises(openai.BadRequestError, match="default project"):
        await projects.archive(default.id)


async def test_projects_page_by_page(projects: Any) -> None:
    """The oldest first, with ids at both ends."""
    for number in range(4):
        await projects.create(name=f"p{number}")
    assert [each.name async for each in projects.list(limit=2)] == ["Default project", "p0", "p1", "p2", "p3"]
    page = await projects.list(limit=2)
    assert (page.first_id, page.last_id, page.has_more) == (page.data[0].id, page.data[1].id, True)
    for limit in (0, 101):
        with pytest.raises(openai.BadRequestError, match="limit"):
            await projects.list(limit=limit)
    with pytest.raises(openai.NotFoundError, match="No project found with id 'proj_never'"):
        await projects.list(after="proj_never")


async def test_users_of_a_project(client: AsyncOpenAI, projects: Any) -> None:
    """They are users of the organisation; who is added by a new address becomes one."""
    project = await projects.create(name="Shop")
    owner = (await client.admin.organization.users.list()).data[0]
    first = await projects.users.create(project.id, user_id=owner.id, role="owner")
    assert (first.id, first.email, first.role) == (owner.id, owner.email, "owner")
    ada = await projects.users.create(project.id, email="ada@example.com", role="member")
    again = await projects.users.create(project.id, email="ada@example.com", role="member")
    assert again.id == ada.id
    assert [each.id async for each in projects.users.list(project.id, limit=1)] == [owner.id, ada.id]
    assert (await client.admin.organization.users.retrieve(ada.id)).email == "ada@example.com"
    assert (await projects.users.update(ada.id, project_id=project.id, role="owner")).role == "owner"
    assert (await projects.users.update(ada.id, project_id=project.id)).role == "owner"
    assert (await projects.users.retrieve(ada.id, project_id=project.id)).role == "owner"
    assert (await projects.users.delete(ada.id, project_id=project.id)).deleted
    with pytest.raises(openai.NotFoundError, match="No project user found"):
        await projects.users.update(ada.id, project_id=project.id)
    with pytest.raises(openai.NotFoundError, match="No user found with id 'user-x'"):
        await projects.users.create(project.id, user_id="user-x", role="member")
    with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'user_id'"):
        await projects.users.create(project.id, role="member")
    with pytest.raises(openai.NotFoundError, match="The project proj_x"):
        await projects.users.create("proj_x", user_id=owner.id, role="member")
    with pytest.raises(openai.NotFoundError, match="The project proj_x"):
        await projects.users.retrieve(owner.id, project_id="proj_x")


async def test_life_of_a_service_account_and_its_keys(projects: Any) -> None:
    """A key is told once; with the account go its keys."""
    project = (await projects.create(name="Shop")).id
    accounts, keys = projects.service_accounts, projects.api_keys
    made = await accounts.create(project, name="bot")
    assert made.role == "member"
    assert made.api_key is not None
    assert made.api_key.value.startswith("sk-svcacct-")
    assert (await accounts.retrieve(made.id, project_id=project)).name == "bot"
    assert (await accounts.update(made.id, project_id=project, name="robot", role="owner")).role == "owner"
    second = await accounts.api_keys.create(made.id, project_id=project, name="Second", scopes=["api.model.read"])
    assert [each.name async for each in keys.list(project)] == ["Secret Key", "Second"]
    assert [each.id async for each in keys.list(project, owner_project_access="inactive")] == []
    shown = await keys.retrieve(second.id, project_id=project)
    assert shown.redacted_value == f"{second.value[:8]}...{second.value[-3:]}"
    assert shown.owner.service_account.id == made.id
    assert (await keys.delete(second.id, project_id=project)).deleted
    with pytest.raises(openai.NotFoundError, match="No API key found"):
        await keys.delete(second.id, project_id=project)
    bare = await accounts.create(project, name="bare", create_service_account_only=True)
    assert (bare.role, bare.api_key) == ("none", None)
    other = await accounts.create(project, name="other")
    assert [each.name async for each in accounts.list(project)] == ["robot", "bare", "other"]
    assert (await accounts.delete(made.id, project_id=project)).deleted
    assert [each.id async for each in keys.list(project)] == [other.api_key.id]
    for call in (accounts.retrieve, accounts.delete, accounts.update, accounts.api_keys.create):
        with pytest.raises(openai.NotFoundError, match="No service account found"):
            await call(made.id, project_id=project)
    with pytest.raises(openai.NotFoundError, match="The project proj_x"):
        await accounts.create("proj_x", name="bot")


async def test_rate_limits_of_a_project(projects: Any) -> None:
    """One for each model; what is changed stays so, in this project."""
    one, other = (await projects.create(name="One")).id, (await projects.create(name="Other")).id
    listed = [each async for each in projects.rate_limits.list_rate_limits(one, limit=5)]
    assert {"gpt-4o", "text-embedding-3-small", "gpt-image-1"} <= {each.model for each in listed}
    changed = await projects.rate_limits.update_rate_limit("rl-gpt-4o", project_id=one, max_requests_per_1_minute=7)
    assert changed.max_requests_per_1_minute == 7
    assert changed.max_tokens_per_1_minute == 2_000_000
    by_model = {each.model: each async for each in projects.rate_limits.list_rate_limits(one)}
    assert by_model["gpt-4o"] == changed
    untouched = {each.model: each async for each in projects.rate_limits.list_rate_limits(other)}
    assert untouched["gpt-4o"].max_requests_per_1_minute == 10_000
    last = listed[-1].id
    before = await projects.rate_limits.list_rate_limits(one, before=last, limit=1)
    assert before.data[0] == listed[-2]
    with pytest.raises(openai.NotFoundError, match="No rate limit found with id 'rl-none'"):
        await projects.rate_limits.update_rate_limit("rl-none", project_id=one)


async def test_made_up_ids() -> None:
    """With the emulator so told, a project of somebody else's is there, and all that belongs to it."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        projects: Any = client.admin.organization.projects
        assert (await projects.retrieve("proj_mine")).name == "Project"
        assert (await projects.archive("proj_old")).status == "archived"
        assert (await projects.users.retrieve("user-mine", project_id="proj_mine")).role == "member"
        assert (await projects.users.create("proj_mine", role="member")).email == "somebody@example.com"
        assert (await projects.service_accounts.retrieve("svc_mine", project_id="proj_mine")).role == "member"
        assert (await projects.api_keys.retrieve("key_mine", project_id="proj_mine")).name == "Secret Key"
        assert (await projects.api_keys.delete("key_mine", project_id="proj_mine")).deleted
        limit = await projects.rate_limits.update_rate_limit("rl-mine", project_id="proj_mine")
        assert (limit.model, limit.max_requests_per_1_minute) == ("mine", 10_000)


async def test_synchronous_client() -> None:
    """A client that blocks its own thread is served as well."""

    def work(url: str) -> list[str | None]:
        with OpenAI(
            base_url=url, api_key="sk-test", admin_api_key="sk-admin", max_retries=0, _strict_response_validation=True
        ) as client:
            projects = client.admin.organization.projects
            made = projects.create(name="Shop")
            raw = projects.with_raw_response.retrieve(made.id)
            assert raw.parse() == made
            assert raw.headers["openai-version"] == "2020-10-01"
            account = projects.service_accounts.create(made.id, name="bot")
            assert projects.service_accounts.delete(account.id, project_id=made.id).deleted
            return [each.name for each in projects.list()]

    async with running() as emulator:
        assert await asyncio.to_thread(work, f"{emulator.url}/v1") == ["Default project", "Shop"]
