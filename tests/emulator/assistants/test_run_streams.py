"""Runs that are streamed: which events come, in which order, and what the official client makes of them."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import openai
import pytest
from openai import AssistantEventHandler, AsyncAssistantEventHandler
from typing_extensions import override

from replayproxy.core.problem import Problem
from replayproxy.emulator.brain import Passage, Reply, ToolCall
from tests.run_stage import HEADERS, USAGE, Event, Stage, path_of, staged

pytestmark = pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning")
ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
CODE, SEARCH = {"type": "code_interpreter"}, {"type": "file_search"}
CALLS = Reply(tool_calls=(ToolCall("add", '{"a": 1}'), ToolCall("add", '{"b": 2}')), usage=USAGE)
DONE = Reply("Hello, dear friend.", usage=USAGE)

BEGIN = ["run.created", "run.queued", "run.in_progress"]
STEP = ["run.step.created", "run.step.in_progress"]
MESSAGE = [*STEP, "message.created", "message.in_progress", "message.delta", "message.completed", "run.step.completed"]
END = ["run.completed", "done"]


def order(events: list[Event]) -> list[str]:
    """The names of events without what they all begin with; deltas that follow each other count once."""
    names = [name.removeprefix("thread.") for name, _ in events]
    return [name for place, name in enumerate(names) if not name.endswith("delta") or names[place - 1] != name]


def named(events: list[Event], name: str) -> list[Any]:
    """The data of the events of a name."""
    return [data for each, data in events if each == f"thread.{name}"]


async def test_run_is_streamed_in_the_recorded_order() -> None:
    """From created to done; created and queued tell the same, and each event its object as it was then."""
    async with staged(DONE) as stage:
        events = await stage.run(stream=True)
        assert order(events) == [*BEGIN, *MESSAGE, *END]
        (created,), (queued,) = named(events, "run.created"), named(events, "run.queued")
        assert created == queued
        assert created["tool_resources"] == {"code_interpreter": {"file_ids": []}}
        assert named(events, "run.in_progress")[0]["started_at"] is not None
        (begun,), (said,) = named(events, "message.created"), named(events, "message.completed")
        assert (begun["content"], begun["status"]) == ([], "in_progress")
        assert list(said)[5:] == [
            *("run_id", "status", "incomplete_details", "incomplete_at", "completed_at"),
            *("role", "content", "attachments", "metadata"),
        ]
        assert await stage.get(f"/threads/{said['thread_id']}/messages/{said['id']}") == said
        run = named(events, "run.completed")[0]
        assert (await stage.get(path_of(run))) == run | {"tool_resources": {}}


async def test_text_comes_word_by_word() -> None:
    """The first piece has annotations, none of the others; together they are the text."""
    async with staged(DONE) as stage:
        deltas = named(await stage.run(stream=True), "message.delta")
        texts = [each["delta"]["content"][0]["text"] for each in deltas]
        assert [list(each) for each in texts[:2]] == [["value", "annotations"], ["value"]]
        assert "".join(each["value"] for each in texts) == "Hello, dear friend."
        assert len(texts) == 5
        assert list(deltas[0]) == ["id", "object", "delta"]


async def test_own_pieces_of_a_reply_are_sent_as_they_are() -> None:
    """A scripted reply says where it is cut."""
    async with staged(Reply("One two", pieces=("One t", "wo"))) as stage:
        deltas = named(await stage.run(stream=True), "message.delta")
        assert [each["delta"]["content"][0]["text"]["value"] for each in deltas] == ["One t", "wo"]


async def test_thread_is_told_before_its_run() -> None:
    """The stream of creating a thread with a run begins with the thread."""
    async with staged(DONE) as stage:
        body = {"assistant_id": await stage.assistant(), "stream": True}
        events = await stage.post("/threads/runs", body)
        assert order(events) == ["created", *BEGIN, *MESSAGE, *END]
        assert events[0][1]["object"] == "thread"


async def test_calls_end_the_stream_and_outputs_begin_another() -> None:
    """Step deltas with each call's head and its arguments; then the run waits. The stream of the outputs goes on."""
    async with staged(CALLS, DONE) as stage:
        events = await stage.run(assistant={"tools": [ADD]}, stream=True)
        assert order(events) == [*BEGIN, *STEP, "run.step.delta", "run.requires_action", "done"]
        assert named(events, "run.step.created")[0]["step_details"] == {"type": "tool_calls", "tool_calls": []}
        run = named(events, "run.requires_action")[0]
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        told: dict[int, list[Any]] = {0: [], 1: []}
        for delta in named(events, "run.step.delta"):
            (call,) = delta["delta"]["step_details"]["tool_calls"]
            told[call["index"]].append(call)
        for index, pieces in told.items():
            head = {"name": "add", "arguments": "", "output": None}
            assert pieces[0] == {"index": index, "id": calls[index]["id"], "type": "function", "function": head}
            arguments = "".join(each["function"]["arguments"] for each in pieces[1:])
            assert arguments == calls[index]["function"]["arguments"]
        outputs = [{"tool_call_id": call["id"], "output": "3"} for call in calls]
        more = await stage.post(f"{path_of(run)}/submit_tool_outputs", {"tool_outputs": outputs, "stream": True})
        assert order(more) == ["run.step.completed", *BEGIN[1:], *MESSAGE, *END]
        assert named(more, "run.step.completed")[0]["step_details"]["tool_calls"][1]["function"]["output"] == "3"


