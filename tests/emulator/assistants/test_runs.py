"""Runs: how they are made, move on and end; and the calls that come at a wrong time."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import openai
import pytest

from replayproxy.core.problem import Problem
from replayproxy.emulator.brain import Reply, ToolCall
from replayproxy.emulator.state import EmulatorSettings
from tests.run_stage import USAGE, Stage, path_of, staged

pytestmark = pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning")
ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
CALLS = Reply(tool_calls=(ToolCall("add", '{"a": 1}'), ToolCall("add", '{"a": 2}')), usage=USAGE)
DONE = Reply("Three.", usage=USAGE)
TOKENS = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def outputs_for(run: Any, output: str = "3") -> dict[str, Any]:
    """What a run waits for."""
    calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    return {"tool_outputs": [{"tool_call_id": call["id"], "output": output} for call in calls]}


async def test_run_has_the_recorded_form() -> None:
    """A queued run, key by key, as the real API answered it in 2025."""
    async with staged() as stage:
        run = await stage.run()
        start = 1_704_067_200
        assert list(run.items())[2:] == [
            ("created_at", start),
            ("assistant_id", run["assistant_id"]),
            ("thread_id", run["thread_id"]),
            ("status", "queued"),
            ("started_at", None),
            ("expires_at", start + 600),
            *((f"{name}_at", None) for name in ("cancelled", "failed", "completed")),
            ("required_action", None),
            ("last_error", None),
            ("model", "gpt-4o"),
            ("instructions", "Be brief."),
            ("tools", []),
            ("tool_resources", {}),
            ("metadata", {}),
            ("temperature", 1.0),
            ("top_p", 1.0),
            ("reasoning_effort", None),
            ("max_completion_tokens", None),
            ("max_prompt_tokens", None),
            ("truncation_strategy", {"type": "auto", "last_messages": None}),
            ("incomplete_details", None),
            ("usage", None),
            ("response_format", "auto"),
            ("tool_choice", "auto"),
            ("parallel_tool_calls", True),
        ]


async def test_each_retrieval_moves_a_run_on() -> None:
    """Queued when it is made, then in progress, then completed for good; the message stands in the thread."""
    async with staged(DONE) as stage:
        run = await stage.run()
        seen = [await stage.get(path_of(run)) for _ in range(4)]
        assert [each["status"] for each in seen] == ["in_progress", "completed", "completed", "completed"]
        assert seen[0]["started_at"] == run["created_at"] + 1
        done = seen[-1]
        assert (done["usage"], done["expires_at"]) == (TOKENS, None)
        assert done["completed_at"] > done["started_at"]
        message = (await stage.get(f"/threads/{run['thread_id']}/messages?run_id={run['id']}"))["data"][0]
        assert message["content"] == [{"type": "text", "text": {"value": "Three.", "annotations": []}}]
        assert (message["role"], message["status"], message["run_id"]) == ("assistant", "completed", run["id"])
        assert message["assistant_id"] == run["assistant_id"]
        assert len(stage.brain.turns) == 1


async def test_moving_run_says_when_to_ask_again() -> None:
    """The client's poll helpers wait as long as the answer says, and a second when it does not."""
    async with staged() as stage:
        run = await stage.run()
        runs = stage.client.beta.threads.runs.with_raw_response
        answers = [await runs.retrieve(run["id"], thread_id=run["thread_id"]) for _ in range(2)]
        assert [each.headers.get("openai-poll-after-ms") for each in answers] == ["10", None]


@pytest.mark.parametrize("what", ["messages", "steps"])
async def test_who_polls_lists_sees_the_run_end(what: str) -> None:
    """A list of the thread's messages or of the run's steps moves a run on as well; a further page does not."""
    async with staged() as stage:
        run = await stage.run()
        thread = f"/threads/{run['thread_id']}"
        path = f"{thread}/messages" if what == "messages" else f"{path_of(run)}/steps"
        counts = [len((await stage.get(path))["data"]) for _ in range(3)]
        assert counts == ([1, 2, 2] if what == "messages" else [0, 1, 1])
        again = await stage.post(f"{thread}/runs", {"assistant_id": run["assistant_id"]})
        first = (await stage.get(f"{thread}/messages?order=asc&limit=1"))["first_id"]
        for _ in range(3):
            await stage.get(f"{thread}/messages?after={first}")
            await stage.get(f"{path_of(again)}/steps?before=step_none", 404)
        if what == "steps":
            await stage.get(path)  # of another run than the one that moves
        assert (await stage.get(f"{thread}/runs"))["data"][0] == again | {
            "status": "in_progress",
            "started_at": again["created_at"] + 1,
        }


