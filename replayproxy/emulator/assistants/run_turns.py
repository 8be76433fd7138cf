"""What a model is asked when a run goes on: the thread and the run's own steps, in the form of chat completions."""

from __future__ import annotations

import base64
import mimetypes
from typing import Any

from replayproxy.emulator.assistants.run_messages import MESSAGE, text_of
from replayproxy.emulator.assistants.run_shapes import STEP
from replayproxy.emulator.brain import Passage, Turn
from replayproxy.emulator.records import Json, Record
from replayproxy.emulator.state import State

__all__ = ["asked_last", "tool_of", "turn_of"]

#: What else a model is told, and what need not be said.
_OPTIONS = {"temperature": 1.0, "top_p": 1.0, "reasoning_effort": None}


def turn_of(state: State, run: Record) -> Turn:
    """The turn that a run has come to. Whoever must call a tool must do so once: after that the choice is free."""
    json = run.json
    own = _steps(state, run)
    choice = json["tool_choice"]
    functions = tuple(tool for tool in json["tools"] if tool["type"] == "function")
    built_in = not isinstance(choice, str) and choice["type"] != "function"
    if built_in or (choice == "required" and (own or not functions)) or (isinstance(choice, dict) and own):
        choice = "auto"
    limit = json["max_completion_tokens"]
    return Turn(
        model=json["model"],
        messages=(*_system(json), *_thread(state, run), *own),
        tools=functions,
        tool_choice=choice if functions else None,
        response_format=None if json["response_format"] == "auto" else json["response_format"],
        passages=tuple(Passage(**each) for each in run.hidden.get("passages", ())),
        family="runs",
        limit=None if limit is None else max(limit - run.hidden.get("usage", [0, 0])[1], 1),
        parallel=json["parallel_tool_calls"],
        options={name: json[name] for name, usual in _OPTIONS.items() if json[name] != usual},
    )


def asked_last(state: State, run: Record) -> str:
    """The text of the user's last message."""
    messages = list(state.shelf(MESSAGE, run.parent))
    return next((text_of(each.json) for each in reversed(messages) if each.json["role"] == "user"), "")


def tool_of(run: Record, kind: str) -> Json | None:
    """The run's tool of a kind, unless the run is to call none."""
    tools = run.json["tools"] if run.json["tool_choice"] != "none" else ()
    return next((tool for tool in tools if tool["type"] == kind), None)


def _system(run: Json) -> list[Json]:
    return [{"role": "system", "content": run["instructions"]}] if run["instructions"] else []


def _thread(state: State, run: Record) -> list[Json]:
    """The messages that were there before the run, the last ones only when it is told so."""
    messages = [each for each in state.shelf(MESSAGE, run.parent) if each.json["run_id"] != run.id]
    last = run.json["truncation_strategy"].get("last_messages")
    if run.json["truncation_strategy"]["type"] == "last_messages" and last:
        messages = messages[-last:]
    return [{"role": each.json["role"], "content": _content(state, each.json["content"])} for each in messages]


def _content(state: State, parts: list[Json]) -> str | list[Json]:
    if all(part["type"] in ("text", "refusal") for part in parts):
        return "\n".join(part["text"]["value"] if part["type"] == "text" else part["refusal"] for part in parts)
    return [_part(state, part) for part in parts]


def _part(state: State, part: Json) -> Json:
    if part["type"] == "image_url":
        return {"type": "image_url", "image_url": part["image_url"]}
    if part["type"] == "image_file":
        return _image(state, part["image_file"])
    return {"type": "text", "text": _content(state, [part])}


def _image(state: State, image: Json) -> Json:
    """An uploaded image as chat completions take it; its name, when there is no such file."""
    files = state.kinds.get("file")
    file = state.get(files, image["file_id"]) if files else None
    if file is None or not file.blob:
        return {"type": "text", "text": f"(image {image['file_id']})"}
    media = mimetypes.guess_type(str(file.json.get("filename", "")))[0] or "image/png"
    url = f"data:{media};base64,{base64.b64encode(file.blob).decode()}"
    return {"type": "image_url", "image_url": {"url": url, "detail": image.get("detail", "auto")}}


def _steps(state: State, run: Record) -> list[Json]:
    """What the run has done so far that a model has to know: what it said, the functions called, what they gave."""
    told: list[Json] = []
    for step in state.shelf(STEP, run.id):
        details: dict[str, Any] = step.json["step_details"]
        if details["type"] == "message_creation":
            said = state.get(MESSAGE, details["message_creation"]["message_id"], run.parent)
            told += [{"role": "assistant", "content": text_of(said.json)}] if said else []
        else:
            told += _calls([call for call in details["tool_calls"] if call["type"] == "function"])
    return told


def _calls(calls: list[Json]) -> list[Json]:
    if not calls:
        return []
    asked = [call | {"function": {name: call["function"][name] for name in ("name", "arguments")}} for call in calls]
    given = [
        {"role": "tool", "tool_call_id": call["id"], "content": call["function"]["output"] or ""} for call in calls
    ]
    return [{"role": "assistant", "content": None, "tool_calls": asked}, *given]
