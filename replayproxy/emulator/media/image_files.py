"""Small pictures that are valid: one colour in another, of any size, in the formats that the image models write.

They are built by hand, so that no library is needed: PNG with two colours, grey JPEG with flat blocks, WebP (lossless)
and GIF and SVG of one colour.
"""

from __future__ import annotations

import hashlib
import struct
import zlib

__all__ = ["LARGEST", "picture"]

#: Pixels of a side. No format here holds more, and nobody asks for more.
LARGEST = 8192
_SQUARE = 64


def picture(format_: str, width: int, height: int, about: str) -> bytes:
    """A picture of a size in `png`, `jpeg`, `webp`, `gif` or `svg`; its colours follow from what it is about."""
    red, green, blue, *rest = hashlib.blake2b(about.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    colour = (red, green, blue)
    match format_:
        case "jpeg":
            return _jpeg(width, height)
        case "webp":
            return _webp(width, height, colour)
        case "gif":
            return _gif(width, height, colour)
        case "svg":
            return _svg(width, height, colour)
        case _:
            return _png(width, height, (*colour, *rest))


def _png(width: int, height: int, palette: tuple[int, ...]) -> bytes:
    """Squares of two colours, one bit a pixel."""
    stripes = bytes(0xFF if at * 8 // _SQUARE % 2 else 0 for at in range(-(-width // 8)))
    rows = (b"\0" + stripes, b"\0" + bytes(byte ^ 0xFF for byte in stripes))
    pixels = b"".join(rows[at // _SQUARE % 2] for at in range(height))
    head = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", bytes(palette)), (b"IDAT", zlib.compress(pixels, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_png_chunk, *zip(*chunks, strict=True)))


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _jpeg(width: int, height: int) -> bytes:
    """Mid-grey: each block of 8 by 8 pixels is two bits, "as bright as the last one" and "nothing else"."""
    table = bytes([1] + [0] * 15)  # one code, "0", of one bit
    blocks = -(-width // 8) * -(-height // 8)
    bits = -blocks * 2 % 8
    data = bytes(blocks * 2 // 8) + (bytes([(1 << bits) - 1]) if bits else b"")
    return b"".join(
        (
            b"\xff\xd8",
            _jpeg_segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            _jpeg_segment(0xDB, b"\0" + b"\1" * 64),
            _jpeg_segment(0xC0, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)),
            _jpeg_segment(0xC4, b"\0" + table + b"\0"),
            _jpeg_segment(0xC4, b"\x10" + table + b"\0"),
            _jpeg_segment(0xDA, b"\1\1\0\0\x3f\0"),
            data,
            b"\xff\xd9",
        )
    )


def _jpeg_segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _webp(width: int, height: int, colour: tuple[int, ...]) -> bytes:
    """One colour: each of the five codes has one symbol, so that a pixel needs no bits at all."""
    bits = _Bits()
    for value, length in ((width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)):
        bits.add(value, length)
    red, green, blue = colour
    for symbol in (green, red, blue, 255, 0):
        for value, length in ((1, 1), (0, 1), (1, 1), (symbol, 8)):
            bits.add(value, length)
    data = b"\x2f" + bits.content()
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


class _Bits:
    """Bits in the order in which they are added, the lowest first."""

    def __init__(self) -> None:
        self._number = 0
        self._length = 0

    def add(self, value: int, length: int) -> None:
        """Adds the lowest `length` bits of a number."""
        self._number |= value << self._length
        self._length += length

    def content(self) -> bytes:
        """All bits, filled up to whole bytes."""
        return self._number.to_bytes(-(-self._length // 8), "little")


def _gif(width: int, height: int, colour: tuple[int, ...]) -> bytes:
    """A canvas of the size asked for in one colour, with a single pixel drawn on it."""
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0)
    pixel = struct.pack("<BHHHHB", 0x2C, 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
    return b"GIF89a" + screen + bytes((*colour, *colour)) + pixel + b";"


def _svg(width: int, height: int, colour: tuple[int, ...]) -> bytes:
    fill = "".join(f"{part:02x}" for part in colour)
    rect = f'<rect width="100%" height="100%" fill="#{fill}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{rect}</svg>'.encode()
