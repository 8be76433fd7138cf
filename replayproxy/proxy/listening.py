"""Listening on a port, and the error that names a free one when it is taken."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import AsyncIterator

from aiohttp import web

from replayproxy.errors import StartError

__all__ = ["BACKLOG", "cannot_listen", "listening", "url_of"]

#: So many connections may wait until they are taken. Beyond that the system drops them without a word, and clients try
#: again after a second, then after three.
BACKLOG = 1024


@contextlib.asynccontextmanager
async def listening(runner: web.BaseRunner, host: str, port: int, option: str) -> AsyncIterator[str]:
    """Runs `runner` on a port (0: any free one) and gives its URL. StartError, naming `option`, when it cannot."""
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        except OSError as error:
            raise cannot_listen(error, host, port, option) from None
        yield url_of(host, runner.addresses[0][1])
    finally:
        await runner.cleanup()


def cannot_listen(error: OSError, host: str, port: int, option: str) -> StartError:
    """What to say when a port cannot be had, with one that can."""
    cure = f"try {option} {_free_port(host)}, or 0 for any free one" if port else "choose another --host"
    return StartError(f"cannot listen on {host}:{port} ({_why(error)}); {cure}")


def url_of(host: str, port: int) -> str:
    """The URL of a port."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _why(error: OSError) -> str:
    # asyncio wraps the system's words in a sentence of its own, which names the address once more.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe, contextlib.suppress(OSError):
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
    return 0
