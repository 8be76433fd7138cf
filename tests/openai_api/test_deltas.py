"""The text that the events of a stream make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.sse import parse
from replayproxy.openai_api.deltas import KINDS, Delta, Folded, delta_of, folded
from tests.real_traffic import NEEDS_RECORDINGS, recordings

SPEC = Path(__file__).parents[2] / ".." / "shared" / "openai" / "openapi.yaml"


def chat(index: int = 0, **delta: Any) -> dict[str, Any]:
    """A chunk of a chat completion with one choice."""
    return {"object": "chat.completion.chunk", "choices": [{"index": index, "delta": delta, "finish_reason": None}]}


def message(*content: Any) -> dict[str, Any]:
    """A piece of a message of a thread."""
    return {"id": "msg_1", "object": "thread.message.delta", "delta": {"content": list(content)}}


def step(*calls: Any) -> dict[str, Any]:
    """A piece of a run step that calls tools."""
    details = {"type": "tool_calls", "tool_calls": list(calls)}
    return {"id": "step_1", "object": "thread.run.step.delta", "delta": {"step_details": details}}


CASES: dict[str, tuple[str, dict[str, Any], tuple[Delta, ...]]] = {
    "chat text": ("", chat(1, content="Hi"), (Delta("text", "choices[1]", "Hi"),)),
    "chat refusal": ("", chat(refusal="No"), (Delta("refusal", "choices[0]", "No"),)),
    "chat reasoning": ("", chat(reasoning_content="Hm"), (Delta("reasoning", "choices[0]", "Hm"),)),
    "reasoning by another name": ("", chat(reasoning="Hm"), (Delta("reasoning", "choices[0]", "Hm"),)),
    "reasoning said twice": (
        "",
        chat(reasoning="Hm", reasoning_content="Hm"),
        (Delta("reasoning", "choices[0]", "Hm"),),
    ),
    "chat transcript": (
        "",
        chat(audio={"transcript": "Yes", "data": "AAAA"}),
        (Delta("transcript", "choices[0]", "Yes"),),
    ),
    "chat function call": (
        "",
        chat(function_call={"name": "f", "arguments": '{"a'}),
        (Delta("arguments", "choices[0].function_call", '{"a'),),
    ),
    "chat tool calls": (
        "",
        chat(
            tool_calls=[{"index": 0, "function": {"arguments": "{"}}, {"index": 1, "custom": {"input": "print()"}}],
        ),
        (Delta("arguments", "choices[0].tool_calls[0]", "{"), Delta("input", "choices[0].tool_calls[1]", "print()")),
    ),
    "chat start and end": ("", chat(role="assistant", content="", refusal=None), ()),
    "completion": ("", {"choices": [{"index": 2, "text": "Once"}]}, (Delta("text", "choices[2]", "Once"),)),
    "message text": (
        "thread.message.delta",
        message({"index": 0, "type": "text", "text": {"value": "Hi", "annotations": []}}),
        (Delta("text", "msg_1", "Hi"),),
    ),
    "message without the event's name": (
        "",
        message({"index": 0, "text": {"value": "Hi"}}),
        (Delta("text", "msg_1", "Hi"),),
    ),
    "message parts": (
        "thread.message.delta",
        message({"index": 1, "refusal": "No"}, {"index": 2, "image_file": {"file_id": "f"}}),
        (Delta("refusal", "msg_1[1]", "No"),),
    ),
    "step function": (
        "thread.run.step.delta",
        step({"index": 1, "type": "function", "function": {"name": None, "arguments": "{}", "output": None}}),
        (Delta("arguments", "step_1.tool_calls[1]", "{}"),),
    ),
    "step function output": (
        "thread.run.step.delta",
        step({"index": 0, "function": {"output": "42"}}),
        (Delta("output", "step_1.tool_calls[0]", "42"),),
    ),
    "step code": (
        "thread.run.step.delta",
        step(
            {
                "index": 0,
                "code_interpreter": {"input": "1+1", "outputs": [{"type": "logs", "logs": "2"}, {"type": "image"}]},
            },
        ),
        (Delta("code", "step_1.tool_calls[0]", "1+1"), Delta("output", "step_1.tool_calls[0]", "2")),
    ),
    "step that makes a message": (
        "thread.run.step.delta",
        {"id": "s", "delta": {"step_details": {"type": "message_creation", "message_creation": {}}}},
        (),
    ),
    "response text": (
        "response.output_text.delta",
        {"type": "response.output_text.delta", "item_id": "msg_9", "content_index": 0, "delta": "Hi"},
        (Delta("text", "msg_9", "Hi"),),
    ),
    "response text without the event's name": (
        "",
        {"type": "response.output_text.delta", "item_id": "msg_9", "content_index": 1, "delta": "Hi"},
        (Delta("text", "msg_9[1]", "Hi"),),
    ),
    "response summary": (
        "response.reasoning_summary_text.delta",
        {"item_id": "rs_1", "summary_index": 2, "delta": "So"},
        (Delta("summary", "rs_1[2]", "So"),),
    ),
    "response command of no item": (
        "response.shell_call_command.delta",
        {"output_index": 3, "command_index": 1, "delta": "ls"},
        (Delta("command", "output[3][1]", "ls"),),
    ),
    "response shell output": (
        "response.shell_call_output_content.delta",
        {"item_id": "sh_1", "command_index": 0, "delta": {"stdout": "a", "stderr": "b"}},
        (Delta("stdout", "sh_1", "a"), Delta("stderr", "sh_1", "b")),
    ),
    "response transcript of nothing named": (
        "response.audio.transcript.delta",
        {"delta": "Hi"},
        (Delta("transcript", "", "Hi"),),
    ),
    "transcript segment": (
        "",
        {"type": "transcript.text.delta", "segment_id": "seg_1", "delta": "Hi"},
        (Delta("transcript", "seg_1", "Hi"),),
    ),
    "response sound": ("response.audio.delta", {"delta": "UklGRg=="}, ()),
    "realtime sound": ("response.output_audio.delta", {"item_id": "i", "delta": "UklGRg=="}, ()),
    "speech": ("", {"type": "speech.audio.delta", "audio": "UklGRg=="}, ()),
    "of a later day": ("response.poem.delta", {"item_id": "p_1", "delta": "Roses"}, (Delta("poem", "p_1", "Roses"),)),
    "of no kind": (".delta", {"delta": "x"}, (Delta("text", "", "x"),)),
    "no delta": ("response.output_text.done", {"item_id": "msg_9", "text": "Hi"}, ()),
    "a run": ("thread.run.created", {"id": "run_1", "object": "thread.run"}, ()),
}


@pytest.mark.parametrize(("name", "value", "deltas"), CASES.values(), ids=CASES)
def test_an_event_tells_its_deltas(name: str, value: dict[str, Any], deltas: tuple[Delta, ...]) -> None:
    """What an event adds, of which kind and to what."""
    assert delta_of(name, json.dumps(value)) == deltas


@pytest.mark.parametrize(
    "data",
    [
        *(
            "",
            "[DONE]",
            "null",
            "7",
            "[]",
            '"text"',
            "{",
            "[" * 100_000,
            "9" * 5000,
            '{"choices": 7}',
            '{"choices": [7]}',
        ),
        *(
            '{"choices": [{"index": true, "delta": 7, "text": 7}]}',
            '{"choices": [{"index": -1, "delta": {"audio": []}}]}',
        ),
        '{"choices": [{"index": 1' + "0" * 4000 + ', "delta": {"content": {"a": 1}, "tool_calls": {"0": 1}}}]}',
        *('{"type": 7, "object": []}', '{"type": "response.output_text.delta", "delta": ["x"], "item_id": 9}'),
        '{"object": "thread.message.delta", "delta": {"content": [{"text": "x"}, 7]}, "id": null}',
        '{"object": "thread.run.step.delta", "delta": {"step_details": {"tool_calls": [{"code_interpreter": '
        '{"outputs": 7}, "function": "f"}]}}}',
    ],
    ids=lambda data: data[:40],
)
def test_data_of_any_other_form_adds_nothing(data: str) -> None:
    """No JSON, JSON of other types, too deep or too long: no delta, and nothing raises."""
    assert delta_of("", data) == ()


NAMES = st.sampled_from(["", "delta", "thread.message.delta", "thread.run.step.delta", "error", *KINDS])
KEYS = st.sampled_from(
    [
        *("choices", "delta", "index", "content", "text", "value", "tool_calls", "function", "arguments", "id", "type"),
        *("step_details", "code_interpreter", "outputs", "logs", "item_id", "content_index", "audio", "object"),
    ],
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NAMES
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5))


@given(NAMES | st.text(), VALUES.map(json.dumps) | st.text())
def test_no_data_raises(name: str, data: str) -> None:
    """Whatever comes, there are only deltas of text that is not empty."""
    assert all(delta.text and type(delta.of) is str and delta.kind for delta in delta_of(name, data))


def test_deltas_are_folded_by_kind_and_place() -> None:
    """Each text is whole, in the order of their beginnings, with the times and the number of its events."""
    events = [
        (0.1, "", json.dumps(chat(role="assistant", content=""))),
        (0.2, "", json.dumps(chat(content="Hel"))),
        (None, "", json.dumps(chat(1, content="Guten"))),
        (0.4, "", json.dumps(chat(content="lo"))),
        (0.5, "", json.dumps(chat(refusal="no"))),
        (0.6, "", "[DONE]"),
    ]

    assert folded(events) == (
        Folded("text", "choices[0]", "Hello", 0.2, 0.4, 2),
        Folded("text", "choices[1]", "Guten", None, None, 1),
        Folded("refusal", "choices[0]", "no", 0.5, 0.5, 1),
    )


def test_an_event_with_two_pieces_of_one_text_counts_once() -> None:
    """`events` counts events, not pieces."""
    data = message({"index": 0, "text": {"value": "a"}}, {"index": 0, "text": {"value": "b"}})

    assert folded([(1.0, "thread.message.delta", json.dumps(data))]) == (Folded("text", "msg_1", "ab", 1.0, 1.0, 1),)


def test_no_events_make_no_text() -> None:
    """An empty stream has no texts."""
    assert folded([]) == ()


def delta_events() -> dict[str, str]:
    """The type of the `delta` of each event of the API whose type ends in `.delta`."""
    if not SPEC.is_file():
        return {}
    found = dict[str, str]()
    for schema in yaml.load(SPEC.read_text("utf-8"), Loader=yaml.CSafeLoader)["components"]["schemas"].values():
        properties = schema.get("properties") or {}
        for name in (properties.get("type") or {}).get("enum") or ():
            if str(name).endswith(".delta"):
                found[name] = (properties.get("delta") or {}).get("type") or "other"
    return found


DELTA_EVENTS = delta_events()


@pytest.mark.skipif(not DELTA_EVENTS, reason=f"no description of the API in {SPEC}")
@pytest.mark.parametrize("name", DELTA_EVENTS)
def test_every_delta_event_of_the_api_is_known(name: str) -> None:
    """An event of the API adds its text under a kind that was chosen for it, unless it carries sound."""
    delta: Any = "x" if DELTA_EVENTS[name] == "string" else {"stdout": "x"}
    data = json.dumps({"type": name, "item_id": "item_1", "delta": delta, "audio": "x"})

    if name.split(".")[-2] in ("audio", "output_audio"):
        assert delta_of(name, data) == ()
    else:
        kind = KINDS.get(name, "stdout")
        assert delta_of(name, data) == delta_of("", data) == (Delta(kind, "item_1", "x"),)


def final_texts(value: Any) -> set[str]:
    """The texts that the last events of a stream tell whole: of messages, and of a response's output."""
    if isinstance(value, list):
        return {text for each in value for text in final_texts(each)}
    if not isinstance(value, dict):
        return set()
    whole = {str(value[name]) for name in ("text", "arguments") if isinstance(value.get(name), str) and value[name]}
    if isinstance(value.get("text"), dict) and value["text"].get("value"):
        whole.add(value["text"]["value"])
    return whole | {text for name in ("content", "output", "response") for text in final_texts(value.get(name))}


@NEEDS_RECORDINGS
def test_real_streams_fold_to_the_text_that_their_last_events_tell() -> None:
    """What the API sent in pieces and then whole is the same text."""
    compared = 0
    for recorded in recordings():
        if not (recorded.response.headers.get("content-type") or "").startswith("text/event-stream"):
            continue
        body = recorded.response.body
        assert isinstance(body, bytes)
        events = [each for each in parse(body) if each.dispatched]
        texts = {each.text for each in folded((None, event.event, event.data) for event in events)}
        ends = [event for event in events if event.event in ("thread.message.completed", "response.completed")]
        for end in ends:
            whole = final_texts(json.loads(end.data))
            assert whole <= texts, recorded.name
            compared += len(whole)
        assert texts or "delta" not in body.decode("utf-8", "replace"), recorded.name
    assert compared
