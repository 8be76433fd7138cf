"""Usage and costs: counted from requests that were really served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import openai
import orjson
import pytest
import yaml
from openai import AsyncOpenAI

from replayproxy.core.messages import Headers, Request
from replayproxy.core.problem import Call
from replayproxy.emulator.administration.usage import USED, observe
from replayproxy.emulator.administration.usage_buckets import Row, Window
from replayproxy.emulator.administration.usage_counting import readings
from replayproxy.emulator.administration.usage_prices import bill
from replayproxy.emulator.answers import Answer, Events, Raw
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.families import KINDS
from replayproxy.emulator.records import Json
from replayproxy.emulator.state import EmulatorSettings, State
from replayproxy.openai_api import catalog
from tests.strict_clients import strict_client

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
START = 1_704_067_200
DAY = 86_400
FOLDER = Path(__file__).parents[3] / ".." / "shared" / "real-traffic" / "ruby-openai"
HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A strict client on a new emulator."""
    async with strict_client() as started:
        yield started


async def results(client: AsyncOpenAI, surface: str, **query: Any) -> list[Any]:
    """All results of the first day."""
    usage: Any = client.admin.organization.usage
    page = await getattr(usage, surface)(start_time=START, end_time=START + DAY, **query)
    return [result for bucket in page.data for result in bucket.results]


async def test_chat_completions_are_counted(client: AsyncOpenAI) -> None:
    """Their requests and tokens, by model when that is asked for."""
    told = [(await client.chat.completions.create(model=model, messages=HELLO)).usage for model in ("gpt-4o", "o3")]
    told.append((await client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Hello")).usage)
    assert all(told)
    (all_,) = await results(client, "completions")
    assert all_.num_model_requests == 3
    assert all_.input_tokens == sum(usage.prompt_tokens for usage in told if usage)
    assert all_.output_tokens == sum(usage.completion_tokens for usage in told if usage)
    assert (all_.model, all_.project_id, all_.batch) == (None, None, None)
    by_model = await results(client, "completions", group_by=["model", "service_tier", "batch"])
    assert {each.model.partition("-2")[0] for each in by_model} == {"gpt-4o", "o3", "gpt-3.5-turbo-instruct"}
    assert {(each.service_tier, each.batch) for each in by_model} == {("default", False)}
    assert await results(client, "completions", models=["other"]) == []
    assert len(await results(client, "completions", batch=False)) == 1
    assert await results(client, "completions", batch=True) == []
    assert await results(client, "embeddings") == []


async def test_usage_is_told_by_project_and_key(client: AsyncOpenAI) -> None:
    """A key that the emulator gave out counts for its project; a header may name another."""
    projects: Any = client.admin.organization.projects
    project = await projects.create(name="Shop")
    bot = await projects.service_accounts.create(project.id, name="bot")
    default = (await projects.list()).data[0]
    await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    await client.with_options(api_key=bot.api_key.value).chat.completions.create(model="gpt-4o", messages=HELLO)
    await client.with_options(project="proj_mine").chat.completions.create(model="gpt-4o", messages=HELLO)
    by = await results(client, "completions", group_by=["project_id", "user_id", "api_key_id"])
    assert [each.project_id for each in by] == [default.id, project.id, "proj_mine"]
    assert (by[1].user_id, by[1].api_key_id) == (bot.id, bot.api_key.id)
    assert by[0].user_id == by[2].user_id == (await client.admin.organization.users.list()).data[0].id
    (one,) = await results(client, "completions", project_ids=[project.id, "proj_x"], api_key_ids=[bot.api_key.id])
    assert one.num_model_requests == 1
    assert await results(client, "completions", user_ids=["user-x"]) == []


async def test_small_surfaces_are_counted(client: AsyncOpenAI) -> None:
    """Embeddings, moderations, images, sound."""
    embedded = await client.embeddings.create(
        model="text-embedding-3-small", input="Hello there", encoding_format="float"
    )
    await client.moderations.create(input=["Hello", "there"])
    await client.moderations.create(model="omni-moderation-latest", input=[{"type": "text", "text": "Hello"}])
    await client.images.generate(prompt="A cat", model="dall-e-2", n=2, size="256x256")
    await client.audio.speech.create(model="tts-1", voice="alloy", input="Hello")
    await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"\0" * 96_044))
    (embeddings,) = await results(client, "embeddings", group_by=["model"])
    assert embeddings.input_tokens == embedded.usage.prompt_tokens
    assert embeddings.model == "text-embedding-3-small"
    (moderations,) = await results(client, "moderations")
    assert (moderations.num_model_requests, moderations.input_tokens) == (2, 3)
    (images,) = await results(client, "images", group_by=["size", "source"], sizes=["256x256"])
    assert (images.images, images.num_model_requests, images.size) == (2, 1, "256x256")
    assert images.source == "image.generation"
    (speech,) = await results(client, "audio_speeches")
    assert speech.characters == 5
    (heard,) = await results(client, "audio_transcriptions")
    assert heard.seconds > 0


