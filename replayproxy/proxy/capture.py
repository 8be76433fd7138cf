"""A copy of a body, made while it passes: in memory while it is small, redacted into a file once it is large."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from replayproxy.core import codings
from replayproxy.core.bodies import PARSE_LIMIT, BodyDigest
from replayproxy.core.body_forms import file_extension
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Body, Chunk, FileBody, Headers
from replayproxy.core.redaction import StreamRedactor
from replayproxy.errors import CassetteError
from replayproxy.proxy.glimpse import TOLD
from replayproxy.proxy.limits import SpoolFullError
from replayproxy.stores import Spool

__all__ = ["MOST_CHUNKS", "Capture"]

#: An event stream of more chunks than this is kept as a large body is: each of them takes memory of its own, however
#: small it is.
MOST_CHUNKS = 100_000
_PIECE = 64 * 1024


class Capture:
    """Collects the pieces of one body.

    `headers` are the message's; `cleanse` makes the redactor for a body too large to be read as a whole, `spool`
    opens the file it goes to (None: it is measured and forgotten). With `decode` a known content coding is taken off.
    """

    def __init__(
        self,
        headers: Headers,
        cleanse: Callable[[], StreamRedactor],
        spool: Callable[[], Spool] | None,
        *,
        decode: bool = False,
    ) -> None:
        self._headers, self._cleanse, self._open_spool = headers, cleanse, spool
        self._coding = headers.get("content-encoding", "") or "" if decode else ""
        self._decoder = codings.decoder(self._coding) if self._coding else None
        self._timed = media_type(headers).essence == "text/event-stream"
        self._raw = bytearray()
        self._kept = bytearray()
        self._size = self._raw_size = 0
        self._large: _Large | None = None
        self._chunks: list[Chunk] = []
        self._garbled = ""
        self._failed: Exception | None = None

    def feed(self, data: bytes, at: float = 0.0) -> None:
        """Takes a piece that arrived `at` seconds after the head. Never raises for what the piece holds."""
        for _ in self.steps(data, at):
            pass

    def steps(self, data: bytes, at: float = 0.0) -> Iterable[None]:
        """`feed` in short steps: a small piece may unpack to a thousand times its size, and others want their turn.

        A piece that is not to be decoded is taken at once.
        """
        if self._decoder is not None:
            return self._decoding(self._decoder, data, at)
        if not self._failed:
            try:
                self._keep(data, at)
            except (OSError, CassetteError) as error:
                self._fail(error)
        return ()

    def _decoding(self, decoder: codings.Decoder, data: bytes, at: float) -> Iterator[None]:
        if self._failed:
            return
        try:
            yield from self._keep_decoded(decoder, data, at)
        except (OSError, CassetteError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.discard()
        self._failed = error

    def finish(self) -> tuple[Body, str, tuple[Chunk, ...]]:
        """The body, the content coding that was taken off it, and its chunks if it is an event stream.

        Bytes are as received (not redacted yet), a FileBody's file is redacted. CassetteError when the body could not
        be kept: its file could not be written, or a large one could not be decoded; SpoolFullError when there was no
        room for it.
        """
        if isinstance(self._failed, SpoolFullError):
            raise self._failed
        if self._failed:
            raise CassetteError(f"its body could not be kept: {self._failed}")
        if self._decoder is not None:
            try:
                self._decoder.finish()
            except ValueError as error:
                self._garbled = self._garbled or str(error)
        if self._garbled or (self._decoder is not None and not self._raw_size):
            return self._as_received(), "", ()
        coding = self._coding if self._decoder is not None else ""
        if self._large is not None:
            return self._large.finish(), coding, ()
        body, self._kept = bytes(self._kept), bytearray()  # one of them is enough while it waits to be saved
        return body, coding, tuple(self._chunks) if self._timed else ()

    @property
    def size(self) -> int:
        """How many bytes came so far, without their coding."""
        return self._size

    @property
    def held(self) -> int:
        """How many of them are in memory."""
        return len(self._kept)

    def read(self) -> tuple[bytes, str, tuple[Chunk, ...], bool]:
        """The beginning of the body so far, not redacted; the coding that was taken off it, its chunks if it is an
        event stream, and whether there is more of it."""
        body, coding = bytes(self._kept[:TOLD]), self._coding if self._decoder is not None else ""
        return body, coding, tuple(self._chunks) if self._timed else (), self._size > len(body)

    def discard(self) -> None:
        """Forgets everything."""
        if self._large is not None:
            self._large.discard()
        self._raw, self._kept, self._large = bytearray(), bytearray(), None

    def _as_received(self) -> bytes:
        if self._large is not None:
            self._large.discard()
        if self._raw_size > PARSE_LIMIT:
            raise CassetteError(f"its body is large and its {self._coding} coding is broken: {self._garbled}")
        return bytes(self._raw)

    def _keep_decoded(self, decoder: codings.Decoder, data: bytes, at: float) -> Iterator[None]:
        self._raw_size += len(data)
        if self._raw_size <= PARSE_LIMIT:
            self._raw += data
        if not self._garbled:
            try:
                for piece in decoder.feed(data):
                    self._keep(piece, at)
                    yield
            except ValueError as error:
                self._garbled = str(error)

    def _keep(self, data: bytes, at: float) -> None:
        if not data:
            return
        self._size += len(data)
        if self._large is not None:
            self._large.feed(data)
            return
        self._kept += data
        if self._timed:
            self._chunks.append(Chunk(round(at, 6), len(data)))
        if self._size > PARSE_LIMIT or len(self._chunks) > MOST_CHUNKS:
            self._large = _Large(self._headers, self._cleanse(), self._open_spool)
            for start in range(0, len(self._kept), _PIECE):  # whoever looks into it takes some times its size
                self._large.feed(bytes(self._kept[start : start + _PIECE]))
            self._kept, self._chunks = bytearray(), []


class _Large:
    """A body on its way into a file, redacted and measured as it goes."""

    def __init__(self, headers: Headers, redactor: StreamRedactor, spool: Callable[[], Spool] | None) -> None:
        self._headers, self._redactor = headers, redactor
        self._spool = spool() if spool else None
        self._digest, self._sha, self._size = BodyDigest(headers), hashlib.sha256(), 0

    def feed(self, data: bytes) -> None:
        self._put(self._redactor.feed(data))

    def finish(self) -> FileBody:
        self._put(self._redactor.finish())
        name = self._spool.adopt(self._sha.hexdigest(), file_extension(self._headers)) if self._spool else ""
        return FileBody(name, self._size, self._digest.hexdigest())

    def discard(self) -> None:
        if self._spool is not None:
            self._spool.discard()

    def _put(self, data: bytes) -> None:
        self._digest.feed(data)
        self._sha.update(data)
        self._size += len(data)
        if self._spool is not None:
            self._spool.write(data)
