"""Evals: criteria, runs that are really run, and what came of each item."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI

from replayproxy.core.problem import Problem
from replayproxy.emulator.app import create_app
from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.brain.turns import Reply, Turn
from replayproxy.emulator.evals.formula import computed
from replayproxy.emulator.evals.graders import grade
from replayproxy.emulator.evals.items import run_item
from replayproxy.emulator.evals.similarity import similarity
from replayproxy.emulator.evals.templates import rendered, rendered_messages, sample_of, value_at
from replayproxy.emulator.families import KINDS
from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings, State
from tests.strict_clients import strict_client

CUSTOM: Any = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
CHECK: Any = {
    "type": "string_check",
    "name": "says it",
    "input": "{{sample.output_text}}",
    "reference": "{{item.word}}",
    "operation": "ilike",
}
ASKED: Any = [{"role": "user", "content": "Say {{item.word}}"}]


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


async def made(client: AsyncOpenAI, *criteria: Any) -> str:
    """The id of an eval."""
    created = await client.evals.create(data_source_config=CUSTOM, testing_criteria=criteria or [CHECK])
    return created.id


def content(*items: Any) -> Any:
    """Items that come along with a run."""
    return {"type": "file_content", "content": list(items)}


async def completed(client: AsyncOpenAI, eval_id: str, source: Any) -> Any:
    """A run at its end."""
    run: Any = await client.evals.runs.create(eval_id, data_source=source)
    assert run.status == "queued"
    for status in ("in_progress", "completed"):
        run = await client.evals.runs.retrieve(run.id, eval_id=eval_id)
        assert run.status == status
    return run


async def test_eval_lives_from_creation_to_deletion(client: AsyncOpenAI) -> None:
    """Created (201), told, listed oldest first, changed, and gone."""
    raw = await client.evals.with_raw_response.create(
        name="One", metadata={"a": "b"}, data_source_config=CUSTOM, testing_criteria=[CHECK]
    )
    one: Any = raw.parse()
    assert (raw.status_code, one.name, one.metadata) == (201, "One", {"a": "b"})
    schema = one.to_dict()["data_source_config"]["schema"]
    assert schema["required"] == ["item", "sample"]
    assert (await client.evals.retrieve(one.id)).to_dict() == one.to_dict()
    stored: Any = await client.evals.create(
        data_source_config={"type": "stored_completions", "metadata": {"use": "x"}}, testing_criteria=[CHECK]
    )
    assert stored.to_dict()["data_source_config"]["metadata"] == {"use": "x"}
    assert [each.id async for each in client.evals.list(limit=1)] == [one.id, stored.id]
    assert [each.id async for each in client.evals.list(order="desc")] == [stored.id, one.id]
    changed = await client.evals.update(one.id, name="Two")
    assert (changed.name, changed.metadata) == ("Two", {"a": "b"})
    gone = await client.evals.delete(one.id)
    assert (gone.eval_id, gone.deleted, gone.object) == (one.id, True, "eval.deleted")
    calls = (
        client.evals.retrieve(one.id),
        client.evals.update(one.id, name="x"),
        client.evals.delete(one.id),
        client.evals.runs.list(one.id),
        client.evals.runs.create(one.id, data_source={"type": "jsonl", "source": content()}),
        client.evals.runs.retrieve("evalrun_x", eval_id=one.id),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError, match=f"No eval found with id '{one.id}'"):
            await call


async def test_model_is_asked_about_each_item(client: AsyncOpenAI) -> None:
    """And its answers are graded; the run adds up what came of them."""
    eval_id = await made(client, CHECK, {**CHECK, "name": "nothing else", "operation": "eq"})
    source = {
        "type": "completions",
        "model": "gpt-4o",
        "input_messages": {"type": "template", "template": ASKED},
        "source": content({"item": {"word": "cat"}}, {"item": {"word": "dog"}}),
        "sampling_params": {"temperature": 0.5, "seed": 3},
    }
    run = await completed(client, eval_id, source)
    assert run.result_counts.to_dict() == {"total": 2, "errored": 0, "failed": 2, "passed": 0}
    assert [(each.testing_criteria, each.passed, each.failed) for each in run.per_testing_criteria_results] == [
        ("says it", 2, 0),
        ("nothing else", 0, 2),
    ]
    (usage,) = run.to_dict()["per_model_usage"]
    assert (usage["model_name"], usage["invocation_count"]) == ("gpt-4o", 2)
    items = client.evals.runs.output_items
    found = [each async for each in items.list(run.id, eval_id=eval_id, limit=1)]
    assert [each.datasource_item for each in found] == [{"word": "cat"}, {"word": "dog"}]
    first = found[0]
    assert (first.status, [each.passed for each in first.results]) == ("fail", [True, False])
    assert first.sample.to_dict()["input"] == [{"role": "user", "content": "Say cat"}]
    assert (first.sample.model, first.sample.temperature, first.sample.seed) == ("gpt-4o", 0.5, 3)
    assert sum(each.sample.usage.total_tokens for each in found) == usage["total_tokens"]
    assert (await items.retrieve(first.id, eval_id=eval_id, run_id=run.id)).to_dict() == first.to_dict()
    assert [each async for each in items.list(run.id, eval_id=eval_id, status="pass")] == []
    assert await client.evals.runs.retrieve(run.id, eval_id=eval_id) == run
    with pytest.raises(openai.NotFoundError, match="No eval run output item found with id 'x'"):
        await items.retrieve("x", eval_id=eval_id, run_id=run.id)


async def test_samples_that_come_along_are_graded(client: AsyncOpenAI) -> None:
    """No model is asked then."""
    eval_id = await made(client)
    rows = [{"item": {"word": "a"}, "sample": {"output_text": text}} for text in ("an a", "b")]
    run = await completed(client, eval_id, {"type": "jsonl", "source": content(*rows)})
    assert run.result_counts.to_dict() == {"total": 2, "errored": 0, "failed": 1, "passed": 1}
    assert run.per_model_usage == []
    items = client.evals.runs.output_items
    (passed,) = [each async for each in items.list(run.id, eval_id=eval_id, status="pass")]
    assert passed.sample.to_dict()["output"] == [{"role": "assistant", "content": "an a"}]


async def test_items_of_a_file(client: AsyncOpenAI) -> None:
    """One a line, in an `item` or as it is; what is no object is passed over. The file must be there."""
    eval_id = await made(client)
    rows = b'{"item": {"word": "x"}}\n{"word": "y"}\nnonsense\n[1]\n'
    file = await client.files.create(file=("a.jsonl", rows), purpose="user_data")
    source: Any = {
        "type": "responses",
        "model": "gpt-4o",
        "input_messages": {"type": "item_reference", "item_reference": "item.messages"},
        "source": {"type": "file_id", "id": file.id},
    }
    run = await completed(client, eval_id, source)
    assert run.result_counts.total == 2
    source["source"]["id"] = "file-none"
    with pytest.raises(openai.BadRequestError, match="No such File object: file-none"):
        await client.evals.runs.create(eval_id, data_source=source)


async def test_searches_have_no_items(client: AsyncOpenAI) -> None:
    """What is stored elsewhere is not looked through."""
    source = {"type": "completions", "source": {"type": "stored_completions"}}
    assert (await completed(client, await made(client), source)).result_counts.total == 0


async def test_runs_are_listed_cancelled_and_deleted(client: AsyncOpenAI) -> None:
    """A run that is cancelled does not move on."""
    eval_id, runs = await made(client), client.evals.runs
    source: Any = {"type": "jsonl", "source": content()}
    one = await runs.create(eval_id, data_source=source, name="One", metadata={"a": "b"})
    two = await runs.create(eval_id, data_source=source)
    assert (one.name, one.metadata) == ("One", {"a": "b"})
    assert [each.id async for each in runs.list(eval_id)] == [one.id, two.id]
    raw = await client.post(f"/evals/{eval_id}/runs/{one.id}", cast_to=object)
    assert raw["status"] == "canceled"  # type: ignore[index]
    assert (await runs.retrieve(one.id, eval_id=eval_id)).status == "canceled"
    assert [each.id async for each in runs.list(eval_id, status="canceled")] == [one.id]
    gone = await runs.delete(one.id, eval_id=eval_id)
    assert (gone.run_id, gone.deleted) == (one.id, True)
    calls = (
        runs.retrieve(one.id, eval_id=eval_id),
        runs.delete(one.id, eval_id=eval_id),
        runs.output_items.list(one.id, eval_id=eval_id),
        runs.output_items.retrieve("x", run_id=one.id, eval_id=eval_id),
        client.post(f"/evals/{eval_id}/runs/{one.id}", cast_to=object),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError, match=f"No eval run found with id '{one.id}'"):
            await call
    with pytest.raises(openai.NotFoundError, match="No eval run found with id 'evalrun_none'"):
        await runs.list(eval_id, after="evalrun_none")
    with pytest.raises(openai.BadRequestError, match="limit"):
        await runs.list(eval_id, limit=0)


async def test_many_may_ask_at_once(client: AsyncOpenAI) -> None:
    """A run is run once all the same."""
    eval_id = await made(client)
    source: Any = {"type": "completions", "model": "m", "source": content(*({"item": {"n": n}} for n in range(20)))}
    run = await client.evals.runs.create(eval_id, data_source=source)
    await client.evals.runs.retrieve(run.id, eval_id=eval_id)
    await asyncio.gather(*(client.evals.runs.retrieve(run.id, eval_id=eval_id) for _ in range(5)))
    items = client.evals.runs.output_items
    assert len([each async for each in items.list(run.id, eval_id=eval_id)]) == 20


@pytest.mark.parametrize("cancel", [False, True])
async def test_run_tells_how_it_is_while_it_runs(aiohttp_client: Any, cancel: bool) -> None:
    """It is in progress, and may be cancelled; then what was run comes too late."""
    asked, may_go = asyncio.Event(), asyncio.Event()

    class Slow:
        async def reply(self, _: Turn) -> Reply:
            asked.set()
            await may_go.wait()
            return Reply("Done")

    client = await aiohttp_client(create_app(brain=Slow()))

    async def told(method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": "Bearer sk-test"}
        return await (await client.request(method, f"/v1/evals{path}", json=body, headers=headers)).json()

    path = "/" + (await told("POST", "", {"data_source_config": CUSTOM, "testing_criteria": [CHECK]}))["id"] + "/runs"
    source: Any = {"type": "completions", "model": "m", "source": content({"item": {"word": "w"}})}
    path += "/" + (await told("POST", path, {"data_source": source}))["id"]
    assert (await told("GET", path))["status"] == "in_progress"
    running_one = asyncio.create_task(told("GET", path))
    await asked.wait()
    assert (await told("GET", path))["status"] == "in_progress"
    if cancel:
        assert (await told("POST", path))["status"] == "canceled"
    may_go.set()
    assert (await running_one)["status"] == ("canceled" if cancel else "completed")
    assert len((await told("GET", f"{path}/output_items"))["data"]) == (0 if cancel else 1)
    assert (await told("POST", path))["status"] == ("canceled" if cancel else "completed")


async def test_evals_that_were_never_made_can_be_taken() -> None:
    """With runs and items."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        item = await client.evals.runs.output_items.retrieve("outputitem_x", eval_id="eval_x", run_id="evalrun_x")
        assert (item.eval_id, item.run_id) == ("eval_x", "evalrun_x")
        assert (await client.evals.runs.retrieve("evalrun_x", eval_id="eval_x")).status == "completed"
        odd: Any = {
            "type": "label_model",
            "name": "n",
            "model": "m",
            "input": [{"role": "judge", "content": "x"}],
            "labels": ["a"],
            "passing_labels": ["a"],
        }
        told = await client.evals.create(data_source_config=CUSTOM, testing_criteria=[odd])
        assert told.to_dict()["testing_criteria"][0]["input"][0]["role"] == "user"  # type: ignore[index]


