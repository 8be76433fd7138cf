"""What a recording says, in the formats of transcriptions and translations.

Nothing is listened to: the text names the file, so that the same file always says the same.
"""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Iterator
from dataclasses import dataclass

from replayproxy.emulator.answers import Answer, Event, Raw
from replayproxy.emulator.asked import Upload
from replayproxy.emulator.brain.tokens import count
from replayproxy.emulator.brain.words import cut
from replayproxy.emulator.chat.logprobs import BEFORE, logprob
from replayproxy.emulator.records import Json

__all__ = ["Transcript", "transcript_answer", "transcript_events"]

#: Bytes of a second of compressed speech (at 32 kbit/s).
_BYTES = 4000
#: Audio tokens of a second.
_TOKENS = 10
#: What the verbose form calls languages.
_NAMES = {"en": "english", "de": "german", "es": "spanish", "fr": "french", "it": "italian", "ja": "japanese"}
_SPEAKER = "A"


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in a file. `task` is `transcribe` or `translate`, `body` the request."""

    file: Upload
    body: Json
    task: str = "transcribe"

    @property
    def text(self) -> str:
        return f"This is what was said in {self.file.filename}."

    @property
    def seconds(self) -> float:
        """The length of the recording: of a WAV file its own, of others guessed by their size."""
        try:
            with wave.open(io.BytesIO(self.file.content)) as file:
                return float(round(file.getnframes() / file.getframerate(), 2))
        except (wave.Error, EOFError, ValueError, ZeroDivisionError):
            return round(max(0.1, len(self.file.content) / _BYTES), 2)

    @property
    def by_duration(self) -> bool:
        """Whether it is paid by the second and not by tokens."""
        return bool(self.body["model"] == "whisper-1")

    def usage(self) -> Json:
        if self.by_duration:
            return {"type": "duration", "seconds": math.ceil(self.seconds)}
        heard, prompted, said = (
            math.ceil(self.seconds * _TOKENS),
            count(self.body.get("prompt") or ""),
            count(self.text),
        )
        return {
            "type": "tokens",
            "total_tokens": heard + prompted + said,
            "input_tokens": heard + prompted,
            "input_token_details": {"text_tokens": prompted, "audio_tokens": heard},
            "output_tokens": said,
        }

    def logprobs(self) -> list[Json] | None:
        """The tokens with their probabilities, None when they were not asked for."""
        if "logprobs" not in (self.body.get("include") or ()):
            return None
        tokens = cut(self.text)
        return [
            {
                "token": token,
                "logprob": logprob(token, tokens[max(0, place - BEFORE) : place]),
                "bytes": list(token.encode()),
            }
            for place, token in enumerate(tokens)
        ]


def transcript_answer(heard: Transcript) -> Answer:
    """The answer in the format that the request asks for."""
    match heard.body.get("response_format") or "json":
        case "text":
            return _text(heard.text + "\n")
        case "srt":
            return _text(f"1\n{_clock(0, ',')} --> {_clock(heard.seconds, ',')}\n{heard.text}\n\n\n")
        case "vtt":
            return _text(f"WEBVTT\n\n{_clock(0, '.')} --> {_clock(heard.seconds, '.')}\n{heard.text}\n\n")
        case "verbose_json":
            return _verbose(heard)
        case "diarized_json":
            facts = {"task": "transcribe", "duration": heard.seconds, "text": heard.text}
            return {**facts, "segments": [_spoken_segment(heard)], "usage": heard.usage()}
    if heard.task == "translate":
        return {"text": heard.text}
    chances = heard.logprobs()
    return {"text": heard.text, **({} if chances is None else {"logprobs": chances}), "usage": heard.usage()}


def transcript_events(heard: Transcript) -> Iterator[Event]:
    """The stream of a transcription."""
    chances = heard.logprobs()
    if heard.body.get("response_format") == "diarized_json":
        segment = _spoken_segment(heard)
        yield segment["type"], segment
    else:
        for place, piece in enumerate(cut(heard.text)):
            delta: Json = {"type": "transcript.text.delta", "delta": piece}
            yield delta["type"], delta if chances is None else delta | {"logprobs": [chances[place]]}
    done: Json = {"type": "transcript.text.done", "text": heard.text}
    done |= {} if chances is None else {"logprobs": chances}
    yield done["type"], done if heard.by_duration else done | {"usage": heard.usage()}


def _text(text: str) -> Raw:
    return Raw(text.encode(), "text/plain; charset=utf-8")


def _clock(seconds: float, point: str) -> str:
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _verbose(heard: Transcript) -> Json:
    language = "en" if heard.task == "translate" else heard.body.get("language") or "en"
    answer: Json = {
        "task": heard.task,
        "language": _NAMES.get(language, language),
        "duration": heard.seconds,
        "text": heard.text,
    }
    wanted = heard.body.get("timestamp_granularities") or ["segment"]
    if "word" in wanted:
        answer["words"] = _words(heard)
    if "segment" in wanted:
        answer["segments"] = [_segment(heard)]
    return answer | ({} if heard.task == "translate" else {"usage": heard.usage()})


def _words(heard: Transcript) -> list[Json]:
    """The words, evenly spread over the recording."""
    words = heard.text.rstrip(".").split()
    step = heard.seconds / len(words)
    return [
        {"word": word, "start": round(place * step, 2), "end": round((place + 1) * step, 2)}
        for place, word in enumerate(words)
    ]


def _segment(heard: Transcript) -> Json:
    return {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": heard.seconds,
        "text": f" {heard.text}",
        "tokens": [50364, *(1000 + len(token) for token in cut(heard.text)), 50464],
        "temperature": float(heard.body.get("temperature") or 0),
        "avg_logprob": -0.28,
        "compression_ratio": 1.1,
        "no_speech_prob": 0.01,
    }


def _spoken_segment(heard: Transcript) -> Json:
    names = heard.body.get("known_speaker_names") or [_SPEAKER]
    return {
        "type": "transcript.text.segment",
        "id": "seg_0",
        "start": 0.0,
        "end": heard.seconds,
        "text": heard.text,
        "speaker": names[0],
    }
