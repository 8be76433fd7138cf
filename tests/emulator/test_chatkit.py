"""ChatKit: sessions, and the threads that fixtures bring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from replayproxy.emulator.app import STATE, create_app
from replayproxy.emulator.fixtures import add_fixtures
from replayproxy.emulator.runner import serving
from replayproxy.emulator.state import EmulatorSettings
from tests.e2e.background import in_background
from tests.strict_clients import strict_client


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


@pytest.fixture
def with_threads() -> Iterator[OpenAI]:
    """A client of an emulator with two threads, one with two items."""
    app = create_app()
    threads = [{"id": "cthr_1", "user": "ann"}, {"id": "cthr_2", "user": "bob", "title": "Help"}]
    items = [{"id": "cthi_1", "parent": "cthr_1"}, {"id": "cthi_2", "parent": "cthr_1"}]
    add_fixtures(app[STATE], {"chatkit thread": threads, "chatkit thread item": items})
    with (
        in_background(serving(app)) as emulator,
        OpenAI(base_url=f"{emulator.url}/v1", api_key="any", _strict_response_validation=True) as client,
    ):
        yield client


async def test_session_has_the_documented_defaults(client: AsyncOpenAI) -> None:
    """Ten minutes, ten requests a minute, no uploads; a secret."""
    session = await client.beta.chatkit.sessions.create(user="ann", workflow={"id": "wf_1"})
    told = session.to_dict()
    assert str(told.pop("client_secret")).startswith("ek_")
    assert str(told["id"]).startswith("cksess_")
    assert told == {
        "id": session.id,
        "object": "chatkit.session",
        "expires_at": 1_704_067_800,
        "workflow": {"id": "wf_1", "version": None, "state_variables": {}, "tracing": {"enabled": True}},
        "user": "ann",
        "rate_limits": {"max_requests_per_1_minute": 10},
        "max_requests_per_1_minute": 10,
        "status": "active",
        "chatkit_configuration": {
            "automatic_thread_titling": {"enabled": True},
            "file_upload": {"enabled": False, "max_file_size": 512, "max_files": 10},
            "history": {"enabled": True, "recent_threads": None},
        },
    }


async def test_session_is_as_it_was_asked_for(client: AsyncOpenAI) -> None:
    """Each default can be replaced alone."""
    session = await client.beta.chatkit.sessions.create(
        user="ann",
        workflow={"id": "wf_1", "version": "2", "state_variables": {"a": 1}, "tracing": {"enabled": False}},
        expires_after={"anchor": "created_at", "seconds": 5},
        rate_limits={"max_requests_per_1_minute": 3},
        chatkit_configuration={"file_upload": {"enabled": True}, "history": {"recent_threads": 2}},
    )
    assert session.expires_at == 1_704_067_205
    assert session.max_requests_per_1_minute == session.rate_limits.max_requests_per_1_minute == 3
    assert (session.workflow.version, session.workflow.state_variables) == ("2", {"a": 1})
    assert session.workflow.tracing.enabled is False
    assert session.chatkit_configuration.file_upload.to_dict() == {
        "enabled": True,
        "max_file_size": 512,
        "max_files": 10,
    }
    assert session.chatkit_configuration.history.to_dict() == {"enabled": True, "recent_threads": 2}


async def test_session_is_cancelled(client: AsyncOpenAI) -> None:
    """Once or twice; only one that is there."""
    sessions = client.beta.chatkit.sessions
    session = await sessions.create(user="ann", workflow={"id": "wf_1"})
    for _ in range(2):
        assert (await sessions.cancel(session.id)).to_dict() == session.to_dict() | {"status": "cancelled"}
    with pytest.raises(openai.NotFoundError, match="No session found with id 'cksess_x'"):
        await sessions.cancel("cksess_x")


def test_threads_are_listed_told_and_deleted(with_threads: OpenAI) -> None:
    """By user, with their items; a deleted one is gone with these."""
    threads = with_threads.beta.chatkit.threads
    assert [each.id for each in threads.list(limit=1)] == ["cthr_2", "cthr_1"]
    assert [each.id for each in threads.list(user="ann")] == ["cthr_1"]
    assert threads.retrieve("cthr_2").title == "Help"
    items = threads.list_items("cthr_1", order="asc").data
    assert [(each.id, each.thread_id, each.type) for each in items] == [
        ("cthi_1", "cthr_1", "chatkit.user_message"),
        ("cthi_2", "cthr_1", "chatkit.user_message"),
    ]
    gone = threads.delete("cthr_1")
    assert (gone.id, gone.object, gone.deleted) == ("cthr_1", "chatkit.thread.deleted", True)
    for call in (threads.retrieve, threads.delete, threads.list_items):
        with pytest.raises(openai.NotFoundError, match="No thread found with id 'cthr_1'"):
            call("cthr_1")


async def test_there_are_no_threads_at_first(client: AsyncOpenAI) -> None:
    """An empty list."""
    assert [each async for each in client.beta.chatkit.threads.list()] == []


async def test_session_of_a_made_up_id_is_cancelled() -> None:
    """Where made-up ids are taken."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        session = await client.beta.chatkit.sessions.cancel("cksess_old")
        assert (session.id, session.status) == ("cksess_old", "cancelled")
