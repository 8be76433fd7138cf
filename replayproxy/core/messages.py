"""HTTP messages as frozen values.

Rules:
1. A value keeps what was on the wire: header order, repetition and case of names, the target's very bytes.
2. Text that came as bytes is decoded as UTF-8 with `surrogateescape`, so that every byte survives the round trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Body", "Chunk", "FileBody", "Headers", "Request", "Response", "decode", "encode", "plain"]


def decode(raw: bytes) -> str:
    """Bytes of a head as text, losing none."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that `decode` was given."""
    return text.encode("utf-8", "surrogateescape")


def plain(text: str) -> str:
    """Text that can be encoded: bytes that came as no text, and half characters, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in order, with repetition; names compare without regard to case."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_raw(cls, raw: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Headers from the bytes of a head: `(name, value)` pairs."""
        return cls(tuple((decode(name), decode(value)) for name, value in raw))

    @classmethod
    def of(cls, *pairs: tuple[str, str]) -> Headers:
        """Headers from `(name, value)` pairs."""
        return cls(pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of `name`, or `default`."""
        wanted = name.lower()
        return next((value for key, value in self.pairs if key.lower() == wanted), default)

    def all(self, name: str) -> tuple[str, ...]:
        """All values of `name`, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.pairs if key.lower() == wanted)

    def without(self, names: Iterable[str]) -> Headers:
        """The headers that are not called `names`."""
        unwanted = {name.lower() for name in names}
        return Headers(tuple(pair for pair in self.pairs if pair[0].lower() not in unwanted))

    def plus(self, *pairs: tuple[str, str]) -> Headers:
        """These headers with `pairs` after them."""
        return Headers(self.pairs + pairs)

    def replacing(self, name: str, value: str) -> Headers:
        """`value` in the place of the first `name`, further ones dropped; at the end when there is none."""
        wanted, kept, done = name.lower(), list[tuple[str, str]](), False
        for key, old in self.pairs:
            if key.lower() != wanted:
                kept.append((key, old))
            elif not done:
                kept.append((key, value))
                done = True
        if not done:
            kept.append((name, value))
        return Headers(tuple(kept))


@dataclass(frozen=True, slots=True)
class FileBody:
    """A body too large for memory, kept in a file beside the cassette.

    `name` is the file's name inside the cassette's folder of bodies, `size` counts its bytes, and `digest` (hex) is
    what two such bodies are compared by (`core/bodies.py` says how it is made).
    """

    name: str
    size: int
    digest: str


Body = bytes | FileBody


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a body as it arrived: seconds after the head, and how many bytes."""

    at: float
    size: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the client sent it. `target` is the raw path and query."""

    method: str
    target: str
    headers: Headers = Headers()
    body: Body = b""

    @property
    def path(self) -> str:
        """The raw path, without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The raw query, without the question mark; empty when there is none."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, final status only.

    `body` is decoded when `coding` names the content coding that was taken off (it goes on again in playback), and as
    received when `coding` is empty. `chunks` tells how an event stream arrived: sizes that add up to the body's
    length; empty means in one piece.
    """

    status: int
    reason: str = ""
    headers: Headers = Headers()
    body: Body = b""
    coding: str = ""
    chunks: tuple[Chunk, ...] = ()
