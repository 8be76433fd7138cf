"""A long script over all families: recorded on the emulator, played back, and recorded once more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.e2e.background import in_background
from tests.proxies import documents, proxied

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

HELLO = [{"role": "user", "content": "Hello"}]
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
FUNCTION = {"type": "function", "function": {key: value for key, value in WEATHER.items() if key != "type"}}
ASKED = "What is the weather in Paris? Use get_weather."
EVAL = {
    "data_source_config": {"type": "custom", "item_schema": {"type": "object"}},
    "testing_criteria": [
        {"type": "string_check", "name": "same", "input": "{{item.q}}", "operation": "eq", "reference": "a"}
    ],
}
#: Ids of organisations and projects, and keys: an answer has them, a recording of it a placeholder.
REDACTED = re.compile(r"(org-|proj_|sk-|redacted\.)[\w.-]+")
EXAMPLES = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n' * 10


def script(client: openai.OpenAI) -> Iterator[Any]:
    """What an app might do in a day; gives what it got, call by call."""
    yield from assistants(client)
    yield from texts(client)
    yield from things(client)
    yield from administration(client)


def assistants(client: openai.OpenAI) -> Iterator[Any]:
    """Assistants, threads, runs with tools, streams."""
    beta = client.beta
    assistant = beta.assistants.create(model="gpt-4o", tools=[FUNCTION])  # type: ignore[list-item]
    yield assistant
    yield beta.assistants.update(assistant.id, name="Helper")
    yield beta.assistants.list()
    thread = beta.threads.create(messages=HELLO)  # type: ignore[arg-type]
    yield thread
    for number in range(40):
        yield beta.threads.messages.create(thread.id, role="user", content=f"Message {number}")
    for page in (1, 2, 3):
        yield beta.threads.messages.list(thread.id, limit=5 * page, order="asc")
    run = beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id)
    yield run
    while run.status in ("queued", "in_progress"):
        run = beta.threads.runs.retrieve(run.id, thread_id=thread.id)
        yield run
    yield beta.threads.runs.steps.list(run.id, thread_id=thread.id)
    yield beta.threads.messages.create(thread.id, role="user", content=ASKED)
    run = beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    yield run
    assert run.required_action is not None
    outputs: Any = [
        {"tool_call_id": call.id, "output": "sunny"} for call in run.required_action.submit_tool_outputs.tool_calls
    ]
    with beta.threads.runs.submit_tool_outputs_stream(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs
    ) as stream:
        yield from stream
    with beta.threads.create_and_run_stream(assistant_id=assistant.id, thread={"messages": HELLO}) as events:  # type: ignore[typeddict-item]
        yield from events
    yield beta.threads.delete(thread.id)


def texts(client: openai.OpenAI) -> Iterator[Any]:
    """Chat, completions, responses, conversations, embeddings, moderations."""
    for number in range(10):
        yield client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": f"Say {number}"}])
    yield from client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)  # type: ignore[call-overload]
    stored = client.chat.completions.create(model="gpt-4o", messages=HELLO, store=True)  # type: ignore[arg-type]
    yield stored
    yield client.chat.completions.retrieve(stored.id)
    yield client.chat.completions.list()
    yield client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once")
    earlier = None
    for number in range(10):
        answer = client.responses.create(model="gpt-4o", input=f"Say {number}", previous_response_id=earlier)
        earlier = answer.id
        yield answer
    yield from client.responses.create(model="gpt-4o", input=ASKED, tools=[WEATHER], stream=True)  # type: ignore[call-overload]
    yield client.responses.input_items.list(earlier or "")
    conversation = client.conversations.create(items=[{"type": "message", **HELLO[0]}])  # type: ignore[typeddict-item]
    yield conversation
    yield client.conversations.items.list(conversation.id)
    for number in range(5):
        yield client.embeddings.create(model="text-embedding-3-small", input=f"Text {number}", dimensions=8)
    yield client.moderations.create(input="I am kind")
    yield client.models.list()


def things(client: openai.OpenAI) -> Iterator[Any]:
    """Files, vector stores, batches, fine-tuning, evals, pictures and sounds."""
    manual = client.files.create(file=("manual.md", b"# Manual\nTurn the key to start."), purpose="assistants")
    yield manual
    store = client.vector_stores.create(name="Docs", file_ids=[manual.id])
    yield store
    yield client.vector_stores.files.list(store.id)
    for number in range(5):
        yield client.vector_stores.search(store.id, query=f"key {number}")
    examples = client.files.create(file=("examples.jsonl", EXAMPLES), purpose="fine-tune")
    yield examples
    job = client.fine_tuning.jobs.create(model="gpt-4o-mini-2024-07-18", training_file=examples.id)
    for _ in range(6):
        job = client.fine_tuning.jobs.retrieve(job.id)
        yield job
    yield client.fine_tuning.jobs.list_events(job.id)
    line = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions"}
    body = {"body": {"model": "gpt-4o", "messages": HELLO}}
    tasks = client.files.create(file=("tasks.jsonl", json.dumps(line | body).encode()), purpose="batch")
    batch = client.batches.create(input_file_id=tasks.id, endpoint="/v1/chat/completions", completion_window="24h")
    for _ in range(5):
        batch = client.batches.retrieve(batch.id)
        yield batch
    yield client.files.content(batch.output_file_id or "").text
    evaluation = client.evals.create(**EVAL)  # type: ignore[arg-type]
    yield evaluation
    yield client.evals.list()
    yield client.images.generate(model="gpt-image-1", prompt="A cat", size="1024x1024").created
    yield client.audio.transcriptions.create(file=("a.wav", b"RIFF"), model="whisper-1")
    for number in range(10):
        yield client.files.create(file=(f"{number}.txt", b"text"), purpose="user_data")
    yield client.files.list()


def administration(client: openai.OpenAI) -> Iterator[Any]:
    """Projects, keys, audit logs, usage."""
    organization = client.admin.organization
    for number in range(5):
        project = organization.projects.create(name=f"Project {number}")
        yield project
        yield organization.projects.service_accounts.create(project.id, name="robot")
        yield organization.projects.archive(project.id)
    yield organization.projects.list(include_archived=True)
    yield organization.audit_logs.list()
    yield organization.usage.completions(start_time=1_700_000_000)


def transcript(url: str) -> list[str]:
    """All that the script got, as text, but for what a cassette does not keep."""
    with openai.OpenAI(api_key="any", admin_api_key="any", base_url=f"{url}/v1", max_retries=0) as client:
        told = [each.to_json() if hasattr(each, "to_json") else str(each) for each in script(client)]
    return [REDACTED.sub("…", each) for each in told]


def test_a_long_script_plays_as_it_was_recorded(tmp_path: Path) -> None:
    """The same transcript with no upstream; recorded again, not a byte of the cassette changes."""
    cassette = tmp_path / "long.yaml"
    with in_background(proxied(cassette)) as proxy:
        recorded = transcript(proxy.url)
    assert len(documents(cassette)) - 1 >= 150
    with in_background(proxied(cassette, mode="playback")) as proxy:
        assert transcript(proxy.url) == recorded
    assert (proxy.session.receipt().missed, proxy.session.receipt().unplayed) == (0, ())
    written = cassette.read_bytes()
    with in_background(proxied(cassette)) as proxy:
        assert transcript(proxy.url) == recorded
    assert cassette.read_bytes() == written
