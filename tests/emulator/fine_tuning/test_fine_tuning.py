"""Fine-tuning: jobs that advance, their events and checkpoints, permissions, and graders tried out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.families import KINDS
from replayproxy.emulator.fine_tuning.fine_tuning import JOB
from replayproxy.emulator.fine_tuning.life import advance
from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings, State
from tests.strict_clients import strict_client

EXAMPLES = b'{"messages": []}\n' * 10
GRADER: Any = {"type": "string_check", "name": "same", "input": "{{sample.output_text}}", "reference": "{{item.a}}"}


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


async def begun(client: AsyncOpenAI, content: bytes = EXAMPLES, **more: Any) -> Any:
    """A job over some examples."""
    file = await client.files.create(file=("a.jsonl", content), purpose="fine-tune")
    return await client.fine_tuning.jobs.create(training_file=file.id, **{"model": "gpt-4o-mini", **more})


async def advanced(client: AsyncOpenAI, job: Any, steps: int = 3) -> Any:
    """A job after some retrievals."""
    for _ in range(steps):
        job = await client.fine_tuning.jobs.retrieve(job.id)
    return job


async def test_job_advances_as_it_is_retrieved(client: AsyncOpenAI) -> None:
    """Until its model is there; all is told in events and checkpoints."""
    job = await begun(client, suffix="mine", seed=7, metadata={"a": "b"})
    assert (job.status, job.seed, job.metadata, job.hyperparameters.n_epochs) == (
        *("validating_files", 7, {"a": "b"}, "auto"),
    )
    seen = []
    while job.status != "succeeded":
        raw = await client.fine_tuning.jobs.with_raw_response.retrieve(job.id)
        job = raw.parse()
        seen.append(job.status)
        assert ("openai-poll-after-ms" in raw.headers) == (job.status != "succeeded")
    assert seen == ["queued", "running", "succeeded"]
    assert (job.hyperparameters.n_epochs, job.trained_tokens, job.error) == (3, 1200, None)
    assert job.fine_tuned_model.startswith("ft:gpt-4o-mini:personal:mine:")
    assert (await client.files.retrieve(job.result_files[0])).purpose == "fine-tune-results"
    assert (await client.files.content(job.result_files[0])).text.startswith("step,train_loss")
    events = [each async for each in client.fine_tuning.jobs.list_events(job.id, limit=5)]
    assert events[0].message == "The job has successfully completed"
    assert events[-1].message == f"Created fine-tuning job: {job.id}"
    assert {each.type for each in events} == {"message", "metrics"}
    checkpoints = [each async for each in client.fine_tuning.jobs.checkpoints.list(job.id, limit=2)]
    assert [each.step_number for each in checkpoints] == [30, 20, 10]
    assert checkpoints[0].fine_tuned_model_checkpoint == job.fine_tuned_model
    assert checkpoints[1].fine_tuned_model_checkpoint.endswith(":ckpt-step-20")
    assert await client.fine_tuning.jobs.retrieve(job.id) == job


@pytest.mark.parametrize(
    ("method", "told"),
    [
        (
            {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
            {"n_epochs": 2, "batch_size": "auto", "learning_rate_multiplier": "auto"},
        ),
        (
            {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}},
            {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto", "beta": 0.2},
        ),
        ({"type": "reinforcement", "reinforcement": {"grader": {**GRADER, "operation": "eq"}}}, None),
        ({"type": "reinforcement"}, None),
    ],
)
async def test_methods_are_told(client: AsyncOpenAI, method: Any, told: Any) -> None:
    """With all of their hyperparameters."""
    job = await begun(client, method=method)
    answered = job.to_dict()["method"]
    assert answered["type"] == method["type"]
    if told:
        assert answered[method["type"]]["hyperparameters"] == told
    elif len(method) > 1:
        assert answered["reinforcement"]["grader"] == method["reinforcement"]["grader"]
        assert answered["reinforcement"]["hyperparameters"]["reasoning_effort"] == "default"
    assert (await advanced(client, job)).status == "succeeded"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"messages": []}\n' * 2, "invalid_n_examples"),
        (b"nonsense\n" * 10, "invalid_file_format"),
        (b"[]\n" * 10, "invalid_file_format"),
    ],
)
async def test_examples_that_are_wrong_fail_the_job(client: AsyncOpenAI, content: bytes, code: str) -> None:
    """As the real API has it: too few, or no JSONL."""
    job = await advanced(client, await begun(client, content), 2)
    assert (job.status, job.error.code, job.error.param) == ("failed", code, "training_file")
    (event, *_) = [each async for each in client.fine_tuning.jobs.list_events(job.id)]
    assert event.level == "error"


async def test_job_can_be_cancelled(client: AsyncOpenAI) -> None:
    """Until it is over, after which nothing can be done to it."""
    jobs = client.fine_tuning.jobs
    job = await jobs.cancel((await begun(client)).id)
    assert job.status == "cancelled"
    assert (await jobs.retrieve(job.id)).status == "cancelled"
    for name, call in (("cancel", jobs.cancel), ("pause", jobs.pause), ("resume", jobs.resume)):
        with pytest.raises(openai.BadRequestError, match=f"Cannot {name} fine-tuning job {job.id}: .*'cancelled'"):
            await call(job.id)


async def test_job_that_is_paused_waits(client: AsyncOpenAI) -> None:
    """Until it is resumed."""
    jobs = client.fine_tuning.jobs
    job = await begun(client)
    await jobs.pause(job.id)
    await jobs.pause(job.id)
    assert (await advanced(client, job)).status == "validating_files"
    await jobs.resume(job.id)
    assert (await advanced(client, job)).status == "succeeded"
    messages = [each.message async for each in jobs.list_events(job.id)]
    assert messages.count("Fine-tuning job paused") == messages.count("Fine-tuning job resumed") == 1


async def test_jobs_are_listed(client: AsyncOpenAI) -> None:
    """Newest first, all or those with some metadata, or with none."""
    jobs = client.fine_tuning.jobs
    one, two = await begun(client, metadata={"a": "b"}), await begun(client)
    assert [each async for each in jobs.list(limit=1)] == [two, one]
    assert [each async for each in jobs.list(metadata={"a": "b"})] == [one]
    page = await client.get("/fine_tuning/jobs?metadata=null", cast_to=object)
    assert [each["id"] for each in page["data"]] == [two.id]  # type: ignore[index]
    with pytest.raises(openai.NotFoundError, match="ftjob-none"):
        await jobs.list(after="ftjob-none")
    with pytest.raises(openai.BadRequestError, match="limit"):
        await jobs.list(limit=0)


async def test_what_is_not_there_is_told(client: AsyncOpenAI) -> None:
    """Jobs in the real API's words; files before the job begins."""
    jobs = client.fine_tuning.jobs
    calls = (jobs.retrieve, jobs.cancel, jobs.pause, jobs.resume, jobs.list_events, jobs.checkpoints.list)
    for call in calls:
        with pytest.raises(openai.NotFoundError, match="Could not find fine tune: 123") as caught:
            await call("123")
        assert (caught.value.param, caught.value.code) == ("fine_tune_id", "fine_tune_not_found")
    with pytest.raises(openai.BadRequestError, match="invalid training_file: file-none"):
        await jobs.create(training_file="file-none", model="gpt-4o")
    with pytest.raises(openai.BadRequestError, match="invalid validation_file: file-none"):
        await begun(client, validation_file="file-none")


