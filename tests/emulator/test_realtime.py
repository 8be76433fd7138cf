"""Realtime: secrets, sessions of three kinds, and calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from replayproxy.emulator.app import STATE, create_app
from replayproxy.emulator.fixtures import add_fixtures
from replayproxy.emulator.realtime.sdp import sdp_answer
from replayproxy.emulator.runner import serving
from replayproxy.emulator.state import EmulatorSettings
from tests.e2e.background import in_background
from tests.strict_clients import strict_client

START = EmulatorSettings().clock_start
OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 96 0",
        "a=mid:sound",
        "a=rtpmap:96 opus/48000/2",
        "m=video 9 UDP/TLS/RTP/SAVPF 97",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:2",
        "",
    ]
)
VAD = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200}
PCM = {"type": "audio/pcm", "rate": 24000}


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


async def test_secret_comes_with_the_session_it_opens(client: AsyncOpenAI) -> None:
    """With the reference's defaults; it lives for ten minutes."""
    made = await client.realtime.client_secrets.create()
    assert made.value.startswith("ek_")
    assert made.expires_at == START + 600
    session: Any = made.session
    assert session.id.startswith("sess_")
    assert session.to_dict() == {
        "type": "realtime",
        "object": "realtime.session",
        "id": session.id,
        "model": "gpt-realtime",
        "output_modalities": ["audio"],
        "instructions": "You are a friendly assistant.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": 0,
        "audio": {
            "input": {
                "format": PCM,
                "turn_detection": VAD | {"idle_timeout_ms": None, "create_response": True, "interrupt_response": True},
            },
            "output": {"format": PCM, "voice": "alloy", "speed": 1.0},
        },
    }
    other = await client.realtime.client_secrets.create()
    assert other.value != made.value


async def test_session_of_a_secret_is_as_it_was_asked_for(client: AsyncOpenAI) -> None:
    """Each default can be replaced alone; a made voice is told by its id."""
    made = await client.realtime.client_secrets.create(
        expires_after={"seconds": 20},
        session={
            "type": "realtime",
            "model": "gpt-realtime-mini",
            "include": ["item.input_audio_transcription.logprobs"],
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "transcription": {"model": "whisper-1", "language": "en"},
                    "noise_reduction": {"type": "near_field"},
                    "turn_detection": {"type": "semantic_vad", "eagerness": "low"},
                },
                "output": {"voice": {"id": "voice_1"}, "speed": 1.25},
            },
        },
    )
    assert made.expires_at == START + 20
    told: Any = made.session.to_dict()
    assert (told["model"], told["include"]) == ("gpt-realtime-mini", ["item.input_audio_transcription.logprobs"])
    assert told["audio"] == {
        "input": {
            "format": {"type": "audio/pcmu"},
            "transcription": {"model": "whisper-1", "language": "en"},
            "noise_reduction": {"type": "near_field"},
            "turn_detection": {
                "type": "semantic_vad",
                "eagerness": "low",
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"format": PCM, "voice": "voice_1", "speed": 1.25},
    }


async def test_turns_need_not_be_detected(client: AsyncOpenAI) -> None:
    """Null stays null; and a session may be one for writing down."""
    quiet: Any = {"input": {"turn_detection": None}}
    made = await client.realtime.client_secrets.create(session={"type": "transcription", "audio": quiet})
    assert made.session.to_dict() == {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": made.session.id,
        "expires_at": 0,
        "audio": {"input": {"format": PCM, "turn_detection": None}},
    }


async def test_turns_are_detected_as_asked_for_where_there_are_no_defaults(client: AsyncOpenAI) -> None:
    """By what is said, in a session for writing down."""
    meant: Any = {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}}
    made = await client.realtime.client_secrets.create(session={"type": "transcription", "audio": meant})
    told: Any = made.session.to_dict()
    assert told["audio"]["input"]["turn_detection"] == {"type": "semantic_vad", "eagerness": "high"}


