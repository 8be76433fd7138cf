"""Speech, transcriptions, translations and voices, by the official client."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from replayproxy.emulator.media.audio_files import MEDIA_TYPES, RATE, silence
from tests.strict_clients import strict_clients

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
SPOKEN = ("hello.wav", silence("wav", 1.5), "audio/wav")
TEXT = "This is what was said in hello.wav."
HEADS = {"mp3": b"\xff\xf3", "opus": b"OggS", "aac": b"\xff\xf1", "flac": b"fLaC", "wav": b"RIFF", "pcm": b"\0\0"}


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A strict client of an emulator."""
    async with strict_clients() as start:
        yield await start()


@pytest.fixture
async def lenient() -> AsyncIterator[AsyncOpenAI]:
    """A client whose answers are not looked at by the catalog, which does not know all that there is."""
    async with strict_clients() as start:
        yield await start(strict=False)


@pytest.mark.parametrize("format_", list(HEADS))
async def test_speech(client: AsyncOpenAI, format_: Any) -> None:
    """A short file in the format asked for, named by its media type."""
    spoken = await client.audio.speech.create(model="tts-1", voice="alloy", input="Hello!", response_format=format_)
    assert spoken.content.startswith(HEADS[format_])
    assert spoken.response.headers["content-type"] == MEDIA_TYPES[format_]
    assert len(spoken.content) < 50_000


async def test_speech_in_the_usual_format(client: AsyncOpenAI) -> None:
    """MP3; a longer text takes longer, up to a limit."""
    lengths = []
    for words in (1, 8, 500, 600):
        spoken = await client.audio.speech.create(model="tts-1", voice="alloy", input="Hello " * words)
        assert spoken.response.headers["content-type"] == "audio/mpeg"
        lengths.append(len(spoken.content))
    assert lengths[0] < lengths[1] < lengths[2] == lengths[3]


async def test_speech_as_events(client: AsyncOpenAI) -> None:
    """The file in pieces, then the tokens."""
    async with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input="Hello " * 10, response_format="wav", stream_format="sse"
    ) as raw:
        lines = [line async for line in raw.iter_lines() if line]
    assert raw.headers["content-type"].startswith("text/event-stream")
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert set(names[:-1]) == {"speech.audio.delta"}
    assert names[-1] == "speech.audio.done"


def test_silence_is_as_long_as_asked_for() -> None:
    """Rounded up to whole frames."""
    with wave.open(io.BytesIO(silence("wav", 0.25))) as file:
        assert (file.getframerate(), file.getnframes(), file.getnchannels()) == (RATE, RATE // 4, 1)
    assert len(silence("pcm", 0.5)) == RATE
    assert len(silence("mp3", 0.5)) == 96 * -(-RATE // 2 // 576)


def test_ogg_pages_follow_each_other() -> None:
    """With numbers in order, the first and the last one marked, and positions that grow to the length."""
    pages = list(ogg_pages(silence("opus", 1.5)))
    assert [number for _, number, _ in pages] == list(range(len(pages)))
    assert [flags for flags, _, _ in pages] == [2, 0, 0, 4]
    assert [position for _, _, position in pages] == [0, 0, 48_000, 72_000]


def ogg_pages(content: bytes) -> Iterator[tuple[int, int, int]]:
    """The flags, number and position of each page."""
    place = 0
    while place < len(content):
        assert content[place : place + 4] == b"OggS"
        position, number = (
            int.from_bytes(content[place + start : place + end], "little") for start, end in ((6, 14), (18, 22))
        )
        yield content[place + 5], number, position
        sizes = content[place + 27 : place + 27 + content[place + 26]]
        place += 27 + len(sizes) + sum(sizes)


async def test_transcription(client: AsyncOpenAI) -> None:
    """The text names the file; the oldest model counts seconds, newer ones tokens."""
    old = await client.audio.transcriptions.create(model="whisper-1", file=SPOKEN)
    assert old.to_dict() == {"text": TEXT, "usage": {"type": "duration", "seconds": 2}}
    new = await client.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=SPOKEN, prompt="Hello", include=["logprobs"], response_format="json"
    )
    assert new.text == TEXT
    assert new.usage
    assert new.usage.type == "tokens"
    assert new.usage.total_tokens == new.usage.input_tokens + new.usage.output_tokens
    assert "".join(token.token or "" for token in new.logprobs or ()) == TEXT


async def test_length_of_what_is_no_wave_file_is_guessed(client: AsyncOpenAI) -> None:
    """By its size."""
    heard = await client.audio.transcriptions.create(
        model="whisper-1", file=("a.mp3", bytes(12_000)), response_format="verbose_json"
    )
    assert heard.duration == 3.0


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("text", f"{TEXT}\n"),
        ("srt", f"1\n00:00:00,000 --> 00:00:01,500\n{TEXT}\n\n\n"),
        ("vtt", f"WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n{TEXT}\n\n"),
    ],
)
async def test_transcription_as_text(lenient: AsyncOpenAI, format_: Any, text: str) -> None:
    """Plain, and with times in the two formats of subtitles."""
    audio = lenient.audio
    assert await audio.transcriptions.create(model="whisper-1", file=SPOKEN, response_format=format_) == text
    assert await audio.translations.create(model="whisper-1", file=SPOKEN, response_format=format_) == text