async def test_tools_of_the_api_are_streamed() -> None:
    """Search and code are steps of their own, told and completed before the message."""
    async with staged() as stage:
        passage = Passage("file-1", "a.txt", "Apples")
        marker = "【4:0†a.txt】"
        text = f"Red{marker} indeed"
        stage.brain.replies = [Reply(text, cited=((marker, passage),))]
        tools = {"tools": [SEARCH, CODE]}
        stores = {"file_search": {"vector_stores": [{}]}}
        thread = await stage.thread("Compute 1 + 1", tool_resources=stores)
        events = await stage.post(f"{thread}/runs", {"assistant_id": await stage.assistant(**tools), "stream": True})
        tool = [*STEP, "run.step.delta", "run.step.completed"]
        assert order(events) == [*BEGIN, *tool, *tool, *MESSAGE, *END]
        calls = [each["delta"]["step_details"]["tool_calls"][0] for each in named(events, "run.step.delta")]
        assert calls[0]["file_search"] == {}
        assert calls[1]["code_interpreter"] == {"input": "", "outputs": []}
        assert "".join(each["code_interpreter"]["input"] for each in calls[1:-1]) == "print(1 + 1)"
        assert calls[-1]["code_interpreter"] == {"outputs": [{"index": 0, "type": "logs", "logs": "2\n"}]}
        deltas = [each["delta"]["content"][0]["text"] for each in named(events, "message.delta")]
        assert "".join(each["value"] for each in deltas) == text
        assert deltas[0] == {"value": "Red", "annotations": []}
        (annotation,) = deltas[1]["annotations"]
        assert (
            annotation == {"index": 0} | named(events, "message.completed")[0]["content"][0]["text"]["annotations"][0]
        )


BROKEN = [name if name != "message.completed" else "message.incomplete" for name in MESSAGE]
ENDINGS = [
    pytest.param(Reply("Cut", finish="length"), [*BROKEN, "run.incomplete"], id="incomplete"),
    pytest.param(Reply(error=Problem("No.", status=500)), ["run.failed"], id="failed"),
    pytest.param(Reply(run="expired"), ["run.expired"], id="expired"),
    pytest.param(Reply("So", run="failed"), [*BROKEN[:-1], "run.step.failed", "run.failed"], id="failed-text"),
    pytest.param(Reply("So", run="expired"), [*BROKEN[:-1], "run.step.expired", "run.expired"], id="expired-text"),
    pytest.param(
        Reply(tool_calls=CALLS.tool_calls, run="cancelled"),
        [*STEP, "run.step.delta", "run.step.cancelled", "run.cancelled"],
        id="cancelled-tools",
    ),
    pytest.param(Reply(refusal="I cannot."), [*MESSAGE, "run.completed"], id="refusal"),
]


