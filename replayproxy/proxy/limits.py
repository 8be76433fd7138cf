"""What is too much: of one request's head, and of all that is under way in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from replayproxy.config.settings import LimitSettings
from replayproxy.core.problem import Problem
from replayproxy.errors import CassetteError

__all__ = [
    "OVERLOADED",
    "Limits",
    "Room",
    "SpoolFullError",
    "crowded",
    "head_too_late",
    "head_too_long",
    "parser_limits",
    "parser_problem",
]

#: The type of problems that are over when others have gone: the answer says to try again.
OVERLOADED = "overloaded"
#: So many times the connections that are served may be open: those on top are told why they are not. What comes
#: beyond is closed unheard, so that descriptors do not run out.
SURPLUS = 1.25
# What the parsers count on top of what a limit is about: method, version and blanks of the first line (the Python
# parser), the colon and blanks of a field (both), the first and the last line of a head (the Python parser).
_LINE, _FIELD, _LINES = 64, 8, 2
# What a head has beside its target and its fields, and a field beside name and value.
_FIRST_LINE, _SEPARATORS = 16, 4


class SpoolFullError(CassetteError):
    """There is no room for a large body: temporary files hold as much as they may, or the disk does."""


@dataclass(slots=True)
class Room:
    """How much may lie in temporary files: `limit` bytes at once (None: any), of which `taken` are there."""

    limit: int | None = None
    taken: int = 0

    def take(self, size: int) -> None:
        """Takes room for so many bytes. SpoolFullError when there is not that much."""
        if self.limit is not None and self.taken + size > self.limit:
            cure = "Raise limits.spool, or send fewer large bodies at once"
            raise SpoolFullError(f"temporary files may take {self.limit} bytes at once (limits.spool)", cure=cure)
        self.taken += size

    def give(self, size: int) -> None:
        """Gives room back."""
        self.taken -= size


@dataclass(slots=True)
class Limits:
    """The limits of one process, and what of it is taken: `connections` are open, `exchanges` under way."""

    settings: LimitSettings
    connections: int = 0
    exchanges: int = 0

    @property
    def crowded(self) -> bool:
        """Whether more connections are open than are served."""
        return self.connections > self.settings.connections

    @property
    def full(self) -> bool:
        """Whether more connections are open than can be told so."""
        return self.connections > self.settings.connections * SURPLUS

    def exceeded(self, raw: web.BaseRequest) -> Problem | None:
        """What a request has too much of, or comes too many for; None when nothing."""
        if problem := self._too_long(raw):
            return problem
        if self.exchanges >= self.settings.exchanges:
            return _busy(
                f"{self.exchanges} exchanges are under way, which is as many as replayproxy takes at once; the setting "
                "is limits.exchanges.",
                429,
                "too_many_exchanges",
            )
        return None

    def _too_long(self, raw: web.BaseRequest) -> Problem | None:
        limits, size = self.settings, len(raw.raw_path)
        if size > limits.target:
            return _target_too_long(limits)
        if len(raw.raw_headers) > limits.headers:
            return _too_many_fields(limits)
        for name, value in raw.raw_headers:
            one = len(name) + len(value)
            if one > limits.header:
                return _field_too_long(limits)
            size += one + _SEPARATORS
        return head_too_long(limits) if size + len(raw.method) + _FIRST_LINE > limits.head else None


def parser_limits(limits: LimitSettings) -> dict[str, Any]:
    """The limits of aiohttp's parsers, whichever it is: never less than ours, which count more exactly.

    The two lengths differ always: by them `parser_problem` knows what was too long. The line is never the shorter one:
    the Python parser measures a field that is not whole yet by it.
    """
    return {
        "max_line_size": max(limits.target, limits.header) + _LINE,
        "max_field_size": limits.header + _FIELD,
        "max_headers": limits.headers + _LINES,
    }


def parser_problem(error: HttpProcessingError, limits: LimitSettings, *, in_fields: bool) -> Problem:
    """What to tell of a request that the parser refused; nothing of what the client sent is in it.

    `in_fields`: the first line was read before.
    """
    if isinstance(error, LineTooLong):
        of_line = error.args[1] != parser_limits(limits)["max_field_size"] and not in_fields
        return _target_too_long(limits) if of_line else _field_too_long(limits)
    if error.message == "Too many headers received":
        return _too_many_fields(limits)
    told = "replayproxy cannot read this request: it is not HTTP/1.1 as RFC 9112 has it."
    if "HTTPS" in error.message:
        told = "replayproxy speaks plain HTTP on this port, and the client speaks TLS: its base URL must begin http://."
    return Problem(told, code="malformed_request")


def head_too_long(limits: LimitSettings) -> Problem:
    """The head of a request is too long as a whole."""
    return _too_long(f"The head of this request is longer than replayproxy takes ({limits.head} bytes", "head", 431)


def head_too_late(limits: LimitSettings) -> Problem:
    """The head of a request did not come in time."""
    told = f"The head of this request did not come to its end within {limits.head_timeout:g} s"
    return Problem(f"{told}; the setting is limits.head_timeout.", code="request_timeout", status=408)


def crowded(limits: LimitSettings) -> Problem:
    """There are more connections than are served."""
    told = f"More than {limits.connections} connections are open, which is as many as replayproxy serves"
    return _busy(f"{told}; the setting is limits.connections.", 503, "too_many_connections")


def _target_too_long(limits: LimitSettings) -> Problem:
    return _too_long(
        f"The target of this request is longer than replayproxy takes ({limits.target} bytes", "target", 414
    )


def _field_too_long(limits: LimitSettings) -> Problem:
    told = f"A header field of this request is longer than replayproxy takes ({limits.header} bytes"
    return _too_long(told, "header", 431)


def _too_many_fields(limits: LimitSettings) -> Problem:
    told = f"This request has more header fields than replayproxy takes ({limits.headers}"
    return _too_long(told, "headers", 431)


def _too_long(told: str, setting: str, status: int) -> Problem:
    return Problem(f"{told}; the setting is limits.{setting}).", code=f"{setting}_too_large", status=status)


def _busy(told: str, status: int, code: str) -> Problem:
    return Problem(told, code=code, status=status, type=OVERLOADED)