async def test_synchronous_client() -> None:
    """The same with a client that blocks."""

    def use(url: str) -> int:
        with OpenAI(base_url=f"{url}/v1", api_key="sk-test", _strict_response_validation=True) as client:
            eval_id = client.evals.create(data_source_config=CUSTOM, testing_criteria=[CHECK]).id
            source: Any = {"type": "completions", "model": "m", "source": content({"item": {"word": "w"}})}
            run: Any = client.evals.runs.create(eval_id, data_source=source)
            for _ in range(2):
                run = client.evals.runs.retrieve(run.id, eval_id=eval_id)
            return int(run.result_counts.passed)

    async with running() as emulator:
        assert await asyncio.to_thread(use, emulator.url) == 1


class Says:
    """A model that says one thing, or fails."""

    def __init__(self, text: str, error: Problem | None = None) -> None:
        self._reply = Reply(text, error=error)
        self.turns: list[Turn] = []

    async def reply(self, turn: Turn) -> Reply:
        """The one thing."""
        self.turns.append(turn)
        return self._reply


JUDGE: Any = {"name": "j", "model": "m", "input": [{"role": "user", "content": "{{item.a}}"}]}
LABELS: Any = JUDGE | {"type": "label_model", "labels": ["good", "bad"], "passing_labels": ["good"]}


