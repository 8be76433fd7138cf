"""Steps of runs: what a run did, and the tools that the API runs by itself."""

from __future__ import annotations

from typing import Any

import pytest

from replayproxy.emulator.brain import Passage, Reply, ToolCall
from tests.run_stage import USAGE, Stage, path_of, staged

pytestmark = pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning")
ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
SEARCH, CODE = {"type": "file_search"}, {"type": "code_interpreter"}
NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
RESULTS = "step_details.tool_calls[*].file_search.results[*].content"
TEXT = "The code word for the harbour gate is Albatross."


async def steps_of(stage: Stage, run: Any, query: str = "") -> list[Any]:
    """The steps of a run, the oldest first."""
    return list((await stage.get(f"{path_of(run)}/steps?order=asc{query}"))["data"])


async def with_store(stage: Stage, **fields: Any) -> Any:
    """A finished run that had a file to search."""
    file = await stage.client.files.create(file=("gate.txt", TEXT.encode()), purpose="assistants")
    stores = {"file_search": {"vector_stores": [{"file_ids": [file.id]}]}}
    assistant = await stage.assistant(tools=[SEARCH], tool_resources=stores)
    thread = await stage.thread("What is the code word for the harbour gate?")
    return await stage.finished(await stage.post(f"{thread}/runs", {"assistant_id": assistant, **fields}))


async def test_step_has_the_recorded_form() -> None:
    """The step that made a message, key by key; alone and in a list."""
    async with staged(Reply("Hello.", usage=USAGE)) as stage:
        run = await stage.finished(await stage.run())
        (step,) = await steps_of(stage, run)
        message = (await stage.get(f"/threads/{run['thread_id']}/messages"))["first_id"]
        assert list(step.items())[1:] == [
            ("object", "thread.run.step"),
            ("created_at", run["created_at"] + 2),
            ("run_id", run["id"]),
            ("assistant_id", run["assistant_id"]),
            ("thread_id", run["thread_id"]),
            ("type", "message_creation"),
            ("status", "completed"),
            ("cancelled_at", None),
            ("completed_at", run["created_at"] + 3),
            ("expires_at", run["created_at"] + 600),
            ("failed_at", None),
            ("last_error", None),
            ("step_details", {"type": "message_creation", "message_creation": {"message_id": message}}),
            ("usage", {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}),
        ]
        assert step["id"].startswith("step_")
        assert await stage.get(f"{path_of(run)}/steps/{step['id']}") == step
        told = (await stage.get(f"{path_of(run)}/steps/step_123", 404))["error"]["message"]
        assert told == "No run step found with id 'step_123'."
        assert "No run found" in (await stage.get(f"{path_of(run)}x/steps", 404))["error"]["message"]
        assert "No run found" in (await stage.get(f"{path_of(run)}x/steps/step_123", 404))["error"]["message"]


async def test_step_that_waits_for_outputs_has_none() -> None:
    """The outputs come into the step that asked for them."""
    async with staged(Reply(tool_calls=(ToolCall("add", "{}"),), usage=USAGE)) as stage:
        run = await stage.finished(await stage.run(assistant={"tools": [ADD]}))
        (step,) = await steps_of(stage, run)
        (call,) = step["step_details"]["tool_calls"]
        assert (step["status"], step["usage"], call["function"]["output"]) == ("in_progress", None, None)
        outputs = {"tool_outputs": [{"tool_call_id": call["id"], "output": "3"}]}
        await stage.post(f"{path_of(run)}/submit_tool_outputs", outputs)
        done = (await stage.finished(run)) and (await steps_of(stage, run))
        assert [each["status"] for each in done] == ["completed", "completed"]
        assert done[0]["step_details"]["tool_calls"][0]["function"] == call["function"] | {"output": "3"}
        assert done[0]["usage"]["total_tokens"] == 10


async def test_file_search_finds_and_is_cited() -> None:
    """A step with results, their text only when it is asked for; the model gets them, the message cites them."""
    async with staged() as stage:
        passage = Passage("file-1", "gate.txt", TEXT)
        marker, other = "【4:0†gate.txt】", "【4:1†gate.txt】"
        text = f"It is Albatross{marker}. Yes{other}, {marker}."
        stage.brain.replies = [
            Reply(text, cited=((marker, passage), (other, passage), ("", passage), (marker[:4], passage)))
        ]
        run = await with_store(stage)
        (turn,) = stage.brain.turns
        assert [each.text for each in turn.passages] == [TEXT]
        search, said = await steps_of(stage, run)
        (call,) = search["step_details"]["tool_calls"]
        assert call["id"].startswith("call_")
        assert call["file_search"]["ranking_options"] == {"ranker": "default_2024_08_21", "score_threshold": 0.0}
        (result,) = call["file_search"]["results"]
        assert list(result) == ["file_id", "file_name", "score"]
        assert (result["file_id"], result["file_name"]) == (turn.passages[0].file_id, "gate.txt")
        assert (search["status"], search["usage"]) == ("completed", NOTHING)
        full = [each for each in await steps_of(stage, run, f"&include[]={RESULTS}") if each["id"] == search["id"]]
        (shown,) = full[0]["step_details"]["tool_calls"][0]["file_search"]["results"]
        assert shown == result | {"content": [{"type": "text", "text": TEXT}]}
        assert await stage.get(f"{path_of(run)}/steps/{search['id']}?include[]={RESULTS}") == full[0]
        assert await stage.get(f"{path_of(run)}/steps/{search['id']}") == search
        strict = await stage.client.beta.threads.runs.steps.retrieve(
            search["id"], thread_id=run["thread_id"], run_id=run["id"], include=[RESULTS]
        )
        assert strict.to_dict() == full[0]
        message = await stage.client.beta.threads.messages.retrieve(
            said["step_details"]["message_creation"]["message_id"], thread_id=run["thread_id"]
        )
        content = message.to_dict()["content"]
        annotations = content[0]["text"]["annotations"]  # type: ignore[index]
        assert [text[each["start_index"] : each["end_index"]] for each in annotations] == [marker, other, marker]
        assert annotations[0] == {
            "type": "file_citation",
            "text": marker,
            "start_index": 15,
            "end_index": 15 + len(marker),
            "file_citation": {"file_id": "file-1"},
        }


