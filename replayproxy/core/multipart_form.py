"""The form `multipart`: a body part by part, when boundary, headers and contents give its bytes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from replayproxy.core.fields import check_headers, check_keys, get_headers, get_text, wire_headers
from replayproxy.core.messages import Headers, encode
from replayproxy.core.multipart import boundary, parse_multipart
from replayproxy.core.yaml_read import Mapping, Sequence
from replayproxy.errors import CassetteError

__all__ = ["read_multipart", "write_multipart"]

_KNOWN = frozenset({"headers", "layout", "json", "text", "base64"})
_LINE = b"\r\n"
#: Readers of YAML give up on long keys, which the names of headers become.
_LONGEST_NAME = 300


def write_multipart(
    headers: Headers, body: bytes, write_content: Callable[[Headers, bytes], dict[str, Any]]
) -> dict[str, Any] | None:
    """The entries of a body in this form, or None; `write_content` gives those of a part's content."""
    wanted, parts = boundary(headers), parse_multipart(headers, body)
    if wanted is None or not parts or not wanted.isascii() or not wanted.decode().isprintable():
        return None
    pieces = [(part.headers, part.content) for part in parts]
    if not all(_is_head(headers) for headers, _ in pieces):
        return None
    for epilogue in (_LINE, b""):
        if _assemble(wanted, pieces, epilogue) == body:
            ending = {} if epilogue else {"epilogue": ""}
            items = [{"headers": wire_headers(head)} | write_content(head, content) for head, content in pieces]
            return {"boundary": wanted.decode(), **ending, "multipart": items}
    return None


def read_multipart(body: Mapping, parts: Sequence, read_content: Callable[[Mapping], bytes]) -> bytes:
    """The bytes of a body in this form; `read_content` gives those of a part's content."""
    wanted, epilogue = get_text(body, "boundary"), get_text(body, "epilogue", "\r\n")
    if not wanted or not wanted.isascii() or not wanted.isprintable():
        raise CassetteError("a multipart body has no boundary", line=body.line, cure="Name the one of its content-type")
    pieces = list[tuple[Headers, bytes]]()
    for part, line in zip(parts, parts.lines, strict=True):
        if not isinstance(part, Mapping):
            raise CassetteError("a part is not a mapping", line=line)
        check_keys(part, _KNOWN, "a part")
        pieces.append((get_headers(part), read_content(part)))
    return _assemble(wanted.encode(), pieces, encode(epilogue))


def _is_head(headers: Headers) -> bool:
    """Whether these could be read again: a part may have names and values that no message has."""
    try:
        check_headers(headers)
    except CassetteError:
        return False
    return all(len(name) <= _LONGEST_NAME for name, _ in headers)


def _assemble(wanted: bytes, pieces: list[tuple[Headers, bytes]], epilogue: bytes) -> bytes:
    written = bytearray()
    for headers, content in pieces:
        head = b"".join(encode(f"{name}: {value}") + _LINE for name, value in headers)
        written += b"--" + wanted + _LINE + head + _LINE + content + _LINE
    return bytes(written + b"--" + wanted + b"--" + epilogue)