async def test_run_overrides_its_assistant() -> None:
    """What is said of a run goes before what its assistant has, and the model is asked so."""
    async with staged(DONE) as stage:
        run = await stage.run(
            "One",
            {"tools": [{"type": "code_interpreter"}], "temperature": 0.5, "metadata": {"not": "mine"}},
            model="gpt-4.1",
            instructions="Count.",
            additional_instructions="Slowly.",
            additional_messages=[{"role": "assistant", "content": "Two"}, {"role": "user", "content": "Three"}],
            tools=[ADD],
            metadata={"a": "b"},
            top_p=0.25,
            max_prompt_tokens=500,
            max_completion_tokens=300,
            truncation_strategy={"type": "last_messages", "last_messages": 2},
            tool_choice={"type": "function", "function": {"name": "add"}},
            parallel_tool_calls=False,
            response_format={"type": "json_object"},
            reasoning_effort="low",
        )
        assert (run["model"], run["instructions"], run["tools"]) == ("gpt-4.1", "Count.\nSlowly.", [ADD])
        assert (run["temperature"], run["top_p"], run["metadata"]) == (0.5, 0.25, {"a": "b"})
        assert (run["max_prompt_tokens"], run["max_completion_tokens"]) == (500, 300)
        assert run["truncation_strategy"] == {"type": "last_messages", "last_messages": 2}
        await stage.finished(run)
        (turn,) = stage.brain.turns
        assert turn.messages == (
            {"role": "system", "content": "Count.\nSlowly."},
            {"role": "assistant", "content": "Two"},
            {"role": "user", "content": "Three"},
        )
        assert (turn.model, turn.tools, turn.limit, turn.parallel) == ("gpt-4.1", (ADD,), 300, False)
        assert turn.tool_choice == {"type": "function", "function": {"name": "add"}}
        assert turn.response_format == {"type": "json_object"}
        assert turn.options == {"temperature": 0.5, "top_p": 0.25, "reasoning_effort": "low"}
        assert turn.family == "runs"


async def test_tools_of_the_client_are_called_and_answered() -> None:
    """The run waits for the outputs, all of them, takes them, and asks the model again with what they were."""
    async with staged(CALLS, DONE) as stage:
        run = await stage.run(assistant={"tools": [ADD]}, tool_choice="required")
        run = await stage.finished(run)
        assert (run["status"], run["usage"]) == ("requires_action", None)
        assert run["expires_at"] is not None
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        assert [call["function"] for call in calls] == [
            {"name": "add", "arguments": '{"a": 1}'},
            {"name": "add", "arguments": '{"a": 2}'},
        ]
        ids = [call["id"] for call in calls]
        path = f"{path_of(run)}/submit_tool_outputs"
        some = {"tool_outputs": [{"tool_call_id": ids[0]}]}
        assert await stage.refused(path, some) == f"Expected tool outputs for call_ids {ids}, got {ids[:1]}"
        queued = await stage.post(path, outputs_for(run))
        assert (queued["status"], queued["required_action"]) == ("queued", None)
        assert (await stage.get(path_of(run)))["status"] == "in_progress"
        done = await stage.get(path_of(run))
        assert (done["status"], done["usage"]) == (
            "completed",
            {"prompt_tokens": 14, "completion_tokens": 6, "total_tokens": 20},
        )
        first, second = stage.brain.turns
        assert (first.tool_choice, second.tool_choice) == ("required", "auto")
        assert second.messages[-3:] == (
            {"role": "assistant", "content": None, "tool_calls": calls},
            *({"role": "tool", "tool_call_id": id_, "content": "3"} for id_ in ids),
        )


async def test_words_along_with_calls_come_first() -> None:
    """What a model says while it calls tools is a message before the calls, and it is told so in the next turn."""
    async with staged(Reply("Let me see.", tool_calls=CALLS.tool_calls), DONE) as stage:
        run = await stage.finished(await stage.run(assistant={"tools": [ADD]}))
        await stage.post(f"{path_of(run)}/submit_tool_outputs", outputs_for(run))
        await stage.finished(run)
        said = [each["content"][0]["text"]["value"] for each in (await messages_of(stage, run))]
        assert said == ["Hi", "Let me see.", "Three."]
        assert [each["role"] for each in stage.brain.turns[1].messages] == [
            *("system", "user", "assistant", "assistant", "tool", "tool")
        ]