async def test_transcription_with_times(client: AsyncOpenAI) -> None:
    """Of words, of segments, or both."""
    create = client.audio.transcriptions.create
    heard = await create(
        model="whisper-1",
        file=SPOKEN,
        language="de",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert (heard.duration, heard.language, heard.text) == (1.5, "german", TEXT)
    assert [word.word for word in heard.words or ()] == TEXT.rstrip(".").split()
    assert (heard.words or ())[-1].end == 1.5
    assert [segment.text.strip() for segment in heard.segments or ()] == [TEXT]
    words = await create(
        model="whisper-1", file=SPOKEN, response_format="verbose_json", timestamp_granularities=["word"]
    )
    assert (bool(words.words), words.segments) == (True, None)
    told = await create(
        model="gpt-4o-transcribe-diarize",
        file=SPOKEN,
        response_format="diarized_json",
        extra_body={"known_speaker_names[]": "Ada"},
    )
    assert [(segment.speaker, segment.text) for segment in told.segments] == [("Ada", TEXT)]


async def test_translation(client: AsyncOpenAI) -> None:
    """Into English."""
    plain = await client.audio.translations.create(model="whisper-1", file=SPOKEN)
    assert plain.to_dict() == {"text": TEXT}
    verbose = await client.audio.translations.create(model="whisper-1", file=SPOKEN, response_format="verbose_json")
    assert (verbose.language, verbose.text) == ("english", TEXT)


async def test_streamed_transcription(client: AsyncOpenAI) -> None:
    """Word by word, then the whole text with its tokens; speakers come by segments."""
    create = client.audio.transcriptions.create
    stream = await create(model="gpt-4o-transcribe", file=SPOKEN, stream=True, include=["logprobs"])
    *deltas, done = [event async for event in stream]
    assert "".join(event.delta for event in deltas if event.type == "transcript.text.delta") == TEXT
    assert done.type == "transcript.text.done"
    assert (done.text, len(done.logprobs or ())) == (TEXT, len(deltas))
    assert done.usage
    plain = await create(model="gpt-4o-transcribe", file=SPOKEN, stream=True)
    assert [event.type async for event in plain][-1] == "transcript.text.done"
    stream = await create(model="gpt-4o-transcribe-diarize", file=SPOKEN, stream=True, response_format="diarized_json")
    assert [event.type async for event in stream] == ["transcript.text.segment", "transcript.text.done"]


async def test_oldest_model_does_not_stream(client: AsyncOpenAI) -> None:
    """It takes no notice of the wish."""
    raw = await client.audio.transcriptions.with_raw_response.create(model="whisper-1", file=SPOKEN, stream=True)
    assert raw.headers["content-type"] == "application/json"


async def test_what_the_api_refuses(client: AsyncOpenAI) -> None:
    """A file of nothing, and formats that a model does not have."""
    with pytest.raises(openai.BadRequestError, match="Audio file is too short") as caught:
        await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b""))
    assert caught.value.code == "audio_too_short"
    with pytest.raises(openai.BadRequestError, match="response_format 'srt' is not compatible with model") as caught:
        await client.audio.transcriptions.create(model="gpt-4o-transcribe", file=SPOKEN, response_format="srt")
    assert caught.value.param == "response_format"
    with pytest.raises(openai.BadRequestError, match="too short"):
        await client.audio.translations.create(model="whisper-1", file=("a.wav", b""))


async def test_life_of_a_consent(client: AsyncOpenAI) -> None:
    """Given, listed, read, renamed, withdrawn, gone."""
    consents = client.audio.voice_consents
    made = await consents.create(name="Ada", language="en-GB", recording=SPOKEN)
    assert (made.name, made.language, made.object) == ("Ada", "en-GB", "audio.voice_consent")
    assert [each async for each in consents.list()] == [made]
    renamed = await consents.update(made.id, name="Grace")
    assert renamed == made.model_copy(update={"name": "Grace"})
    assert await consents.retrieve(made.id) == renamed
    assert (await consents.delete(made.id)).to_dict() == {
        "id": made.id,
        "object": "audio.voice_consent",
        "deleted": True,
    }
    for call in (consents.retrieve(made.id), consents.update(made.id, name="x"), consents.delete(made.id)):
        with pytest.raises(openai.NotFoundError, match="No voice consent found with id"):
            await call


async def test_voices(lenient: AsyncOpenAI) -> None:
    """Made from what somebody said who agreed, or from words. The catalog does not know what kinds there are."""
    consent = await lenient.audio.voice_consents.create(name="Ada", language="en-GB", recording=SPOKEN)
    spoken = await lenient.audio.voices.create(name="Mine", consent=consent.id, audio_sample=SPOKEN)
    assert (spoken.name, spoken.type, spoken.prompt) == ("Mine", "audio_sample", None)
    worded = await lenient.audio.voices.create(name="Mine", type="prompt", prompt="A deep voice")
    assert (worded.type, worded.prompt) == ("prompt", "A deep voice")
    with pytest.raises(openai.NotFoundError) as caught:
        await lenient.audio.voices.create(name="Mine", consent="cons_none", audio_sample=SPOKEN)
    assert caught.value.param == "consent"


async def test_consent_of_an_unknown_id() -> None:
    """Is made on the spot when the emulator may."""
    async with strict_clients() as start:
        client = await start(unknown_ids="create")
        made = await client.audio.voice_consents.retrieve("cons_mine")
    assert made.id == "cons_mine"
