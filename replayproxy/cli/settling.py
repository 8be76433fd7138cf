"""How a started proxy settles down in a process that is ours alone."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replayproxy.config import Settings
    from replayproxy.proxy.app import Proxy

__all__ = ["settled"]


@contextlib.asynccontextmanager
async def settled(proxy: Proxy, settings: Settings) -> AsyncIterator[None]:
    """What is there once a proxy answers stays, so the collector never looks at it again; and a miss is rehearsed."""
    from replayproxy.proxy.garbage import freeze
    from replayproxy.proxy.names import DEFAULT
    from replayproxy.proxy.rehearsal import rehearsing

    freeze()
    if settings.workers > 1 or settings.forwards:
        yield
        return
    async with rehearsing(await proxy.sessions.get(DEFAULT)):
        yield
