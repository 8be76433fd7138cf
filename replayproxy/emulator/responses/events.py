"""The event stream of a response, made of the response as it ended.

Order: recordings of the real API (responses_stream), and for hosted tools a public recording of an MCP call; the
numbers and `logprobs` of events came after these. No obfuscation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from replayproxy.emulator.answers import Event
from replayproxy.emulator.brain.words import StreamCut, cut
from replayproxy.emulator.records import Json

__all__ = ["cut_off", "response_events"]

#: An event before it has a number: its type and its own fields.
_Step = tuple[str, Json]
#: What a hosted call goes through, and what stands in its place until it is done.
_STAGES: dict[str, tuple[str, ...]] = {
    "file_search_call": ("in_progress", "searching", "completed"),
    "web_search_call": ("in_progress", "searching", "completed"),
    "image_generation_call": ("in_progress", "generating", "completed"),
    "mcp_list_tools": ("in_progress", "completed"),
}
_BEGUN: dict[str, Json] = {
    "file_search_call": {"queries": [], "results": None},
    "image_generation_call": {"result": None},
    "code_interpreter_call": {"code": "", "outputs": None},
    "mcp_list_tools": {"tools": []},
    "mcp_call": {"arguments": "", "output": None},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
    "reasoning": {"summary": []},
    "message": {"content": []},
}


def response_events(final: Json, pieces: Sequence[str] = (), after: int = -1) -> list[Event]:
    """The events of a response that ended as `final` says, its text in `pieces` if these are its text.

    Those with a number above `after`.
    """
    steps = [*_opening(final)]
    for index, item in enumerate(final["output"]):
        steps += [(name, {"output_index": index} | told) for name, told in _item_steps(item, pieces)]
    steps.append((f"response.{final['status']}", {"response": final}))
    told = [_event(number, name, fields) for number, (name, fields) in enumerate(steps)]
    return told[after + 1 :]


def _event(number: int, name: str, fields: Json) -> Event:
    place: Json = {key: fields[key] for key in ("item_id", "output_index") if key in fields}
    return name, {"type": name, "sequence_number": number, **place, **fields}


def _opening(final: Json) -> Iterator[_Step]:
    begun = final | {"error": None, "incomplete_details": None, "output": [], "usage": None}
    queued = begun | {"status": "queued"}
    started = begun | {"status": "in_progress"}
    if final.get("background"):
        yield "response.created", {"response": queued}
        yield "response.queued", {"response": queued}
    else:
        yield "response.created", {"response": started}
    yield "response.in_progress", {"response": started}


def cut_off(events: Iterable[Event], after: int | None) -> Iterator[Event]:
    """The events; StreamCut behind the first `after` pieces of text, when that says so."""
    said = 0
    for event in events:
        if event[0] == "response.output_text.delta":
            if said == after:
                raise StreamCut
            said += 1
        yield event


def _item_steps(item: Json, pieces: Sequence[str]) -> Iterator[_Step]:
    kind = item["type"]
    begun = item | ({"status": "in_progress"} if "status" in item else {}) | _BEGUN.get(kind, {})
    yield "response.output_item.added", {"item": begun}
    if kind == "message":
        for index, part in enumerate(item["content"]):
            yield from _named(item, _part_steps(part, pieces), {"content_index": index})
    elif kind == "reasoning":
        for index, part in enumerate(item["summary"]):
            yield from _named(item, _summary_steps(part), {"summary_index": index})
    elif kind in _CALLS:
        yield from _named(item, _CALLS[kind](item), {})
    else:
        yield from _named(item, _stages(kind, _STAGES.get(kind, ())), {})
    yield "response.output_item.done", {"item": item}


def _named(item: Json, steps: Iterator[_Step], place: Json) -> Iterator[_Step]:
    """Steps of an item, which say where in it they are."""
    return ((name, {"item_id": item["id"], **place, **told}) for name, told in steps)


def _stages(kind: str, stages: Sequence[str]) -> Iterator[_Step]:
    return ((f"response.{kind}.{stage}", {}) for stage in stages)


def _part_steps(part: Json, pieces: Sequence[str]) -> Iterator[_Step]:
    if part["type"] == "refusal":
        yield "response.content_part.added", {"part": part | {"refusal": ""}}
        yield from _deltas("response.refusal", part["refusal"])
        yield "response.refusal.done", {"refusal": part["refusal"]}
    else:
        empty: Json = {"text": "", "annotations": []} | ({"logprobs": []} if "logprobs" in part else {})
        yield "response.content_part.added", {"part": part | empty}
        yield from _text_steps(part, pieces)
    yield "response.content_part.done", {"part": part}


def _text_steps(part: Json, pieces: Sequence[str]) -> Iterator[_Step]:
    text, likely = part["text"], part.get("logprobs") or []
    said = pieces if "".join(pieces) == text and not likely else cut(text)
    for place, piece in enumerate(said):
        yield "response.output_text.delta", {"delta": piece, "logprobs": likely[place : place + 1]}
    for place, annotation in enumerate(part["annotations"]):
        yield "response.output_text.annotation.added", {"annotation_index": place, "annotation": annotation}
    yield "response.output_text.done", {"text": text, "logprobs": likely}


def _summary_steps(part: Json) -> Iterator[_Step]:
    yield "response.reasoning_summary_part.added", {"part": part | {"text": ""}}
    yield from _deltas("response.reasoning_summary_text", part["text"])
    yield "response.reasoning_summary_text.done", {"text": part["text"]}
    yield "response.reasoning_summary_part.done", {"part": part}


def _deltas(name: str, text: str) -> Iterator[_Step]:
    return ((f"{name}.delta", {"delta": piece}) for piece in cut(text))


def _function(item: Json) -> Iterator[_Step]:
    yield from _deltas("response.function_call_arguments", item["arguments"])
    yield "response.function_call_arguments.done", {"name": item["name"], "arguments": item["arguments"]}


def _custom(item: Json) -> Iterator[_Step]:
    yield from _deltas("response.custom_tool_call_input", item["input"])
    yield "response.custom_tool_call_input.done", {"input": item["input"]}


def _code(item: Json) -> Iterator[_Step]:
    yield "response.code_interpreter_call.in_progress", {}
    yield from _deltas("response.code_interpreter_call_code", item["code"])
    yield "response.code_interpreter_call_code.done", {"code": item["code"]}
    yield from _stages("code_interpreter_call", ("interpreting", "completed"))


def _mcp(item: Json) -> Iterator[_Step]:
    yield "response.mcp_call.in_progress", {}
    yield "response.mcp_call_arguments.delta", {"delta": item["arguments"]}
    yield "response.mcp_call_arguments.done", {"arguments": item["arguments"]}
    yield "response.mcp_call.completed", {}


_CALLS: dict[str, Callable[[Json], Iterator[_Step]]] = {
    "function_call": _function,
    "custom_tool_call": _custom,
    "code_interpreter_call": _code,
    "mcp_call": _mcp,
}
