"""Short stretches of silence as valid files of every format that speech comes in.

WAV and PCM are silent samples; the others are frames that decode to silence, repeated. One channel throughout. Facts
of the formats: RFC 3533 and RFC 7845 (Ogg, Opus), RFC 9639 (FLAC), ISO/IEC 13818-7 (ADTS), 13818-3 (MPEG audio).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping

__all__ = ["MEDIA_TYPES", "RATE", "silence", "speech"]

#: Samples a second.
RATE = 24_000
MEDIA_TYPES: Mapping[str, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "pcm16": "audio/pcm",
}


#: Speech is much shorter than it would take to say: seconds for a character, at least and at most.
_PACE, _SHORTEST, _LONGEST = 0.01, 0.1, 0.5


def speech(format_: str, text: str) -> bytes:
    """A file of a format in the place of a text that is spoken."""
    return silence(format_, min(_LONGEST, max(_SHORTEST, len(text) * _PACE)))


def silence(format_: str, seconds: float) -> bytes:
    """Silence in `mp3`, `opus`, `aac`, `flac`, `wav` or `pcm` (16 bits, little-endian), rounded up to whole frames."""
    return _WRITERS[format_](max(1, round(seconds * RATE)))


def _pcm(samples: int) -> bytes:
    return bytes(samples * 2)


def _wav(samples: int) -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
    data = _pcm(samples)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _mp3(samples: int) -> bytes:
    """Frames of MPEG-2 layer III at 32 kbit/s, one channel, with no side information: nothing is heard."""
    frame = b"\xff\xf3\x44\xc4"  # 32 kbit/s, 24 kHz, mono, no padding
    return (frame + bytes(96 - len(frame))) * -(-samples // 576)


def _aac(samples: int) -> bytes:
    """ADTS frames of AAC-LC, each a channel element without any band."""
    block = bytes((0x00, 0xC8, 0x00, 0x80, 0x23, 0x80))
    length = len(block) + 7
    # Sync word, MPEG-4 without CRC; AAC-LC at 24 kHz, one channel; the frame's length; buffer fullness "variable".
    head = bytes((0xFF, 0xF1, 0x58, 0x40 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC))
    return (head + block) * -(-samples // 1024)


_FLAC_BLOCK = 4096


def _flac(samples: int) -> bytes:
    """Frames with a constant subframe."""
    frames = [_flac_frame(number) for number in range(-(-samples // _FLAC_BLOCK))]
    total = len(frames) * _FLAC_BLOCK
    stream = struct.pack(">HH", _FLAC_BLOCK, _FLAC_BLOCK) + bytes(6)
    stream += struct.pack(">Q", RATE << 44 | 0 << 41 | 15 << 36 | total) + bytes(16)
    return b"fLaC\x80" + len(stream).to_bytes(3) + stream + b"".join(frames)


def _flac_frame(number: int) -> bytes:
    # 4096 samples at 24 kHz, one channel, 16 bits, then the frame's number as UTF-8 has it.
    head = b"\xff\xf8\xc7\x08" + chr(number).encode("utf-8", "surrogatepass")
    body = head + bytes((_checksum(head, 8, 0x07),)) + b"\0\0\0"
    return body + _checksum(body, 16, 0x8005).to_bytes(2)


def _checksum(data: bytes, width: int, polynomial: int) -> int:
    """The cyclic redundancy check of a width in bits, the highest bit first, from 0 on."""
    value, top, mask = 0, 1 << (width - 1), (1 << width) - 1
    for byte in data:
        value ^= byte << (width - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
    return value


def _opus(samples: int) -> bytes:
    """An Ogg file of Opus packets of 20 ms that hold nothing."""
    packets = -(-samples * 50 // RATE)
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, RATE, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 8) + b"emulator" + struct.pack("<I", 0)
    pages = [_ogg_page(0, 2, 0, [head]), _ogg_page(1, 0, 0, [tags])]
    for start in range(0, packets, 50):
        count = min(50, packets - start)
        last = start + count == packets
        pages.append(_ogg_page(len(pages), 4 if last else 0, (start + count) * 960, [b"\xf8\xff\xfe"] * count))
    return b"".join(pages)


def _ogg_page(number: int, flags: int, position: int, packets: Iterable[bytes]) -> bytes:
    """A page of packets, each shorter than 255 bytes."""
    parts = list(packets)
    start = b"OggS" + struct.pack("<BBqII", 0, flags, position, 1, number)
    rest = bytes((len(parts), *map(len, parts))) + b"".join(parts)
    check = _checksum(start + bytes(4) + rest, 32, 0x04C11DB7)
    return start + struct.pack("<I", check) + rest


_WRITERS: Mapping[str, Callable[[int], bytes]] = {
    "mp3": _mp3,
    "opus": _opus,
    "aac": _aac,
    "flac": _flac,
    "wav": _wav,
    "pcm": _pcm,
    "pcm16": _pcm,
}
