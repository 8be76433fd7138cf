"""What the inspector's answers are made of: the proxy's sessions and its journal, wherever that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replayproxy.config import Settings
from replayproxy.core.catalog import Catalog
from replayproxy.core.journal import Entry, Journal
from replayproxy.core.redaction import Redactor
from replayproxy.proxy.admin_port import AdminError
from replayproxy.proxy.sessions import Sessions

if TYPE_CHECKING:
    from replayproxy.proxy.admin import Others

__all__ = ["Inspector"]


@dataclass(frozen=True, slots=True)
class Inspector:
    """A proxy as its inspector sees it.

    `url` is where the data port listens; `others` are the processes that serve it, if others do. `redactor` and
    `catalog` are the proxy's own.
    """

    settings: Settings
    sessions: Sessions
    journal: Journal
    url: str
    redactor: Redactor
    catalog: Catalog
    others: Others | None = None

    async def entry(self, number: int) -> Entry:
        """The exchange with that number. AdminError (404) when the journal does not hold it any more, or never did."""
        found = self.journal.find(number) if self.others is None else await self.others.entry(number)
        if found is None:
            told = f"there is no exchange {number} in the journal; it keeps the latest ones only (limits.journal)"
            raise AdminError(404, "no_exchange", told)
        return found

    async def entries(self, session: str = "", limit: int = 10_000) -> list[Entry]:
        """The latest exchanges that have ended, of one session when that is given, the oldest first."""
        if self.others is not None:
            return await self.others.entries(session, limit)
        return self.journal.latest(session, limit)
