"""How a session is opened: its cassette read, its recorder made, its handler put together."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import replayproxy
from replayproxy.config import Repeat, Settings
from replayproxy.config.catalogs import check_names, load_catalog
from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.catalog import Catalog, Operation
from replayproxy.core.journal import Journal
from replayproxy.core.levels import Level
from replayproxy.core.matching import NO_RULES, identity, scheme_of
from replayproxy.core.messages import Request
from replayproxy.core.modes import MODES
from replayproxy.core.receipt import ToldMiss
from replayproxy.core.recordings import Recordings
from replayproxy.core.redaction import Redactor
from replayproxy.core.rules import MatchRules, OperationOf
from replayproxy.core.session import Session
from replayproxy.core.tally import OwnTally, Tally
from replayproxy.proxy.checking import Checker
from replayproxy.proxy.exchange import Clock
from replayproxy.proxy.handler import Handler
from replayproxy.proxy.limits import Room
from replayproxy.proxy.names import DEFAULT
from replayproxy.proxy.notices import Notices
from replayproxy.proxy.policy import Policy
from replayproxy.stores import FileStore, Recorder
from replayproxy.stores.file_store import collecting_no_garbage
from replayproxy.stores.plain_files import followed

if TYPE_CHECKING:
    from replayproxy.proxy.forwarding import Link
    from replayproxy.proxy.recording import Tape
    from replayproxy.proxy.tracing import Tracing

__all__ = ["Declaration", "Opener", "Share"]

_log = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class Share:
    """A session that somebody else opened, and who serves a part of it shares: what counts in it, how many recordings
    there were then (None: no cassette), where misses are told, and what saves into its cassette."""

    tally: Tally
    recordings: int | None
    telling: Callable[[ToldMiss], None]
    recorder: Callable[[FileStore], Recorder]


def _own_tally(identities: int) -> Tally:
    return OwnTally()


@dataclass(slots=True)
class Opener:
    """Opens sessions under one proxy's settings.

    The catalog is read when the first session is opened. The upstream is made when the first session needs one, and
    closed with `stack`: where all sessions play back there never is one. `tallies` makes what counts in a session, for
    so many identities; `emulator_url` is where the emulator is that somebody else runs, "" for one of our own.
    Large bodies take `room`.
    """

    settings: Settings
    key: str | None
    redactor: Redactor
    clock: Clock
    journal: Journal
    stack: contextlib.AsyncExitStack
    tallies: Callable[[int], Tally] = _own_tally
    emulator_url: str = ""
    room: Room = dataclasses.field(default_factory=Room)
    notices: Notices = dataclasses.field(default_factory=Notices)
    catalog: Catalog | None = None
    link: Link | None = None
    tracing: Tracing | None = None
    _reading: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)
    _linking: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)

    async def open(self, declaration: Declaration, share: Share | None = None) -> Handler:
        """Opens a session, or a `share` in it.

        CassetteError when its cassette cannot be read, or is being recorded by somebody else. ConfigError when the
        catalog cannot be read, or does not have what the settings or the declaration name.
        """
        settings = declaration.applied(self.settings)
        rules = self.settings.match.all_rules.plus(declaration.rules)
        catalog = await self._known()
        check_names(catalog, settings.validate, rules)
        link = await self._linked() if MODES[settings.mode].forwards else None
        return await asyncio.to_thread(self._build, declaration.name, settings, rules, catalog, link, share)

    def _build(
        self,
        name: str,
        settings: Settings,
        rules: MatchRules,
        catalog: Catalog,
        link: Link | None,
        share: Share | None,
    ) -> Handler:
        mode = MODES[settings.mode]
        operation_of = partial(_operation_of, catalog)
        identify = partial(_identified, rules=rules, operation_of=operation_of)
        store = FileStore(settings.default_cassette, settings.record.inline_limit, identify)
        recordings = self._recordings(store, share) if mode.plays else None
        session = Session(
            mode,
            recordings,
            repeat=settings.playback.repeat,
            strict=settings.strict,
            collapse_polls=settings.playback.collapse_polls,
            rules=rules,
            operation_of=operation_of,
            # Beside those that are played there may be as many that are recorded anew.
            tally=share.tally if share else self.tallies(2 * len(recordings or ())),
            telling=share.telling if share else None,
            first=share.recordings if share else None,
            is_current=partial(store.is_current, grows=mode.saves),
        )
        recorder = self._recorder(store, mode.replaces, share) if mode.saves else None
        return Handler(
            name=name,
            session=session,
            cassette=_shown(settings.default_cassette),
            checker=self._checker(settings, session, catalog, link),
            redactor=self.redactor,
            policy=Policy(
                speed=settings.speed,
                body_limit=settings.limits.body,
                idle=settings.limits.body_timeout,
                poll_after_ms=settings.playback.poll_after_ms,
            ),
            clock=self.clock,
            journal=self.journal,
            open_file=store.open_body,
            link=link,
            tape=self._tape(settings, session, recorder) if recorder else None,
            room=self.room,
            tracing=self.tracing,
        )

    def _checker(self, settings: Settings, session: Session, catalog: Catalog, link: Link | None) -> Checker:
        asked = str(link.upstream) if link and settings.upstream.kind == "http" else ""
        if settings.upstream.kind == "emulator" and settings.emulator.unknown_ids == "create":
            catalog = catalog.with_any_ids  # what the emulator takes is not refused before it
        return Checker(catalog, settings.validation, self.redactor, session, self.notices, asked)

    def _recordings(self, store: FileStore, share: Share | None) -> Recordings | None:
        """What the cassette holds; in a share nothing when there was none when the session was opened."""
        there = store.exists() if share is None else share.recordings is not None
        return self._load(store, quiet=share is not None) if there else None

    def _load(self, store: FileStore, *, quiet: bool) -> Recordings:
        head, recordings = store.open_recordings()
        if store.torn and not quiet:
            _log.warning("%s", store.torn)
        if head.redaction == self.redactor.digest:
            return recordings
        # Recorded under other rules, or by hand: today's apply to both sides, or nothing would match what they redact.
        with collecting_no_garbage():
            return Cassette(head, tuple(self._redacted(recordings[at]) for at in range(len(recordings))))

    def _redacted(self, interaction: Interaction) -> Interaction:
        secrets = self.redactor.secrets(interaction.request)
        request = self.redactor.request(interaction.request)
        return replace(interaction, request=request, response=self.redactor.response(interaction.response, secrets))

    def _tape(self, settings: Settings, session: Session, recorder: Recorder) -> Tape:
        # Here and below: what records and what asks an upstream is not loaded before it is needed, as playback has no
        # use for it.
        from replayproxy.proxy.recording import Tape
        from replayproxy.proxy.spooling import MeasuredWriter

        writer = MeasuredWriter(recorder, settings.record.fsync, self.room)
        return Tape(writer, self.redactor, session, settings.record.failures, self.clock)

    def _recorder(self, store: FileStore, replaces: bool, share: Share | None) -> Recorder:
        if share is not None:
            return share.recorder(store)
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
        from replayproxy.proxy.forwarding import Credential, Link
        from replayproxy.proxy.upstream import Origin, Timeouts, Upstream

        wanted, url = self.settings.upstream, self.emulator_url or str(self.settings.upstream.url)
        if wanted.kind == "emulator" and not self.emulator_url:
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


def _identified(request: Request, rules: MatchRules, operation_of: OperationOf) -> tuple[str, bytes]:
    return scheme_of(rules), identity(request, rules, operation_of)


def _operation_of(catalog: Catalog, request: Request) -> Operation | None:
    found = catalog.resolve(request.method, request.target)
    return found.operation if found else None


def _cassette(name: str, settings: Settings) -> Path:
    if name == DEFAULT:  # who names a file may name a link; one in a folder of cassettes could lead anywhere
        return followed(settings.cassette) if settings.cassette else settings.default_cassette
    return settings.default_cassette.parent / f"{name}.yaml"


def _shown(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
