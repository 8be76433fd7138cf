"""HTTP messages as frozen values.

Rules:
1. A value keeps what was on the wire: header order, repetition and case of names, the target's very bytes.
2. Text that came as bytes is decoded as UTF-8 with `surrogateescape`, so that every byte survives the round trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

__all__ = ["Body", "Chunk", "FileBody", "Headers", "Request", "Response", "body_length", "decode", "encode", "plain"]


_LOSSLESS = "surrogateescape"


def decode(raw: bytes) -> str:
    """Bytes of a head as text, losing none."""
    return raw.decode("utf-8", _LOSSLESS)


def encode(text: str) -> bytes:
    """The bytes that `decode` was given."""
    return text.encode("utf-8", _LOSSLESS)


def plain(text: str) -> str:
    """Text that can be encoded: bytes that came as no text, and half characters, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in order, with repetition; names compare without regard to case."""

    pairs: tuple[tuple[str, str], ...] = ()
    #: The first value by lower-case name, made when it is first asked for: an exchange asks a head a dozen times.
    _index: dict[str, str] | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def from_raw(cls, raw: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Headers from the bytes of a head: `(name, value)` pairs."""
        return cls(tuple([(name.decode("utf-8", _LOSSLESS), value.decode("utf-8", _LOSSLESS)) for name, value in raw]))

    @classmethod
    def of(cls, *pairs: tuple[str, str]) -> Headers:
        """Headers from `(name, value)` pairs."""
        return cls(pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._first()

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of `name`, or `default`."""
        return self._first().get(name.lower(), default)

    def all(self, name: str) -> tuple[str, ...]:
        """All values of `name`, in order."""
        wanted = name.lower()
        if wanted not in self._first():
            return ()
        return tuple([value for key, value in self.pairs if key.lower() == wanted])

    def without(self, names: Iterable[str]) -> Headers:
        """The headers that are not called `names`."""
        first = self._first()
        unwanted = {lower for name in names if (lower := name.lower()) in first}
        if not unwanted:
            return self
        return Headers(tuple([pair for pair in self.pairs if pair[0].lower() not in unwanted]))

    def plus(self, *pairs: tuple[str, str]) -> Headers:
        """These headers with `pairs` after them."""
        return Headers(self.pairs + pairs)

    def replacing(self, name: str, value: str) -> Headers:
        """`value` in the place of the first `name`, further ones dropped; at the end when there is none."""
        wanted = name.lower()
        if wanted not in self._first():
            return self.plus((name, value))
        pairs = self.pairs
        at = next(place for place, (key, _) in enumerate(pairs) if key.lower() == wanted)
        later = [pair for pair in pairs[at + 1 :] if pair[0].lower() != wanted]
        return Headers((*pairs[:at], (pairs[at][0], value), *later))

    def _first(self) -> dict[str, str]:
        index = self._index
        if index is None:
            index = {name.lower(): value for name, value in reversed(self.pairs)}
            object.__setattr__(self, "_index", index)
        return index


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


def body_length(body: Body) -> int:
    """How many bytes a body has, wherever it is."""
    return body.size if isinstance(body, FileBody) else len(body)


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
