"""Paths of URLs: one spelling for those that mean the same, and patterns that paths fit or not."""

from __future__ import annotations

import re

from replayproxy.errors import ConfigError

__all__ = ["normal_path", "path_pattern"]

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")


def normal_path(path: str) -> str:
    """A path with the escapes of unreserved characters decoded and the others in upper case (RFC 3986 6.2.2)."""
    return _ESCAPE.sub(_normal_escape, path) if "%" in path else path


def path_pattern(text: str) -> re.Pattern[str]:
    """What `text` stands for, to be used with `fullmatch` on normal paths.

    `*` stands for any characters within one segment, at least one; `**`, as a segment of its own, for any number of
    segments, none included. Raises ConfigError that says what is wrong with `text`.
    """
    if not text.startswith("/"):
        raise ConfigError(f"{text[:80]!r}: a path pattern begins with a slash, as in /v1/threads/*/messages")
    if "?" in text:
        raise ConfigError(f"{text[:80]!r}: a path pattern ends before the query")
    return re.compile("".join(map(_segment, normal_path(text)[1:].split("/"))), re.DOTALL)


def _segment(text: str) -> str:
    if text == "**":
        return "(?:/.*)?"
    if "**" in text:
        raise ConfigError(f"{text[:80]!r}: ** stands for whole segments, so nothing may stand beside it before the /")
    return "/" + "[^/]+".join(map(re.escape, text.split("*")))


def _normal_escape(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if code in _UNRESERVED else found[0].upper()