async def messages_of(stage: Stage, run: Any) -> list[Any]:
    """The messages of a run's thread, the oldest first."""
    return list((await stage.get(f"/threads/{run['thread_id']}/messages?order=asc"))["data"])


ENDINGS = [
    pytest.param(Reply(error=Problem("Slow down.", status=429)), "failed", id="limit"),
    pytest.param(Reply(error=Problem("No.", status=400)), "failed", id="prompt"),
    pytest.param(Reply(error=Problem("Oh.", status=503)), "failed", id="server"),
    pytest.param(Reply(run="failed"), "failed", id="failed"),
    pytest.param(Reply("So far", run="failed"), "failed", id="failed-text"),
    pytest.param(Reply("So", run="failed", error=Problem("Oh.", status=400)), "failed", id="failed-why"),
    pytest.param(Reply("So far", run="expired"), "expired", id="expired-text"),
    pytest.param(Reply(tool_calls=CALLS.tool_calls, run="expired"), "expired", id="expired-tools"),
    pytest.param(Reply("So far", run="cancelled"), "cancelled", id="cancelled-text"),
    pytest.param(Reply("So far", finish="length", usage=USAGE), "incomplete", id="length"),
    pytest.param(Reply("So far", run="incomplete", reason="max_prompt_tokens"), "incomplete", id="incomplete"),
    pytest.param(Reply("So far", finish="content_filter"), "incomplete", id="filter"),
    pytest.param(Reply(refusal="I cannot do that."), "completed", id="refusal"),
]
TOLD = {
    "limit": {"code": "rate_limit_exceeded", "message": "Slow down."},
    "prompt": {"code": "invalid_prompt", "message": "No."},
    "server": {"code": "server_error", "message": "Oh."},
    "failed": {"code": "server_error", "message": "Sorry, something went wrong."},
    "failed-text": {"code": "server_error", "message": "Sorry, something went wrong."},
    "failed-why": {"code": "invalid_prompt", "message": "Oh."},
    "length": {"reason": "max_completion_tokens"},
    "incomplete": {"reason": "max_prompt_tokens"},
    "filter": {},
}
BROKEN = {
    "failed-text": "run_failed",
    "failed-why": "run_failed",
    "expired-text": "run_expired",
    "cancelled-text": "run_cancelled",
    "length": "max_tokens",
    "incomplete": "max_tokens",
    "filter": "content_filter",
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("reply", "status"), ENDINGS)
async def test_run_ends_as_the_reply_says(
    request: pytest.FixtureRequest, reply: Reply, status: str, stream: bool
) -> None:
    """Status, times, error or details, the message that was broken off, its step; and the thread is free again."""
    name = request.node.callspec.id.removesuffix(f"-{stream}")
    async with staged(reply) as stage:
        started = await stage.run(assistant={"tools": [ADD]}, stream=stream)
        run = started[0][1] if stream else started
        run = await stage.finished(run)
        assert run["status"] == status
        if stream:
            assert started[-2][0] == f"thread.run.{status}"
        detail = run["last_error"] if status == "failed" else run["incomplete_details"]
        assert detail == TOLD.get(name)
        ends = {"incomplete": "completed"}.get(status, status)
        assert (run.get(f"{ends}_at") is None) is (status == "expired")
        assert run["usage"] is not None
        *_, last = await messages_of(stage, run)
        if name in BROKEN:
            assert (last["status"], last["incomplete_details"]) == ("incomplete", {"reason": BROKEN[name]})
            assert last["incomplete_at"] is not None
        if reply.refusal:
            assert last["content"] == [{"type": "refusal", "refusal": "I cannot do that."}]
        steps = (await stage.get(f"{path_of(run)}/steps"))["data"]
        assert {step["status"] for step in steps} <= {ends}
        assert "active" not in await stage.post(
            f"/threads/{run['thread_id']}/messages", {"role": "user", "content": "?"}
        )


