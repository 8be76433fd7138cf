"""The fixed lines of an interaction's document: the heads of its request and of its answer.

What `core/yaml_emit.py` would write of them, written without looking what shape they have. Most lines of headers stood
in the interaction before: they are remembered, and so is that they are no two headers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from replayproxy.core.fields import check_headers, wire_text
from replayproxy.core.messages import Headers, Request, Response
from replayproxy.core.yaml_emit import emit, entry, key_text, one_line

__all__ = ["request_lines", "response_lines"]

#: Lines with longer values are not remembered.
_LONGEST_KNOWN = 100


def request_lines(request: Request, body: dict[str, Any]) -> str:
    """The entry of a request whose method and target were checked; `body` are the entries of its body.

    Here and below: CassetteError or `Unwritable` for what cannot be written.
    """
    target = entry("target", wire_text(request.target), 2)
    return f"request:\n  method: {one_line(request.method)}\n  {target}{_headers(request.headers)}{_body(body)}"


def response_lines(response: Response, body: dict[str, Any]) -> str:
    """The entry of an answer whose status and reason were checked, as `request_lines`."""
    reason = "  " + entry("reason", wire_text(response.reason), 2) if response.reason else ""
    return f"response:\n  status: {response.status}\n{reason}{_headers(response.headers)}{_body(body)}"


def _headers(headers: Headers) -> str:
    """The entry of a message's headers, empty when there are none; refuses what is no header."""
    if not headers.pairs:
        return ""
    lines = [
        _known_line(name, value) if len(value) <= _LONGEST_KNOWN else _line(name, value)
        for name, value in headers.pairs
    ]
    return "  headers:\n" + "".join(lines)


def _body(entries: dict[str, Any]) -> str:
    return "  body:\n" + emit(entries, 4) if entries else ""


@lru_cache(maxsize=4096)
def _known_line(name: str, value: str) -> str:
    return _line(name, value)


def _line(name: str, value: str) -> str:
    if value.isascii() and value.isprintable():
        return f"{_beginning(name)} {one_line(value)}\n"
    check_headers([(name, value)])
    return f"    - {entry(name, wire_text(value), 6)}"


@lru_cache(maxsize=1024)
def _beginning(name: str) -> str:
    """A header's line as far as to the colon."""
    check_headers([(name, "")])
    return f"    - {key_text(name)}:"
