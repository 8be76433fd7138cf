"""Fields of a cassette's documents: read with a line for every complaint, and the rules that values must keep.

The rules are the same for reading and for writing, so that nothing is written that would be refused on loading: a
method and header names are tokens (RFC 9110 5.6.2), a target has no white space or control characters, header values
and reasons have no line end and no NUL (nobody can inject a header through a cassette), the status is a final one.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Collection, Iterable
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, NoReturn

from replayproxy.core.json_layout import Number
from replayproxy.core.messages import Headers, decode, encode
from replayproxy.core.yaml_read import Mapping, Sequence
from replayproxy.errors import CassetteError

__all__ = [
    "check_headers",
    "check_keys",
    "check_lengths",
    "check_method",
    "check_reason",
    "check_status",
    "check_target",
    "from_base64",
    "get_headers",
    "get_seconds",
    "get_text",
    "get_wire",
    "line_of",
    "mapping_in",
    "seconds",
    "sequence_in",
    "spelled_seconds",
    "to_base64",
    "wire_headers",
    "wire_text",
]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_TARGET = re.compile(r"[\x00-\x20\x7f]")
_NOT_IN_VALUE = re.compile(r"[\r\n\0]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BASE64_LINE = 76


def check_keys(mapping: Mapping, known: Collection[str], place: str) -> None:
    """Refuses keys that are not `known`, naming the nearest one."""
    for key in mapping:
        if key not in known:
            near = get_close_matches(key[:80], known, 1, 0.5)
            cure = f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(sorted(known))}"
            _refuse(f"{place} has no field {key!r:.80}", mapping.lines[key], cure)


def line_of(mapping: Mapping, key: str) -> int:
    """The line of a key; of the mapping, when the key is missing."""
    return mapping.lines.get(key, mapping.line)


def mapping_in(parent: Mapping, key: str) -> Mapping:
    """The mapping under a key that must be there."""
    value = parent.get(key)
    if not isinstance(value, Mapping):
        _refuse(f"{key!r} is {'not a mapping' if key in parent else 'missing'}", line_of(parent, key))
    return value


def sequence_in(parent: Mapping, key: str) -> Sequence:
    """The list under a key; empty when the key is missing."""
    value = parent.get(key, Sequence(0))
    if not isinstance(value, Sequence):
        _refuse(f"{key!r} is not a list", line_of(parent, key))
    return value


def get_text(mapping: Mapping, key: str, default: str = "") -> str:
    """The string under a key."""
    value = mapping.get(key, default)
    if not isinstance(value, str) or isinstance(value, Number):
        _refuse(f"{key!r} is not a string", line_of(mapping, key), "Put it in quotes")
    return value


def get_seconds(mapping: Mapping, key: str) -> float:
    """The seconds under a key, 0 when it is missing."""
    return seconds(mapping.get(key, 0.0), key, line_of(mapping, key))


def seconds(value: Any, what: str, line: int = 0) -> float:
    """A finite number of seconds that is not negative."""
    number = float(value) if isinstance(value, (int, float, Number)) and not isinstance(value, bool) else math.nan
    if not math.isfinite(number) or number < 0:
        _refuse(f"{what!r} is not a number of seconds", line)
    return number


def spelled_seconds(value: float, what: str) -> Number:
    """Seconds as they are written: exactly, and without an exponent, which YAML 1.1 would not take for a number."""
    spelled = repr(seconds(value, what) + 0.0)
    return Number(format(Decimal(spelled), "f") if "e" in spelled else spelled)


def get_wire(mapping: Mapping, key: str) -> str:
    """Text that came as bytes: a string, or `{base64: …}` when the bytes were not UTF-8."""
    return _wire(mapping.get(key, ""), key, line_of(mapping, key))


def wire_text(text: str) -> str | dict[str, str]:
    """The form of such text in the file."""
    if text.isascii():
        return text
    try:
        raw = encode(text)
    except UnicodeEncodeError as error:
        raise CassetteError(f"{text!r:.40} holds what never was bytes") from error
    return text if _SURROGATE.search(text) is None else {"base64": to_base64(raw)}


def get_headers(mapping: Mapping) -> Headers:
    """The `headers` of a message or a part: a list of mappings with one key each, or headers that were read already."""
    if isinstance(known := mapping.get("headers"), Headers):
        return known
    items = sequence_in(mapping, "headers")
    pairs = list[tuple[str, str]]()
    for item, line in zip(items, items.lines, strict=True):
        if not isinstance(item, Mapping) or len(item) != 1:
            _refuse("a header is not one `name: value`", line, "Write headers as a list of `- name: value`")
        pairs.extend((name, _wire(value, name, line)) for name, value in item.items())
        check_headers(pairs[-1:], line)
    return Headers(tuple(pairs))


def wire_headers(headers: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The form of headers in the file."""
    return [{name: wire_text(value)} for name, value in headers]


def check_headers(pairs: Iterable[tuple[str, str]], line: int = 0) -> None:
    """Refuses what is no header or would become more than one."""
    for name, value in pairs:
        if not _TOKEN.fullmatch(name):
            _refuse(f"{name!r:.80} is not a header's name", line)
        if _NOT_IN_VALUE.search(value):
            _refuse(f"the value of header {name!r:.80} has a line end or NUL in it", line, "Remove it")


def check_lengths(headers: Headers, line: int = 0) -> None:
    """Refuses an answer that states its length twice, or not as a number: what says so to a client could make it take
    a piece of one answer for another."""
    stated = [value for name, value in headers if name.lower() == "content-length"]
    if len(stated) > 1 or not all(value.isascii() and value.isdecimal() for value in stated):
        _refuse("the answer's content-length is not one number", line, "Remove it: it is made anew")


def check_method(method: str, line: int = 0) -> None:
    """Refuses what is no method."""
    if not _TOKEN.fullmatch(method):
        _refuse(f"{method!r:.80} is not a method", line, "Write one like GET or POST")


def check_target(target: str, line: int = 0) -> None:
    """Refuses what no request line could hold."""
    if not target or _NOT_IN_TARGET.search(target):
        _refuse(f"{target!r:.80} is not a path and query", line, "Escape blanks and control characters (%20)")


def check_reason(reason: str, line: int = 0) -> None:
    """Refuses a reason that would end the status line."""
    if _NOT_IN_VALUE.search(reason):
        _refuse("the reason has a line end or NUL in it", line, "Remove it")


def check_status(status: Any, line: int = 0) -> int:
    """A final status."""
    if type(status) is not int or not 200 <= status <= 599:
        _refuse(f"{status!r:.40} is not a final status", line, "Write a number from 200 to 599")
    return status


def to_base64(raw: bytes) -> str:
    """Base64 in lines, when it takes more than one."""
    text = base64.b64encode(raw).decode()
    return "\n".join(text[start : start + _BASE64_LINE] for start in range(0, len(text), _BASE64_LINE))


def from_base64(text: Any, line: int) -> bytes:
    """The bytes; white space in the text does not count."""
    if not isinstance(text, str):
        _refuse("base64 is not a string", line, "Put it in quotes")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise CassetteError(f"this is not base64: {error}", line=line) from error


def _wire(value: Any, what: str, line: int) -> str:
    if isinstance(value, dict) and list(value) == ["base64"]:
        return decode(from_base64(value["base64"], line))
    if not isinstance(value, str) or isinstance(value, Number):
        _refuse(f"{what!r:.80} is not a string", line, "Put it in quotes")
    return value


def _refuse(what: str, line: int, cure: str = "") -> NoReturn:
    raise CassetteError(what, line=line, cure=cure)