async def test_permissions_of_a_checkpoint(client: AsyncOpenAI) -> None:
    """Given to several projects at once, listed both ways, taken away."""
    permissions, name = client.fine_tuning.checkpoints.permissions, "ft:gpt-4o:me::abc:ckpt-step-1"
    made = [each async for each in permissions.create(name, project_ids=["p1", "p2"])]
    assert [each.project_id for each in made] == ["p1", "p2"]
    assert [each.project_id async for each in permissions.list(name, order="ascending", limit=1)] == ["p1", "p2"]
    assert [each.project_id async for each in permissions.list(name)] == ["p2", "p1"]
    assert [each.id async for each in permissions.list(name, project_id="p2")] == [made[1].id]
    assert [each async for each in permissions.list("ft:other")] == []
    gone = await permissions.delete(made[0].id, fine_tuned_model_checkpoint=name)
    assert (gone.id, gone.deleted) == (made[0].id, True)
    with pytest.raises(openai.NotFoundError, match="No checkpoint permission found"):
        await permissions.delete(made[0].id, fine_tuned_model_checkpoint=name)
    with pytest.raises(openai.NotFoundError, match="No checkpoint permission found with id 'cp_none'"):
        await permissions.list(name, after="cp_none")
    with pytest.raises(openai.BadRequestError, match="limit"):
        await permissions.list(name, limit=0)


