"""Conversations and usage: what exchanges say together, and what they cost.

Rule: bodies are read in a thread, never on the loop; entries are frozen, so nothing can change meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from replayproxy.core.messages import plain
from replayproxy.openai_api.conversations import Call, Conversation, Run, Step, Turn, conversations
from replayproxy.proxy.admin_port import AdminError, answered
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.forms import tokens_json
from replayproxy.proxy.inspector.inspector import Inspector
from replayproxy.proxy.inspector.usage_forms import usage_json

__all__ = ["DESCRIBED", "list_conversations", "show_conversation", "show_usage"]

#: So many conversations are listed unless the query says otherwise, and so much of a text is shown.
LISTED, TEXT_SHOWN = 500, 20_000
_KINDS = ("thread", "chat", "responses", "conversation")

DESCRIBED: dict[str, Any] = {
    "/conversations": {
        "get": operation(
            "listConversations",
            "What exchanges of the journal belong together: threads, chains of chat completions and of responses,"
            " conversations. The one that went on last is the first.",
            query={
                "session": "Only those of this session.",
                "kind": f"Only those of this kind: {', '.join(_KINDS)}.",
                "limit": f"How many at most; {LISTED} unless given.",
            },
            refusals={400: "There is no such kind, or the limit is no number."},
        )
    },
    "/conversations/{id}": {
        "get": operation(
            "showConversation",
            "One conversation: its turns with tool calls and their outputs, its runs with their states and steps.",
            "/conversations/{id}",
            refusals={404: "There is no such conversation in the journal (any more)."},
        )
    },
    "/usage": {
        "get": operation(
            "showUsage",
            "The tokens of the journal's exchanges by session and model, what they cost by the table in `prices`, and"
            " what playing recordings saved.",
            query={"session": "Only that of this session."},
        )
    },
}


async def list_conversations(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """The conversations, without their turns."""
    session, kind = request.query.get("session", ""), request.query.get("kind", "")
    limit = _limit(request.query.get("limit", str(LISTED)))
    if kind and kind not in _KINDS:
        raise AdminError.invalid(("kind", f"expected one of {', '.join(_KINDS)}"))
    entries = await inspector.entries(session)

    def made() -> dict[str, Any]:
        found = [each for each in conversations(entries) if kind in ("", each.kind)]
        told = [_summary(each) for each in found[:limit]]
        return {"conversations": told, "held": len(found), "sessions": sorted({each.session for each in entries})}

    return answered(await asyncio.to_thread(made))


async def show_conversation(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """One conversation, whole."""
    wanted = request.match_info["id"]
    entries = await inspector.entries(wanted.partition("~")[0])

    def made() -> dict[str, Any] | None:
        found = next((each for each in conversations(entries) if each.id == wanted), None)
        return None if found is None else _whole(found)

    told = await asyncio.to_thread(made)
    if told is None:
        message = f"there is no conversation {plain(wanted)[:200]} in the journal; it keeps the latest exchanges only"
        raise AdminError(404, "no_conversation", message)
    return answered(told)


async def show_usage(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """The tokens and costs."""
    entries = await inspector.entries(request.query.get("session", ""))
    return answered(await asyncio.to_thread(usage_json, inspector.settings, entries))


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= 10_000):
        raise AdminError.invalid(("limit", "expected a whole number from 1 to 10000"))
    return int(text)


def _summary(found: Conversation) -> dict[str, Any]:
    return {
        "id": found.id,
        "kind": found.kind,
        "title": plain(found.title),
        "session": found.session,
        "first": found.first,
        "last": found.last,
        "exchanges": len(found.exchanges),
        "turns": len(found.turns),
        "runs": len(found.runs),
        "status": found.runs[-1].status if found.runs else None,
        "tokens": tokens_json(found.usage),
    }


def _whole(found: Conversation) -> dict[str, Any]:
    runs = {run.id: _run(run) for run in found.runs}
    turns = [_turn(each) for each in found.turns]
    return _summary(found) | {"numbers": list(found.exchanges), "turns": turns, "runs": list(runs.values())}


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "id": plain(turn.id) or None,
        "role": plain(turn.role),
        **_cut(turn.text),
        "images": turn.images,
        "files": turn.files,
        "exchange": turn.exchange,
        "at": turn.at,
        "tool_calls": [_call(each) for each in turn.calls],
        "run": plain(turn.run) or None,
        "branch": turn.branch or None,
    }


def _cut(text: str) -> dict[str, Any]:
    """A text as far as it is shown, and how many characters of it are not."""
    return {"text": plain(text[:TEXT_SHOWN]), "left_out": max(0, len(text) - TEXT_SHOWN)}


def _call(call: Call) -> dict[str, Any]:
    output = None if call.output is None else plain(call.output[:TEXT_SHOWN])
    return {
        "id": plain(call.id),
        "name": plain(call.name),
        "arguments": plain(call.arguments[:TEXT_SHOWN]),
        "output": output,
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": plain(run.id),
        "status": plain(run.status),
        "model": plain(run.model) or None,
        "states": [
            {"status": plain(each.status), "at": round(each.at, 6), "exchange": each.exchange, "implied": each.implied}
            for each in run.states
        ],
        "seconds": round(run.seconds, 6),
        "polls": run.polls,
        "times": dict(run.times),
        "steps": [_step(each) for each in run.steps],
        "tokens": tokens_json(run.usage),
        "error": plain(run.error[:TEXT_SHOWN]) or None,
        "exchange": run.exchange,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "id": plain(step.id),
        "type": plain(step.type),
        "status": plain(step.status),
        "tool_calls": [_call(each) for each in step.calls],
        "message": plain(step.message) or None,
        "tokens": tokens_json(step.usage),
        "exchange": step.exchange,
    }
