"""The small pieces of a HAR: texts, headers, fields, cookies."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from replayproxy.core.bodies import parse_form
from replayproxy.core.messages import Headers, encode, plain

__all__ = ["base64_of", "cookie_rows", "field_rows", "header_rows", "set_cookie_row", "text_of"]


def text_of(body: bytes) -> str | None:
    """Text that is UTF-8; None for other bytes."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def base64_of(data: bytes) -> str:
    """Bytes as base64."""
    return b64encode(data).decode()


def header_rows(headers: Headers) -> list[dict[str, str]]:
    """Headers in their order; bytes that are no text stand beside as `_base64`."""
    return [_header(name, value) for name, value in headers]


def _header(name: str, value: str) -> dict[str, str]:
    found = {"name": plain(name), "value": plain(value)}
    return found if found["value"] == value else found | {"_base64": base64_of(encode(value))}


def field_rows(form: bytes) -> list[dict[str, str]]:
    """The fields of a query or a form."""
    return [{"name": plain(name), "value": plain(value)} for name, value in parse_form(form)]


def cookie_rows(values: Iterable[str]) -> list[dict[str, Any]]:
    """The cookies that a request carries."""
    pairs = [piece.strip().partition("=") for value in values for piece in value.split(";") if piece.strip()]
    return [{"name": plain(name), "value": plain(value)} for name, _, value in pairs]


def set_cookie_row(value: str) -> dict[str, Any]:
    """A cookie that an answer sets."""
    first, *attributes = (piece.strip() for piece in plain(value).split(";"))
    name, _, content = first.partition("=")
    found: dict[str, Any] = {"name": name, "value": content, "httpOnly": False, "secure": False}
    for attribute in attributes:
        key, _, told = attribute.partition("=")
        if key.lower() in ("path", "domain"):
            found[key.lower()] = told
        elif key.lower() in ("httponly", "secure"):
            found["httpOnly" if key.lower() == "httponly" else "secure"] = True
    return found
