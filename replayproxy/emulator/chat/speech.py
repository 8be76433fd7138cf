"""Chat completions that are spoken: the words are the transcript of a recording."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from replayproxy.emulator.brain import Reply
from replayproxy.emulator.brain.words import pieces
from replayproxy.emulator.chat.replies import Completion
from replayproxy.emulator.media.audio_files import speech
from replayproxy.emulator.records import Json
from replayproxy.emulator.shelf import mint

__all__ = ["speech_deltas", "spoken"]

#: Seconds for which the API lets a recording be named in a later request.
_LIFE = 3600


def spoken(completion: Completion, index: int, reply: Reply) -> Json | None:
    """The `audio` of a choice; None when it is not to be spoken."""
    body = completion.body
    if "audio" not in (body.get("modalities") or ()) or not reply.text or reply.tool_calls:
        return None
    format_ = (body.get("audio") or {}).get("format") or "wav"
    return {
        "id": mint("audio_", completion.seed, completion.id, index),
        "data": base64.b64encode(speech(format_, reply.text)).decode(),
        "expires_at": completion.created + _LIFE,
        "transcript": reply.text,
    }


def speech_deltas(audio: Json, reply: Reply) -> Iterator[Json]:
    """The `audio` of a choice, piece by piece."""
    yield {"audio": {"id": audio["id"], "transcript": ""}}
    yield from ({"audio": {"transcript": piece}} for piece in pieces(reply))
    yield {"audio": {"data": audio["data"]}}
    yield {"audio": {"expires_at": audio["expires_at"]}}
