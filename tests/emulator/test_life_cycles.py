"""The life of every kind of thing, through the official client with strict parsing: one test for all of them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import openai
import pytest

from replayproxy.emulator.runner import running

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PEM = """-----BEGIN CERTIFICATE-----
MIIBszCCAVmgAwIBAgIUC0rD0lIhGk0mYpVhQkq0m2E1k1QwCgYIKoZIzj0EAwIw
-----END CERTIFICATE-----
"""
EVAL = {
    "data_source_config": {
        "type": "custom",
        "item_schema": {"type": "object", "properties": {"q": {"type": "string"}}},
    },
    "testing_criteria": [
        {"type": "string_check", "name": "same", "input": "{{item.q}}", "operation": "eq", "reference": "a"}
    ],
}
EVAL_RUN = {"type": "jsonl", "source": {"type": "file_content", "content": [{"item": {"q": "a"}}]}}
LINE = b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-4o", "messages": ['
LINE += b'{"role": "user", "content": "Hello"}]}}'
ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}

Call = Callable[..., Any]


@dataclass(frozen=True)
class Resource:
    """How one kind of thing is made, listed, got, changed and deleted; what cannot be done is None.

    `before` makes what it hangs from; all calls get the client and that, and the id where there is one. `changed` is
    an attribute that shows the change, `gone` what retrieving gives after the deletion (404), None: it stays.
    """

    name: str
    create: Call
    get: Call | None = None
    list: Call | None = None
    modify: Call | None = None
    delete: Call | None = None
    before: Call | None = None
    changed: Callable[[Any], bool] = lambda thing: thing.metadata == {"a": "b"}
    identity: str = "id"


def uploaded(client: Any, _: Any = None) -> Any:
    """A file of training examples."""
    line = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    return client.files.create(file=("a.jsonl", line * 10), purpose="fine-tune")


async def scene(client: Any) -> SimpleNamespace:
    """A thread with something to say, and an assistant."""
    thread = await settled(client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}]))
    return SimpleNamespace(thread=thread, assistant=await settled(client.beta.assistants.create(model="gpt-4o")))


async def shelves(client: Any) -> SimpleNamespace:
    """A vector store, and a file for it."""
    file = await settled(client.files.create(file=("a.txt", b"text"), purpose="assistants"))
    return SimpleNamespace(file=file, store=await settled(client.vector_stores.create(name="a")))


METADATA = {"metadata": {"a": "b"}}
RESOURCES = [
    Resource(
        "assistant",
        lambda c, _: c.beta.assistants.create(model="gpt-4o"),
        lambda c, _, id_: c.beta.assistants.retrieve(id_),
        lambda c, _: c.beta.assistants.list(),
        lambda c, _, id_: c.beta.assistants.update(id_, **METADATA),
        lambda c, _, id_: c.beta.assistants.delete(id_),
    ),
    Resource(
        "thread",
        lambda c, _: c.beta.threads.create(),
        lambda c, _, id_: c.beta.threads.retrieve(id_),
        None,
        lambda c, _, id_: c.beta.threads.update(id_, **METADATA),
        lambda c, _, id_: c.beta.threads.delete(id_),
    ),
    Resource(
        "message",
        lambda c, t: c.beta.threads.messages.create(t.id, role="user", content="Hello"),
        lambda c, t, id_: c.beta.threads.messages.retrieve(id_, thread_id=t.id),
        lambda c, t: c.beta.threads.messages.list(t.id),
        lambda c, t, id_: c.beta.threads.messages.update(id_, thread_id=t.id, **METADATA),
        lambda c, t, id_: c.beta.threads.messages.delete(id_, thread_id=t.id),
        before=lambda c: c.beta.threads.create(),
    ),
    Resource(
        "stored chat completion",
        lambda c, _: c.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], store=True
        ),
        lambda c, _, id_: c.chat.completions.retrieve(id_),
        lambda c, _: c.chat.completions.list(),
        lambda c, _, id_: c.chat.completions.update(id_, **METADATA),
        lambda c, _, id_: c.chat.completions.delete(id_),
    ),
    Resource(
        "response",
        lambda c, _: c.responses.create(model="gpt-4o", input="Hello"),
        lambda c, _, id_: c.responses.retrieve(id_),
        None,
        None,
        lambda c, _, id_: c.responses.delete(id_),
    ),
    Resource(
        "conversation",
        lambda c, _: c.conversations.create(),
        lambda c, _, id_: c.conversations.retrieve(id_),
        None,
        lambda c, _, id_: c.conversations.update(id_, **METADATA),
        lambda c, _, id_: c.conversations.delete(id_),
    ),
    Resource(
        "file",
        uploaded,
        lambda c, _, id_: c.files.retrieve(id_),
        lambda c, _: c.files.list(),
        None,
        lambda c, _, id_: c.files.delete(id_),
    ),
    Resource(
        "vector store",
        lambda c, _: c.vector_stores.create(name="a"),
        lambda c, _, id_: c.vector_stores.retrieve(id_),
        lambda c, _: c.vector_stores.list(),
        lambda c, _, id_: c.vector_stores.update(id_, **METADATA),
        lambda c, _, id_: c.vector_stores.delete(id_),
    ),
    Resource(
        "container",
        lambda c, _: c.containers.create(name="a"),
        lambda c, _, id_: c.containers.retrieve(id_),
        lambda c, _: c.containers.list(),
        None,
        lambda c, _, id_: c.containers.delete(id_),
    ),
    Resource(
        "fine-tuning job",
        lambda c, file: c.fine_tuning.jobs.create(model="gpt-4o-mini-2024-07-18", training_file=file.id),
        lambda c, _, id_: c.fine_tuning.jobs.retrieve(id_),
        lambda c, _: c.fine_tuning.jobs.list(),
        before=uploaded,
    ),
    Resource(
        "checkpoint permission",
        lambda c, _: c.fine_tuning.checkpoints.permissions.create("ft:gpt-4o:x:y:z", project_ids=["proj_a"]),
        None,
        lambda c, _: c.fine_tuning.checkpoints.permissions.list("ft:gpt-4o:x:y:z"),
        None,
        lambda c, _, id_: c.fine_tuning.checkpoints.permissions.delete(
            id_, fine_tuned_model_checkpoint="ft:gpt-4o:x:y:z"
        ),
    ),
    Resource(
        "eval",
        lambda c, _: c.evals.create(**EVAL),
        lambda c, _, id_: c.evals.retrieve(id_),
        lambda c, _: c.evals.list(),
        lambda c, _, id_: c.evals.update(id_, **METADATA),
        lambda c, _, id_: c.evals.delete(id_),
    ),
    Resource(
        "eval run",
        lambda c, e: c.evals.runs.create(e.id, data_source=EVAL_RUN),
        lambda c, e, id_: c.evals.runs.retrieve(id_, eval_id=e.id),
        lambda c, e: c.evals.runs.list(e.id),
        None,
        lambda c, e, id_: c.evals.runs.delete(id_, eval_id=e.id),
        before=lambda c: c.evals.create(**EVAL),
    ),
    Resource(
        "project",
        lambda c, _: c.admin.organization.projects.create(name="a"),
        lambda c, _, id_: c.admin.organization.projects.retrieve(id_),
        lambda c, _: c.admin.organization.projects.list(),
        lambda c, _, id_: c.admin.organization.projects.update(id_, name="b"),
        changed=lambda thing: thing.name == "b",
    ),
    Resource(
        "service account",
        lambda c, p: c.admin.organization.projects.service_accounts.create(p.id, name="a"),
        lambda c, p, id_: c.admin.organization.projects.service_accounts.retrieve(id_, project_id=p.id),
        lambda c, p: c.admin.organization.projects.service_accounts.list(p.id),
        None,
        lambda c, p, id_: c.admin.organization.projects.service_accounts.delete(id_, project_id=p.id),
        before=lambda c: c.admin.organization.projects.create(name="a"),
    ),
    Resource(
        "invite",
        lambda c, _: c.admin.organization.invites.create(email="a@example.com", role="reader"),
        lambda c, _, id_: c.admin.organization.invites.retrieve(id_),
        lambda c, _: c.admin.organization.invites.list(),
        None,
        lambda c, _, id_: c.admin.organization.invites.delete(id_),
    ),
    Resource(
        "admin API key",
        lambda c, _: c.admin.organization.admin_api_keys.create(name="a"),
        lambda c, _, id_: c.admin.organization.admin_api_keys.retrieve(id_),
        lambda c, _: c.admin.organization.admin_api_keys.list(),
        None,
        lambda c, _, id_: c.admin.organization.admin_api_keys.delete(id_),
    ),
    Resource(
        "certificate",
        lambda c, _: c.admin.organization.certificates.create(certificate=PEM, name="a"),
        lambda c, _, id_: c.admin.organization.certificates.retrieve(id_),
        lambda c, _: c.admin.organization.certificates.list(),
        lambda c, _, id_: c.admin.organization.certificates.update(id_, name="b"),
        lambda c, _, id_: c.admin.organization.certificates.delete(id_),
        changed=lambda thing: thing.name == "b",
    ),
    Resource(
        "run",
        lambda c, t: c.beta.threads.runs.create_and_poll(thread_id=t.thread.id, assistant_id=t.assistant.id),
        lambda c, t, id_: c.beta.threads.runs.retrieve(id_, thread_id=t.thread.id),
        lambda c, t: c.beta.threads.runs.list(t.thread.id),
        lambda c, t, id_: c.beta.threads.runs.update(id_, thread_id=t.thread.id, **METADATA),
        before=lambda c: scene(c),
    ),
    Resource(
        "conversation item",
        lambda c, t: c.conversations.items.create(t.id, items=[ITEM]),
        lambda c, t, id_: c.conversations.items.retrieve(id_, conversation_id=t.id),
        lambda c, t: c.conversations.items.list(t.id),
        None,
        lambda c, t, id_: c.conversations.items.delete(id_, conversation_id=t.id),
        before=lambda c: c.conversations.create(),
    ),
    Resource(
        "upload",
        lambda c, _: c.uploads.create(bytes=3, filename="a.txt", mime_type="text/plain", purpose="assistants"),
        modify=lambda c, _, id_: c.uploads.cancel(id_),
        changed=lambda thing: thing.status == "cancelled",
    ),
    Resource(
        "vector store file",
        lambda c, t: c.vector_stores.files.create(t.store.id, file_id=t.file.id),
        lambda c, t, id_: c.vector_stores.files.retrieve(id_, vector_store_id=t.store.id),
        lambda c, t: c.vector_stores.files.list(t.store.id),
        lambda c, t, id_: c.vector_stores.files.update(id_, vector_store_id=t.store.id, attributes={"a": "b"}),
        lambda c, t, id_: c.vector_stores.files.delete(id_, vector_store_id=t.store.id),
        before=lambda c: shelves(c),
        changed=lambda thing: thing.attributes == {"a": "b"},
    ),
    Resource(
        "file batch",
        lambda c, t: c.vector_stores.file_batches.create(t.store.id, file_ids=[t.file.id]),
        lambda c, t, id_: c.vector_stores.file_batches.retrieve(id_, vector_store_id=t.store.id),
        before=lambda c: shelves(c),
    ),
    Resource(
        "container file",
        lambda c, t: c.containers.files.create(t.id, file=("a.txt", b"text")),
        lambda c, t, id_: c.containers.files.retrieve(id_, container_id=t.id),
        lambda c, t: c.containers.files.list(t.id),
        None,
        lambda c, t, id_: c.containers.files.delete(id_, container_id=t.id),
        before=lambda c: c.containers.create(name="a"),
    ),
    Resource(
        "batch",
        lambda c, file: c.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        ),
        lambda c, _, id_: c.batches.retrieve(id_),
        lambda c, _: c.batches.list(),
        lambda c, _, id_: c.batches.cancel(id_),
        before=lambda c: c.files.create(file=("a.jsonl", LINE), purpose="batch"),
        changed=lambda thing: thing.status in ("cancelling", "cancelled"),
    ),
    Resource(
        "video",
        lambda c, _: c.videos.create(prompt="A cat"),
        lambda c, _, id_: c.videos.retrieve(id_),
        lambda c, _: c.videos.list(),
        None,
        lambda c, _, id_: c.videos.delete(id_),
    ),
    Resource(
        "skill",
        lambda c, _: c.skills.create(files=[("a/SKILL.md", b"---\nname: a\ndescription: b\n---\n")]),
        lambda c, _, id_: c.skills.retrieve(id_),
        lambda c, _: c.skills.list(),
        None,
        lambda c, _, id_: c.skills.delete(id_),
    ),
    Resource(
        "group",
        lambda c, _: c.admin.organization.groups.create(name="a"),
        lambda c, _, id_: c.admin.organization.groups.retrieve(id_),
        lambda c, _: c.admin.organization.groups.list(),
        lambda c, _, id_: c.admin.organization.groups.update(id_, name="b"),
        lambda c, _, id_: c.admin.organization.groups.delete(id_),
        changed=lambda thing: thing.name == "b",
    ),
    Resource(
        "role",
        lambda c, _: c.admin.organization.roles.create(role_name="a", permissions=["api.read"]),
        lambda c, _, id_: c.admin.organization.roles.retrieve(id_),
        lambda c, _: c.admin.organization.roles.list(),
        lambda c, _, id_: c.admin.organization.roles.update(id_, role_name="b"),
        lambda c, _, id_: c.admin.organization.roles.delete(id_),
        changed=lambda thing: thing.name == "b",
    ),
    Resource(
        "project user",
        lambda c, p: c.admin.organization.projects.users.create(p.id, email="a@example.com", role="member"),
        lambda c, p, id_: c.admin.organization.projects.users.retrieve(id_, project_id=p.id),
        lambda c, p: c.admin.organization.projects.users.list(p.id),
        lambda c, p, id_: c.admin.organization.projects.users.update(id_, project_id=p.id, role="owner"),
        lambda c, p, id_: c.admin.organization.projects.users.delete(id_, project_id=p.id),
        before=lambda c: c.admin.organization.projects.create(name="a"),
        changed=lambda thing: thing.role == "owner",
    ),
]


async def settled(found: Any) -> Any:
    """What a call gives, whether the client is an asynchronous one or not."""
    return await found if inspect.isawaitable(found) else found


class InThread:
    """A synchronous client whose calls are made in another thread: the emulator runs in this one."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if callable(found) and not hasattr(found, "_client"):
            return lambda *given, **named: asyncio.to_thread(found, *given, **named)
        return InThread(found)