async def test_run_is_cancelled() -> None:
    """Cancelling, then cancelled; what it waited for is not taken any more, and the step ends with it."""
    async with staged(CALLS) as stage:
        run = await stage.finished(await stage.run(assistant={"tools": [ADD]}))
        outputs = outputs_for(run)
        cancelling = await stage.post(f"{path_of(run)}/cancel")
        assert (cancelling["status"], cancelling["required_action"]) == ("cancelling", None)
        told = 'Runs in status "cancelling" do not accept tool outputs.'
        assert await stage.refused(f"{path_of(run)}/submit_tool_outputs", outputs) == told
        assert await stage.refused(path_of(run), {"metadata": {}}) == "Cannot update run with status 'cancelling'."
        assert await stage.refused(f"{path_of(run)}/cancel") == "Cannot cancel run with status 'cancelling'."
        run = await stage.finished(run)
        assert (run["status"], run["expires_at"], run["usage"]) == ("cancelled", None, TOKENS)
        assert run["cancelled_at"] is not None
        (step,) = (await stage.get(f"{path_of(run)}/steps"))["data"]
        assert step["status"] == "cancelled"
        assert await stage.refused(f"{path_of(run)}/cancel") == "Cannot cancel run with status 'cancelled'."
        assert (await stage.post(path_of(run), {"metadata": {"a": "b"}}))["metadata"] == {"a": "b"}


async def test_run_that_is_cancelled_while_the_model_thinks_says_nothing() -> None:
    """One asks and waits, a second looks and sees it in progress, a third cancels: the reply is dropped."""
    async with staged(DONE) as stage:
        asked, go = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            asked.set()
            await go.wait()

        stage.brain.before = wait
        run = await stage.run()
        await stage.get(path_of(run))
        waiting = asyncio.create_task(stage.get(path_of(run)))
        await asked.wait()
        assert (await stage.get(path_of(run)))["status"] == "in_progress"
        assert (await stage.post(f"{path_of(run)}/cancel"))["status"] == "cancelling"
        go.set()
        assert (await waiting)["status"] == "cancelling"
        assert (await stage.get(path_of(run)))["status"] == "cancelled"
        assert len(await messages_of(stage, run)) == 1
        assert len(stage.brain.turns) == 1


async def test_thread_is_busy_while_its_run_is_active() -> None:
    """Neither messages nor a second run, in the API's words; both again when the run has ended."""
    async with staged() as stage:
        run = await stage.run()
        thread = f"/threads/{run['thread_id']}"
        message, again = {"role": "user", "content": "More"}, {"assistant_id": run["assistant_id"]}
        told = f"Can't add messages to {run['thread_id']} while a run {run['id']} is active."
        assert await stage.refused(f"{thread}/messages", message) == told
        told = f"Thread {run['thread_id']} already has an active run {run['id']}."
        assert await stage.refused(f"{thread}/runs", again) == told
        await stage.finished(run)
        await stage.post(f"{thread}/messages", message)
        second = await stage.post(f"{thread}/runs", again)
        listed = await stage.get(f"{thread}/runs")
        assert [each["id"] for each in listed["data"]] == [second["id"], run["id"]]


async def test_calls_that_come_too_early_are_refused() -> None:
    """A run that was queued is in progress by the time that the next call comes, as recorded."""
    async with staged() as stage:
        run = await stage.run()
        assert await stage.refused(path_of(run), {"metadata": {}}) == "Cannot update run with status 'in_progress'."
        run = await stage.run()
        told = 'Runs in status "in_progress" do not accept tool outputs.'
        assert await stage.refused(f"{path_of(run)}/submit_tool_outputs", {"tool_outputs": []}) == told


async def test_run_needs_something_to_begin_with() -> None:
    """A user's message or instructions, from wherever they come; else the recorded refusal, and nothing is made."""
    async with staged() as stage:
        silent = await stage.assistant(instructions=None)
        empty = (await stage.post("/threads"))["id"]
        for path in (f"/threads/{empty}/runs", "/threads/runs"):
            error = (await stage.post(path, {"assistant_id": silent}, 400))["error"]
            assert error["message"].startswith("Run creation requires a Thread with a user message")
            assert error["code"] == "invalid_thread"
        assert stage.state.counts() == {"assistant": 1, "thread": 1}
        more = {"additional_messages": [{"role": "user", "content": "Hi"}]}
        run = await stage.post(f"/threads/{empty}/runs", {"assistant_id": silent, **more})
        assert run["instructions"] == ""
        await stage.finished(run)
        assert stage.brain.turns[0].messages == ({"role": "user", "content": "Hi"},)
        await stage.post("/threads/runs", {"assistant_id": silent, "instructions": "Say hello."})
        await stage.post("/threads/runs", {"assistant_id": silent, "thread": {"messages": more["additional_messages"]}})


