"""The default brain."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from replayproxy.core.problem import Problem
from replayproxy.emulator.brain import Passage, Reply, Turn, run_error
from replayproxy.emulator.brain.default import DefaultBrain

_WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Temperature and wind at a place.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
            "required": ["city"],
        },
    },
}
_TIME = {"type": "function", "function": {"name": "getTime", "parameters": {}}}
_CODE = {"type": "custom", "custom": {"name": "run", "description": "Runs Python code in a sandbox"}}
_BARE = {"type": "function", "name": "lookup_order"}


def turn(said: Any = "Hi", *more: dict[str, Any], **fields: Any) -> Turn:
    """A turn in which the user says something, and then more happens."""
    return Turn("gpt-4o", ({"role": "user", "content": said}, *more), **fields)


async def reply(*args: Any, **fields: Any) -> Reply:
    """The default brain's reply to such a turn."""
    return await DefaultBrain().reply(turn(*args, **fields))


def _calls(got: Reply) -> list[tuple[str, Any]]:
    return [(call.name, json.loads(call.arguments)) for call in got.tool_calls]


_FILE = {"type": "file"}
_IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Say  hi\nto all", 'You said "Say hi to all".'),
        ("x" * 300, f'You said "{"x" * 200}…".'),
        ([{"type": "text", "text": "a"}, "b", {"type": "text", "text": "c"}], 'You said "a b c".'),
        ([{"type": "text", "text": "Look"}, _IMAGE, _IMAGE, _FILE], 'You said "Look" and sent 2 images and 1 file.'),
        ([{"type": "input_audio"}], "You sent 1 sound."),
        (None, "You said nothing."),
    ],
)  # fmt: skip
async def test_answer_says_what_was_asked(content: Any, expected: str) -> None:
    """The answer quotes the user's last message, and tells what came with it."""
    got = await reply(content)
    assert got.text == f"{expected} This is an emulated answer of gpt-4o."
    assert (got.finish, got.tool_calls, got.refusal) == ("stop", (), None)


async def test_answer_is_the_same_each_time_and_differs_by_choice() -> None:
    """Equal turns get equal replies; the choices of one request differ."""
    assert await reply("Hi") == await reply("Hi")
    assert (await reply("Hi", choice=1)).text.endswith("gpt-4o. (Answer 2)")


async def test_nobody_asked() -> None:
    """A conversation without a user gets an answer too."""
    got = await DefaultBrain().reply(Turn("m", ()))
    assert got.text == "You said nothing. This is an emulated answer of m."


_RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "21"}
_CALLING = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}],
}


async def test_answer_says_what_tools_gave() -> None:
    """Results of tools that are the last messages are told, each with the name of its tool."""
    more = ({"role": "function", "name": "old", "content": "1"}, {"role": "tool", "tool_call_id": "?", "content": "2"})
    got = await reply("Weather?", _CALLING, _RESULT, *more, tools=(_WEATHER,), tool_choice="required")
    assert got.text == "get_weather gave: 21\nold gave: 1\nThe tool gave: 2"
    assert got.tool_calls == ()


@pytest.mark.parametrize(
    ("said", "fields", "expected"),
    [
        ("Weather in Rome?", {}, ["get_weather"]),
        ("What about the weathers", {}, ["get_weather"]),
        ("weather and time", {}, ["get_weather", "getTime"]),
        ("weather and time", {"parallel": False}, ["get_weather"]),
        ("use getTime, not the weather", {}, ["getTime"]),
        ("how much wind and which temperature?", {}, ["get_weather"]),
        ("a temperature", {}, []),
        ("where is my order", {}, ["lookup_order"]),
        ("get something", {}, []),
        ("weather", {"tool_choice": "none"}, []),
        ("weather", {"tool_choice": "auto"}, ["get_weather"]),
        ("hello", {"tool_choice": "required"}, ["get_weather"]),
        ("time", {"tool_choice": "required"}, ["getTime"]),
        ("weather", {"tool_choice": {"type": "function", "function": {"name": "getTime"}}}, ["getTime"]),
        ("weather", {"tool_choice": {"type": "function", "name": "getTime"}}, ["getTime"]),
        ("hello", {"tool_choice": {"type": "file_search"}}, []),
        ("hello", {"tool_choice": {"type": "custom", "custom": {"name": "run"}}}, ["run"]),
        (
            "hello",
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {
                        "mode": "required",
                        "tools": [{"type": "function", "function": {"name": "getTime"}}],
                    },
                }
            },
            ["getTime"],
        ),
    ],
)
async def test_tool_that_is_asked_for_is_called(said: str, fields: Any, expected: list[str]) -> None:
    """A tool is called when it is required, or when its name or words that tell of it are in the message."""
    got = await reply(said, tools=(_WEATHER, _TIME, _CODE, _BARE), **fields)
    assert [call.name for call in got.tool_calls] == expected
    assert got.finish == ("tool_calls" if expected else "stop")


