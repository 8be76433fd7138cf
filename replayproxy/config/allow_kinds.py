"""The kinds of value that say who may use the ports: the section `allow`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from replayproxy.config.structures import list_of
from replayproxy.config.values import single
from replayproxy.errors import ConfigError

__all__ = ["HOSTS", "ORIGINS"]

_NAME = r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
_ORIGIN = "an origin such as https://app.example or http://localhost:3000"


def _host(text: str) -> str:
    if text == "*":
        raise ConfigError("any name would let every web page in: list the names, or .example.test for all under one")
    if not re.fullmatch(_NAME, text):
        raise ConfigError("expected a name without scheme or port, such as proxy.test, or .test for all names under it")
    return text.lower()


def _origin(text: str) -> str:
    if text in ("*", "null"):
        raise ConfigError(f"{text!r} would let every web page in: list the origins")
    try:
        parts = urlsplit(text)
        known = parts.scheme.isascii() and parts.scheme and parts.hostname and (parts.port or 1)
    except ValueError:
        known = None
    if not known or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigError(f"expected {_ORIGIN}")
    return f"{parts.scheme}://{parts.netloc}".lower()


#: Names, in lower case; one that begins with a dot stands for all names under it.
HOSTS = list_of("names of hosts", single("the name of a host", _host, {"type": "string", "pattern": f"^{_NAME}$"}))
#: Origins as browsers send them: `SCHEME://HOST[:PORT]` in lower case.
ORIGINS = list_of(
    "origins", single(_ORIGIN, _origin, {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*://[^/@]+/?$"})
)