async def test_run_is_counted_when_it_is_done(client: AsyncOpenAI) -> None:
    """The request at once, the tokens when they are known, and only once."""
    assistant = await client.beta.assistants.create(model="gpt-4o")
    thread = await client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}])
    run = await client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    (before,) = await results(client, "completions")
    assert (before.num_model_requests, before.input_tokens) == (1, 0)
    run = await client.beta.threads.runs.poll(run.id, thread_id=thread.id)
    await client.beta.threads.runs.retrieve(run.id, thread_id=thread.id)
    (after,) = await results(client, "completions")
    assert run.usage is not None
    assert (after.num_model_requests, after.input_tokens) == (1, run.usage.prompt_tokens)
    assert after.output_tokens == run.usage.completion_tokens


async def test_responses_are_counted(client: AsyncOpenAI) -> None:
    """At once, or when they are done in the background."""
    made = await client.responses.create(model="gpt-4o", input="Hello")
    later = await client.responses.create(model="gpt-4o", input="Hello there", background=True)
    assert made.usage is not None
    (before,) = await results(client, "completions")
    assert (before.num_model_requests, before.output_tokens) == (2, made.usage.output_tokens)
    while later.status != "completed":
        later = await client.responses.retrieve(later.id)
    await client.responses.retrieve(made.id)
    assert later.usage is not None
    (after,) = await results(client, "completions")
    assert after.output_tokens == made.usage.output_tokens + later.usage.output_tokens


async def test_streams_are_requests_too(client: AsyncOpenAI) -> None:
    """One that is streamed counts as one."""
    stream = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
    [chunk async for chunk in stream]
    (used,) = await results(client, "completions")
    assert used.num_model_requests == 1
    assert used.input_tokens > 0


async def test_vector_stores_are_as_large_as_they_are(client: AsyncOpenAI) -> None:
    """In every bucket after they were made."""
    assert await results(client, "vector_stores") == []
    await client.vector_stores.create(name="Manuals")
    default = (await client.admin.organization.projects.list()).data[0]
    (used,) = await results(client, "vector_stores", group_by=["project_id"])
    assert (used.project_id, used.usage_bytes) == (default.id, 0)
    assert await results(client, "vector_stores", project_ids=["proj_x"]) == []
    usage: Any = client.admin.organization.usage
    page = await usage.vector_stores(start_time=START - 60, end_time=START + 120, bucket_width="1m")
    assert [len(bucket.results) for bucket in page.data] == [0, 1, 1]


async def test_buckets_and_their_pages(client: AsyncOpenAI) -> None:
    """They begin at multiples of their width, the first one at the time asked for."""
    await client.embeddings.create(model="text-embedding-3-small", input="Hello", encoding_format="float")
    usage: Any = client.admin.organization.usage
    query: dict[str, Any] = {"start_time": START - 90, "end_time": START + 100, "bucket_width": "1m"}
    whole = await usage.embeddings(**query)
    times = [(each.start_time - START, each.end_time - START, len(each.results)) for each in whole.data]
    assert times == [(-90, -60, 0), (-60, 0, 0), (0, 60, 1), (60, 100, 0)]
    assert (whole.has_more, whole.next_page) == (False, None)
    first = await usage.embeddings(**query, limit=3)
    assert first.has_more
    second = await usage.embeddings(**query, limit=3, page=first.next_page)
    assert first.data + second.data == whole.data
    assert not second.has_more
    hours = await usage.embeddings(start_time=START - 10 * DAY, bucket_width="1h")
    assert (len(hours.data), hours.has_more) == (24, True)
    days = await usage.embeddings(start_time=START - DAY)
    assert [each.end_time - START for each in days.data] == [0, 1]
    late = await usage.embeddings(start_time=START + 10 * DAY)
    assert [each.results for each in late.data] == [[]]
    assert (await usage.embeddings(start_time=START, end_time=START)).data == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": 32}, "Invalid 'limit': integer above maximum value"),
        ({"limit": 0}, "Invalid 'limit': integer below minimum value"),
        ({"page": "page_x"}, "Invalid 'page'"),
    ],
)
async def test_wrong_queries_are_refused(client: AsyncOpenAI, query: dict[str, Any], message: str) -> None:
    """As everywhere, by the name of what is wrong; of costs, too."""
    with pytest.raises(openai.BadRequestError, match=message):
        await client.admin.organization.usage.completions(start_time=START, **query)
    with pytest.raises(openai.BadRequestError, match=message):
        await client.admin.organization.usage.costs(start_time=START, **query | {"limit": query.get("limit", 1) * 6})


