"""The family of ChatKit: sessions, threads and what is in these.

Facts (the API's description): the defaults of a session, and the order of keys. Threads come of chats in a browser,
which the emulator has none of: there are those that fixtures, or made-up ids, bring.
"""

from __future__ import annotations

from typing import Final

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted, not_found, page_answer
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX, mint
from replayproxy.emulator.state import State

__all__ = ["CHATKIT_SESSION", "CHATKIT_THREAD", "CHATKIT_THREAD_ITEM", "KINDS", "ROUTES"]

_SECONDS: Final = 600
_REQUESTS: Final = 10
_INVENTED: Json = {"workflow": {"id": "wf_emulator"}, "user": "user"}


def _invent_session(state: State, record: Record) -> None:
    record.json = _session(state, record, _INVENTED)


def _invent_thread(_: State, record: Record) -> None:
    record.json = {
        "id": record.id,
        "object": "chatkit.thread",
        "created_at": record.created_at,
        "title": None,
        "status": {"type": "active"},
        "user": _INVENTED["user"],
    }


def _invent_item(_: State, record: Record) -> None:
    record.json = {
        "id": record.id,
        "object": "chatkit.thread_item",
        "created_at": record.created_at,
        "thread_id": record.parent,
        "type": "chatkit.user_message",
        "content": [{"type": "input_text", "text": "Hello"}],
        "attachments": [],
        "inference_options": None,
    }


CHATKIT_SESSION = Kind("chatkit session", "cksess_", _invent_session, 48, HEX)
CHATKIT_THREAD = Kind("chatkit thread", "cthr_", _invent_thread, 48, HEX)
CHATKIT_THREAD_ITEM = Kind("chatkit thread item", "cthi_", _invent_item, 48, HEX)
KINDS = (CHATKIT_SESSION, CHATKIT_THREAD, CHATKIT_THREAD_ITEM)


def _session(state: State, record: Record, body: Json) -> Json:
    seconds = body.get("expires_after", {}).get("seconds", _SECONDS)
    requests = body.get("rate_limits", {}).get("max_requests_per_1_minute", _REQUESTS)
    return {
        "id": record.id,
        "object": "chatkit.session",
        "expires_at": record.created_at + seconds,
        "client_secret": mint("ek_", state.settings.seed, record.id, length=32, digits=HEX),
        "workflow": _workflow(body["workflow"]),
        "user": body["user"],
        "rate_limits": {"max_requests_per_1_minute": requests},
        "max_requests_per_1_minute": requests,
        "status": "active",
        "chatkit_configuration": _configuration(body.get("chatkit_configuration", {})),
    }


def _workflow(given: Json) -> Json:
    return {
        "id": given["id"],
        "version": given.get("version"),
        "state_variables": given.get("state_variables", {}),
        "tracing": {"enabled": True} | given.get("tracing", {}),
    }


def _configuration(given: Json) -> Json:
    defaults: dict[str, Json] = {
        "automatic_thread_titling": {"enabled": True},
        "file_upload": {"enabled": False, "max_file_size": 512, "max_files": 10},
        "history": {"enabled": True, "recent_threads": None},
    }
    return {name: default | given.get(name, {}) for name, default in defaults.items()}


def _create_session(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = _session(state, record, asked.body)

    return state.add(CHATKIT_SESSION, fill).json


def _cancel_session(state: State, asked: Asked) -> Answer:
    id_ = asked.params["session_id"]
    session = state.get(CHATKIT_SESSION, id_)
    if session is None:
        return not_found("session", id_)
    session.json["status"] = "cancelled"
    state.keep(session)
    return session.json


def _thread_of(state: State, asked: Asked) -> Record | Problem:
    id_ = asked.params["thread_id"]
    return state.get(CHATKIT_THREAD, id_) or not_found("thread", id_)


def _list_threads(state: State, asked: Asked) -> Answer:
    user = asked.query.get("user")
    wanted = (lambda record: record.json["user"] == user) if user else None
    return page_answer(state.shelf(CHATKIT_THREAD), CHATKIT_THREAD, asked, wanted)


def _get_thread(state: State, asked: Asked) -> Answer:
    thread = _thread_of(state, asked)
    return thread if isinstance(thread, Problem) else thread.json


def _delete_thread(state: State, asked: Asked) -> Answer:
    thread = _thread_of(state, asked)
    if isinstance(thread, Problem):
        return thread
    for item in state.shelf(CHATKIT_THREAD_ITEM, thread.id):
        state.remove(CHATKIT_THREAD_ITEM, item.id, thread.id)
    state.remove(CHATKIT_THREAD, thread.id)
    return deleted(thread.id, "chatkit.thread.deleted")


def _list_items(state: State, asked: Asked) -> Answer:
    thread = _thread_of(state, asked)
    if isinstance(thread, Problem):
        return thread
    return page_answer(state.shelf(CHATKIT_THREAD_ITEM, thread.id), CHATKIT_THREAD_ITEM, asked)


ROUTES: Routes = (
    ("CreateChatSessionMethod", _create_session),
    ("CancelChatSessionMethod", _cancel_session),
    ("ListThreadsMethod", _list_threads),
    ("GetThreadMethod", _get_thread),
    ("DeleteThreadMethod", _delete_thread),
    ("ListThreadItemsMethod", _list_items),
)