@pytest.fixture(params=[openai.OpenAI, openai.AsyncOpenAI], ids=["sync", "async"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Both clients, which take nothing but what their types say."""
    async with running() as emulator:
        made = request.param(
            api_key="any",
            admin_api_key="any",
            base_url=f"{emulator.url}/v1",
            max_retries=0,
            _strict_response_validation=True,
        )
        yield made if request.param is openai.AsyncOpenAI else InThread(made)
        await settled(made.close())


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
async def test_the_life_of_a_thing(client: Any, resource: Resource) -> None:
    """Made, got, listed, changed, deleted, and gone."""
    parent = await settled(resource.before(client)) if resource.before else None
    made = await settled(resource.create(client, parent))
    made = made.data[0] if not hasattr(made, "id") else made
    id_ = getattr(made, resource.identity)
    if resource.get:
        assert getattr(await settled(resource.get(client, parent, id_)), resource.identity) == id_
    if resource.list:
        assert id_ in [each.id for each in (await settled(resource.list(client, parent))).data]
    if resource.modify:
        assert resource.changed(await settled(resource.modify(client, parent, id_)))
        assert resource.get is None or resource.changed(await settled(resource.get(client, parent, id_)))
    if resource.delete:
        await settled(resource.delete(client, parent, id_))
        if resource.get:
            with pytest.raises(openai.NotFoundError):
                await settled(resource.get(client, parent, id_))
        if resource.list:
            assert id_ not in [each.id for each in (await settled(resource.list(client, parent))).data]