async def test_costs_follow_from_usage(client: AsyncOpenAI) -> None:
    """In whole days; by line of the bill when that is asked for, with what was paid for."""
    told = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    await client.embeddings.create(model="text-embedding-3-small", input="Hello", encoding_format="float")
    await client.moderations.create(input="Hello")
    usage: Any = client.admin.organization.usage
    (bucket,) = (await usage.costs(start_time=START + 5)).data
    assert (bucket.start_time, bucket.end_time) == (START, START + DAY)
    (all_,) = bucket.results
    (bucket,) = (await usage.costs(start_time=START, group_by=["line_item", "project_id", "api_key_id"])).data
    lines = {each.line_item: each for each in bucket.results}
    assert told.usage is not None
    output = lines[f"{told.model}, output"]
    assert (output.quantity, output.quantity_unit) == (told.usage.completion_tokens, "tokens")
    assert output.amount.value == pytest.approx(told.usage.completion_tokens * 10 / 1e6)
    assert set(lines) == {f"{told.model}, input", f"{told.model}, output", "text-embedding-3-small, input"}
    assert all_.amount.value == pytest.approx(sum(each.amount.value for each in bucket.results))
    assert output.api_key_id.startswith("key_")
    (bucket,) = (await usage.costs(start_time=START, project_ids=["proj_x"])).data
    assert bucket.results == []


@pytest.mark.parametrize(
    ("surface", "model", "amounts", "lines"),
    [
        ("completions", "gpt-4o-mini-2024-07-18", {"input_tokens": 10, "input_cached_tokens": 4}, 0.6e-6 * 2),
        ("completions", "somebody's", {"input_tokens": 10, "output_tokens": 1}, 14e-6),
        ("images", "dall-e-3", {"images": 2}, 0.08),
        ("audio_transcriptions", "whisper-1", {"seconds": 60}, 0.006),
        ("file_search_calls", None, {"num_requests": 2}, 0.005),
        ("moderations", "omni-moderation-latest", {"input_tokens": 10}, 0),
    ],
)
def test_prices(surface: str, model: str | None, amounts: dict[str, float], lines: float) -> None:
    """The longest name that fits counts; what is not in the table costs something all the same."""
    total = sum(line.amounts["value"] for line in bill(surface, Row(0, {"model": model}, amounts)))
    assert total == pytest.approx(lines)


def test_cursor_does_not_go_back() -> None:
    """One from another query begins no earlier than the query."""
    page = "page_" + "A" * 22 + "=="
    window = Window.parse({"start_time": "100", "end_time": "200", "page": page}, 0)
    assert isinstance(window, Window)
    assert window.start == 100


def asked(operation: str, body: Json, headers: Headers | None = None) -> Asked:
    """A call of an operation."""
    found = next(each for each in catalog() if each.id == operation)
    resolved = catalog().resolve(found.method, "/v1" + found.template.replace("{", "").replace("}", ""))
    assert resolved is not None
    request = Request(found.method, "/v1/x", headers or Headers.of(("authorization", "Bearer sk-test")), b"")
    return Asked(request, resolved, Call({}, (), body))


def used(operation: str, body: Json, answer: Answer) -> list[tuple[str, dict[str, int]]]:
    """What a call used, nothings left out."""
    found = readings(asked(operation, body), answer)
    return [(each.surface, {name: amount for name, amount in each.amounts.items() if amount}) for each in found]


def chunk(text: str, **more: Any) -> tuple[str, Json]:
    """A chunk of a chat completion."""
    return "", {"object": "chat.completion.chunk", "created": 7, "choices": [{"delta": {"content": text}}], **more}


