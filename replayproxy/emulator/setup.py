"""An emulator put together from its settings: its brain, its memory, and what it has from the start."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from replayproxy import config
from replayproxy.emulator.app import STATE, create_app
from replayproxy.emulator.brain.making import make_brain
from replayproxy.emulator.fixtures import Fixtures, add_fixtures, read_fixtures
from replayproxy.emulator.state import EmulatorSettings, State
from replayproxy.errors import ConfigError

__all__ = ["Emulator", "set_up"]


@dataclass(frozen=True, slots=True)
class Emulator:
    """An emulator that is ready to be served. `fixtures` are what a reset gives it again."""

    app: web.Application
    fixtures: Fixtures

    @property
    def state(self) -> State:
        """All that it remembers."""
        return self.app[STATE]


@asynccontextmanager
async def set_up(settings: config.EmulatorSettings, environ: Mapping[str, str]) -> AsyncIterator[Emulator]:
    """An emulator as the settings want it; its files and connections are closed behind the block.

    ConfigError for a file of replies or fixtures that is not in order, StartError for a state that cannot be used.
    """
    async with AsyncExitStack() as stack:
        brain = make_brain(settings.replies, settings.model_backend, _key(settings, environ), settings.model)
        stack.push_async_callback(brain.close)
        keeper = None
        if settings.state is not None:
            from replayproxy.emulator.keeping import FileKeeper  # SQLite takes 20 ms to load

            keeper = FileKeeper(settings.state)
            stack.callback(keeper.close)
        own = EmulatorSettings(
            seed=settings.seed,
            clock_start=settings.clock_start,
            unknown_ids=settings.unknown_ids,
            pace=settings.pace,
            upload_limit=settings.upload_limit,
        )
        app = create_app(own, brain, keeper)
        fixtures = read_fixtures(settings.fixtures, app[STATE].kinds) if settings.fixtures else {}
        add_fixtures(app[STATE], fixtures)
        yield Emulator(app, fixtures)


def _key(settings: config.EmulatorSettings, environ: Mapping[str, str]) -> str | None:
    name = settings.model_key_env
    if name is None or settings.model_backend is None:
        return None
    if not environ.get(name):
        raise ConfigError(f"emulator.model_key_env names {name}, which is not set; set it, or leave model_key_env out")
    return environ[name]
