"""How a request names the session that it is for."""

from __future__ import annotations

import re
from dataclasses import replace

from replayproxy.core.messages import Request
from replayproxy.errors import ConfigError
from replayproxy.proxy.intake import SESSION_HEADER

__all__ = ["DEFAULT", "NAME", "session_of"]

#: The session of requests that name none.
DEFAULT = "default"
#: What a session may be called: one file name, nothing that leads elsewhere.
NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,200}\Z")

_PREFIX = re.compile(r"/(?:@|%40)([^/?]*)(.*)", re.DOTALL | re.IGNORECASE)


def session_of(head: Request) -> tuple[str, Request]:
    """The name of the session a request is for, and the request without the prefix that says so.

    ConfigError when the name cannot be one.
    """
    prefix = _PREFIX.match(head.target)
    if prefix is None:
        name = head.headers.get(SESSION_HEADER, DEFAULT) or DEFAULT
    else:
        name, rest = prefix.groups()
        head = replace(head, target=rest if rest.startswith("/") else f"/{rest}")
    if not NAME.match(name):
        told = "a session's name is made of letters, digits, '.', '_' and '-', and does not begin with a dot"
        raise ConfigError(f"{told}: not {name[:80]!r}")
    return name, head
