"""Replies by a file: the examples of docs/emulator-replies.md, and what a file may say beside."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.yaml_read import read_document
from replayproxy.emulator.brain import Failure, Passage, Reply, Turn
from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.brain.failures import failure, spelled
from replayproxy.emulator.brain.forms import plain
from replayproxy.emulator.brain.making import make_brain
from replayproxy.emulator.brain.replies_form import read_replies, replies_of
from replayproxy.emulator.brain.replies_schema import replies_schema
from replayproxy.emulator.brain.scripted import ScriptedBrain
from replayproxy.emulator.brain.templates import filled
from replayproxy.errors import ConfigError

_DOCS = Path(__file__).parents[3] / "docs" / "emulator-replies.md"
EXAMPLES = dict(re.findall(r"```yaml\n# ([^\n]+)\n(.*?)```", _DOCS.read_text("utf-8"), re.DOTALL))


def brain(text: str) -> ScriptedBrain:
    """A brain that answers by the text of a file."""
    return ScriptedBrain(replies_of(text), DefaultBrain())


def turn(said: str, *before: dict[str, Any], model: str = "gpt-4o", **fields: Any) -> Turn:
    """A turn in which the user says something."""
    return Turn(model, (*before, {"role": "user", "content": said}), **fields)


def _error(reply: Reply) -> Failure:
    assert isinstance(reply.error, Failure)
    return reply.error


_SAID = {"role": "assistant", "content": "…"}
_WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "units": {"type": "array"}},
            "required": ["city", "days"],
        },
    },
}


def test_all_examples_are_there() -> None:
    """The page has the examples that the tests below play."""
    names = ["greeting", "rate limit", "weather", "failures", "slow and cut", "runs", "script", "cited"]
    assert list(EXAMPLES) == names


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_valid_by_the_schema(name: str) -> None:
    """The JSON Schema for editors takes what the reader takes."""
    replies_of(EXAMPLES[name])
    jsonschema_rs.validate(replies_schema(), plain(read_document(EXAMPLES[name])))


async def test_example_greeting() -> None:
    """Text by a part of the message and by what was captured; the default brain for all else."""
    talking = brain(EXAMPLES["greeting"])
    assert (await talking.reply(turn("HELLO you"))).text == "Hello! You are talking to gpt-4o."
    got = await talking.reply(turn("Hey, my name is Ada."))
    assert (got.text, got.finish) == ("Nice to meet you, Ada.", "stop")
    assert got.usage.completion == 7
    assert (await talking.reply(turn("Bye"))) == await DefaultBrain().reply(turn("Bye"))


async def test_example_rate_limit() -> None:
    """Two are served, one is refused as the API does it, then again; other models are not counted."""
    talking = brain(EXAMPLES["rate limit"])
    got = [await talking.reply(turn("Hi")) for _ in range(6)]
    assert [reply.error is None for reply in got] == [True, True, False, True, True, False]
    error = _error(got[2])
    assert (error.status, error.type, error.code, error.param) == (429, "requests", "rate_limit_exceeded", None)
    assert error.message == (
        "Rate limit reached for gpt-4o in organization org-emulator on requests per min (RPM): Limit 2, Used 2, "
        "Requested 1. Please try again in 20ms. Visit https://platform.openai.com/account/rate-limits to learn more."
    )
    assert error.headers == {
        "x-ratelimit-limit-requests": "2",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "20ms",
        "retry-after": "1",
        "retry-after-ms": "20",
    }
    assert (await talking.reply(turn("Hi", model="o3"))).error is None


async def test_example_weather() -> None:
    """A tool is called with what the message says, and its result becomes the answer."""
    talking = brain(EXAMPLES["weather"])
    got = await talking.reply(turn("The weather in Rome for 3 days?", tools=(_WEATHER,)))
    assert [(call.name, call.arguments) for call in got.tool_calls] == [
        ("get_weather", '{"city":"Rome","days":3,"units":["metric"]}')
    ]
    assert got.finish == "tool_calls"
    less = (await talking.reply(turn("The weather in Rome?", tools=(_WEATHER,)))).tool_calls[0]
    assert json.loads(less.arguments) == {"city": "Rome", "units": ["metric"]}
    assert (await talking.reply(turn("The weather in Rome?"))).text.startswith("You said")
    call = {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    result = {"role": "tool", "tool_call_id": "c", "content": '{"temperature": -3}'}
    asked = turn("The weather in Rome?", tools=(_WEATHER,))
    after = Turn("gpt-4o", (*asked.messages, {"role": "assistant", "tool_calls": [call]}, result))
    assert (await talking.reply(after)).text == "It is -3 degrees. I asked get_weather."


async def test_example_failures() -> None:
    """Two failures, then the default brain; a reset begins anew."""
    talking = brain(EXAMPLES["failures"])
    for _ in range(2):
        first, second, third = [await talking.reply(turn("Hi")) for _ in range(3)]
        assert (_error(first).status, _error(first).type) == (503, "server_error")
        assert _error(second) == Failure(
            "Slow down.",
            None,
            "rate_limit_exceeded",
            429,
            "tokens",
            headers={"retry-after": "1", "retry-after-ms": "20"},
        )
        assert third == await DefaultBrain().reply(turn("Hi"))
        talking.reset()


async def test_example_slow_and_cut() -> None:
    """A delay goes with the default answer; pieces and cut go with their own."""
    talking = brain(EXAMPLES["slow and cut"])
    slow = await talking.reply(turn("slowly please"))
    assert (slow.delay, slow.text[:8]) == (0.05, "You said")
    got = await talking.reply(turn("Break off"))
    assert (got.text, got.pieces, got.cut) == ("One, two, three.", ("One, ", "two, ", "three."), 2)


async def test_example_runs() -> None:
    """Runs end as told; other families do not know the rules."""
    talking = brain(EXAMPLES["runs"])
    failed = await talking.reply(turn("fail", family="runs"))
    assert (failed.run, _error(failed).code, _error(failed).status) == ("failed", "rate_limit_exceeded", 429)
    assert _error(failed).message == "You exceeded your current quota."
    assert (await talking.reply(turn("expire", family="runs"))).run == "expired"
    got = await talking.reply(turn("too long", family="runs"))
    assert (got.run, got.reason, got.text) == ("incomplete", "max_completion_tokens", "It was a dark and")
    assert (await talking.reply(turn("fail"))).run == ""


async def test_example_script() -> None:
    """Turn by turn; a refusal; usage and finish as they are said."""
    talking = brain(EXAMPLES["script"])
    assert (await talking.reply(turn("Where is it?"))).text == "What is your order number?"
    got = await talking.reply(turn("It is #42", {"role": "user", "content": "Where?"}, _SAID))
    assert json.loads(got.text) == {"order": 42, "status": "sent"}
    refused = await talking.reply(turn(" Do evil. "))
    assert (refused.refusal, refused.text) == ("I'm sorry, I can't help with that.", "")
    odd = await talking.reply(turn("Hi", model="o3-mini"))
    assert (odd.text, odd.finish) == ("Done.", "length")
    assert (odd.usage.prompt, odd.usage.completion, odd.usage.reasoning, odd.usage.cached) == (1000, 300, 290, 0)


async def test_example_cited() -> None:
    """A marker in the text stands for the passage at its place."""
    found = Passage("file-1", "policy.txt", "Refunds: 30 days.")
    got = await brain(EXAMPLES["cited"]).reply(turn("A refund?", family="runs", passages=(found,)))
    assert got.cited == (("【4:0†policy.txt】", found),)


async def test_sequence_repeats_its_last_answer() -> None:
    """Without `then`, the last answer of a sequence goes on; `times` ends it."""
    talking = brain("replies: [{sequence: [{text: a}, {text: b}], times: 4}]")
    got = [(await talking.reply(turn("Hi"))).text for _ in range(5)]
    assert got[:4] == ["a", "b", "b", "b"]
    assert got[4].startswith("You said")


async def test_further_choices_get_what_the_first_got() -> None:
    """A request for several choices counts once, be it answered by a rule, by a limit or otherwise."""
    text = "replies: [{text: 'first {choice}', times: 1}, {when: {user: x}, text: later}]\nlimits: [{requests: 3}]"
    talking = brain(text)
    said = [[(await talking.reply(turn("x", choice=n))).text for n in range(2)] for _ in range(2)]
    assert said == [["first 0", "first 1"], ["later", "later"]]
    plain_ones = [await talking.reply(turn("y", choice=n)) for n in range(2)]
    assert [each.text[:8] for each in plain_ones] == ["You said"] * 2
    refused = [await talking.reply(turn("x", choice=n)) for n in range(2)]
    assert [_error(each).status for each in refused] == [429, 429]
    await talking.close()


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ("model: gpt-4*", True),
        ("model: o3*", False),
        ("family: chat", True),
        ("family: [runs, responses]", False),
        ("turn: 0", False),
        ("turn: 1", True),
        ("has_tools: true", False),
        ("has_tools: false", True),
        ("user: {equals: Tell me more}", True),
        ("user: {equals: more}", False),
        ("user: {contains: TELL}", True),
        ("user: tell", True),
        ("user: {regex: '^more'}", False),
        ("tool_result: {}", False),
        ("model: gpt-4*, user: less", False),
    ],
)
async def test_conditions(when: str, fits: bool) -> None:
    """A rule answers where all its conditions hold."""
    got = await brain(f"replies: [{{when: {{{when}}}, text: Yes}}]").reply(turn("Tell me more", _SAID))
    assert (got.text == "Yes") is fits


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("{}", "a: 1"),
        ("{name: get_*, contains: '2'}", "get_b: 2"),
        ("{equals: '1'}", "a: 1"),
        ("{regex: '(?P<n>[23])'}", "get_b: 2"),
        ("{name: other}", None),
    ],
)
async def test_results_of_tools(wanted: str, expected: str | None) -> None:
    """Any of the results may fit; the one that does is what templates get."""
    results = ({"role": "tool", "name": "a", "content": "1"}, {"role": "tool", "name": "get_b", "content": "2"})
    asked = Turn("m", ({"role": "user", "content": "x"}, _SAID, *results))
    got = await brain(f"replies: [{{when: {{tool_result: {wanted}}}, text: '{{tool}}: {{result}}'}}]").reply(asked)
    assert got.text == (expected or "a gave: 1\nget_b gave: 2")


async def test_calls_of_tools() -> None:
    """Arguments may be text, left out, or for a tool that nobody offers; a custom tool gets text."""
    text = """
