"""A body by its media type: its structure, and the canonical form that two bodies are compared by.

Rules:
1. JSON counts by value: key order, white space and the spelling of numbers and strings do not. Numbers with a fraction
   or an exponent are doubles; `1` equals `1.0`, and not `true`.
2. A JSON body that a reader would change (repeated keys, integers beyond 64 bits, NaN, lone surrogates, invalid UTF-8,
   a byte order mark) or refuse (malformed, more than 254 levels deep) counts by its bytes.
3. Forms count by their decoded fields, multipart by its parts in order without the boundary, the rest by its bytes.
4. Bodies over `PARSE_LIMIT`, and those kept in a file, count by their `BodyDigest`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import orjson

from replayproxy.core.media_types import MediaType, media_type
from replayproxy.core.messages import Body, FileBody, Headers, decode, encode
from replayproxy.core.multipart import Part, boundary, parse_multipart

__all__ = [
    "PARSE_LIMIT",
    "BodyDigest",
    "Kind",
    "MediaType",
    "Parsed",
    "Part",
    "canonical",
    "canonical_json",
    "canonical_of",
    "media_type",
    "packed",
    "packed_fields",
    "parse",
    "parse_form",
    "parse_json",
    "parse_multipart",
    "plain_number",
]

#: Larger bodies are carried and compared without looking into them.
PARSE_LIMIT = 8 * 1024 * 1024

Kind = Literal["empty", "json", "form", "multipart", "bytes", "digest"]

_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1
_WHITE_SPACE = b" \t\n\r"
# What orjson's spelling of a float may hold when the float is a whole number.
_FLOAT_MARKS = re.compile(rb"[0-9](?:\.0|e)")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A body's structure.

    `value` is, by `kind`: `empty` None; `json` the value; `form` the `(name, value)` pairs; `multipart` the parts;
    `bytes` the bytes; `digest` the digest (hex).
    """

    kind: Kind
    value: Any


def parse(headers: Headers, body: Body) -> Parsed:
    """The structure of a body, as its media type has it; never fails, since every body has its bytes."""
    if isinstance(body, FileBody):
        return Parsed("digest", body.digest)
    if not body:
        return Parsed("empty", None)
    if len(body) > PARSE_LIMIT:
        return Parsed("digest", _digest(headers, body))
    media = media_type(headers)
    if media.is_json:
        try:
            return Parsed("json", parse_json(body))
        except ValueError:
            return Parsed("bytes", body)
    if media.is_form:
        return Parsed("form", parse_form(body))
    parts = parse_multipart(headers, body)
    return Parsed("bytes", body) if parts is None else Parsed("multipart", parts)


def canonical(headers: Headers, body: Body) -> bytes:
    """The bytes that are equal for two bodies exactly when the bodies count as equal (rules above)."""
    return canonical_of(parse(headers, body))


def canonical_of(parsed: Parsed) -> bytes:
    """The canonical form of a body that was parsed already."""
    return parsed.kind.encode() + b":" + _FORMS[parsed.kind](parsed.value)


def parse_json(body: bytes) -> Any:
    """The value of a JSON body; ValueError when a reader would refuse or change it (rule 2)."""
    value = orjson.loads(body)
    try:
        text = orjson.dumps(value)
    except TypeError as error:
        raise ValueError("nested too deeply") from error
    # Equal apart from white space: the same tokens, hence no key and no digit got lost. The clients' own spelling
    # mostly passes, which saves the much slower second reading.
    if text != body and text.translate(None, _WHITE_SPACE) != body.translate(None, _WHITE_SPACE):
        json.loads(body, object_pairs_hook=_check_keys, parse_int=_check_integer)
    return value


