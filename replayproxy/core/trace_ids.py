"""What others call an exchange: the ids that a client sends with a request, by which its own records know it.

Rule: an id is told, never trusted. It is cut, and what is no id of a trace by W3C Trace Context is none.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from replayproxy.core.messages import Headers

__all__ = ["LONGEST_ID", "NO_IDS", "REQUEST_ID", "Ids", "ids_in", "shown_id"]

#: The header in which APIs, and some clients, say what they call a request.
REQUEST_ID = "x-request-id"
_CLIENT_IDS = ("x-client-request-id", REQUEST_ID)
#: No more of an id is told, in characters.
LONGEST_ID = 128

# version, trace id, parent id, flags; versions after the first may have more behind them.
_TRACEPARENT = re.compile(
    r"(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)


class Ids(NamedTuple):
    """What the `client` calls the request, and the `trace` it belongs to (32 hex digits); "" for none."""

    client: str = ""
    trace: str = ""


#: A request without any.
NO_IDS = Ids()


def ids_in(headers: Headers) -> Ids:
    """The ids in the (redacted) headers of a request."""
    client = next((shown_id(value) for name in _CLIENT_IDS if (value := headers.get(name))), "")
    found = _TRACEPARENT.fullmatch((headers.get("traceparent") or "").strip(" \t"))
    trace = found[1] if found else ""
    return Ids(client, trace) if client or trace else NO_IDS


def shown_id(value: str) -> str:
    """As much of an id as is told."""
    return value[:LONGEST_ID]