@pytest.mark.parametrize(("reply", "names"), ENDINGS)
async def test_stream_that_ends_otherwise(reply: Reply, names: list[str]) -> None:
    """Cut off, failed, expired, cancelled: the message and the step are told to be, and then the run."""
    async with staged(reply) as stage:
        events = await stage.run(assistant={"tools": [ADD]}, stream=True)
        assert order(events) == [*BEGIN, *names, "done"]
        assert (await stage.get(path_of(events[-2][1])))["status"] == events[-2][1]["status"]


async def test_run_that_is_cancelled_in_its_stream() -> None:
    """The stream tells so, and nothing of the reply."""
    async with staged(DONE) as stage:

        async def cancel() -> None:
            (run,) = stage.state.shelf(stage.state.kinds["run"], next(iter(threads)).id)
            await stage.post(f"{path_of(run.json)}/cancel")

        stage.brain.before = cancel
        threads = stage.state.shelf(stage.state.kinds["thread"])
        events = await stage.run(stream=True)
        assert order(events) == [*BEGIN, "run.cancelling", "run.cancelled", "done"]


async def test_thread_that_is_deleted_under_its_run() -> None:
    """The run ends all the same; the thread stays away."""
    async with staged(DONE) as stage:

        async def delete() -> None:
            await stage.call("DELETE", f"/threads/{next(iter(threads)).id}")

        stage.brain.before = delete
        threads = stage.state.shelf(stage.state.kinds["thread"])
        events = await stage.run(stream=True)
        assert order(events) == [*BEGIN, *MESSAGE, *END]
        assert len(threads) == 0


async def test_who_hangs_up_finds_the_run_ended() -> None:
    """What a stream tells has happened before: the run is completed though nobody listened to the end."""
    async with staged(DONE) as stage:
        thread, body = await stage.thread(), {"assistant_id": await stage.assistant(), "stream": True}
        async with stage.session.post(f"{stage.url}{thread}/runs", json=body, headers=HEADERS) as response:
            async for line in response.content:
                if b"thread.message.delta" in line:
                    break
            response.close()
        run = (await stage.get(f"{thread}/runs"))["data"][0]
        assert run["status"] == "completed"


async def gather(response: aiohttp.ClientResponse, content: bytearray) -> None:
    """Reads into `content` what there is of a body."""
    async for piece in response.content.iter_any():
        content += piece


@pytest.mark.parametrize(("cut", "deltas"), [(0, 0), (2, 2), (99, 5)])
async def test_stream_breaks_off_when_the_reply_says_so(cut: int, deltas: int) -> None:
    """After so many pieces the connection is dropped, at the latest where the stream would have ended."""
    async with staged(Reply("Hello, dear friend.", cut=cut)) as stage:
        thread, body = await stage.thread(), {"assistant_id": await stage.assistant(), "stream": True}
        async with stage.session.post(f"{stage.url}{thread}/runs", json=body, headers=HEADERS) as response:
            content = bytearray()
            with pytest.raises(aiohttp.ClientPayloadError):
                await gather(response, content)
        assert content.count(b"event: thread.message.delta") == deltas
        assert b"[DONE]" not in content


async def test_head_of_a_stream_is_the_recorded_one() -> None:
    """The media type with its charset, and the headers that every answer has."""
    async with staged() as stage:
        thread, body = await stage.thread(), {"assistant_id": await stage.assistant(), "stream": True}
        async with stage.session.post(f"{stage.url}{thread}/runs", json=body, headers=HEADERS) as response:
            assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            assert {"openai-version", "openai-processing-ms", "x-request-id"} <= {
                each.lower() for each in response.headers
            }
            assert (await response.read()).endswith(b"event: done\ndata: [DONE]\n\n")


async def test_refused_run_is_no_stream() -> None:
    """What cannot begin is answered as JSON."""
    async with staged() as stage:
        thread = await stage.thread()
        told = await stage.refused(f"{thread}/runs", {"assistant_id": "asst_none", "stream": True}, 404)
        assert told == "No assistant found with id 'asst_none'."


