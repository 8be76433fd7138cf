"""JSON bodies for reading: laid out anew, or as a value, as long as they mean what they meant.

Rule: a body counts as the same when matching takes it for the same (`core/bodies.py`). Where laying it out would make
it another one (repeated keys, numbers that no reader keeps), it stays byte for byte.
"""

from __future__ import annotations

import json
import re
from typing import Any

from replayproxy.core.bodies import canonical
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Headers, Request

__all__ = ["UNREADABLE", "asks_for_stream", "laid_out", "readable", "same_in_javascript"]

#: Stands for a body that is no JSON, or would become another one.
UNREADABLE = object()

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_EXACT = 2**53


def readable(headers: Headers, body: bytes) -> Any:
    """The value of a JSON body that any JSON writer gives back as the same body; UNREADABLE when there is none."""
    if not media_type(headers).is_json or not body:
        return UNREADABLE
    try:
        value = json.loads(body)
        again = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError):  # no JSON, no UTF-8, NaN, half characters, too many digits, too deep
        return UNREADABLE
    return value if canonical(headers, again) == canonical(headers, body) else UNREADABLE


def laid_out(headers: Headers, body: bytes) -> str | None:
    """The text of a JSON body over lines, each token as it was; None when that would be another body.

    In strings, what is not seen is escaped.
    """
    if not media_type(headers).is_json or not body:
        return None
    try:
        text = _indented(body.decode())
    except UnicodeDecodeError:
        return None
    return text if canonical(headers, text.encode()) == canonical(headers, body) else None


def same_in_javascript(value: Any) -> bool:
    """Whether JavaScript writes a JSON value as it reads it: its numbers have 53 bits, and `__proto__` is no key."""
    if isinstance(value, dict):
        return "__proto__" not in value and all(map(same_in_javascript, value.values()))
    if isinstance(value, list):
        return all(map(same_in_javascript, value))
    if isinstance(value, int):
        return abs(value) <= _EXACT
    return not (isinstance(value, float) and value.is_integer() and abs(value) > _EXACT)


def asks_for_stream(request: Request) -> bool:
    """Whether the body of a request asks for an event stream."""
    if isinstance(request.body, bytes) and b'"stream"' in request.body:
        value = readable(request.headers, request.body)
        return isinstance(value, dict) and value.get("stream") is True
    return False


def _indented(text: str) -> str:
    written, depth, before = list[str](), 0, ""
    for token in _TOKEN.findall(text):
        if token in ("}", "]"):
            depth -= 1
            written.append(token if before in ("{", "[") else f"\n{'  ' * depth}{token}")
        elif before in ("{", "[", ","):
            written.append(f"\n{'  ' * depth}{_seen(token)}")
        else:
            written.append(" " + _seen(token) if before == ":" else _seen(token))
        depth += token in ("{", "[")
        before = token
    return "".join(written)


def _seen(token: str) -> str:
    return token if token.isprintable() else "".join(char if char.isprintable() else _escaped(char) for char in token)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"
