"""How a session is opened: its cassette read, its recorder made, its handler put together."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import re
import ssl
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import replayproxy
from replayproxy.config import Repeat, Settings
from replayproxy.config.catalogs import check_names, load_catalog
from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.catalog import Catalog, Operation
from replayproxy.core.journal import Journal
from replayproxy.core.levels import Level
from replayproxy.core.matching import NO_RULES
from replayproxy.core.messages import Request
from replayproxy.core.modes import MODES
from replayproxy.core.redaction import Redactor
from replayproxy.core.rules import MatchRules
from replayproxy.core.session import Session
from replayproxy.proxy.checking import Checker
from replayproxy.proxy.exchange import Clock
from replayproxy.proxy.forwarding import Credential, Link
from replayproxy.proxy.handler import Handler, Policy
from replayproxy.proxy.notices import Notices
from replayproxy.proxy.recording import Tape
from replayproxy.proxy.upstream import Origin, Timeouts, Upstream
from replayproxy.stores import FileStore, Recorder

__all__ = ["DEFAULT", "NAME", "Declaration", "Opener"]

_log = logging.getLogger(__name__)

#: The session of requests that name none.
DEFAULT = "default"
#: What a session may be called: one file name, nothing that leads elsewhere.
NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,200}\Z")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a session is to be. None stands for what the proxy's settings say, and for the cassette for `NAME.yaml`.

    `rules` of matching come on top of the settings' own. `validate` takes the place of the settings' level; what they
    say of single operations and families goes before it, as it goes before their own.
    """

    name: str
    cassette: Path | None = None
    mode: str | None = None
    validate: Level | None = None
    speed: float | None = None
    strict: bool | None = None
    repeat: Repeat | None = None
    rules: MatchRules = NO_RULES

    def applied(self, settings: Settings) -> Settings:
        """The settings of this session alone."""
        own: dict[str, Any] = {"mode": self.mode, "speed": self.speed, "strict": self.strict}
        given = {name: value for name, value in own.items() if value is not None}
        playback = replace(settings.playback, repeat=self.repeat or settings.playback.repeat)
        validate = replace(settings.validate, level=self.validate or settings.validate.level)
        cassette = self.cassette or _cassette(self.name, settings)
        return replace(settings, playback=playback, validate=validate, cassette=cassette, cassettes=None, **given)


