"""The family of realtime calls and secrets: what is asked for over HTTP before a client connects.

Facts (the API's description and its examples): the order of keys, the defaults, the life of a secret, the headers of a
new call. Rules:
1. There is nothing to connect to: a secret opens nothing, and the answer to an SDP offer leads nowhere.
2. A call that was hung up or rejected is not there any more (inferred).
"""

from __future__ import annotations

from typing import Final

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Raw
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Handler, Routes, not_found
from replayproxy.emulator.realtime.sdp import sdp_answer
from replayproxy.emulator.realtime.sessions import (
    beta_session,
    beta_transcription_session,
    realtime_session,
    transcription_session,
    translation_session,
)
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX, mint
from replayproxy.emulator.state import State

__all__ = ["KINDS", "REALTIME_CALL", "REALTIME_SESSION", "ROUTES"]

#: How long a secret lives, in seconds: unless something else is asked for, and where nothing else can be.
_SECONDS: Final = 600
_SECONDS_OF_BETA: Final = 60


def _invent_call(_: State, record: Record) -> None:
    record.json = {"id": record.id, "object": "realtime.call", "created_at": record.created_at}


def _invent_session(_: State, record: Record) -> None:
    record.json = realtime_session(record.id, {})


REALTIME_CALL = Kind("realtime call", "rtc_", _invent_call, 32, HEX)
REALTIME_SESSION = Kind("realtime session", "sess_", _invent_session, 21)
KINDS = (REALTIME_CALL, REALTIME_SESSION)


def _secret(state: State, session: Record, seconds: int) -> Json:
    """What lets a browser connect, as it stands in an answer, and until when."""
    value = mint("ek_", state.settings.seed, session.id, length=32, digits=HEX)
    return {"value": value, "expires_at": session.created_at + seconds}


def _seconds(body: Json) -> int:
    return int(body.get("expires_after", {}).get("seconds", _SECONDS))


def _create_secret(state: State, asked: Asked) -> Answer:
    given = asked.body.get("session", {})
    shape = transcription_session if given.get("type") == "transcription" else realtime_session

    def fill(record: Record) -> None:
        record.json = shape(record.id, given)

    session = state.add(REALTIME_SESSION, fill)
    return _secret(state, session, _seconds(asked.body)) | {"session": session.json}


def _create_translation_secret(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        expires_at = record.created_at + _seconds(asked.body)
        record.json = translation_session(record.id, expires_at, asked.body["session"])

    session = state.add(REALTIME_SESSION, fill)
    return _secret(state, session, _seconds(asked.body)) | {"session": session.json}


def _create_session(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = beta_session(record.id, asked.body)

    session = state.add(REALTIME_SESSION, fill)
    return session.json | {"client_secret": _secret(state, session, _SECONDS_OF_BETA)}


def _create_transcription_session(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = beta_transcription_session(record.id, asked.body)

    session = state.add(REALTIME_SESSION, fill)
    return session.json | {"client_secret": _secret(state, session, _SECONDS)}


def _create_call(state: State, asked: Asked) -> Answer:
    body = asked.request.body
    offer = asked.body.get("sdp") or (body.decode("utf-8", "replace") if isinstance(body, bytes) else "")
    call = state.add(REALTIME_CALL, lambda record: _invent_call(state, record))
    headers = {"Location": f"/v1/realtime/calls/{call.id}"}
    return Raw(sdp_answer(offer, call.id).encode(), "application/sdp", status=201, headers=headers)


def _told_to_call(*, ends: bool) -> Handler:
    """The handler that answers with nothing when the call is there, and takes it away when that `ends` it."""

    def handler(state: State, asked: Asked) -> Answer:
        call = _call_of(state, asked)
        if isinstance(call, Problem):
            return call
        if ends:
            state.remove(REALTIME_CALL, call.id)
        return Raw(b"", "text/plain")

    return handler


def _call_of(state: State, asked: Asked) -> Record | Problem:
    id_ = asked.params["call_id"]
    return state.get(REALTIME_CALL, id_) or not_found("call", id_)


ROUTES: Routes = (
    ("create-realtime-client-secret", _create_secret),
    ("create-realtime-translation-client-secret", _create_translation_secret),
    ("create-realtime-session", _create_session),
    ("create-realtime-transcription-session", _create_transcription_session),
    ("create-realtime-call", _create_call),
    ("accept-realtime-call", _told_to_call(ends=False)),
    ("refer-realtime-call", _told_to_call(ends=False)),
    ("hangup-realtime-call", _told_to_call(ends=True)),
    ("reject-realtime-call", _told_to_call(ends=True)),
)