ANSWERED = {"id": "resp_1", "object": "response", "created_at": 7, "model": "gpt-4o"}
SPENT = {"usage": {"input_tokens": 3, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 1}}}
TOOLS: Json = {
    "tools": [
        {"type": "web_search", "search_context_size": "low"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
    ],
    "output": [
        {"type": "web_search_call"},
        {"type": "web_search_call"},
        {"type": "file_search_call"},
        {"type": "code_interpreter_call", "container_id": "cntr_1"},
        {"type": "code_interpreter_call", "container_id": "cntr_1"},
    ],
}
COUNTED = {"input_tokens": 3, "output_tokens": 2, "input_cached_tokens": 1}


@pytest.mark.parametrize(
    ("operation", "body", "answer", "expected"),
    [
        pytest.param(
            "createChatCompletion",
            {"messages": HELLO, "model": "gpt-4o"},
            Events([chunk("Hello there"), ("", {"object": "chat.completion.chunk", "choices": []}), ("", "[DONE]")]),
            [("completions", {"num_model_requests": 1, "input_tokens": 8, "output_tokens": 2})],
            id="a stream that does not tell",
        ),
        pytest.param(
            "createChatCompletion",
            {"messages": HELLO, "model": "gpt-4o"},
            Events([chunk("Hello"), chunk("", usage={"prompt_tokens": 5, "completion_tokens": 6})]),
            [("completions", {"num_model_requests": 1, "input_tokens": 5, "output_tokens": 6})],
            id="a stream that tells",
        ),
        pytest.param(
            "createCompletion",
            {"prompt": "Hello", "model": "gpt-4o"},
            Events([("", {"object": "text_completion", "created": 7, "choices": [{"text": "Hello"}]})]),
            [("completions", {"num_model_requests": 1, "input_tokens": 8, "output_tokens": 1})],
            id="a stream of the older sort",
        ),
        pytest.param(
            "createChatCompletion",
            {"messages": HELLO, "model": "gpt-4o"},
            Events(iter([chunk("Hello")])),
            [("completions", {"num_model_requests": 1, "input_tokens": 8})],
            id="a stream of which nothing is known",
        ),
        pytest.param(
            "createResponse",
            {},
            Events([("response.completed", {"type": "response.completed", "response": ANSWERED | SPENT | TOOLS})]),
            [
                ("completions", {"num_model_requests": 1, **COUNTED}),
                ("web_search_calls", {"num_model_requests": 1, "num_requests": 2}),
                ("file_search_calls", {"num_requests": 1}),
                ("code_interpreter_sessions", {"num_sessions": 1}),
            ],
            id="a response with tools",
        ),
        pytest.param(
            "getResponse",
            {},
            ANSWERED | SPENT | {"output": TOOLS["output"][:1]},
            [("completions", COUNTED), ("web_search_calls", {"num_model_requests": 1, "num_requests": 1})],
            id="a response that is done now",
        ),
        pytest.param("getRun", {}, {"object": "thread.run", "usage": None}, [], id="a run that is not done"),
        pytest.param(
            "createRun",
            {},
            Events([("thread.run.completed", {"object": "thread.run", **SPENT}), ("done", "[DONE]")]),
            [("completions", {"num_model_requests": 1, **COUNTED})],
            id="a run that is streamed",
        ),
        pytest.param(
            "createImage",
            {},
            Events([("image_generation.completed", {"created_at": 7, "size": "1024x1024"})]),
            [("images", {"images": 1, "num_model_requests": 1})],
            id="a picture that is streamed",
        ),
        pytest.param(
            "createSpeech",
            {"input": "Hello"},
            Raw(b"x", "audio/mpeg"),
            [("audio_speeches", {"num_model_requests": 1, "characters": 5})],
            id="speech",
        ),
        pytest.param(
            "createTranscription",
            {},
            {"text": "", "usage": {"type": "duration", "seconds": 9}},
            [("audio_transcriptions", {"num_model_requests": 1, "seconds": 9})],
            id="a transcription",
        ),
        pytest.param(
            "createTranslation",
            {},
            Raw(b"Hello", "text/plain"),
            [("audio_transcriptions", {"num_model_requests": 1, "seconds": 1})],
            id="a translation of which nothing is known",
        ),
        pytest.param(
            "CreateContainer",
            {},
            {"id": "cntr_1", "created_at": 7},
            [("code_interpreter_sessions", {"num_sessions": 1})],
            id="a container",
        ),
        pytest.param("createImage", {}, Events([]), [("images", {"images": 1, "num_model_requests": 1})], id="nothing"),
        pytest.param("listModels", {}, {"object": "list", "data": []}, [], id="what costs nothing"),
    ],
)
def test_what_answers_tell(operation: str, body: Json, answer: Answer, expected: list[Any]) -> None:
    """Streams as well as answers in one piece, whichever words they count in."""
    assert used(operation, body, answer) == expected


def test_later_readings_count_once_and_for_who_asked_first() -> None:
    """A response that nobody began here is not counted; one that was begun is, for its caller."""
    state = State(EmulatorSettings(), KINDS, DefaultBrain())
    done = ANSWERED | SPENT | {"output": TOOLS["output"][:1], "tools": []}
    observe(state, asked("getResponse", {}), done)
    assert list(state.shelf(USED, "completions")) == []
    mine = Headers.of(("authorization", "Bearer sk-test"), ("openai-project", "proj_mine"))
    observe(state, asked("createResponse", {"model": "gpt-4o"}, mine), ANSWERED | {"usage": None})
    observe(state, asked("getResponse", {}), ANSWERED | {"usage": None})
    for _ in range(2):
        observe(state, asked("getResponse", {}), done)
    (entry,) = state.shelf(USED, "completions")
    assert entry.json["labels"]["project_id"] == "proj_mine"
    assert entry.json["amounts"]["num_model_requests"] == 1
    assert entry.json["amounts"]["input_tokens"] == 3
    (web,) = state.shelf(USED, "web_search_calls")
    assert web.json["labels"]["project_id"] == "proj_mine"
    assert web.json["labels"]["context_level"] == "medium"


def test_requests_of_a_batch_are_told_from_others() -> None:
    """By a header that the emulator's batches send."""
    headers = Headers.of(("authorization", "Bearer sk-test"), ("x-replayproxy-batch", "batch_1"))
    (reading,) = readings(asked("createChatCompletion", {"messages": HELLO}, headers), {"usage": {}})
    assert reading.labels["batch"] is True


async def _speak(client: AsyncOpenAI) -> None:
    await client.audio.speech.create(model="tts-1", voice="alloy", input="Hello")


async def _transcribe(client: AsyncOpenAI) -> None:
    await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"\0" * 96_044))


