"""The emulator beside recordings of the real API: assistants, threads, messages, runs and their steps.

Each recording is played to an emulator of its own, after what made the objects that it speaks of. The answer has the
same status, headers, order of keys, types of values and order of events; an error is the same to the byte. What
differs all the same stands in `EXPLAINED`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest

from replayproxy.core.sse import EventParser
from replayproxy.emulator.brain import Reply
from tests.real_traffic import NEEDS_RECORDINGS, Recorded, recordings
from tests.run_stage import HEADERS, USAGE, Stage, staged

pytestmark = NEEDS_RECORDINGS
FAMILIES = ("assistants_", "threads_", "messages_", "runs_", "run_steps_")
#: Made anew on the way, or not told by an emulator.
TRANSPORT = {
    *("date", "transfer-encoding", "connection", "content-length", "server", "alt-svc", "strict-transport-security"),
    *("cf-ray", "cf-cache-status", "set-cookie", "openai-organization", "x-content-type-options"),
}
#: What an object of the emulator's has more, or an event is called instead, by the kind of object; and why.
EXPLAINED = {
    ("assistant", "reasoning_effort"): "Came in 2025 (recorded: run_steps_retrieve_assistant_setup).",
    ("thread.run", "reasoning_effort"): "Came in 2025 (recorded: run_steps_retrieve_run_setup).",
    ("thread.run", "parallel_tool_calls"): "Came in June 2024 (recorded: run_steps_retrieve_run_setup).",
    **{
        ("thread.message", name): "The real API has it in streams only; strict clients refuse a message without."
        for name in ("status", "incomplete_details", "incomplete_at", "completed_at")
    },
    ("event", "thread.run.incomplete"): "Was thread.run.completed until June 2024 (openai-node#1439, openai-php#421).",
}
ID = re.compile(r"\b(?:asst|thread|msg|run|step)_[0-9A-Za-z]{24}\b")


def of_version_2() -> list[Recorded]:
    """The recordings of these families, without those of the first version and of the days of change."""
    return [
        each
        for each in recordings()
        if each.name.startswith(FAMILIES)
        and each.request.headers.get("openai-beta") == "assistants=v2"
        and not old(each)
    ]


def old(one: Recorded) -> bool:
    """Whether objects of the first version are answered: with `file_ids` of their own, or threads without resources."""
    body = one.response.body
    thread = b'"object": "thread",' in body and b"tool_resources" not in body
    return thread or re.search(rb'^ {2,6}"file_ids"', body, re.MULTILINE) is not None


RECORDED = of_version_2()
#: What made each object, by the object's id.
MADE = {
    orjson.loads(one.response.body)["id"]: one
    for one in RECORDED
    if one.request.method == "POST" and one.response.status == 200 and "_setup" in one.name
}


@dataclass
class Beside:
    """A recording, and what the emulator answers instead."""

    one: Recorded
    explained: set[tuple[str, str]] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)

    def translated(self, text: str) -> str:
        """Text with the recorded ids replaced by the emulator's; those of which nothing is known stay."""
        return ID.sub(lambda found: self.ids.get(found.group(), found.group()), text)

    def shape(self, value: Any, real: Any) -> Any:
        """A value with its scalars replaced by their types, in the order of its keys, without what is explained."""
        if isinstance(value, dict):
            kind = value.get("object", "")
            keys = [key for key in value if self.counts(kind, key, real)]
            inner = real if isinstance(real, dict) else {}
            return [(key, self.shape(value[key], inner.get(key))) for key in keys]
        if isinstance(value, list):
            first = real[0] if isinstance(real, list) and real else None
            shapes = [self.shape(each, first) for each in value]
            return [each for place, each in enumerate(shapes) if each not in shapes[:place]]  # one of each form
        return type(value).__name__

    def counts(self, kind: str, key: str, real: Any) -> bool:
        """Whether a key is compared: it is recorded, or nothing explains that it is not."""
        if isinstance(real, dict) and key not in real and (kind, key) in EXPLAINED:
            self.explained.add((kind, key))
            return False
        return True


@asynccontextmanager
async def played(one: Recorded) -> AsyncIterator[tuple[Beside, aiohttp.ClientResponse]]:
    """The emulator's answer to a recorded request, after all that led to it; the model stops as the real one did."""
    async with staged(Reply("Sure, I can help with writing Ruby code", finish="length", usage=USAGE)) as stage:
        beside = Beside(one)
        listed = [orjson.loads(one.response.body)["first_id"]] if b'"first_id": "' in one.response.body else []
        for id_ in (*ID.findall(f"{one.request.target} {one.request.body.decode()}"), *listed):
            await prepare(stage, beside, id_)
        async with request(stage, beside, one) as response:
            yield beside, response


