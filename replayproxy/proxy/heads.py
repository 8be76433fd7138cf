"""What is made of the heads of requests and of nothing else, made once for heads that come again and again.

A client sends the same head with most of its requests. What a head says (for whom it is, what it calls, what is secret
in it, what goes on to the upstream) is a function of its bytes, and costs more than everything else that is done to
forward a small request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiohttp import web

from replayproxy.core.catalog import Catalog, Resolved
from replayproxy.core.memo import Memo
from replayproxy.core.messages import Request
from replayproxy.core.redaction import Redactor
from replayproxy.core.trace_ids import NO_IDS, Ids, ids_in
from replayproxy.proxy.intake import onward, stored
from replayproxy.proxy.names import session_of
from replayproxy.proxy.wire import read_head

__all__ = ["Heading", "Heads", "Recall", "heading"]

K = TypeVar("K")
V = TypeVar("V")

#: So many heads are remembered, and those of so many bytes at most: some 5 MB in all.
_HEADS, _BYTES = 512, 8 * 1024


@dataclass(frozen=True, slots=True)
class Heading:
    """What a head says. `head` is without the prefix that named the session, `twin` what of it is stored, redacted;
    `secrets` were found in its credential headers, `onward` is what of it goes to the upstream, `ids` are what others
    call the request."""

    head: Request
    resolved: Resolved | None
    secrets: frozenset[str]
    twin: Request
    onward: Request
    ids: Ids = NO_IDS


class Recall(Generic[K, V]):
    """What `make` makes of a value, kept as long as the same object comes again."""

    __slots__ = ("_kept", "_make")

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make
        self._kept: dict[int, tuple[K, V]] = {}

    def of(self, value: K) -> V:
        """What is made of `value`."""
        kept = self._kept.get(id(value))
        if kept is not None and kept[0] is value:
            return kept[1]
        made = self._make(value)
        if len(self._kept) >= _HEADS:
            self._kept.clear()
        self._kept[id(value)] = value, made  # with the value, so that its id stays its own
        return made


class Heads:
    """The heads that come to a proxy."""

    def __init__(self) -> None:
        self._kept = Memo[Any, tuple[str, Request]](_HEADS, _HEADS * _BYTES)

    def read(self, raw: web.BaseRequest) -> tuple[str, Request]:
        """The name of the session a request is for, and its head, which is the same object when it comes again.

        ConfigError when the name cannot be one.
        """
        key = raw.method, raw.raw_path, raw.raw_headers
        kept = self._kept.get(key)
        if kept is None:
            kept = session_of(read_head(raw))
            size = sum(len(name) + len(value) for name, value in raw.raw_headers) + len(raw.raw_path)
            if size <= _BYTES:
                self._kept.put(key, kept, size)
        return kept


def heading(head: Request, catalog: Catalog, redactor: Redactor) -> Heading:
    """What a head says to those who know this API and these rules of redaction."""
    twin = redactor.request(stored(head))
    resolved, secrets = catalog.resolve(head.method, head.target), redactor.secrets(head)
    return Heading(head, resolved, secrets, twin, onward(head), ids_in(twin.headers))
