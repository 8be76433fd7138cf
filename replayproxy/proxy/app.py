"""Puts a proxy together from settings, runs it, and takes it down so that nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import http_parser, web

import replayproxy
from replayproxy.config import Settings
from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.modes import MODES
from replayproxy.core.redaction import Redactor
from replayproxy.core.session import Session
from replayproxy.emulator.runner import running as emulator_running
from replayproxy.emulator.state import EmulatorSettings
from replayproxy.openai_api import CATALOG
from replayproxy.proxy.admin import admin_runner
from replayproxy.proxy.exchange import Clock
from replayproxy.proxy.forwarding import Credential, Link
from replayproxy.proxy.handler import Handler, Policy
from replayproxy.proxy.listening import listening
from replayproxy.proxy.recording import Tape
from replayproxy.proxy.upstream import Origin, Timeouts, Upstream
from replayproxy.stores import FileStore, Recorder

__all__ = ["Proxy", "running"]

_log = logging.getLogger(__name__)

#: A head line and a whole header field may be this long, in bytes; a head may have so many fields. aiohttp's own
#: limits (8 KiB and 128) are too tight for real clients behind gateways.
LINE_LIMIT, FIELD_LIMIT = 65_536, 500
#: How long exchanges under way may take to finish when the proxy is told to stop, in seconds.
DRAIN = 8.0


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy: where it listens, and the session it serves."""

    url: str
    admin_url: str
    upstream: str
    cassette: Path
    session: Session


@contextlib.asynccontextmanager
async def running(settings: Settings, key: str | None = None) -> AsyncIterator[Proxy]:
    """Runs a proxy; `key` takes the place of the client's API key on the way up.

    On the way out it stops listening, lets exchanges under way finish, and closes the cassette. StartError
    or CassetteError when it cannot start.
    """
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        _log.warning("aiohttp's C parser is missing: requests are parsed slowly, and less strictly")
    mode = MODES[settings.mode]
    async with contextlib.AsyncExitStack() as stack:
        store = FileStore(settings.default_cassette, settings.record.inline_limit)
        redactor = Redactor(literals=(key,) if key else ())
        cassette = _load(store, redactor) if mode.plays and store.exists() else None
        session = Session(mode, cassette, repeat=settings.playback.repeat, strict=settings.strict)
        link = await _link(settings, key, stack) if mode.forwards else None
        name = _name(settings, link)
        recorder = _recorder(store, mode.replaces, name, redactor) if mode.saves else None
        clock = Clock(asyncio.get_running_loop().time, _wall)
        tape = Tape(recorder, redactor, session, settings.record.failures, clock.seconds) if recorder else None
        if tape is not None:
            stack.callback(tape.close)
        handler = Handler(
            session=session,
            cassette=_shown(settings.default_cassette),
            catalog=CATALOG,
            redactor=redactor,
            policy=Policy(settings.validation, settings.speed, settings.limits.body, settings.upstream.idle_timeout),
            clock=clock,
            open_file=store.open_body,
            link=link,
            tape=tape,
        )
        stack.push_async_callback(_settle, handler)
        data, admin = _runner(handler), admin_runner(settings.mode)
        url = await stack.enter_async_context(listening(data, settings.host, settings.port, "--port"))
        admin_url = await stack.enter_async_context(
            listening(admin, settings.host, settings.admin_port, "--admin-port")
        )
        yield Proxy(url, admin_url, name, settings.default_cassette, session)


def _load(store: FileStore, redactor: Redactor) -> Cassette:
    cassette = store.load()
    if store.torn:
        _log.warning("%s", store.torn)
    if cassette.head.redaction == redactor.digest:
        return cassette
    # Recorded under other rules, or by hand: today's apply to both sides, or nothing would match what they redact.
    return replace(cassette, interactions=tuple(_redacted(one, redactor) for one in cassette.interactions))


def _redacted(interaction: Interaction, redactor: Redactor) -> Interaction:
    secrets = redactor.secrets(interaction.request)
    request, response = redactor.request(interaction.request), redactor.response(interaction.response, secrets)
    return replace(interaction, request=request, response=response)


async def _link(settings: Settings, key: str | None, stack: contextlib.AsyncExitStack) -> Link:
    wanted = settings.upstream
    url = str(wanted.url)
    if wanted.kind == "emulator":
        emulator = EmulatorSettings(settings.emulator.seed, settings.emulator.clock_start)
        url = (await stack.enter_async_context(emulator_running(emulator))).url
    timeouts = Timeouts(wanted.connect_timeout, wanted.idle_timeout, wanted.total_timeout)
    tls = ssl.create_default_context(cafile=str(wanted.ca_file)) if wanted.ca_file else None
    upstream = Upstream(Origin.of(url), timeouts, tls)
    stack.push_async_callback(upstream.close)
    return Link(upstream, Credential(key) if key else None)


def _recorder(store: FileStore, replaces: bool, upstream: str, redactor: Redactor) -> Recorder:
    head = Head(upstream, _wall(), f"replayproxy {replayproxy.__version__}", redactor.digest)
    return store.replace_take(head) if replaces else store.append_to(head)


def _runner(handler: Handler) -> web.ServerRunner:
    server = web.Server(
        handler,
        handler_cancellation=True,
        access_log=None,
        auto_decompress=False,
        max_line_size=LINE_LIMIT,
        max_field_size=LINE_LIMIT,
        max_headers=FIELD_LIMIT,
    )
    return web.ServerRunner(server, shutdown_timeout=DRAIN)


async def _settle(handler: Handler) -> None:
    """Lets exchanges finish whose client has gone."""
    if handler.leaving:
        await asyncio.wait(handler.leaving)


def _name(settings: Settings, link: Link | None) -> str:
    if link is None:
        return ""
    return "emulator" if settings.upstream.kind == "emulator" else str(link.upstream)


def _wall() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
