"""`replayproxy emulate`: the emulator of the API, alone."""

from __future__ import annotations

from pathlib import Path

import click

from replayproxy.cli.serving import announce, run_loop, stop_signal
from replayproxy.config import EmulatorSettings

__all__ = ["emulate"]

_port, _count = click.IntRange(0, 65535), click.IntRange(0, 2**53)
_DEFAULTS = EmulatorSettings()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8090, show_default=True, type=_port, help="The API's port; 0 = any free one.")
@click.option("--admin-port", default=0, show_default=True, type=_port, help="For health; 0 = any free one.")
@click.option("--seed", default=_DEFAULTS.seed, show_default=True, type=_count, help="Same seed, same ids.")
@click.option(
    "--clock-start",
    default=_DEFAULTS.clock_start,
    show_default=True,
    type=_count,
    help="Its time at the start, in Unix seconds.",
)
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Write mode, URLs and process id as JSON to this file once requests can be answered.",
)
def emulate(host: str, port: int, admin_port: int, seed: int, clock_start: int, ready_file: Path | None) -> None:
    """Run the emulator of the OpenAI API until SIGTERM or SIGINT. Any API key will do; nothing leaves the machine.

    \b
    Example:
      replayproxy emulate --port 8090
      OPENAI_BASE_URL=http://127.0.0.1:8090/v1 OPENAI_API_KEY=any python app.py
    """
    run_loop(_until_stopped((host, port), (host, admin_port), EmulatorSettings(seed, clock_start), ready_file))


async def _until_stopped(
    api: tuple[str, int], admin: tuple[str, int], settings: EmulatorSettings, ready_file: Path | None
) -> None:
    from replayproxy.emulator.runner import emulator_runner
    from replayproxy.emulator.state import EmulatorSettings as Seeded
    from replayproxy.proxy.admin import admin_runner
    from replayproxy.proxy.listening import listening

    emulator = emulator_runner(Seeded(settings.seed, settings.clock_start))
    with stop_signal() as stop:
        async with (
            listening(emulator, *api, "--port") as url,
            listening(admin_runner("emulate"), *admin, "--admin-port") as admin_url,
        ):
            facts: dict[str, object] = {"mode": "emulate", "url": url, "admin_url": admin_url}
            announce(f"replayproxy: emulate on {url} (admin {admin_url})", facts, ready_file)
            await stop.wait()
