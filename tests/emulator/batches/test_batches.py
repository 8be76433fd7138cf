"""Batches: their lines are checked, then really run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from replayproxy.core.messages import Headers, Request
from replayproxy.emulator.answers import Events, Raw
from replayproxy.emulator.app import STATE, create_app
from replayproxy.emulator.batches.lines import MOST_LINES, checked_lines
from replayproxy.emulator.batches.runs import run_lines
from replayproxy.emulator.brain.turns import Reply, Turn
from replayproxy.emulator.families import KINDS
from replayproxy.emulator.files.files import add_file
from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings, State
from tests.strict_clients import strict_client

CHAT: Any = "/v1/chat/completions"


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


def line(name: str, text: str = "Hi", url: str = CHAT, **more: Any) -> str:
    """A line of an input file."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}
    return json.dumps({"custom_id": name, "method": "POST", "url": url, "body": body})


async def begun(client: AsyncOpenAI, *lines: str, endpoint: Any = CHAT, **more: Any) -> Any:
    """A batch over some lines."""
    content = "".join(each + "\n" for each in lines).encode()
    file = await client.files.create(file=("in.jsonl", content), purpose="batch")
    return await client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h", **more)


async def lines_of(client: AsyncOpenAI, file_id: str | None) -> list[Any]:
    """What a file of results has."""
    assert file_id is not None
    return [json.loads(each) for each in (await client.files.content(file_id)).text.splitlines()]


async def test_batch_is_run_as_it_is_retrieved(client: AsyncOpenAI) -> None:
    """Step by step; what fails goes to a file of its own, and the tokens are added up."""
    batch: Any = await begun(
        client, line("a", "One"), line("b", "Two", temperature=9), line("c", "Three", stream=True), metadata={"a": "b"}
    )
    assert (batch.status, batch.request_counts.total, batch.metadata) == ("validating", 0, {"a": "b"})
    seen = []
    while batch.status != "completed":
        raw = await client.batches.with_raw_response.retrieve(batch.id)
        batch = raw.parse()
        seen.append((batch.status, batch.request_counts.completed, batch.request_counts.failed))
        assert ("openai-poll-after-ms" in raw.headers) == (batch.status != "completed")
    assert seen == [("in_progress", 0, 0), ("finalizing", 1, 2), ("completed", 1, 2)]
    assert batch.request_counts.total == 3
    assert batch.created_at < batch.in_progress_at < batch.finalizing_at < batch.completed_at < batch.expires_at
    (done,) = await lines_of(client, batch.output_file_id)
    assert (done["custom_id"], done["response"]["status_code"], done["error"]) == ("a", 200, None)
    answer = done["response"]["body"]
    assert "One" in answer["choices"][0]["message"]["content"]
    assert (batch.model, batch.usage.total_tokens) == ("gpt-4o", answer["usage"]["total_tokens"])
    failed = await lines_of(client, batch.error_file_id)
    assert [each["custom_id"] for each in failed] == ["b", "c"]
    assert [each["response"]["body"]["error"]["param"] for each in failed] == ["temperature", "stream"]
    assert (await client.files.retrieve(batch.output_file_id)).purpose == "batch_output"
    assert await client.batches.retrieve(batch.id) == batch
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a batch with status 'completed'"):
        await client.batches.cancel(batch.id)


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "x"}),
        ("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "x"}),
        ("/v1/moderations", {"input": "x"}),
    ],
)
async def test_other_endpoints_run(client: AsyncOpenAI, endpoint: str, body: Any) -> None:
    """By the emulator's own families."""
    request = {"custom_id": "a", "method": "POST", "url": endpoint, "body": body}
    batch = await begun(
        client,
        json.dumps(request),
        endpoint=endpoint,
        output_expires_after={"anchor": "created_at", "seconds": 3600},
    )
    for _ in range(3):
        batch = await client.batches.retrieve(batch.id)
    (done,) = await lines_of(client, batch.output_file_id)
    assert done["response"]["status_code"] == 200
    file = await client.files.retrieve(batch.output_file_id)
    assert file.expires_at == file.created_at + 3600
    assert batch.error_file_id is None


async def test_input_that_is_wrong_fails_the_batch(client: AsyncOpenAI) -> None:
    """With an error for each wrong line."""
    batch: Any = await begun(client, line("a"), "nonsense", line("a"))
    batch = await client.batches.retrieve(batch.id)
    assert batch.status == "failed"
    assert batch.failed_at is not None
    assert [(each.line, each.code) for each in batch.errors.data] == [
        (2, "invalid_json_line"),
        (3, "duplicate_custom_id"),
    ]
    assert await client.batches.retrieve(batch.id) == batch


@pytest.mark.parametrize(
    ("content", "code", "param"),
    [
        ("", "empty_file", None),
        ("[1]", "invalid_json_line", None),
        ('{"custom_id": "a"}', "missing_required_parameter", "method"),
        (line("a", url="/v1/embeddings"), "invalid_url", "url"),
        (line("a").replace("POST", "GET"), "invalid_method", "method"),
        ('{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": "x"}', "invalid_type", "body"),
        (line("a") + "\n" + line("b").replace("gpt-4o", "gpt-5"), "mismatched_model", "body.model"),
        ("{}\n" * (MOST_LINES + 1), "too_many_tasks", None),
    ],
)
def test_errors_of_lines(content: str, code: str, param: str | None) -> None:
    """In the API's codes."""
    _, errors = checked_lines(content.encode(), CHAT)
    assert (errors[0]["code"], errors[0]["param"]) == (code, param)


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_batch_can_be_cancelled(client: AsyncOpenAI, steps: int) -> None:
    """Until it is completed; what has been run already is kept."""
    batch = await begun(client, line("a"))
    for _ in range(steps):
        await client.batches.retrieve(batch.id)
    batch = await client.batches.cancel(batch.id)
    assert (batch.status, batch.cancelling_at) == ("cancelling", batch.created_at + 2)
    assert await client.batches.cancel(batch.id) == batch
    batch = await client.batches.retrieve(batch.id)
    assert batch.status == "cancelled"
    assert (batch.output_file_id is not None) == (steps == 2)


