"""The events of a run that is streamed, collected as things happen to it.

Source of names, order and deltas: recordings of the real API (runs_streamed_create), and openai-python,
`lib/streaming/_assistants.py`, for the deltas of tool calls.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

from replayproxy.emulator.answers import Event
from replayproxy.emulator.assistants.run_shapes import shown_step
from replayproxy.emulator.brain import Reply
from replayproxy.emulator.brain.words import cut, pieces
from replayproxy.emulator.records import Json, Record

__all__ = ["Telling"]


class Telling:
    """What is told of a run: each event shows its object as it was at that moment.

    `results` says whether the results of a file search are told with their text.
    """

    def __init__(self, *, results: bool = False) -> None:
        self._results = results
        self._events: list[Event] = []

    def take(self) -> list[Event]:
        """What was told since the last time."""
        events, self._events = self._events, []
        return events

    def thread(self, thread: Record) -> None:
        """A thread was made."""
        self._tell("thread.created", thread.json)

    def run(self, name: str, run: Record) -> None:
        """Something happened to a run (`created`, `queued` …)."""
        # The real API tells the resources of a run so in streams, and {} elsewhere.
        resources = run.json["tool_resources"] or {"code_interpreter": {"file_ids": []}}
        self._tell(f"thread.run.{name}", run.json | {"tool_resources": resources})

    def step(self, name: str, step: Record) -> None:
        """Something happened to a step of a run."""
        self._tell(f"thread.run.step.{name}", shown_step(step, results=self._results))

    def message(self, name: str, message: Record) -> None:
        """Something happened to a message of the assistant's."""
        self._tell(f"thread.message.{name}", message.json)

    def spoken(self, message: Record, reply: Reply) -> None:
        """The content of a message, piece by piece."""
        (part,) = message.json["content"]
        for delta in _refused(reply) if part["type"] == "refusal" else _text(part["text"], reply):
            content = [{"index": 0, "type": part["type"], part["type"]: delta}]
            data = {"id": message.id, "object": "thread.message.delta", "delta": {"content": content}}
            self._tell("thread.message.delta", data)

    def called(self, step: Record) -> None:
        """The calls of tools of a step, piece by piece."""
        for index, call in enumerate(step.json["step_details"]["tool_calls"]):
            for delta in _CALLS[call["type"]](call):
                details = {"type": "tool_calls", "tool_calls": [{"index": index, **delta}]}
                data = {"id": step.id, "object": "thread.run.step.delta", "delta": {"step_details": details}}
                self._tell("thread.run.step.delta", data)

    def _tell(self, name: str, data: Json) -> None:
        self._events.append((name, copy.deepcopy(data)))


def _refused(reply: Reply) -> Iterator[str]:
    return iter(cut(reply.refusal or ""))


def _text(text: Json, reply: Reply) -> Iterator[Json]:
    """The text's pieces; the first has a list of annotations, a marker comes in one piece with its own."""
    first = True
    for delta in _annotated(text) if text["annotations"] else ({"value": piece} for piece in pieces(reply)):
        yield delta | {"annotations": []} if first and "annotations" not in delta else delta
        first = False


def _annotated(text: Json) -> Iterator[Json]:
    value, behind = text["value"], 0
    for index, annotation in enumerate(text["annotations"]):
        yield from ({"value": piece} for piece in cut(value[behind : annotation["start_index"]]))
        yield {"value": annotation["text"], "annotations": [{"index": index, **annotation}]}
        behind = annotation["end_index"]
    yield from ({"value": piece} for piece in cut(value[behind:]))


def _function(call: Json) -> Iterator[Json]:
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    yield {"id": call["id"], "type": "function", "function": {"name": name, "arguments": "", "output": None}}
    yield from ({"type": "function", "function": {"arguments": piece}} for piece in cut(arguments))


def _file_search(call: Json) -> Iterator[Json]:
    yield {"id": call["id"], "type": "file_search", "file_search": {}}


def _code(call: Json) -> Iterator[Json]:
    kind, done = "code_interpreter", call["code_interpreter"]
    yield {"id": call["id"], "type": kind, kind: {"input": "", "outputs": []}}
    yield from ({"type": kind, kind: {"input": piece}} for piece in cut(done["input"]))
    outputs = [{"index": index, **output} for index, output in enumerate(done["outputs"])]
    yield {"type": kind, kind: {"outputs": outputs}}


_CALLS = {"function": _function, "file_search": _file_search, "code_interpreter": _code}
