"""Starting and stopping an emulator inside a running event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from replayproxy.config import AllowSettings
from replayproxy.core.envelope import error_body
from replayproxy.emulator.app import create_app
from replayproxy.emulator.brain import Brain
from replayproxy.emulator.state import EmulatorSettings, Keeper
from replayproxy.errors import StartError
from replayproxy.proxy.doorman import Doorman

__all__ = ["RunningEmulator", "emulator_runner", "running", "serving"]

#: Seconds that requests in flight get when the emulator stops.
SHUTDOWN_TIMEOUT = 1.0
#: Real clients send long ids, keys and cursors; aiohttp's own limit for a line is 8 KiB.
MAX_LINE = 64 * 1024


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """Where an emulator answers; `url` is an origin, without `/v1`."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """`http://HOST:PORT`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def emulator_runner(app: web.Application, host: str = "127.0.0.1", hosts: tuple[str, ...] = ()) -> web.AppRunner:
    """An emulator that waits for somebody to set it up on a port of `host`, where clients may call it by `hosts` too.

    Web pages may not use it: see proxy/doorman.py.
    """
    doorman = Doorman(AllowSettings(hosts), host)

    @web.middleware
    async def guarded(request: web.Request, handler: Callable[..., Awaitable[web.StreamResponse]]) -> Any:
        if problem := doorman.stranger(request):
            body = error_body(problem)
            return web.Response(body=body, status=problem.status, content_type="application/json")
        return await handler(request)

    app.middlewares.insert(0, guarded)
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=SHUTDOWN_TIMEOUT,
        max_line_size=MAX_LINE,
        max_field_size=MAX_LINE,
    )


@asynccontextmanager
async def running(
    settings: EmulatorSettings | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    brain: Brain | None = None,
    keeper: Keeper | None = None,
) -> AsyncIterator[RunningEmulator]:
    """An emulator that answers until the block is left; port 0 means any that is free.

    Raises StartError when it cannot listen there.
    """
    async with serving(create_app(settings, brain, keeper), host, port) as emulator:
        yield emulator


@asynccontextmanager
async def serving(app: web.Application, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[RunningEmulator]:
    """An emulator's application answers until the block is left. StartError when it cannot listen there."""
    runner = emulator_runner(app, host)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield RunningEmulator(host, runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        reason = error.strerror or error
        raise StartError(f"the emulator cannot listen on {host}:{port}: {reason}; port 0 takes a free one") from error
