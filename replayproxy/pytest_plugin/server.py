"""The proxy of a test run, and the sessions of its tests.

Rules:
1. It runs in a thread with an event loop of its own: synchronous clients would otherwise wait for themselves.
2. It is itself in playback. A request that belongs to no session is refused, and the test that is running fails.
3. A cassette that several tests share is recorded anew by the first of them; the others add to it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from replayproxy.core.modes import MODES
from replayproxy.errors import ConfigError, ReplayProxyError
from replayproxy.pytest_plugin.options import RunOptions
from replayproxy.pytest_plugin.results import Results, SessionResult
from replayproxy.pytest_plugin.wishes import Wish

if TYPE_CHECKING:
    from replayproxy.config import Settings
    from replayproxy.core.receipt import Receipt
    from replayproxy.proxy.app import Proxy
    from replayproxy.proxy.opening import Declaration
    from replayproxy.pytest_plugin.background import Background

__all__ = ["ReplayProxy", "ReplaySession", "Stage", "failing", "started"]

#: When a session is judged: while others may still use it, when its test has been called, when all of it is over.
Stage = Literal["during", "called", "over"]

#: Client libraries refuse to start without a key; where none is needed any will do.
DUMMY_KEY = "replayproxy"
#: How long the proxy may take for anything, in seconds: an exchange that never ends must not hang a run.
PATIENCE = 15.0


class ReplaySession:
    """One session of the proxy: its `name`, its `cassette`, its `mode`, and what was played so far."""

    def __init__(self, proxy: ReplayProxy, wish: Wish, mode: str, owner: str) -> None:
        self.name, self.cassette, self.mode = wish.name, wish.cassette, mode
        self._proxy, self._owner, self._told = proxy, owner, 0
        self._known, self._closed = proxy.receipt(wish.name), False

    @property
    def url(self) -> str:
        """The URL that stands for the API's origin: requests below it belong to this session."""
        return f"{self._proxy.url}/@{self.name}"

    @property
    def base_url(self) -> str:
        """The base URL for a client of the API; ends in `/v1`."""
        return f"{self.url}/v1"

    @property
    def receipt(self) -> Receipt:
        """What happened so far: the counts `played`, `missed`, `saved` and so on, and the `misses` explained."""
        if not self._closed:
            self._known = self._proxy.receipt(self.name) or self._known
        assert self._known is not None, "the session was open when it was made"  # noqa: S101 -- for the type checker
        return self._known

    def openai_env(self) -> dict[str, str]:
        """The variables that lead OpenAI's clients here, for an app in another process."""
        return self._proxy.openai_env(self)

    def result(self) -> SessionResult:
        """What is told of it at the end of a run."""
        return SessionResult.of(self._owner or self.name, self._proxy.shown(self.cassette), self.receipt)

    def close(self) -> None:
        """Ends the session when its exchanges are done; its receipt is final then."""
        if not self._closed:
            self._known = self._proxy.close(self.name) or self._known
            self._closed = True

    def complaint(self, stage: Stage) -> str:
        """Why a test with this session must not pass, "" when it may. What missed is told once."""
        judged = self._untold()
        if stage != "over":
            judged = dataclasses.replace(judged, strict=False)
        if stage == "during":
            judged = dataclasses.replace(judged, played=max(1, judged.played))
        return self._told_of(judged) if judged.failures else ""

    def tell_misses(self) -> str:
        """The explanations of what missed and was not told yet, "" for none."""
        judged = dataclasses.replace(self._untold(), strict=False)
        return self._told_of(judged) if judged.missed else ""

    def _untold(self) -> Receipt:
        """The receipt with those misses only that were not told yet; now they are."""
        receipt, told = self.receipt, self._told
        self._told = receipt.missed
        return dataclasses.replace(receipt, missed=max(0, receipt.missed - told), misses=receipt.misses[told:])

    def _told_of(self, judged: Receipt) -> str:
        from replayproxy.core.report import receipt_lines

        lines = [*told_of(judged), f"  In all, {receipt_lines(self.receipt)[0]}"]
        if self._owner:
            lines.append(f"  To record this test again: pytest --replay-mode=record {shlex.quote(self._owner)}")
        return "\n".join(lines)


