"""Header fields that are one connection's own, and those that are meant for the other end (RFC 9110 §7.6.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from replayproxy.core.messages import Headers

__all__ = ["ESSENTIAL", "HOP_BY_HOP", "end_to_end", "nominated"]

#: Fields that belong to one connection (RFC 9110 §7.6.1 and what is seen in the wild); `Connection` names more.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: What `Connection` cannot name (RFC 9110 §7.6.1): without them the other end would see another message.
ESSENTIAL = frozenset({"api-key", "authorization", "content-encoding", "content-length", "content-type", "host"})


def nominated(values: Iterable[str]) -> set[str]:
    """The names, in lower case, in the values of `Connection` fields."""
    return {name.strip(" \t").lower() for value in values for name in value.split(",")}


def end_to_end(headers: Headers, but: Collection[str] = ()) -> Headers:
    """The headers that are meant for the other end: no hop-by-hop ones, none that `Connection` names, none of `but`."""
    return headers.without((*HOP_BY_HOP, *(nominated(headers.all("connection")) - ESSENTIAL), *but))
