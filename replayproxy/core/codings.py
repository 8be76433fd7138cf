"""Content codings: taken off before an answer is stored, put on again when it is played.

Both ways are incremental. Decoders are bounded: a small input that unpacks to a large output is given out in pieces.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["CODINGS", "Decoder", "Encoder", "accepts", "decoder", "encode", "encoder"]

#: How much a decoder gives out at a time, in bytes.
PIECE = 256 * 1024


class Decoder(Protocol):
    """Takes a content coding off, piece by piece."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The decoded pieces that `data` completes, none larger than a few hundred KiB; ValueError for garbage."""
        ...

    def finish(self) -> None:
        """ValueError when the coded body is not complete."""
        ...


class Encoder(Protocol):
    """Puts a content coding on, piece by piece; the same pieces give the same bytes every time."""

    def feed(self, data: bytes) -> bytes:
        """What is ready, when `data` has been added; often nothing yet."""
        ...

    def flush(self) -> bytes:
        """What else a client needs to read all that was fed so far."""
        ...

    def finish(self) -> bytes:
        """The rest, and the end."""
        ...


class _Zlib:
    """gzip and deflate; `deflate` comes both with and without the zlib wrapper in the wild."""

    def __init__(self, window: int, raw_fallback: bool = False) -> None:
        self._inflate, self._raw_fallback = zlib.decompressobj(window), raw_fallback

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            try:
                piece = self._inflate.decompress(data, PIECE)
            except zlib.error as error:
                if not self._raw_fallback:
                    raise ValueError(str(error)) from error
                self._inflate, self._raw_fallback = zlib.decompressobj(-zlib.MAX_WBITS), False
                continue
            self._raw_fallback = False
            if piece:
                yield piece
            data = self._inflate.unconsumed_tail
            if self._inflate.eof and self._inflate.unused_data:
                raise ValueError("bytes after the end of the compressed body")

    def finish(self) -> None:
        if not self._inflate.eof:
            raise ValueError("the compressed body ends too early")


class _Brotli:
    def __init__(self) -> None:
        import brotli  # here, as in its encoder: the library is loaded when the coding is met

        self._decompress, self._error = brotli.Decompressor(), brotli.error

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            piece = self._decompress.process(data, output_buffer_limit=PIECE)
            while piece or not self._decompress.can_accept_more_data():
                yield piece
                piece = self._decompress.process(b"", output_buffer_limit=PIECE)
        except self._error as error:
            raise ValueError(str(error)) from error

    def finish(self) -> None:
        try:
            finished = self._decompress.is_finished()
        except self._error as error:  # it met garbage before
            raise ValueError(str(error)) from error
        if not finished:
            raise ValueError("the compressed body ends too early")


class _Zstd:
    def __init__(self) -> None:
        self._decompress = zstd.ZstdDecompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            piece = self._decompress.decompress(data, max_length=PIECE)
            while piece or not (self._decompress.needs_input or self._decompress.eof):
                yield piece
                if self._decompress.eof:
                    break
                piece = self._decompress.decompress(b"", max_length=PIECE)
        except (zstd.ZstdError, EOFError) as error:
            raise ValueError(str(error)) from error

    def finish(self) -> None:
        if not self._decompress.eof:
            raise ValueError("the compressed body ends too early")


class _ZlibEncoder:
    """gzip and deflate. zlib writes no time into the head of gzip."""

    def __init__(self, window: int) -> None:
        self._deflate = zlib.compressobj(wbits=window)

    def feed(self, data: bytes) -> bytes:
        return self._deflate.compress(data)

    def flush(self) -> bytes:
        return self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._deflate.flush()


class _BrotliEncoder:
    def __init__(self) -> None:
        import brotli

        self._compress = brotli.Compressor(quality=5)

    def feed(self, data: bytes) -> bytes:
        return bytes(self._compress.process(data))

    def flush(self) -> bytes:
        return bytes(self._compress.flush())

    def finish(self) -> bytes:
        return bytes(self._compress.finish())


class _ZstdEncoder:
    def __init__(self) -> None:
        self._compress = zstd.ZstdCompressor()

    def feed(self, data: bytes) -> bytes:
        return self._compress.compress(data)

    def flush(self) -> bytes:
        return self._compress.flush(zstd.ZstdCompressor.FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._compress.flush()


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": lambda: _Zlib(16 + zlib.MAX_WBITS),
    "x-gzip": lambda: _Zlib(16 + zlib.MAX_WBITS),
    "deflate": lambda: _Zlib(zlib.MAX_WBITS, raw_fallback=True),
    "br": _Brotli,
    "zstd": _Zstd,
}
_ENCODERS: dict[str, Callable[[], Encoder]] = {
    "gzip": lambda: _ZlibEncoder(16 + zlib.MAX_WBITS),
    "x-gzip": lambda: _ZlibEncoder(16 + zlib.MAX_WBITS),
    "deflate": lambda: _ZlibEncoder(zlib.MAX_WBITS),
    "br": _BrotliEncoder,
    "zstd": _ZstdEncoder,
}
#: The codings that can be taken off and put on again.
CODINGS = frozenset(_ENCODERS)


def decoder(coding: str) -> Decoder | None:
    """A decoder for the value of a Content-Encoding header; None when we cannot take that coding off."""
    make = _DECODERS.get(coding.strip().lower())
    return make() if make else None


def encoder(coding: str) -> Encoder:
    """An encoder for the value of a Content-Encoding header. KeyError for an unknown coding."""
    return _ENCODERS[coding.strip().lower()]()


def encode(coding: str, body: bytes) -> bytes:
    """`body` with the coding put on, the same bytes every time. KeyError for an unknown coding."""
    made = encoder(coding)
    return made.feed(body) + made.finish()


def accepts(accept_encoding: str | None, coding: str) -> bool:
    """Whether a client that sent this Accept-Encoding takes `coding` (RFC 9110 §12.5.3; without the header: no)."""
    coding, verdict = coding.strip().lower(), False
    for item in (accept_encoding or "").lower().split(","):
        name, _, parameters = item.partition(";")
        refused = parameters.replace(" ", "") in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
        if name.strip() == coding:
            return not refused
        if name.strip() == "*":
            verdict = not refused
    return verdict