def canonical_json(value: Any) -> bytes:
    """JSON text that is equal for equal values; `value` is one that `parse_json` gave."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if _FLOAT_MARKS.search(text):
        text = orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS)
    return text


def plain_number(value: float) -> float:
    """A whole float that fits 64 bits as the integer it equals; other numbers as they are."""
    if value.is_integer() and _INT64_MIN <= value <= _UINT64_MAX:
        return int(value)
    return value


def parse_form(body: bytes) -> tuple[tuple[str, str], ...]:
    """The decoded fields of a URL-encoded form or query, in order.

    As browsers decode them: `a` is `a=`, empty pieces are skipped, a `%` without two hex digits stands for itself.
    Bytes that are not UTF-8 stay lone surrogates, as in core/messages.py.
    """
    pieces = (piece.replace(b"+", b" ").partition(b"=") for piece in body.split(b"&") if piece)
    return tuple((_unescaped(name), _unescaped(value)) for name, _, value in pieces)


def packed(items: Iterable[bytes]) -> bytes:
    """Byte strings in one, such that different sequences give different results."""
    return b"".join(b"%d:%b," % (len(item), item) for item in items)


def packed_fields(fields: Iterable[tuple[str, str]]) -> bytes:
    """`(name, value)` pairs in one byte string; the order between different names does not count."""
    ordered = sorted(fields, key=lambda field: field[0])
    return packed(encode(text) for field in ordered for text in field)


class BodyDigest:
    """What a `FileBody` is compared by: the SHA-256 of a body that arrives in pieces of any size.

    In a multipart body the boundary is replaced by a fixed word where a line begins with a delimiter, so that
    a boundary made up anew for each request does not count.
    """

    _MARK, _WORD = b"\r\n--", b"replayproxy-boundary"

    def __init__(self, headers: Headers) -> None:
        self._hash = sha256()
        wanted = boundary(headers)
        self._delimiter = self._MARK + wanted if wanted else b""
        # The first line begins without a line end before it; pretending one makes it a line like the others.
        self._held = b"\r\n" if wanted else b""

    def feed(self, chunk: bytes | memoryview) -> None:
        """Takes in the next piece."""
        if not self._delimiter:
            self._hash.update(chunk)
            return
        data = self._held + chunk
        found = data.rfind(self._delimiter)
        settled = max(found + len(self._delimiter) if found >= 0 else 0, len(data) - len(self._delimiter) + 1, 0)
        self._hash.update(data[:settled].replace(self._delimiter, self._MARK + self._WORD))
        self._held = data[settled:]

    def hexdigest(self) -> str:
        """The digest of what was fed so far."""
        ending = self._hash.copy()
        ending.update(self._held)
        return ending.hexdigest()


def _digest(headers: Headers, body: bytes) -> str:
    digest, view, step = BodyDigest(headers), memoryview(body), 1024 * 1024
    for start in range(0, len(body), step):
        digest.feed(view[start : start + step])
    return digest.hexdigest()


def _check_keys(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("repeated key")


def _check_integer(digits: str) -> None:
    # The length first: Python itself refuses to read integers of many thousand digits.
    if len(digits) > 20 or not _INT64_MIN <= int(digits) <= _UINT64_MAX:
        raise ValueError("integer beyond 64 bits")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return plain_number(value)
    if isinstance(value, list):
        return list(map(_plain, value))
    if isinstance(value, dict):
        return dict(zip(value, map(_plain, value.values()), strict=True))
    return value


def _unescaped(text: bytes) -> str:
    return decode(unquote_to_bytes(text))


def _multipart(parts: tuple[Part, ...]) -> bytes:
    return packed(packed(_part(part)) for part in parts)


def _part(part: Part) -> Iterable[bytes]:
    for text in (part.name, part.filename):
        yield b"" if text is None else b"=" + encode(text)
    yield encode(media_type(part.headers).essence)
    yield sha256(part.content).digest()


_FORMS: dict[Kind, Callable[[Any], bytes]] = {
    "empty": lambda _: b"",
    "json": canonical_json,
    "form": packed_fields,
    "multipart": _multipart,
    "bytes": lambda body: sha256(body).digest(),
    "digest": lambda digest: digest.encode(),
}