@dataclass(slots=True)
class Opener:
    """Opens sessions under one proxy's settings.

    The catalog is read when the first session is opened. The upstream is made when the first session needs one, and
    closed with `stack`: where all sessions play back there never is one.
    """

    settings: Settings
    key: str | None
    redactor: Redactor
    clock: Clock
    journal: Journal
    stack: contextlib.AsyncExitStack
    notices: Notices = dataclasses.field(default_factory=Notices)
    catalog: Catalog | None = None
    link: Link | None = None
    _reading: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)
    _linking: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)

    async def open(self, declaration: Declaration) -> Handler:
        """Opens a session.

        CassetteError when its cassette cannot be read, or is being recorded by somebody else. ConfigError when the
        catalog cannot be read, or does not have what the settings or the declaration name.
        """
        settings = declaration.applied(self.settings)
        rules = self.settings.match.all_rules.plus(declaration.rules)
        catalog = await self._known()
        check_names(catalog, settings.validate, rules)
        link = await self._linked() if MODES[settings.mode].forwards else None
        return await asyncio.to_thread(self._build, declaration.name, settings, rules, catalog, link)

    def _build(self, name: str, settings: Settings, rules: MatchRules, catalog: Catalog, link: Link | None) -> Handler:
        mode = MODES[settings.mode]
        store = FileStore(settings.default_cassette, settings.record.inline_limit)
        cassette = self._load(store) if mode.plays and store.exists() else None
        session = Session(
            mode,
            cassette,
            repeat=settings.playback.repeat,
            strict=settings.strict,
            collapse_polls=settings.playback.collapse_polls,
            rules=rules,
            operation_of=partial(_operation_of, catalog),
        )
        recorder = self._recorder(store, mode.replaces) if mode.saves else None
        return Handler(
            name=name,
            session=session,
            cassette=_shown(settings.default_cassette),
            checker=self._checker(settings, session, catalog, link),
            redactor=self.redactor,
            policy=Policy(
                speed=settings.speed,
                body_limit=settings.limits.body,
                idle=settings.upstream.idle_timeout,
                poll_after_ms=settings.playback.poll_after_ms,
            ),
            clock=self.clock,
            journal=self.journal,
            open_file=store.open_body,
            link=link,
            tape=Tape(recorder, self.redactor, session, settings.record.failures, self.clock) if recorder else None,
        )

    def _checker(self, settings: Settings, session: Session, catalog: Catalog, link: Link | None) -> Checker:
        asked = str(link.upstream) if link and settings.upstream.kind == "http" else ""
        if settings.upstream.kind == "emulator" and settings.emulator.unknown_ids == "create":
            catalog = catalog.with_any_ids  # what the emulator takes is not refused before it
        return Checker(catalog, settings.validation, self.redactor, session, self.notices, asked)

    def _load(self, store: FileStore) -> Cassette:
        cassette = store.load()
        if store.torn:
            _log.warning("%s", store.torn)
        if cassette.head.redaction == self.redactor.digest:
            return cassette
        # Recorded under other rules, or by hand: today's apply to both sides, or nothing would match what they redact.
        return replace(cassette, interactions=tuple(self._redacted(one) for one in cassette.interactions))

    def _redacted(self, interaction: Interaction) -> Interaction:
        secrets = self.redactor.secrets(interaction.request)
        request = self.redactor.request(interaction.request)
        return replace(interaction, request=request, response=self.redactor.response(interaction.response, secrets))

    def _recorder(self, store: FileStore, replaces: bool) -> Recorder:
        by = f"replayproxy {replayproxy.__version__}"
        head = Head(self.upstream, self.clock.wall(), by, self.redactor.digest)
        return store.replace_take(head) if replaces else store.append_to(head)

    @property
    def upstream(self) -> str:
        """What to call the upstream; "" while there is none."""
        if self.link is None:
            return ""
        return "emulator" if self.settings.upstream.kind == "emulator" else str(self.link.upstream)

    async def _known(self) -> Catalog:
        async with self._reading:
            if self.catalog is None:
                self.catalog = await asyncio.to_thread(load_catalog, self.settings.catalog)
            return self.catalog

    async def _linked(self) -> Link:
        async with self._linking:
            if self.link is None:
                self.link = await self._connect()
            return self.link

    async def _connect(self) -> Link:
        wanted, url = self.settings.upstream, str(self.settings.upstream.url)
        if wanted.kind == "emulator":
            # Not before it is asked for: the emulator is over a hundred modules, which playback has no use for.
            from replayproxy.emulator.runner import serving
            from replayproxy.emulator.setup import set_up

            emulator = await self.stack.enter_async_context(set_up(self.settings.emulator, os.environ))
            url = (await self.stack.enter_async_context(serving(emulator.app))).url
        timeouts = Timeouts(wanted.connect_timeout, wanted.idle_timeout, wanted.total_timeout)
        tls = ssl.create_default_context(cafile=str(wanted.ca_file)) if wanted.ca_file else None
        upstream = Upstream(Origin.of(url), timeouts, tls)
        self.stack.push_async_callback(upstream.close)
        return Link(upstream, Credential(self.key) if self.key else None)


def _operation_of(catalog: Catalog, request: Request) -> Operation | None:
    found = catalog.resolve(request.method, request.target)
    return found.operation if found else None


def _cassette(name: str, settings: Settings) -> Path:
    if name == DEFAULT:
        return settings.default_cassette
    return settings.default_cassette.parent / f"{name}.yaml"


def _shown(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