async def prepare(stage: Stage, beside: Beside, id_: str) -> None:
    """Has an object made in the place of a recorded one: as that was made, or else as its answers show it."""
    if id_ in beside.ids:
        return
    made = MADE.get(id_)
    if made is not None:
        for other in ID.findall(f"{made.request.target} {made.request.body.decode()}"):
            await prepare(stage, beside, other)
        async with request(stage, beside, made) as response:
            beside.ids[id_] = (await response.json())["id"]
    elif id_.startswith("asst_"):
        works = beside.one.response.status == 200
        body = {"model": "gpt-4", "instructions": "Write Ruby." if works else None}
        beside.ids[id_] = await send(stage, "/v1/assistants", body)
    elif id_.startswith("thread_"):
        beside.ids[id_] = await send(stage, "/v1/threads", {})
    else:
        thread = next(each for key, each in beside.ids.items() if key.startswith("thread_"))
        if id_.startswith("run_"):
            assistant = await send(stage, "/v1/assistants", {"model": "gpt-4", "instructions": "Write Ruby."})
            body = {"assistant_id": assistant, "max_prompt_tokens": 256, "max_completion_tokens": 16}
            beside.ids[id_] = await send(stage, f"/v1/threads/{thread}/runs", body)
        else:
            body = {"role": "user", "content": "Hello"}
            beside.ids[id_] = await send(stage, f"/v1/threads/{thread}/messages", body)


async def send(stage: Stage, target: str, body: Any) -> str:
    """The id of what a call makes."""
    async with stage.session.post(stage.url.removesuffix("/v1") + target, json=body, headers=HEADERS) as response:
        assert response.status == 200, await response.text()
        return str((await response.json())["id"])


@asynccontextmanager
async def request(stage: Stage, beside: Beside, one: Recorded) -> AsyncIterator[aiohttp.ClientResponse]:
    """A recorded request, put to the emulator."""
    url = stage.url.removesuffix("/v1") + beside.translated(one.request.target)
    body = beside.translated(one.request.body.decode()).encode() or None
    headers = HEADERS | {"Content-Type": "application/json"}
    async with stage.session.request(one.request.method, url, data=body, headers=headers) as response:
        yield response


async def compare(one: Recorded) -> Beside:
    """Plays a recording and compares; gives what was explained."""
    async with played(one) as (beside, response):
        mine, real = await response.read(), one.response.body
        assert response.status == one.response.status, mine
        names = {name.lower() for name, _ in one.response.headers}
        assert names - TRANSPORT <= {name.lower() for name in response.headers}
        assert response.headers["Content-Type"] == one.response.headers.get("content-type")
        if response.content_type == "text/event-stream":
            compare_streams(beside, mine, real)
            return beside
        parsed, expected = orjson.loads(mine), orjson.loads(real)
        assert beside.shape(parsed, expected) == Beside(one).shape(expected, None)
        if response.status != 200:
            assert mine.decode() == beside.translated(real.decode())
        elif not beside.explained and not isinstance(parsed.get("data"), list):
            assert len(mine.splitlines()) == len(real.splitlines())
    return beside


def compare_streams(beside: Beside, mine: bytes, real: bytes) -> None:
    """The same events in the same order with data of the same shapes; pieces of text count once."""
    told, expected = events_of(mine), events_of(real)
    for number, (name, _) in enumerate(told):
        if name != expected[number][0] and ("event", name) in EXPLAINED:
            beside.explained.add(("event", name))
            told[number] = (expected[number][0], told[number][1])
    assert [name for name, _ in told] == [name for name, _ in expected]
    for (name, data), (_, recorded) in zip(told, expected, strict=True):
        assert beside.shape(data, recorded) == Beside(beside.one).shape(recorded, None), name


def events_of(stream: bytes) -> list[tuple[str, Any]]:
    """The events of a stream, the first two pieces of a text standing for all of them."""
    parser = EventParser()
    found = [(each.event, each.data) for each in (*parser.feed(stream), *parser.finish()) if each.dispatched]
    names = [name for name, _ in found]
    kept = [
        each
        for n, each in enumerate(found)
        if names[n] not in names[max(n - 2, 0) : n] or names[max(n - 2, 0)] != names[n]
    ]
    return [(name, data if data == "[DONE]" else orjson.loads(data)) for name, data in kept]


@pytest.mark.parametrize("one", RECORDED, ids=str)
async def test_answer_has_the_shape_of_the_real_one(one: Recorded) -> None:
    """Status, headers, order of keys, types, order of events; an error to the byte."""
    await compare(one)


async def test_all_that_differs_is_explained() -> None:
    """Prints what differs; an explanation that nothing needs any more has to go."""
    used: dict[tuple[str, str], int] = {}
    for one in RECORDED:
        for what in (await compare(one)).explained:
            used[what] = used.get(what, 0) + 1
    for what, count in sorted(used.items()):
        print(f"{what[0]}: {what[1]} (in {count} of {len(RECORDED)} recordings): {EXPLAINED[what]}")
    assert used.keys() == EXPLAINED.keys()
