"""The kinds of value that say who may use the ports: the section `allow`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from replayproxy.config.structures import list_of
from replayproxy.config.values import single
from replayproxy.errors import ConfigError

__all__ = ["HOSTS", "ORIGINS"]

_NAME = r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
_ORIGIN = "an origin such as https://app.example, http://localhost:3000 or vscode-webview://*"
#: Browsers leave these out of an origin.
_USUAL_PORTS = {"http": ":80", "https": ":443"}
#: All pages of a program's own scheme are that program's; anybody can have a page of one of these.
_ANYBODYS = frozenset({"http", "https", "ws", "wss", "null", "data", "blob", "about", "javascript"})
_OWN_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://\*")


def _host(text: str) -> str:
    if text == "*":
        raise ConfigError("any name would let every web page in: list the names, or .example.test for all under one")
    if not re.fullmatch(_NAME, text):
        raise ConfigError("expected a name without scheme or port, such as proxy.test, or .test for all names under it")
    return text.lower()


def _origin(text: str) -> str:
    if text in ("*", "null"):
        raise ConfigError(f"{text!r} would let every web page in: list the origins")
    if own := _OWN_SCHEME.fullmatch(text):
        if own[1].lower() in _ANYBODYS:
            raise ConfigError(f"{text!r} would let too many in: list the origins")
        return text.lower()
    try:
        parts = urlsplit(text)
        known = parts.scheme and re.fullmatch("[a-z0-9._~:-]+", parts.hostname or "") and (parts.port or 1)
    except ValueError:
        known = None
    if not known or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigError(f"expected {_ORIGIN}")
    return f"{parts.scheme}://{parts.netloc}".lower().removesuffix(_USUAL_PORTS.get(parts.scheme, " "))


#: Names, in lower case; one that begins with a dot stands for all names under it.
HOSTS = list_of("names of hosts", single("the name of a host", _host, {"type": "string", "pattern": f"^{_NAME}$"}))
#: Origins as browsers send them: `SCHEME://HOST[:PORT]` in lower case; `SCHEME://*` for all of a program's own scheme.
ORIGINS = list_of(
    "origins", single(_ORIGIN, _origin, {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*://[^/@]+/?$"})
)