async def test_what_is_not_there_is_not_found() -> None:
    """Threads, assistants, runs and steps, in the API's words."""
    async with staged() as stage:
        assistant, thread = await stage.assistant(), await stage.thread()
        none = {"assistant_id": "asst_none"}
        for path, body, kind, id_ in [
            ("/threads/thread_none/runs", {"assistant_id": assistant}, "thread", "thread_none"),
            (f"{thread}/runs", none, "assistant", "asst_none"),
            ("/threads/runs", none, "assistant", "asst_none"),
            (f"{thread}/runs/run_none", {}, "run", "run_none"),
            (f"{thread}/runs/run_none/cancel", {}, "run", "run_none"),
            (f"{thread}/runs/run_none/submit_tool_outputs", {"tool_outputs": []}, "run", "run_none"),
        ]:
            assert await stage.refused(path, body, 404) == f"No {kind} found with id '{id_}'."
        for path in (
            "/threads/thread_none/runs",
            "/threads/thread_none/runs/run_1",
            f"{thread}/runs/run_none",
            f"{thread}/runs/run_none/steps",
        ):
            assert "No " in (await stage.get(path, 404))["error"]["message"]


async def test_thread_is_created_with_its_run() -> None:
    """The thread's own messages and metadata; resources of the call are the thread's unless it has its own."""
    async with staged(DONE) as stage:
        run = await stage.post(
            "/threads/runs",
            {
                "assistant_id": await stage.assistant(),
                "thread": {"messages": [{"role": "user", "content": "Hi"}], "metadata": {"of": "thread"}},
                "tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}},
                "metadata": {"of": "run"},
            },
        )
        assert run["metadata"] == {"of": "run"}
        thread = await stage.get(f"/threads/{run['thread_id']}")
        assert thread["metadata"] == {"of": "thread"}
        assert thread["tool_resources"] == {"code_interpreter": {"file_ids": ["file-1"]}}
        assert (await stage.finished(run))["status"] == "completed"


async def test_pictures_are_shown_to_the_model() -> None:
    """By their URL, or, when they are uploaded, by their bytes; a file that is not there by its name."""
    async with staged() as stage:
        file = await stage.client.files.create(file=("a.jpg", b"\xff\xd8jpeg"), purpose="vision")
        parts = [
            {"type": "text", "text": "See:"},
            {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
            {"type": "image_file", "image_file": {"file_id": file.id, "detail": "low"}},
            {"type": "image_file", "image_file": {"file_id": "file-none"}},
        ]
        thread = await stage.post("/threads", {"messages": [{"role": "user", "content": parts}]})
        run = await stage.post(f"/threads/{thread['id']}/runs", {"assistant_id": await stage.assistant()})
        await stage.finished(run)
        encoded = base64.b64encode(b"\xff\xd8jpeg").decode()
        assert stage.brain.turns[0].messages[1]["content"] == [
            {"type": "text", "text": "See:"},
            {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "auto"}},
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{encoded}", "detail": "low"}},
            {"type": "text", "text": "(image file-none)"},
        ]


async def test_refusals_are_part_of_the_conversation() -> None:
    """A later run is told what was refused in an earlier one."""
    async with staged(Reply(refusal="No."), DONE) as stage:
        run = await stage.run()
        await stage.finished(run)
        second = await stage.post(f"/threads/{run['thread_id']}/runs", {"assistant_id": run["assistant_id"]})
        await stage.finished(second)
        assert stage.brain.turns[1].messages[-1] == {"role": "assistant", "content": "No."}


async def test_client_helpers_poll_to_the_end() -> None:
    """`create_and_poll`, `submit_tool_outputs_and_poll` and `create_and_run_poll`, strictly parsed, without waiting."""
    async with staged(CALLS, DONE, DONE) as stage:
        threads = stage.client.beta.threads
        assistant = await stage.assistant(tools=[ADD])
        thread = await threads.create(messages=[{"role": "user", "content": "Hi"}])
        run = await threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant)
        assert run.status == "requires_action"
        assert run.required_action is not None
        calls = run.required_action.submit_tool_outputs.tool_calls
        run = await threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id,
            thread_id=thread.id,
            tool_outputs=[{"tool_call_id": call.id, "output": "3"} for call in calls],
        )
        assert run.status == "completed"
        listed = [each async for each in threads.messages.list(thread.id, run_id=run.id)]
        assert [each.status for each in listed] == ["completed"]
        assert [each.id async for each in threads.runs.list(thread.id)] == [run.id]
        changed = await threads.runs.update(run.id, thread_id=thread.id, metadata={"a": "b"})
        assert changed.metadata == {"a": "b"}
        other = await threads.create_and_run_poll(assistant_id=assistant)
        assert other.status == "completed"
        begun = await threads.create_and_run(assistant_id=assistant)
        assert (await threads.runs.cancel(begun.id, thread_id=begun.thread_id)).status == "cancelling"
        with pytest.raises(openai.BadRequestError, match="Cannot cancel run with status 'cancelling'"):
            await threads.runs.cancel(begun.id, thread_id=begun.thread_id)