@pytest.mark.parametrize(
    ("grader", "says", "score", "passed"),
    [
        (JUDGE | {"type": "score_model", "range": [1, 5]}, "I give it 4.", 4.0, True),
        (JUDGE | {"type": "score_model", "range": [1, 5]}, "9", 5.0, True),
        (JUDGE | {"type": "score_model", "pass_threshold": 0.9}, "0.5", 0.5, False),
        (JUDGE | {"type": "score_model"}, "Good.", 1.0, True),
        (LABELS, "GOOD", 1.0, True),
        (LABELS, "bad", 0.0, False),
        (LABELS, "no idea", 1.0, True),
    ],
)
async def test_models_grade(grader: Any, says: str, score: float, passed: bool) -> None:
    """By the number or label that they name; the best where they name none."""
    brain = Says(says)
    found = await grade(State(EmulatorSettings(), KINDS, brain), grader, {"item": {"a": "x"}})
    assert (found.score, found.passed) == (score, passed)
    assert brain.turns[0].messages == ({"role": "user", "content": "x"},)


async def test_graders_by_name_are_combined() -> None:
    """As the API takes them in its examples."""
    graders = {"a": CHECK | {"operation": "eq"}, "b": CHECK}
    grader = {"type": "multi", "name": "n", "graders": graders, "calculate_output": "(a + b) / 2"}
    values = {"item": {"word": "x"}, "sample": {"output_text": "xy"}}
    found = await grade(State(EmulatorSettings(), KINDS, DefaultBrain()), grader, values)
    assert (found.score, found.parts) == (0.5, {"a": 0.0, "b": 1.0})


