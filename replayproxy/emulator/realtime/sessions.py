"""Realtime sessions as they are answered: what was given, and the defaults for the rest.

Facts (examples of the API's reference): the order of keys and the defaults. What the description does not let be null
is left out when it was not given.
"""

from __future__ import annotations

from replayproxy.emulator.records import Json

__all__ = [
    "beta_session",
    "beta_transcription_session",
    "realtime_session",
    "transcription_session",
    "translation_session",
]

_MODEL, _VOICE = "gpt-realtime", "alloy"
_INSTRUCTIONS = "You are a friendly assistant."
_PCM: Json = {"type": "audio/pcm", "rate": 24000}
#: When somebody is taken to have finished, in the older sessions and in those of now.
_SERVER_VAD: Json = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200}
_DETECTION: dict[str, Json] = {
    "server_vad": {**_SERVER_VAD, "idle_timeout_ms": None, "create_response": True, "interrupt_response": True},
    "semantic_vad": {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    },
}
_TRANSCRIPTION = ("model", "language", "languages", "prompt")


def realtime_session(id_: str, given: Json) -> Json:
    """A session in which a model speaks; `given` is a valid one of a request."""
    audio = given.get("audio", {})
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": id_,
        "model": given.get("model", _MODEL),
        "output_modalities": given.get("output_modalities", ["audio"]),
        "instructions": given.get("instructions", _INSTRUCTIONS),
        "tools": given.get("tools", []),
        "tool_choice": given.get("tool_choice", "auto"),
        "max_output_tokens": given.get("max_output_tokens", "inf"),
        "tracing": given.get("tracing"),
        "truncation": given.get("truncation", "auto"),
        "prompt": given.get("prompt"),
        "expires_at": 0,
        "audio": {"input": _input(audio.get("input", {}), _DETECTION), "output": _output(audio.get("output", {}))},
        **_present(given, "include", "reasoning"),
    }


def transcription_session(id_: str, given: Json) -> Json:
    """A session in which what is heard is written down."""
    heard = given.get("audio", {}).get("input", {})
    return {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": id_,
        "expires_at": 0,
        "audio": {"input": _input(heard, {"server_vad": _SERVER_VAD})},
        **_present(given, "include"),
    }


def translation_session(id_: str, expires_at: int, given: Json) -> Json:
    """A session in which what is heard is said in another language (English unless told otherwise: inferred)."""
    audio = given.get("audio", {})
    return {
        "id": id_,
        "type": "translation",
        "expires_at": expires_at,
        "model": given["model"],
        "audio": {
            "input": {"transcription": None, "noise_reduction": None} | audio.get("input", {}),
            "output": {"language": "en"} | audio.get("output", {}),
        },
    }


def beta_session(id_: str, given: Json) -> Json:
    """A session as it was before sessions had types, without its secret."""
    return {
        "id": id_,
        "object": "realtime.session",
        "expires_at": 0,
        "model": given.get("model", _MODEL),
        "modalities": given.get("modalities", ["audio", "text"]),
        "instructions": given.get("instructions", _INSTRUCTIONS),
        "voice": _voice(given),
        "input_audio_format": given.get("input_audio_format", "pcm16"),
        "output_audio_format": given.get("output_audio_format", "pcm16"),
        "input_audio_transcription": given.get("input_audio_transcription"),
        "turn_detection": _SERVER_VAD | given.get("turn_detection", {}),
        "tools": given.get("tools", []),
        "tool_choice": given.get("tool_choice", "auto"),
        "temperature": given.get("temperature", 0.8),
        "max_response_output_tokens": given.get("max_response_output_tokens", "inf"),
        "speed": given.get("speed", 1.0),
        **_present(given, "tracing"),
    }


def beta_transcription_session(id_: str, given: Json) -> Json:
    """A session for writing down as it was before sessions had types, without its secret."""
    transcription = {"model": "gpt-4o-transcribe", "prompt": ""} | given.get("input_audio_transcription", {})
    return {
        "id": id_,
        "object": "realtime.transcription_session",
        "modalities": ["audio", "text"],
        "turn_detection": _SERVER_VAD | given.get("turn_detection", {}),
        "input_audio_format": given.get("input_audio_format", "pcm16"),
        "input_audio_transcription": _present(transcription, *_TRANSCRIPTION),
    }


def _present(given: Json, *names: str) -> Json:
    return {name: given[name] for name in names if given.get(name) is not None}


def _input(given: Json, detection: dict[str, Json]) -> Json:
    told: Json = {"format": given.get("format", _PCM)}
    if given.get("transcription"):
        told["transcription"] = _present(given["transcription"], *_TRANSCRIPTION)
    told |= _present(given, "noise_reduction")
    return told | {"turn_detection": _detection(given, detection)}


def _detection(given: Json, defaults: dict[str, Json]) -> Json | None:
    wanted: Json | None = given.get("turn_detection", {})
    return None if wanted is None else defaults.get(wanted.get("type", "server_vad"), {}) | wanted


def _output(given: Json) -> Json:
    return {"format": given.get("format", _PCM), "voice": _voice(given), "speed": given.get("speed", 1.0)}


def _voice(given: Json) -> str:
    """A voice's name, or the id of one that was made to measure."""
    voice = given.get("voice", _VOICE)
    return str(voice["id"] if isinstance(voice, dict) else voice)
