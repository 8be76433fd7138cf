"""The life of every kind of thing, through the official client with strict parsing: one test for all of them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
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
