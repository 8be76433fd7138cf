"""Voices that were made to measure, and the consents of those whose voices they are."""

from __future__ import annotations

from dataclasses import replace

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted, find, not_found, page_answer
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["CONSENT", "VOICE", "VOICE_ROUTES"]


def _invent_consent(_: State, record: Record) -> None:
    record.json = _consent(record, {"name": "Somebody", "language": "en-US"})


def _invent_voice(_: State, record: Record) -> None:
    record.json = _voice(record, {"name": "Somebody"})


CONSENT = Kind("voice consent", "cons_", _invent_consent)
VOICE = Kind("voice", "voice_", _invent_voice)


def _consent(record: Record, body: Json) -> Json:
    return {
        "object": "audio.voice_consent",
        "id": record.id,
        "name": body["name"],
        "language": body["language"],
        "created_at": record.created_at,
    }


def _voice(record: Record, body: Json) -> Json:
    """A voice; `type` and `prompt` are as the official client knows them, which is newer than the API's description."""
    voice = {
        "object": "audio.voice",
        "id": record.id,
        "name": body["name"],
        "created_at": record.created_at,
        "type": body.get("type") or "audio_sample",
    }
    return voice | ({"prompt": body["prompt"]} if body.get("prompt") else {})


def _consent_of(state: State, asked: Asked) -> Record | Problem:
    id_ = asked.params["consent_id"]
    return find(state, CONSENT, id_)


def _create_consent(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = _consent(record, asked.body)

    return state.add(CONSENT, fill).json


def _list_consents(state: State, asked: Asked) -> Answer:
    return page_answer(state.shelf(CONSENT), CONSENT, asked)


def _get_consent(state: State, asked: Asked) -> Answer:
    consent = _consent_of(state, asked)
    return consent if isinstance(consent, Problem) else consent.json


def _update_consent(state: State, asked: Asked) -> Answer:
    consent = _consent_of(state, asked)
    if isinstance(consent, Problem):
        return consent
    consent.json["name"] = asked.body["name"]
    state.keep(consent)
    return consent.json


def _delete_consent(state: State, asked: Asked) -> Answer:
    id_ = asked.params["consent_id"]
    gone = state.remove(CONSENT, id_)
    return deleted(id_, "audio.voice_consent") if gone else not_found(CONSENT.name, id_)


def _create_voice(state: State, asked: Asked) -> Answer:
    """A voice, from the words of somebody who is known to agree."""
    consent = asked.body.get("consent")
    if consent and not state.get(CONSENT, consent):
        return replace(not_found(CONSENT.name, consent), param="consent")

    def fill(record: Record) -> None:
        record.json = _voice(record, asked.body)

    return state.add(VOICE, fill).json


VOICE_ROUTES: Routes = (
    ("createVoiceConsent", _create_consent),
    ("listVoiceConsents", _list_consents),
    ("getVoiceConsent", _get_consent),
    ("updateVoiceConsent", _update_consent),
    ("deleteVoiceConsent", _delete_consent),
    ("createVoice", _create_voice),
)