async def test_default_model_cites_what_file_search_found() -> None:
    """Without any script, too: the search of the emulator's stores comes back in the message."""
    from replayproxy.emulator.brain.default import DefaultBrain

    async with staged() as stage:
        stage.state.brain = DefaultBrain()
        run = await with_store(stage)
        (message, _) = (await stage.get(f"/threads/{run['thread_id']}/messages"))["data"]
        text = message["content"][0]["text"]
        assert "Albatross" in text["value"]
        assert text["annotations"][0]["type"] == "file_citation"
        assert run["usage"]["prompt_tokens"] > 0


@pytest.mark.parametrize(
    ("assistant", "choice", "searched"),
    [
        ([SEARCH], "none", False),
        ([SEARCH], "auto", False),
        ([SEARCH], {"type": "file_search"}, True),
        ([SEARCH], {"type": "code_interpreter"}, False),
        ([CODE], "auto", False),
    ],
)
async def test_search_without_a_store(assistant: list[Any], choice: Any, searched: bool) -> None:
    """Where there is nothing to search, a search is made only by name, and finds nothing."""
    async with staged() as stage:
        run = await stage.finished(await stage.run(assistant={"tools": assistant}, tool_choice=choice))
        *tools, _ = await steps_of(stage, run)
        found = [each["step_details"]["tool_calls"][0]["file_search"]["results"] for each in tools]
        assert found == ([[]] if searched else [])
        assert stage.brain.turns[0].tool_choice is None


async def test_settings_of_the_search_tool_count() -> None:
    """How much is found at most, and how good it has to be."""
    async with staged() as stage:
        settings = {"max_num_results": 1, "ranking_options": {"ranker": "auto", "score_threshold": 1.0}}
        run = await with_store(stage, tools=[SEARCH | {"file_search": settings}])
        search, _ = await steps_of(stage, run)
        assert search["step_details"]["tool_calls"][0]["file_search"] == {
            "ranking_options": {"ranker": "auto", "score_threshold": 1.0},
            "results": [],
        }


@pytest.mark.parametrize(
    ("asked", "code", "logs"),
    [
        ("What is 2 + 3?", "print(2 + 3)", "5\n"),
        ("12 x 1.5 please", "print(12 * 1.5)", "18.0\n"),
        ("6*7", "print(6 * 7)", "42\n"),
        ("6-7", "print(6 - 7)", "-1\n"),
        ("9/2", "print(9 / 2)", "4.5\n"),
        ("1 / 0", "print(1 / 0)", "ZeroDivisionError: division by zero\n"),
        ("Plot the sine.", 'print("Done.")', "Done.\n"),
    ],
)
async def test_code_is_run_when_it_is_asked_for(asked: str, code: str, logs: str) -> None:
    """A step with the code and what it printed comes before the message."""
    async with staged() as stage:
        run = await stage.finished(await stage.run(asked, {"tools": [CODE]}))
        step, _ = await steps_of(stage, run)
        (call,) = step["step_details"]["tool_calls"]
        assert call["code_interpreter"] == {"input": code, "outputs": [{"type": "logs", "logs": logs}]}
        listed = await stage.client.beta.threads.runs.steps.list(run["id"], thread_id=run["thread_id"])
        assert [each.id for each in listed.data][-1] == step["id"]


@pytest.mark.parametrize(("choice", "count"), [("auto", 1), ({"type": "code_interpreter"}, 2), ("none", 1)])
async def test_code_is_not_run_for_small_talk(choice: Any, count: int) -> None:
    """Unless the run must."""
    async with staged() as stage:
        run = await stage.finished(await stage.run("Hello", {"tools": [CODE]}, tool_choice=choice))
        assert len(await steps_of(stage, run)) == count


async def test_tools_of_the_api_are_used_once_in_a_run() -> None:
    """After outputs of the client's functions the run goes on with what was found."""
    calls = Reply(tool_calls=(ToolCall("add", "{}"),))
    async with staged(calls) as stage:
        run = await with_store(stage, tools=[SEARCH, ADD])
        ids = [each["id"] for each in run["required_action"]["submit_tool_outputs"]["tool_calls"]]
        outputs = {"tool_outputs": [{"tool_call_id": id_, "output": ""} for id_ in ids]}
        await stage.post(f"{path_of(run)}/submit_tool_outputs", outputs)
        run = await stage.finished(run)
        assert [each["type"] for each in await steps_of(stage, run)] == ["tool_calls", "tool_calls", "message_creation"]
        first, second = stage.brain.turns
        assert first.passages == second.passages != ()