@pytest.mark.parametrize(
    ("more", "item", "reward"),
    [
        ({"operation": "eq"}, "Paris", 1.0),
        ({"operation": "ne"}, "Paris", 0.0),
        ({"operation": "like"}, "ari", 1.0),
        ({"operation": "like"}, "PARIS", 0.0),
        ({"operation": "ilike"}, "PARIS", 1.0),
        ({"type": "text_similarity", "evaluation_metric": "fuzzy_match"}, "Paris", 1.0),
        ({"type": "text_similarity", "evaluation_metric": "rouge_l"}, "Rome", 0.0),
    ],
)
async def test_graders_are_run(client: AsyncOpenAI, more: Any, item: str, reward: float) -> None:
    """Over a sample and an item."""
    grader = GRADER | more
    found = await client.fine_tuning.alpha.graders.run(grader=grader, model_sample="Paris", item={"a": item})
    assert (found.reward, found.metadata.name, found.metadata.type) == (reward, "same", grader["type"])
    assert (await client.fine_tuning.alpha.graders.validate(grader=grader)).to_dict()["grader"] == grader


async def test_graders_that_are_models_ask_one(client: AsyncOpenAI) -> None:
    """Their tokens are told; Python is not run."""
    model: Any = {
        "type": "score_model",
        "name": "judge",
        "model": "gpt-4o",
        "input": [{"role": "user", "content": "Rate {{sample.output_text}}"}],
        "range": [0, 10],
    }
    found = await client.fine_tuning.alpha.graders.run(grader=model, model_sample="7 of 10")
    assert 0 <= found.reward <= 10
    assert found.metadata.sampled_model_name == "gpt-4o"
    assert found.metadata.token_usage
    python: Any = {"type": "python", "name": "code", "source": "def grade(sample, item): raise Exception"}
    assert (await client.fine_tuning.alpha.graders.run(grader=python, model_sample="x")).reward == 1.0


@pytest.mark.parametrize(("formula", "reward"), [("2 * same", 2.0), ("min(same, 0.5) - 1", -0.5), ("1 / 0", 0.0)])
async def test_graders_are_combined(client: AsyncOpenAI, formula: str, reward: float) -> None:
    """By a formula; one that cannot be computed is told."""
    grader: Any = {
        "type": "multi",
        "name": "both",
        "graders": {**GRADER, "operation": "eq"},
        "calculate_output": formula,
    }
    found = await client.fine_tuning.alpha.graders.run(grader=grader, model_sample="a", item={"a": "a"})
    assert (found.reward, found.sub_rewards) == (reward, {"same": 1.0})
    assert found.metadata.errors.formula_parse_error == (formula == "1 / 0")


async def test_jobs_that_were_never_made_can_be_taken() -> None:
    """Whatever is asked of them, in any order."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        jobs = client.fine_tuning.jobs
        assert (await jobs.cancel("ftjob-old")).status == "cancelled"
        assert (await jobs.pause("ftjob-old")).id == "ftjob-old"
        assert (await jobs.retrieve("ftjob-other")).status == "succeeded"
        job = await jobs.create(training_file="file-old", model="gpt-4o")
        assert (await advanced(client, job)).status == "succeeded"
        gone = await client.fine_tuning.checkpoints.permissions.delete("cp_x", fine_tuned_model_checkpoint="ft:x")
        assert gone.deleted


async def test_the_model_that_a_job_made_is_listed() -> None:
    """Once it is made; it can be deleted."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        job = await client.fine_tuning.jobs.retrieve("ftjob-old")
        assert job.fine_tuned_model is not None
        assert job.fine_tuned_model in [each.id for each in (await client.models.list()).data]
        assert (await client.models.delete(job.fine_tuned_model)).deleted


def test_what_belongs_to_a_job_can_be_made_up() -> None:
    """Its events and checkpoints."""
    state = State(EmulatorSettings(unknown_ids="create"), KINDS, DefaultBrain())
    job = state.get(JOB, "ftjob-old")
    assert job is not None
    advance(state, job)
    for name in ("fine-tuning event", "fine-tuning checkpoint"):
        made = state.get(state.kinds[name], "x", job.id)
        assert made is not None
        assert made.json["id"] == "x"


async def test_synchronous_client() -> None:
    """The same with a client that blocks."""

    def use(url: str) -> str:
        with OpenAI(base_url=f"{url}/v1", api_key="sk-test", _strict_response_validation=True) as client:
            file = client.files.create(file=("a.jsonl", EXAMPLES), purpose="fine-tune")
            job = client.fine_tuning.jobs.create(training_file=file.id, model="gpt-4o")
            for _ in range(3):
                job = client.fine_tuning.jobs.retrieve(job.id)
            return job.status

    async with running() as emulator:
        assert await asyncio.to_thread(use, emulator.url) == "succeeded"