async def test_many_may_ask_at_once(client: AsyncOpenAI) -> None:
    """A batch is run once all the same."""
    batch = await begun(client, *(line(str(number)) for number in range(20)))
    await client.batches.retrieve(batch.id)
    await asyncio.gather(*(client.batches.retrieve(batch.id) for _ in range(5)))
    done = await client.batches.retrieve(batch.id)
    assert len(await lines_of(client, done.output_file_id)) == 20


class Slow:
    """A model that waits to be let go."""

    def __init__(self) -> None:
        self.asked, self.may_go = asyncio.Event(), asyncio.Event()

    async def reply(self, turn: Turn) -> Reply:
        """Nothing, in the end."""
        self.asked.set()
        await self.may_go.wait()
        return Reply(f"Done: {turn.model}")


@pytest.mark.parametrize("cancel", [False, True])
async def test_batch_tells_how_it_is_while_it_runs(aiohttp_client: Any, cancel: bool) -> None:
    """It is in progress, and may be cancelled; then what was run comes too late."""
    brain = Slow()
    app = create_app(brain=brain)
    client, state = await aiohttp_client(app), app[STATE]
    file = add_file(state, "a.jsonl", line("a").encode(), "batch")
    headers = {"Authorization": "Bearer sk-test"}
    body = {"input_file_id": file.id, "endpoint": CHAT, "completion_window": "24h"}
    path = "/v1/batches/" + (await (await client.post("/v1/batches", json=body, headers=headers)).json())["id"]

    async def status(method: str = "GET", tail: str = "") -> str:
        return str((await (await client.request(method, path + tail, headers=headers)).json())["status"])

    assert await status() == "in_progress"
    running_one = asyncio.create_task(status())
    await brain.asked.wait()
    assert await status() == "in_progress"
    if cancel:
        assert await status("POST", "/cancel") == "cancelling"
    brain.may_go.set()
    assert await running_one == ("cancelling" if cancel else "finalizing")
    assert await status() == ("cancelled" if cancel else "completed")


async def test_answers_of_every_kind_are_written_down() -> None:
    """A stream is refused, and what is no JSON told as text."""
    state = State(EmulatorSettings(), KINDS, Slow())
    answers = iter([Events([]), Raw(b"pictures", "image/png"), {"usage": {"total_tokens": 1}}])

    async def dispatch(_: Request) -> Any:
        return next(answers)

    state.dispatch = dispatch
    outcome = await run_lines(state, "batch_x", [json.loads(line(name)) for name in "abc"], Headers())
    assert [each["response"]["status_code"] for each in outcome.errors] == [400]
    assert [each["response"]["body"] for each in outcome.output] == ["pictures", {"usage": {"total_tokens": 1}}]
    assert outcome.as_usage()["total_tokens"] == 0


async def test_batches_are_listed(client: AsyncOpenAI) -> None:
    """Newest first; retrieving is what moves them on."""
    made = [await begun(client, line("a")) for _ in range(3)]
    assert [each async for each in client.batches.list(limit=2)] == made[::-1]


async def test_input_must_be_there(client: AsyncOpenAI) -> None:
    """And be meant for a batch; batches that are not there are not found."""
    with pytest.raises(openai.BadRequestError, match="No such File object: file-none") as caught:
        await client.batches.create(input_file_id="file-none", endpoint=CHAT, completion_window="24h")
    assert caught.value.param == "input_file_id"
    file = await client.files.create(file=("a.jsonl", b"{}"), purpose="vision")
    with pytest.raises(openai.BadRequestError, match="Invalid file purpose"):
        await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    for call in (client.batches.retrieve, client.batches.cancel):
        with pytest.raises(openai.NotFoundError, match="No batch found with id 'batch_none'"):
            await call("batch_none")


async def test_input_that_is_deleted_fails_the_batch(client: AsyncOpenAI) -> None:
    """It has no lines any more."""
    batch = await begun(client, line("a"))
    await client.files.delete(batch.input_file_id)
    failed: Any = await client.batches.retrieve(batch.id)
    assert failed.errors.data[0].code == "empty_file"


async def test_batches_that_were_never_made_can_be_taken() -> None:
    """And run to their end."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        assert (await client.batches.retrieve("batch_old")).status == "finalizing"
        assert (await client.batches.retrieve("batch_old")).status == "completed"
        assert (await client.batches.cancel("batch_old")).status == "completed"


async def test_synchronous_client() -> None:
    """The same with a client that blocks."""

    def use(url: str) -> str:
        with OpenAI(base_url=f"{url}/v1", api_key="sk-test", _strict_response_validation=True) as client:
            file = client.files.create(file=("a.jsonl", line("a").encode()), purpose="batch")
            batch = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
            while batch.status != "completed":
                batch = client.batches.retrieve(batch.id)
            assert batch.output_file_id is not None
            return client.files.content(batch.output_file_id).text

    async with running() as emulator:
        assert "chat.completion" in await asyncio.to_thread(use, emulator.url)
