"""Secrets in a body that is still compressed: in a request's, in two codings at once, in one that is broken or that no
header tells of.

It is unpacked, cleansed and packed again, and stays byte for byte what it was when there was nothing to cleanse.
"""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core import codings

__all__ = ["LIMIT", "repacked"]

#: What unpacks to more bytes is not looked into.
LIMIT = 8 * 1024 * 1024
_MAGIC = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def repacked(body: bytes, coding: str, cleansed: Callable[[bytes], bytes]) -> bytes:
    """A body under that Content-Encoding with what it packs `cleansed`. One that was cut off stays cut off."""
    for names in (_stated(coding), _told(body)):
        text, whole = _unpacked(body, names)
        clean = cleansed(text) if text else text
        if clean != text:
            for name in names:
                clean = codings.encode(name, clean)
            return clean if whole else clean[:-1]
    return body


def _stated(coding: str) -> tuple[str, ...]:
    """The codings of the header, in the order in which they were put on; none when one of them is unknown."""
    names = tuple(name for part in coding.lower().split(",") if (name := part.strip()) not in ("", "identity"))
    return names if codings.CODINGS.issuperset(names) else ()


def _told(body: bytes) -> tuple[str, ...]:
    """The coding that the body begins like."""
    return tuple(name for magic, name in _MAGIC.items() if body.startswith(magic))


def _unpacked(body: bytes, names: tuple[str, ...]) -> tuple[bytes, bool]:
    """What is packed, as far as it can be read, and whether that is all; nothing when it is too much."""
    whole = True
    for name in reversed(names):
        body, complete = _decoded(body, name)
        whole = whole and complete
    return (body, whole) if names else (b"", True)


def _decoded(body: bytes, name: str) -> tuple[bytes, bool]:
    decoder, pieces, size = codings.decoder(name), list[bytes](), 0
    assert decoder is not None, "the coding is known"  # noqa: S101 -- for the type checker
    try:
        for piece in decoder.feed(body):
            size += len(piece)
            if size > LIMIT:
                return b"", True
            pieces.append(piece)
        decoder.finish()
    except ValueError:
        return b"".join(pieces), False
    return b"".join(pieces), True