replies:
  - tool_calls:
      - {name: get_weather}
      - {name: get_weather, arguments: '{"broken": {user}'}
      - {name: get_weather, arguments: {days: "{user}", city: "3", deep: [{a: "{model}"}], n: 1.50}}
      - {name: nobody}
      - {name: nobody, arguments: {n: "{turn}"}}
      - {name: free, arguments: "go {user}"}
"""
    free = {"type": "custom", "custom": {"name": "free"}}
    got = await brain(text).reply(turn("soon", tools=(_WEATHER, free)))
    assert [call.arguments for call in got.tool_calls] == [
        '{"city":"city","days":1}',
        '{"broken": soon',
        '{"days":"soon","city":"3","deep":[{"a":"gpt-4o"}],"n":1.5}',
        "{}",
        '{"n":"0"}',
        "go soon",
    ]
    assert [call.kind for call in got.tool_calls] == ["function"] * 5 + ["custom"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("400", (400, "invalid_request_error", None, {})),
        ("401", (401, "invalid_request_error", "invalid_api_key", {})),
        ("404", (404, "invalid_request_error", "model_not_found", {})),
        ("418", (418, "invalid_request_error", None, {})),
        ("500", (500, "server_error", None, {})),
        ("599", (599, "server_error", None, {})),
        ("{status: 400, message: No, code: c, type: t, param: p, headers: {X-A: 1}}", (400, "t", "c", {"x-a": "1"})),
    ],
)
async def test_errors(error: str, expected: tuple[Any, ...]) -> None:
    """What an error does not say is what the API says with its status."""
    got = _error(await brain(f"replies: [{{error: {error}}}]").reply(turn("Hi")))
    assert (got.status, got.type, got.code, got.headers) == expected
    assert got.message


async def test_limits() -> None:
    """A limit without an end refuses all; models may be counted on their own; a reset begins anew."""
    talking = brain("limits: [{requests: 1, per: model, retry_after: 90}]")
    models = ["a", "b", "a", "a"]
    assert [(await talking.reply(turn("Hi", model=each))).error is None for each in models] == [
        True,
        True,
        False,
        False,
    ]
    assert "try again in 1m30s" in _error(await talking.reply(turn("Hi", model="b"))).message
    talking.reset()
    assert (await talking.reply(turn("Hi", model="a"))).error is None


def test_rate_limit_by_hand_has_its_headers() -> None:
    """An error 429 that says nothing else comes with the headers of a rate limit."""
    assert failure(429, "m").headers["retry-after"] == "1"
    assert [spelled(seconds) for seconds in (0.012, 1.5, 360)] == ["12ms", "1.5s", "6m0s"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- a", "f.yaml:1: expected a mapping, not a list. Begin with `replies:`"),
        ("a: [", "f.yaml:2: this is not YAML"),
        ("a: &b 1", "f.yaml:1: an anchor stands here"),
        ("\nreplys: []", "f.yaml:2: replys: unknown key; did you mean `replies`?"),
        ("replies: {}", "f.yaml:1: replies: expected a list, not a mapping. Begin each item with `- `"),
        ("replies:\n  - text", "f.yaml:2: replies[0]: expected a mapping, not text"),
        ("replies:\n  - {}", "f.yaml:2: replies[0]: answers nothing; say one of text"),
        ("replies:\n  - sequence: []", "f.yaml:2: replies[0].sequence: answers nothing"),
        ("replies:\n  - txet: a", "f.yaml:2: replies[0].txet: unknown key; did you mean `text`?"),
        ("replies: [{zz: a}]", "replies[0].zz: unknown key; known here are when, times"),
        ("replies:\n  - text: 1", "f.yaml:2: replies[0].text: expected text, not the number 1. Put it in quotes"),
        ("replies: [{text: true}]", "expected text, not true"),
        ("replies: [{text: {}}]", "expected text, not a mapping"),
        ("replies: [{text: a, times: 0}]", "replies[0].times: expected a whole number from 1, not 0"),
        ("replies: [{text: a, then: end}]", "says what follows a `sequence`"),
        ("replies: [{sequence: [{text: a}], then: stop}]", "expected one of repeat, end, not 'stop'"),
        ("replies: [{text: a, sequence: [{text: b}]}]", "replies[0].text: stands beside `sequence`"),
        ("replies: [{sequence: [{when: {}}]}]", "replies[0].sequence[0].when: unknown key"),
        ("replies: [{text: a, when: 1}]", "replies[0].when: expected a mapping, not the number 1"),
        ("replies: [{text: a, when: {usr: b}}]", "did you mean `user`?"),
        ("replies: [{text: a, when: {family: chats}}]", "expected one of chat, completions"),
        ("replies: [{text: a, when: {has_tools: 1}}]", "expected true or false, not 1"),
        ("replies: [{text: a, when: {turn: x}}]", "expected a whole number from 0, not 'x'"),
        ("replies: [{text: a, when: {user: {}}}]", "replies[0].when.user: expected one of equals, contains, regex"),
        ("replies: [{text: a, when: {user: {equals: a, regex: b}}}]", "stands beside `equals`; keep one of them"),
        ("replies: [{text: a, when: {user: {regex: '('}}}]", "user.regex: no regular expression"),
        ("replies: [{text: a, when: {user: {regex: '(?P<model>a)'}}}]", "the group is called `model`"),
        ("replies: [{text: a, when: {tool_result: {nam: b}}}]", "did you mean `name`?"),
        ("replies: [{text: '{citty}', when: {user: {regex: '(?P<city>a)'}}}]", "`{citty}`; did you mean `city`?"),
        ("replies: [{tool_calls: [{name: a, arguments: {b: ['{zzz}']}}]}]", "tool_calls: there is no value `{zzz}`"),
        ("replies: [{tool_calls: [{}]}]", "tool_calls[0].name: expected the name of a tool"),
        ("replies: [{tool_calls: [{name: a, arguments: [1]}]}]", "expected a mapping, or text"),
        ("replies: [{text: a, finish_reason: done}]", "expected one of stop, length"),
        ("replies: [{text: a, usage: {tokens: 1}}]", "replies[0].usage.tokens: unknown key"),
        ("replies: [{text: a, delay: -1}]", "expected a number of seconds from 0"),
        ("replies: [{text: a, delay: soon}]", "expected a number of seconds from 0"),
        ("replies: [{text: a, cut: -1}]", "expected a whole number from 0, not -1"),
        ("replies: [{text: a, pieces: [a]}]", "stands beside `text`"),
        ("replies: [{error: 200}]", "expected a whole number from 400, not 200"),
        ("replies: [{error: {status: 600}}]", "expected an HTTP status from 400 to 599"),
        ("replies: [{error: {message: a}}]", "expected an HTTP status"),
        ("replies: [{error: {status: 500, headers: {a: \"b\\nc\"}}}]", "headers.a: no header has such a value"),
        ("replies: [{error: {status: 500, headers: {a: [1]}}}]", "headers.a: no header has such a value"),
        ("replies: [{run: lost}]", "expected one of failed, expired"),
        ("replies: [{text: a, last_error: {}}]", "write `run: failed` beside it"),
        ("replies: [{run: failed, last_error: {code: x}}]", "expected one of rate_limit_exceeded"),
        ("replies: [{text: a, reason: max_prompt_tokens}]", "write `run: incomplete` beside it"),
        ("replies: [{run: failed, when: {family: chat}}]", "write `family: runs`"),
        ("limits: [{}]", "limits[0].requests: expected how many requests are served"),
        ("limits: [{requests: 1, per: day}]", "expected one of session, model"),
        ("replies: [{text: 1}, {text: 2}]\nlimits: [{}]", "the number 2. Put it in quotes\nf.yaml:2: limits[0]"),
    ],
)  # fmt: skip
def test_mistake_is_told_with_its_place(text: str, complaint: str) -> None:
    """A ConfigError names file, line, place, and what to do."""
    with pytest.raises(ConfigError) as caught:
        replies_of(text, "f.yaml")
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("f.yaml:")


def test_run_that_failed_says_sorry() -> None:
    """A last error without words has the API's."""
    answer = replies_of("replies: [{run: failed, last_error: {}}]").rules[0].answers[0]
    assert answer.error is not None
    assert (answer.error.message, answer.error.code) == ("Sorry, something went wrong.", "server_error")


def test_file_is_read(tmp_path: Path) -> None:
    """A file that cannot be read is told; an empty one says nothing; `make_brain` takes the file."""
    path = tmp_path / "replies.yaml"
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_replies(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_replies(path)
    path.write_text("")
    assert read_replies(path) == replies_of("")
    assert isinstance(make_brain(path), ScriptedBrain)
    assert isinstance(make_brain(), DefaultBrain)


@given(st.text())
def test_text_without_values_is_itself(text: str) -> None:
    """Braces that name no value are only text."""
    assert filled(text.replace("{{", "{"), {}) == text.replace("{{", "{")


def test_template_is_filled_once() -> None:
    """Values are put in as they are; doubled braces are braces."""
    assert filled("{a} {{a}} {b} {}", {"a": "{b}", "b": "1"}) == "{b} {a} 1 {}"