async def _chat(client: AsyncOpenAI) -> None:
    await client.chat.completions.create(model="gpt-4o", messages=HELLO)


async def _embed(client: AsyncOpenAI) -> None:
    await client.embeddings.create(model="text-embedding-3-small", input="Hello", encoding_format="float")


async def _draw(client: AsyncOpenAI) -> None:
    await client.images.generate(prompt="A cat", model="dall-e-2")


async def _moderate(client: AsyncOpenAI) -> None:
    await client.moderations.create(input="Hello")


async def _store(client: AsyncOpenAI) -> None:
    await client.vector_stores.create(name="Manuals")


TRAFFIC: dict[str, Callable[[AsyncOpenAI], Awaitable[None]]] = {
    "audio_speeches": _speak,
    "audio_transcriptions": _transcribe,
    "completions": _chat,
    "costs": _chat,
    "embeddings": _embed,
    "images": _draw,
    "moderations": _moderate,
    "vector_stores": _store,
}
#: What differs from the recordings, and why.
EXPLAINED = {
    "costs": "nothing was served on the first day: the emulator has no past",
    "vector_stores": "nothing was stored on the first day: the emulator has no past",
}


def shape(value: Any) -> Any:
    """A value with its scalars replaced by their types, the order of keys kept."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings of the real API in {FOLDER}")
@pytest.mark.parametrize("surface", sorted(TRAFFIC))
async def test_answer_has_the_shape_of_the_real_one(surface: str) -> None:
    """Traffic of one kind on the second day, asked for as in the recording: the same buckets, keys and types."""
    recording = yaml.safe_load((FOLDER / f"usage_{surface}.yml").read_text("utf-8"))["http_interactions"][0]
    real = orjson.loads(recording["response"]["body"]["string"])
    async with strict_client(settings=EmulatorSettings(clock_start=1_739_182_000)) as client:
        await TRAFFIC[surface](client)
        usage: Any = client.admin.organization.usage.with_raw_response
        answer = (await getattr(usage, surface)(start_time=1_739_096_063)).http_response
        mine = answer.json()
    assert answer.status_code == recording["response"]["status"]["code"]
    assert answer.headers["content-type"] == recording["response"]["headers"]["Content-Type"][0]
    if surface in EXPLAINED:
        assert mine["data"][0]["results"] == []
        real["data"][0]["results"] = []
    assert shape(mine) == shape(real)
    assert [each["start_time"] for each in mine["data"]] == [each["start_time"] for each in real["data"]]
    assert mine["data"][0]["end_time"] == real["data"][0]["end_time"]
