"""Messages: as they are asked for, as a model says them, and as the API answers them.

The real API tells `status` and the three fields behind it in streams only (recorded: messages_create against
runs_streamed_create), though its description requires them and strict clients refuse a message without. The emulator
tells them always: nothing is missing for a client that holds the API to its word.
"""

from __future__ import annotations

from typing import Literal

from replayproxy.emulator.assistants.run_resources import attach
from replayproxy.emulator.brain import Reply
from replayproxy.emulator.family import metadata_of
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["MESSAGE", "Reason", "add_message", "add_reply", "end_reply", "text_of"]

Reason = Literal["content_filter", "max_tokens", "run_cancelled", "run_expired", "run_failed"]


def _invent(_: State, record: Record) -> None:
    record.json = _asked(record, {"role": "user", "content": "Hello"})


MESSAGE = Kind("message", "msg_", _invent)


def add_message(state: State, thread: Record, body: Json) -> Record:
    """Put the message that a valid create-message body describes at the end of a thread.

    What is attached to it becomes the thread's, too.
    """

    def fill(record: Record) -> None:
        record.json = _asked(record, body)

    message = state.add(MESSAGE, fill, thread)
    attach(state, thread, message)
    return message


def add_reply(state: State, thread: Record, run: Record) -> Record:
    """Put a message of the assistant, of which nothing has been said yet, at the end of a thread."""

    def fill(record: Record) -> None:
        record.json = _message(record, "assistant", "in_progress")
        record.json |= {"assistant_id": run.json["assistant_id"], "run_id": run.id}

    return state.add(MESSAGE, fill, thread)


def end_reply(message: Record, reply: Reply, moment: int, reason: Reason | None = None) -> None:
    """Fill a message of `add_reply` with what was said, finished at `moment`, or broken off then for a `reason`."""
    message.json["content"] = _said(reply)
    if reason is None:
        message.json |= {"status": "completed", "completed_at": moment}
    else:
        message.json |= {"status": "incomplete", "incomplete_details": {"reason": reason}, "incomplete_at": moment}


def text_of(message: Json) -> str:
    """All text of a message, as it was said."""
    return "\n".join(part["text"]["value"] for part in message["content"] if part["type"] == "text")


def _asked(record: Record, body: Json) -> Json:
    return _message(record, body["role"], "completed") | {
        "completed_at": record.created_at,
        "content": _content(body["content"]),
        "attachments": [{"file_id": one["file_id"], "tools": one["tools"]} for one in body.get("attachments") or ()],
        "metadata": metadata_of(body, otherwise={}),
    }


def _message(record: Record, role: str, status: str) -> Json:
    return {
        "id": record.id,
        "object": "thread.message",
        "created_at": record.created_at,
        "assistant_id": None,
        "thread_id": record.parent,
        "run_id": None,
        "status": status,
        "incomplete_details": None,
        "incomplete_at": None,
        "completed_at": None,
        "role": role,
        "content": [],
        "attachments": [],
        "metadata": {},
    }


def _content(given: str | list[Json]) -> list[Json]:
    parts = [{"type": "text", "text": given}] if isinstance(given, str) else given
    return [_part(part) for part in parts]


def _part(part: Json) -> Json:
    kind = part["type"]
    if kind == "text":
        return {"type": kind, "text": {"value": part["text"], "annotations": []}}
    return {"type": kind, kind: {**part[kind], "detail": part[kind].get("detail", "auto")}}


def _said(reply: Reply) -> list[Json]:
    if reply.refusal is not None:
        return [{"type": "refusal", "refusal": reply.refusal}]
    return [{"type": "text", "text": {"value": reply.text, "annotations": _annotations(reply)}}]


def _annotations(reply: Reply) -> list[Json]:
    """What of the text stands for a passage of a file, in the order of the text; overlapping markers count once."""
    found: list[Json] = []
    for marker, passage in reply.cited:
        start = reply.text.find(marker) if marker else -1
        while start >= 0:
            end = start + len(marker)
            if all(end <= each["start_index"] or each["end_index"] <= start for each in found):
                found.append(
                    {
                        "type": "file_citation",
                        "text": marker,
                        "start_index": start,
                        "end_index": end,
                        "file_citation": {"file_id": passage.file_id},
                    }
                )
            start = reply.text.find(marker, end)
    return sorted(found, key=lambda each: int(each["start_index"]))
