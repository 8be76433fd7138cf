"""What a proxy says once, however often it happens: on the log, with the way out."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from replayproxy.core.catalog import Catalog, Operation
from replayproxy.core.messages import Request
from replayproxy.core.problem import Problem

__all__ = ["Notices"]

_log = logging.getLogger(__name__)

#: Whose API the catalog's dates are about.
_REAL = ("openai.com", "openai.azure.com")
#: So many paths that the API does not have are remembered.
_REMEMBERED = 1000
_WAY_OUT = "`--upstream emulator` serves it"


class Notices:
    """Remembers, for one proxy, what was said already."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._unknown: dict[tuple[str, str], Problem] = {}

    def unknown(self, catalog: Catalog, request: Request) -> Problem:
        """What to say of a request that the catalog does not know; looked for once for each method and path."""
        from replayproxy.core.unknown_paths import unknown_path  # here, since most runs ask for none

        asked = (request.method, request.path)
        if asked not in self._unknown:
            if len(self._unknown) >= _REMEMBERED:
                self._unknown.clear()
            self._unknown[asked] = unknown_path(catalog, request.method, request.target)
        return self._unknown[asked]

    def forwarded(self, operation: Operation, upstream: str, today: str) -> None:
        """Says that an operation is no longer, or not much longer, served by the upstream that it goes to.

        `today` is ISO 8601.
        """
        if not (operation.off or operation.deprecated) or not _is_real(upstream):
            return
        family = operation.family.replace("_", " ")
        if not operation.off:
            self._say(operation.id, f"{operation.id} is deprecated: OpenAI may switch it off; {_WAY_OUT}")
        elif today >= operation.off:
            self._say(family, f"OpenAI switched off its {family} API on {operation.off}: {_WAY_OUT}")
        else:
            self._say(family, f"OpenAI will switch off its {family} API on {operation.off}: {_WAY_OUT}")

    def answered(self, operation: Operation, upstream: str, status: int) -> None:
        """Says why an operation that OpenAI has switched off may be missing elsewhere, too."""
        if status == 404 and operation.off and upstream and not _is_real(upstream):
            family = operation.family.replace("_", " ")
            what = f"{upstream} answers 404 to {operation}; OpenAI switches off its {family} API on {operation.off}"
            self._say(f"404 {family}", f"{what}. {_WAY_OUT}")

    def _say(self, topic: str, message: str) -> None:
        if topic not in self._said:
            self._said.add(topic)
            _log.warning("%s", message)


def _is_real(upstream: str) -> bool:
    host = urlsplit(upstream).hostname or ""
    return any(host == real or host.endswith(f".{real}") for real in _REAL)
