"""The beginning of a body that passes and that nobody records, for whoever looks at the journal."""

from __future__ import annotations

from replayproxy.core import codings
from replayproxy.core.journal import Allowance
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Chunk, Headers

__all__ = ["LONGEST", "TOLD", "Glimpse", "shortened"]

#: So much of a body is kept at most, and so many of its pieces are told one by one.
LONGEST, MOST_PIECES = 1024 * 1024, 20_000
#: So much of a body that is complete, or kept for a recording, is told.
TOLD = 1024 * 1024


class Glimpse:
    """Keeps the beginning of a body as it came, coded or not, as far as the `allowance` goes; `size` counts all of it.

    What is kept is not redacted: whoever reads it sees to that.
    """

    __slots__ = ("_allowance", "_kept", "_pieces", "_taken", "_timed", "headers", "size")

    def __init__(self, headers: Headers, allowance: Allowance | None = None) -> None:
        self.headers, self._allowance, self._taken = headers, allowance or Allowance(LONGEST), 0
        self._kept, self._pieces = bytearray(), list[Chunk]()
        self._timed = media_type(headers).essence == "text/event-stream"
        self.size = 0

    def feed(self, data: bytes, at: float = 0.0) -> None:
        """Takes a piece that arrived `at` seconds after the head."""
        if self.size == len(self._kept) < LONGEST and data:  # nothing was left out so far
            taken = self._allowance.take(min(len(data), LONGEST - self.size))
            self._taken += taken
            self._kept += data[:taken]
            if self._timed and taken and len(self._pieces) < MOST_PIECES:
                self._pieces.append(Chunk(round(at, 6), len(data)))
        self.size += len(data)

    def end(self) -> None:
        """The exchange is over: what is kept counts in the journal from now on."""
        self._allowance.give(self._taken)
        self._taken = 0

    @property
    def held(self) -> int:
        """How many bytes of it are kept."""
        return len(self._kept)

    def release(self) -> None:
        """Lets go of what is kept."""
        self._kept, self._pieces = bytearray(), []

    def read(self) -> tuple[bytes, str, tuple[Chunk, ...], bool]:
        """The body so far without its coding, that coding, the pieces it came in, and whether there is more of it.

        Pieces are told of an event stream that came uncoded; a coding that cannot be taken off stays on.
        """
        kept, cut = bytes(self._kept), self.size > len(self._kept)
        coding = self.headers.get("content-encoding", "") or ""
        decoder = codings.decoder(coding) if coding else None
        if decoder is None:
            return kept, "", tuple(self._pieces), cut
        found, length = list[bytes](), 0
        try:
            for piece in decoder.feed(kept):
                found.append(piece)
                length += len(piece)
                if length > LONGEST:
                    break
        except ValueError:
            return kept, "", (), cut
        return b"".join(found)[:LONGEST], coding, (), cut or length > LONGEST


def shortened(body: bytes) -> tuple[bytes, bool]:
    """As much of a body as a journal keeps, and whether that is not all."""
    return (body, False) if len(body) <= TOLD else (body[:TOLD], True)