async def test_model_that_fails_errs_the_item() -> None:
    """Whatever the criteria say; messages may come from the item itself, or be the item."""
    brain = Says("", Problem("Broken", code="broken"))
    state = State(EmulatorSettings(), KINDS, brain)
    source: Any = {"type": "completions", "source": {}, "input_messages": {"type": "item_reference"}}
    source["input_messages"]["item_reference"] = "item.asked"
    ran = await run_item(state, [], source, {"asked": [{"role": "user", "content": "Hi"}]}, None)
    assert not ran.passed
    assert ran.messages == [{"role": "user", "content": "Hi"}]
    del source["input_messages"]
    assert (await run_item(state, [], source, {"a": 1}, None)).messages == [{"role": "user", "content": '{"a":1}'}]


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("1 + 2 * 3", 7.0),
        ("-a / 2", -0.25),
        ("max(a, b, 0.7)", 1.0),
        ("abs(-1)", 1.0),
        ("c", None),
        ("1 / 0", None),
        ("__import__('os')", None),
        ("a.b", None),
        ("'x'", None),
        ("1 ** 2", None),
        ("(", None),
        ("max()", None),
        ("1" * 3000, None),
    ],
)
def test_formulas_are_arithmetic(formula: str, value: float | None) -> None:
    """And nothing else."""
    assert computed(formula, {"a": 0.5, "b": 1.0}) == value


METRICS = ["fuzzy_match", "bleu", "gleu", "meteor", "cosine", "rouge_l", *(f"rouge_{n}" for n in range(1, 6))]


@pytest.mark.parametrize("metric", METRICS)
@given(st.text("ab c", max_size=20), st.text("ab c", max_size=20))
def test_similarity_is_a_share(metric: str, one: str, other: str) -> None:
    """From 0 to 1, and 1 for the same words."""
    assert 0 <= similarity(metric, one, other) <= 1 + 1e-9
    assert similarity(metric, one, one) == pytest.approx(1)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("bleu", 0.5373),
        ("gleu", 0.6111),
        ("meteor", 0.8333),
        ("cosine", 0.8660),
        ("rouge_1", 0.8333),
        ("rouge_2", 0.6),
        ("rouge_l", 0.8333),
        ("fuzzy_match", 0.9048),
    ],
)
def test_similarity_of_two_sentences(metric: str, expected: float) -> None:
    """By the measures' definitions."""
    found = similarity(metric, "the cat sat on the mat", "the cat sat on a mat")
    assert found == pytest.approx(expected, abs=1e-3)
    assert similarity(metric, "one two", "three four") < 0.5


def test_templates_take_values() -> None:
    """Text as it is, other values as JSON, nothing for what is not there."""
    values = {"item": {"a": "x", "b": [1, {"c": True}]}, "sample": sample_of('{"k": "v"}')}
    template = "{{item.a}}|{{ item.b[1].c }}|{{item.b}}|{{item.b[9]}}|{{item.a.z}}|{{sample.output_json.k}}|{{x}}"
    assert rendered(template, values) == 'x|true|[1,{"c":true}]|||v|'
    assert value_at("item.b.x", values) is None
    content_forms: list[Any] = ["{{item.a}}", {"type": "input_text", "text": "y"}, [{"type": "input_image"}, "z"], None]
    messages = [{"role": "user", "content": each} for each in content_forms]
    assert [each["content"] for each in rendered_messages(messages, values)] == ["x", "y", "z", ""]