async def test_secret_for_a_translation(client: AsyncOpenAI) -> None:
    """The session ends with its secret."""
    made = await client.realtime.translations.client_secrets.create(
        session={"model": "gpt-realtime-translate", "audio": {"output": {"language": "es"}}}
    )
    assert made.value.startswith("ek_")
    assert made.session.to_dict() == {
        "id": made.session.id,
        "type": "translation",
        "expires_at": made.expires_at,
        "model": "gpt-realtime-translate",
        "audio": {"input": {"transcription": None, "noise_reduction": None}, "output": {"language": "es"}},
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_sessions_of_the_beta(client: AsyncOpenAI) -> None:
    """They hold their secret."""
    session = await client.beta.realtime.sessions.create(instructions="Be brief.", voice="echo")
    told: Any = session.to_dict()
    secret = told.pop("client_secret")
    assert (secret["value"][:3], secret["expires_at"]) == ("ek_", START + 60)
    assert told == {
        "id": told["id"],
        "object": "realtime.session",
        "expires_at": 0,
        "model": "gpt-realtime",
        "modalities": ["audio", "text"],
        "instructions": "Be brief.",
        "voice": "echo",
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": None,
        "turn_detection": VAD,
        "tools": [],
        "tool_choice": "auto",
        "temperature": 0.8,
        "max_response_output_tokens": "inf",
        "speed": 1.0,
    }
    written = await client.beta.realtime.transcription_sessions.create(
        input_audio_transcription={"model": "whisper-1"}, turn_detection={"threshold": 0.75}
    )
    assert written.client_secret.expires_at == START + 1 + 600
    told = written.to_dict()
    assert told["turn_detection"] == VAD | {"threshold": 0.75}
    assert told["input_audio_transcription"] == {"model": "whisper-1", "prompt": ""}


async def test_call_is_made_and_hung_up(client: AsyncOpenAI) -> None:
    """201 with an SDP answer and its place; then it takes orders until it is over."""
    made = await client.realtime.calls.create(sdp=OFFER)
    assert made.response.status_code == 201
    assert made.response.headers["content-type"] == "application/sdp"
    location = made.response.headers["location"]
    assert location.startswith("/v1/realtime/calls/rtc_")
    call = location.rpartition("/")[2]
    assert made.text == sdp_answer(OFFER, call)
    calls = client.realtime.calls
    accepted = await calls.with_raw_response.accept(call, type="realtime")
    assert (accepted.status_code, accepted.http_response.content) == (200, b"")
    await calls.refer(call, target_uri="tel:+14155550123")
    await calls.hangup(call)
    for over in (calls.hangup(call), calls.reject(call), calls.accept(call, type="realtime")):
        with pytest.raises(openai.NotFoundError, match=f"No call found with id '{call}'"):
            await over


async def test_offer_may_be_the_whole_body(client: AsyncOpenAI) -> None:
    """As browsers send it."""
    answer = await client.post(
        "/realtime/calls",
        content=OFFER.encode(),
        options={"headers": {"Content-Type": "application/sdp"}},
        cast_to=openai._legacy_response.HttpxBinaryResponseContent,
    )
    assert "a=mid:sound" in answer.text


def test_incoming_calls_come_of_fixtures() -> None:
    """And may be rejected; through the synchronous client."""
    app = create_app()
    add_fixtures(app[STATE], {"realtime call": [{"id": "rtc_1"}], "realtime session": [{"id": "sess_1"}]})
    with in_background(serving(app)) as emulator, OpenAI(base_url=f"{emulator.url}/v1", api_key="any") as client:
        client.realtime.calls.reject("rtc_1", status_code=486)
        with pytest.raises(openai.NotFoundError):
            client.realtime.calls.reject("rtc_1")


def test_answer_has_the_sections_of_the_offer() -> None:
    """In their order, by their names; what is no sound or data is turned down."""
    lines = sdp_answer(OFFER, "rtc_1").split("\r\n")
    assert lines[0] == "v=0"
    assert lines[-1] == ""
    assert "a=group:BUNDLE sound 2" in lines
    assert [line for line in lines if line.startswith(("m=", "a=mid:"))] == [
        "m=audio 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:sound",
        "m=video 0 UDP/TLS/RTP/SAVPF 97",
        "a=mid:1",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:2",
    ]
    assert lines.count("a=setup:active") == 2


@pytest.mark.parametrize("offer", ["", "text", "m=audio", "a=mid:0\nm="])
def test_what_is_no_offer_has_an_answer_without_sections(offer: str) -> None:
    """It is not the emulator that will connect."""
    assert "m=" not in sdp_answer(offer, "rtc_1").replace("msid-semantic", "")
    assert "BUNDLE" not in sdp_answer(offer, "rtc_1")
