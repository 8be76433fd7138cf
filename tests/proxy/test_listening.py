"""A port that is listened on."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiohttp import web

from replayproxy.proxy.listening import listening

_SYSTEM = Path("/proc/sys/net/core/somaxconn")
#: More than aiohttp lets wait by default, and what an app that starts hundreds of streams at once makes.
CLIENTS = 500


async def nothing(request: web.BaseRequest) -> web.StreamResponse:
    """Nobody asks for anything."""
    return web.Response()


@pytest.mark.skipif(not _SYSTEM.exists() or int(_SYSTEM.read_text()) < CLIENTS, reason="the system lets fewer wait")
async def test_hundreds_may_connect_before_the_first_is_served() -> None:
    """Those who come at once are all let in, and none is dropped to try again a second later."""
    runner = web.ServerRunner(web.Server(nothing))
    async with listening(runner, "127.0.0.1", 0, "--port") as url:
        host, _, port = url.removeprefix("http://").partition(":")
        with ExitStack() as stack:
            for _ in range(CLIENTS):  # nothing awaits here: the loop takes none of them meanwhile
                stack.enter_context(socket.create_connection((host, int(port)), timeout=0.9))