class ReplayProxy:
    """The proxy that all tests of a process share. `url` is where it listens, `admin_url` where its administration is:
    who changes something there shows the `admin_token`, in the header `x-replayproxy-token`.

    A session of a test is what the fixture `replay_session` gives; one of a wider scope is made with `session`.
    """

    def __init__(
        self, background: Background[Proxy], settings: Settings, options: RunOptions, results: Results
    ) -> None:
        self.url, self.admin_url = background.value.url, background.value.admin_url
        self.admin_token = background.value.admin_token
        self._background, self._settings, self._options, self._results = background, settings, options, results
        self._sessions = background.value.sessions
        self._open: dict[str, ReplaySession] = {}
        self._wide: list[ReplaySession] = []
        self._strays: dict[str, int] = {}

    @contextlib.contextmanager
    def session(
        self, name: str, cassette: Path | None = None, mode: str | None = None, **more: Any
    ) -> Iterator[ReplaySession]:
        """A session for as long as the context lasts: for a fixture of a module, say.

        `cassette` is `NAME.yaml` in the proxy's folder of cassettes unless it is given; `more` is what the marker
        takes besides (`ignore`, `also`, `mask`, `strict`, `repeat`). A miss fails the test in which it happens, what
        else speaks against the session fails whoever leaves the context.
        """
        path = cassette or self._settings.default_cassette.with_name(f"{name}.yaml")
        self._results.expected.add(str(path))
        session = self.open(Wish(name, path, mode, **more))
        self._wide.append(session)
        try:
            yield session
        finally:
            self._wide.remove(session)
            session.close()
            self._results.sessions.append(session.result())
        if complaint := session.complaint("over"):
            pytest.fail(complaint, pytrace=False)

    def open(self, wish: Wish, owner: str = "") -> ReplaySession:
        """Opens a session, of the test `owner`; fails the test, without a traceback, when that is impossible."""
        with failing():
            declaration = self._declaration(wish)
            self._background.call(self._sessions.declare(declaration), PATIENCE)
        session = self._open[wish.name] = ReplaySession(self, wish, str(declaration.mode), owner)
        return session

    def close(self, name: str) -> Receipt | None:
        """Closes a session; its final receipt, None when somebody else closed it (the admin API can).

        Fails the test when an exchange does not come to its end.
        """
        del self._open[name]
        try:
            return self._background.call(self._sessions.close(name), PATIENCE)
        except KeyError:
            return None
        except TimeoutError:
            pytest.fail(f"replayproxy: after {PATIENCE:g} s an exchange is still under way", pytrace=False)

    def receipt(self, name: str) -> Receipt | None:
        """The receipt of a session so far, None when somebody else closed it."""

        async def ask() -> Receipt | None:
            return self._sessions.receipt(name) if name in self._sessions.names() else None

        return self._background.call(ask(), PATIENCE)

    def complaint(self) -> str:
        """Why the test that is running must not pass, whatever its own session says."""
        return "\n".join(filter(None, [*(session.complaint("during") for session in self._wide), *self.strays()]))

    def strays(self) -> list[str]:
        """The explanations of what missed in sessions that are no test's, and was not told yet."""

        async def ask() -> list[Receipt]:
            return [self._sessions.receipt(name) for name in self._sessions.names() if name not in self._open]

        found = []
        for receipt in self._background.call(ask(), PATIENCE):
            if (told := self._strays.get(receipt.name, 0)) < receipt.missed:
                self._strays[receipt.name] = receipt.missed
                missed, misses = receipt.missed - told, receipt.misses[told:]
                fresh = dataclasses.replace(receipt, missed=missed, misses=misses, played=max(1, receipt.played))
                cure = f"  {receipt.name} is no test's session: the app has to use the base URL of its test's."
                found.append("\n".join([*told_of(fresh), cure]))
        return found

    def openai_env(self, session: ReplaySession) -> dict[str, str]:
        """The variables that lead OpenAI's clients to a session; a dummy key where none is needed and none is set."""
        given, key = {"OPENAI_BASE_URL": session.base_url}, os.environ.get("OPENAI_API_KEY")
        upstream = self._settings.upstream
        needless = not MODES[session.mode].forwards or upstream.kind == "emulator" or upstream.api_key_env
        if key or needless:
            given["OPENAI_API_KEY"] = key or DUMMY_KEY
        return given

    def shown(self, path: Path) -> str:
        """A path as messages have it."""
        root = self._options.root
        return str(path.relative_to(root) if path.is_relative_to(root) else path)

    def _declaration(self, wish: Wish) -> Declaration:
        from replayproxy.proxy.opening import Declaration

        mode = self._options.mode(wish.mode, wish.cassette)
        if mode == "record" and not self._results.first(str(wish.cassette)):
            mode = "auto"
        more: dict[str, Any] = {"strict": self._options.strictness(wish.strict), "repeat": _repeat(wish)}
        return Declaration(wish.name, wish.cassette, mode, **more, **_rules(wish))


def told_of(receipt: Receipt) -> tuple[str, ...]:
    """A receipt that failed, in words: why, and what missed."""
    from replayproxy.core.report import receipts_lines

    _, *more, _, _ = receipts_lines((receipt,))
    return f"replayproxy: {'; '.join(receipt.failures)} ({receipt.mode}, {receipt.cassette})", *more


@contextlib.contextmanager
def started(options: RunOptions, results: Results) -> Iterator[ReplayProxy]:
    """Starts the proxy on free ports, and stops it. Fails the test, without a traceback, when it cannot start."""
    from replayproxy.proxy.app import running
    from replayproxy.pytest_plugin.background import Background

    with failing():
        settings = _settings(options)
        background = Background(running(settings, _key(settings, options)))
    proxy = ReplayProxy(background, settings, options, results)
    try:
        yield proxy
    finally:
        results.strays += proxy.strays()
        background.stop()


@contextlib.contextmanager
def failing() -> Iterator[None]:
    """Makes of what the user can act on a failure without a traceback."""
    try:
        yield
    except ReplayProxyError as error:
        raise pytest.fail.Exception(f"replayproxy: {error}", pytrace=False) from None


def _settings(options: RunOptions) -> Settings:
    from replayproxy.config import load

    asked = {"upstream": options.upstream} if options.upstream else {}
    settings = load(asked, os.environ, options.root).settings
    return dataclasses.replace(settings, mode="playback", host="127.0.0.1", port=0, admin_port=0)


def _key(settings: Settings, options: RunOptions) -> str | None:
    """The key to send up. That there is none stops only a run that was asked to forward."""
    from replayproxy.config import api_key

    try:
        return api_key(dataclasses.replace(settings, mode="record"), os.environ)
    except ConfigError:
        if options.forwards:
            raise
        return None


def _repeat(wish: Wish) -> Any:
    if wish.repeat not in (None, "last", "never", "cycle"):
        raise ConfigError(f"repeat: expected one of last, never, cycle, not {wish.repeat!r}")
    return wish.repeat


def _rules(wish: Wish) -> dict[str, Any]:
    from replayproxy.core.rules import MatchRules

    if not (wish.ignore or wish.also or wish.mask):
        return {}
    return {"rules": MatchRules.of(ignore=wish.ignore, also=wish.also, mask=wish.mask)}
