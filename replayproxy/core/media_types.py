"""Media types and the parameters of header values. Nothing here raises, whatever a header holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from replayproxy.core.messages import Headers

__all__ = ["MediaType", "essence", "media_type", "parameters"]

_PARAMETER = re.compile(r';[ \t]*([^=;"\s]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
_QUOTED_PAIR = re.compile(r'\\(["\\])')
#: Longer values are not remembered.
_LONGEST_KNOWN = 256
# RFC 8187 allows no others, and Python knows "encodings" that are not character sets.
_CHARACTER_SETS = frozenset({"utf-8", "iso-8859-1"})


@dataclass(frozen=True, slots=True)
class MediaType:
    """A parsed `Content-Type`: `essence` in lower case ("" without one), parameters by lower-case name."""

    essence: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def is_json(self) -> bool:
        """Whether bodies of this type are JSON: `application/json` and everything `+json`."""
        return self.essence == "application/json" or self.essence.endswith("+json")

    @property
    def is_multipart(self) -> bool:
        """Whether bodies of this type consist of parts."""
        return self.essence.startswith("multipart/")

    @property
    def is_form(self) -> bool:
        """Whether bodies of this type are URL-encoded fields."""
        return self.essence == "application/x-www-form-urlencoded"


def media_type(headers: Headers) -> MediaType:
    """What the first `Content-Type` says; the empty media type when there is none."""
    value = headers.get("content-type", "") or ""
    return _parsed(value) if len(value) <= _LONGEST_KNOWN else _parsed.__wrapped__(value)


@lru_cache(maxsize=256)
def _parsed(value: str) -> MediaType:
    """The few types that there are come again and again; multipart ones, with a boundary of their own, do not."""
    return MediaType(essence(value), parameters(value))


def essence(value: str) -> str:
    """A header value without its parameters, in lower case."""
    return value.partition(";")[0].strip().lower()


def parameters(value: str) -> dict[str, str]:
    """The parameters of a header value, unquoted, by lower-case name; of repeated ones the first counts.

    `name*=utf-8''...` (RFC 8187) is decoded and given as `name`, before a plain `name`.
    """
    found: dict[str, str] = {}
    extended: dict[str, str] = {}
    if ";" not in value:
        return found
    for name, raw in _PARAMETER.findall(value):
        plain = _unquoted(raw)
        decoded = _extended(plain) if name.endswith("*") else None
        if decoded is None:
            found.setdefault(name.lower(), plain)
        else:
            extended.setdefault(name[:-1].lower(), decoded)
    return found | extended


def _unquoted(raw: str) -> str:
    if len(raw) > 1 and raw[0] == raw[-1] == '"':
        return _QUOTED_PAIR.sub(r"\1", raw[1:-1])
    return raw.strip()


def _extended(value: str) -> str | None:
    charset, _, rest = value.partition("'")
    if charset.lower() not in _CHARACTER_SETS:
        return None
    encoded = rest.partition("'")[2].encode("utf-8", "surrogateescape")
    return unquote_to_bytes(encoded).decode(charset, "surrogateescape")