class Heard(AsyncAssistantEventHandler):
    """Notes what the client makes of the events."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    @override
    async def on_text_created(self, text: Any) -> None:
        self.notes.append("text")

    @override
    async def on_text_delta(self, delta: Any, snapshot: Any) -> None:
        self.notes.append(delta.value)

    @override
    async def on_text_done(self, text: Any) -> None:
        self.notes.append(f"={text.value}")

    @override
    async def on_tool_call_created(self, tool_call: Any) -> None:
        self.notes.append(f"call {tool_call.type}")

    @override
    async def on_tool_call_done(self, tool_call: Any) -> None:
        self.notes.append(f"called {tool_call.function.arguments}")


async def waiting(stage: Stage) -> tuple[Any, str]:
    """A thread with a message, and an assistant with a function."""
    thread = await stage.client.beta.threads.create(messages=[{"role": "user", "content": "Hi"}])
    return thread, await stage.assistant(tools=[ADD])


async def test_client_follows_runs_with_a_handler() -> None:
    """`stream` and `submit_tool_outputs_stream` with handlers, `create_and_run_stream` without: strictly parsed."""
    async with staged(CALLS, DONE, DONE) as stage:
        threads = stage.client.beta.threads
        thread, assistant = await waiting(stage)
        heard = Heard()
        async with threads.runs.stream(thread_id=thread.id, assistant_id=assistant, event_handler=heard) as stream:
            run = await stream.get_final_run()
            steps = await stream.get_final_run_steps()
        assert run.status == "requires_action"
        assert heard.notes == ["call function", 'called {"a": 1}', "call function", 'called {"b": 2}']
        assert [each.type for each in steps] == ["tool_calls"]
        assert run.required_action is not None
        calls = run.required_action.submit_tool_outputs.tool_calls
        async with threads.runs.submit_tool_outputs_stream(
            thread_id=thread.id,
            run_id=run.id,
            tool_outputs=[{"tool_call_id": call.id, "output": "3"} for call in calls],
            event_handler=Heard(),
        ) as stream:
            await stream.until_done()
            assert "".join(stream.notes[1:-1]) == "Hello, dear friend."  # type: ignore[attr-defined]
            assert stream.notes[-1] == "=Hello, dear friend."  # type: ignore[attr-defined]
            (message,) = await stream.get_final_messages()
        assert message.status == "completed"
        async with threads.create_and_run_stream(assistant_id=assistant) as stream:
            names = [event.event async for event in stream]
        assert names[0] == "thread.created"
        assert names[-1] == "thread.run.completed"
        raw = await threads.runs.with_raw_response.create(thread.id, assistant_id=assistant, stream=True)
        assert raw.headers["content-type"].startswith("text/event-stream")


async def test_synchronous_client_follows_runs() -> None:
    """The same with the client that blocks; an error of the model ends the stream as a failed run."""
    async with staged(CALLS, DONE, Reply(error=Problem("Busy.", status=429))) as stage:
        thread, assistant = await waiting(stage)

        def use() -> list[str]:
            with openai.OpenAI(base_url=stage.url, api_key="sk-test", _strict_response_validation=True) as client:
                runs = client.beta.threads.runs
                with runs.stream(
                    thread_id=thread.id, assistant_id=assistant, event_handler=AssistantEventHandler()
                ) as stream:
                    run = stream.get_final_run()
                assert run.required_action is not None
                calls = run.required_action.submit_tool_outputs.tool_calls
                with runs.submit_tool_outputs_stream(
                    thread_id=thread.id,
                    run_id=run.id,
                    tool_outputs=[{"tool_call_id": call.id, "output": "3"} for call in calls],
                ) as stream:
                    text = "".join(stream.text_deltas)
                with client.beta.threads.create_and_run_stream(assistant_id=assistant) as stream:
                    failed = stream.get_final_run()
                assert failed.last_error is not None
                return [run.status, text, failed.status, failed.last_error.message]

        told = await asyncio.to_thread(use)
        assert told == ["requires_action", "Hello, dear friend.", "failed", "Busy."]