async def test_synchronous_client_polls_to_the_end() -> None:
    """The same with the client that blocks."""
    async with staged(DONE) as stage:
        assistant = await stage.assistant()

        def use() -> str:
            with openai.OpenAI(base_url=stage.url, api_key="sk-test", _strict_response_validation=True) as client:
                thread = client.beta.threads.create(messages=[{"role": "user", "content": "Hi"}])
                run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant)
                return f"{run.status} {len(list(client.beta.threads.messages.list(thread.id)))}"

        assert await asyncio.to_thread(use) == "completed 2"


async def test_runs_of_unknown_ids_are_made_up() -> None:
    """Whatever is asked of a run of last year works once: it is in the state that the caller knows it in."""
    async with staged(DONE, DONE, settings=EmulatorSettings(unknown_ids="create")) as stage:
        threads = stage.client.beta.threads
        kept = await threads.runs.retrieve("run_old", thread_id="thread_old")
        assert (kept.status, kept.thread_id) == ("completed", "thread_old")
        step = await threads.runs.steps.retrieve("step_old", thread_id="thread_old", run_id="run_old")
        assert (step.thread_id, step.assistant_id) == ("thread_old", kept.assistant_id)
        assert (await threads.runs.update("run_b", thread_id="thread_old", metadata={})).status == "completed"
        cancelled = await threads.runs.cancel("run_c", thread_id="thread_old")
        assert cancelled.status == "cancelling"
        assert (await threads.runs.retrieve("run_c", thread_id="thread_old")).status == "cancelled"
        taken = await threads.runs.submit_tool_outputs(
            "run_d", thread_id="thread_old", tool_outputs=[{"tool_call_id": "call_1", "output": "3"}]
        )
        assert taken.status == "queued"
        assert (await threads.runs.poll("run_d", "thread_old")).status == "completed"
        stream = await threads.runs.submit_tool_outputs(
            "run_e", thread_id="thread_old", tool_outputs=[{"tool_call_id": "call_1"}], stream=True
        )
        assert [event.event async for event in stream][:2] == ["thread.run.step.completed", "thread.run.queued"]
        assert (await threads.runs.create("thread_older", assistant_id="asst_old")).status == "queued"


async def test_made_up_run_takes_whatever_is_asked_of_it() -> None:
    """All calls on one made-up id work, one after the other, and its thread is not busy with it."""
    async with staged(settings=EmulatorSettings(unknown_ids="create")) as stage:
        run = "/threads/thread_old/runs/run_old"
        for path, body in [
            (f"{run}/cancel", {}),
            (run, {"metadata": {"a": "b"}}),
            (f"{run}/submit_tool_outputs", {"tool_outputs": [{}]}),
            (run, {"metadata": {}}),
            (f"{run}/cancel", {}),
            ("/threads/thread_old/messages", {"role": "user", "content": "Hi"}),
            ("/threads/thread_old/runs", {"assistant_id": "asst_old"}),
        ]:
            await stage.post(path, body)
        assert (await stage.get(run))["status"] == "cancelled"
        assert (await stage.get("/threads/thread_old/messages/msg_old"))["role"] == "user"
        assert "already has an active run" in await stage.refused(
            "/threads/thread_old/runs", {"assistant_id": "asst_old"}
        )


async def test_delay_of_a_reply_is_waited_for() -> None:
    """A reply that takes its time makes the retrieval take it."""
    async with staged(Reply("Late.", delay=0.05)) as stage:
        run = await stage.run()
        await stage.get(path_of(run))
        begun = asyncio.get_running_loop().time()
        assert (await stage.get(path_of(run)))["status"] == "completed"
        assert asyncio.get_running_loop().time() - begun >= 0.05
