"""The family of audio: speech, transcriptions and translations. Voices are in audio_voices.py."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Event, Events, Raw
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain.tokens import count
from replayproxy.emulator.family import Routes
from replayproxy.emulator.media.audio_files import MEDIA_TYPES, speech
from replayproxy.emulator.media.audio_transcripts import Transcript, transcript_answer, transcript_events
from replayproxy.emulator.media.audio_voices import CONSENT, VOICE, VOICE_ROUTES
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES"]

#: Bytes of an audio file in one event.
_PIECE = 4096
_TOO_SHORT = "Audio file is too short. Minimum audio length is 0.1 seconds."
_ONLY_JSON = "response_format '{given}' is not compatible with model '{model}'. Use 'json' or 'text' instead."
_TIMED = frozenset({"srt", "vtt", "verbose_json"})


def _speak(_: State, asked: Asked) -> Answer:
    body = asked.body
    format_ = body.get("response_format") or "mp3"
    content = speech(format_, body["input"])
    if body.get("stream_format") == "sse":
        return Events(_speech_events(content, count(body["input"], body["model"])))
    return Raw(content, MEDIA_TYPES[format_])


def _speech_events(content: bytes, asked: int) -> Iterator[Event]:
    places = range(0, len(content), _PIECE)
    for place in places:
        piece = base64.b64encode(content[place : place + _PIECE]).decode()
        yield "speech.audio.delta", {"type": "speech.audio.delta", "audio": piece}
    made = len(places)
    usage = {"input_tokens": asked, "output_tokens": made, "total_tokens": asked + made}
    yield "speech.audio.done", {"type": "speech.audio.done", "usage": usage}


def _transcribe(_: State, asked: Asked) -> Answer:
    heard = _heard(asked, "transcribe")
    if isinstance(heard, Problem):
        return heard
    if asked.body.get("stream") and not heard.by_duration:  # the oldest model takes no notice of the wish
        return Events(transcript_events(heard))
    return transcript_answer(heard)


def _translate(_: State, asked: Asked) -> Answer:
    heard = _heard(asked, "translate")
    return heard if isinstance(heard, Problem) else transcript_answer(heard)


def _heard(asked: Asked, task: str) -> Transcript | Problem:
    body = asked.body
    files = asked.uploads("file")
    if not files or not files[0].content:
        return Problem(_TOO_SHORT, "file", "audio_too_short")
    given, model = body.get("response_format"), body["model"]
    if given in _TIMED and model.startswith("gpt-"):
        return Problem(_ONLY_JSON.format(given=given, model=model), "response_format", "unsupported_value")
    return Transcript(files[0], body, task)


KINDS = (CONSENT, VOICE)
ROUTES: Routes = (
    ("createSpeech", _speak),
    ("createTranscription", _transcribe),
    ("createTranslation", _translate),
    *VOICE_ROUTES,
)