async def test_arguments_fit_the_schema_and_the_message() -> None:
    """They are JSON that is valid by the tool's schema; a custom tool is given the message; choices may differ."""
    got = await reply("The weather in New York?", tools=(_WEATHER,))
    assert got.tool_calls[0].arguments == '{"city":"New York"}'
    assert _calls(await reply("time", tools=(_TIME,))) == [("getTime", {})]
    custom = (await reply("print(1)", tools=(_CODE,), tool_choice="required")).tool_calls[0]
    assert (custom.arguments, custom.kind) == ("print(1)", "custom")
    other = await reply("The weather in Rome?", tools=(_WEATHER,), choice=1)
    assert _calls(other) == [("get_weather", {"city": "Rome 2"})]
    odd = {"type": "function", "function": {"name": "odd", "parameters": {"type": "array"}}}
    assert _calls(await reply("odd", tools=(odd,))) == [("odd", {})]


async def test_tools_may_be_called_again_when_the_user_speaks_again() -> None:
    """A result ends the calls of one turn only."""
    again = {"role": "user", "content": "And the weather in Oslo?"}
    got = await reply("Weather?", _CALLING, _RESULT, again, tools=(_WEATHER,))
    assert _calls(got) == [("get_weather", {"city": "Oslo"})]


async def test_form_is_filled() -> None:
    """A JSON schema gets valid data, a JSON object an object, text stays text."""
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": schema}}
    texts = [(await reply("Take 5", response_format=form, choice=choice)).text for choice in (0, 1)]
    assert texts == ['{"n":5}', '{"n":2}']
    assert jsonschema_rs.is_valid(schema, json.loads(texts[0]))
    assert (await reply("Hi", response_format={"type": "json_schema", "schema": schema})).text == '{"n":1}'
    assert list(json.loads((await reply("Hi", response_format={"type": "json_object"})).text)) == ["answer"]
    assert (await reply("Hi", response_format={"type": "text"})).text.startswith("You said")


async def test_limit_cuts_the_text() -> None:
    """No more tokens than the turn allows, and the finish says so."""
    whole = await reply("Hello there")
    got = await reply("Hello there", limit=3)
    assert (got.text, got.finish, got.usage.completion) == ('You said "', "length", 3)
    assert (await reply("Hello there", limit=1000)).text == whole.text
    assert whole.usage.completion > 10


async def test_passages_are_cited() -> None:
    """The answer quotes the sentence that fits best, with markers that tell the passage."""
    found = (
        Passage("file-1", "policy.txt", "All goods are new. A refund takes 30 days! Ask us."),
        Passage("file-2", "b.md", "Nothing"),
        Passage("file-3", "c.md", ""),
    )
    got = await reply("When is my refund there?", passages=found)
    assert got.text == (
        'policy.txt says: "A refund takes 30 days!"【4:0†policy.txt】\nb.md says: "Nothing"【4:1†b.md】'
    )
    assert got.cited == (("【4:0†policy.txt】", found[0]), ("【4:1†b.md】", found[1]))
    assert (await reply("refund", passages=found, limit=4)).cited == ()
    assert got.usage.prompt > (await reply("When is my refund there?")).usage.prompt


async def test_usage_is_counted() -> None:
    """Prompt and completion count; models that think spend tokens on it, within the limit; a bare prompt is bare."""
    assert (await reply("Say hi")).usage.prompt == 9
    assert (await reply("Say hi", family="completions")).usage.prompt == 2
    thinking = await DefaultBrain().reply(Turn("o3-mini", ({"role": "user", "content": "Hi"},)))
    assert thinking.usage.reasoning == 64
    assert thinking.usage.total == thinking.usage.prompt + thinking.usage.completion > 64
    short = await DefaultBrain().reply(Turn("gpt-5", ({"role": "user", "content": "Hi"},), limit=30))
    assert short.usage.completion == 30
    assert (await DefaultBrain().reply(Turn("gpt-5-chat-latest", ()))).usage.reasoning == 0
    called = await reply("weather", tools=(_WEATHER,))
    assert called.usage.completion > 3


async def test_there_is_nothing_to_close() -> None:
    """It can be reset and closed like any other."""
    brain = DefaultBrain()
    brain.reset()
    await brain.close()


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (Problem("m", status=429), "rate_limit_exceeded"),
        (Problem("m", status=400, code="context_length_exceeded"), "invalid_prompt"),
        (Problem("m", status=500), "server_error"),
        (Problem("m", status=502, code="invalid_prompt"), "invalid_prompt"),
    ],
)
def test_run_tells_an_error_in_one_of_three_codes(problem: Problem, code: str) -> None:
    """`last_error` has the message and one of the codes that runs know."""
    assert run_error(problem) == {"code": code, "message": "m"}
