"""Conversations of the Assistants API: a thread with its messages, runs and steps.

Facts: what an answer holds says itself what it is, by `object`; lists come newest first unless the query says
`order=asc`. The messages that a request creates along with a thread or a run have no ids in its answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from replayproxy.core.journal import Entry
from replayproxy.openai_api.conversations.answers import Answer, Told
from replayproxy.openai_api.conversations.gathering import Gathered
from replayproxy.openai_api.conversations.runs import Runs
from replayproxy.openai_api.conversations.said import message
from replayproxy.openai_api.conversations.shapes import listed, mapping, parsed, shown, text
from replayproxy.openai_api.conversations.values import Conversation

__all__ = ["Threads"]


class _Thread(Gathered):
    """One thread as it grows."""

    def __init__(self, session: str, own: str) -> None:
        super().__init__("thread", session, own)
        self.runs = Runs(self.turns)

    def finished(self) -> Conversation:
        made = super().finished()
        runs = self.runs.finished({call.id: call for turn in made.turns for call in turn.calls})
        for run in runs:
            self.count(run.id, run.usage)
        return replace(made, runs=runs, usage=self.usage)


class Threads:
    """Takes exchanges whose path has `threads` in it."""

    def __init__(self) -> None:
        self._threads: dict[tuple[str, str], _Thread] = {}

    def take(self, entry: Entry, rest: tuple[str, ...]) -> None:
        """Takes an exchange; `rest` are the segments of its path behind `threads`."""
        answer = Answer(entry)
        own = _thread_id(rest, answer)
        if not own:
            return
        thread = self._threads.setdefault((entry.session, own), _Thread(entry.session, own))
        thread.took(entry)
        if refused := answer.refusal:
            thread.turns.fail(refused, entry)
        if entry.status < 400:
            _read_request(thread, entry, rest)
        _read_answer(thread, entry, answer)

    def finished(self) -> Iterator[Conversation]:
        """The conversations."""
        return (thread.finished() for thread in self._threads.values())


def _thread_id(rest: tuple[str, ...], answer: Answer) -> str:
    if rest and rest[0] not in ("", "runs"):
        return rest[0]
    value = answer.value
    return text(value, "thread_id") or (text(value, "id") if text(value, "object") == "thread" else "")


def _read_request(thread: _Thread, entry: Entry, rest: tuple[str, ...]) -> None:
    """Messages without ids, and outputs of tools."""
    if entry.request.method != "POST":
        return
    body = parsed(entry.request.body)
    if rest in ((), ("",)):
        created = listed(body, "messages")
    elif rest[0] == "runs":
        created = listed(mapping(body, "thread"), "messages")
    else:
        created = listed(body, "additional_messages") if rest[1:] == ("runs",) else []
    for each in created:
        thread.turns.say(message(each), entry)
    if rest[-1:] == ("submit_tool_outputs",):
        for output in listed(body, "tool_outputs"):
            thread.turns.output(text(output, "tool_call_id"), shown(output.get("output")), entry)


def _read_answer(thread: _Thread, entry: Entry, answer: Answer) -> None:
    for told in answer.objects:
        if text(told.value, "object") == "list":
            _read_list(thread, entry, told)
        else:
            _read_object(thread, entry, told, "")
    if answer.is_stream and (last := answer.objects[-1:]) and last[0].event != "done":
        known = {text(told.value, "id") for told in answer.objects if told.event == "thread.message.completed"}
        for said in answer.said_so_far():
            if said.id not in known:
                thread.turns.say(said, entry)


def _read_list(thread: _Thread, entry: Entry, told: Told) -> None:
    """A message goes before the next one of the list, so the newest is told first; steps are told as they came."""
    items = listed(told.value, "data")
    if "order=asc" in entry.request.query:
        items.reverse()
    later, steps = "", list[tuple[Told, str]]()
    for item in items:
        each = replace(told, value=item)
        if text(item, "object") == "thread.run.step":
            steps.append((each, later))
            later = text(mapping(item, "step_details", "message_creation"), "message_id") or later
        else:
            _read_object(thread, entry, each, later)
            later = text(item, "id")
    for each, before in reversed(steps):
        thread.runs.tell_step(each, entry, before)


def _read_object(thread: _Thread, entry: Entry, told: Told, before: str) -> None:
    value = told.value
    match text(value, "object"):
        case "thread.message":
            said, run = message(value), text(value, "run_id")
            thread.turns.say(said, entry, run=run, before=before, answered=bool(run))
        case "thread.run":
            thread.runs.tell(told, entry)
        case "thread.run.step":
            thread.runs.tell_step(told, entry)
