"""`replayproxy serve`, `record` and `playback`: run the proxy until it is told to stop."""

from __future__ import annotations

import os
from pathlib import Path

import click

from replayproxy.cli.options import proxy_options
from replayproxy.cli.serving import (
    announce,
    facts_of,
    keep_receipts,
    make_room_for_receipts,
    stop_signal,
    tell_inspector,
    tell_receipts,
    told_or_failed,
    warn_of_nothing_to_play,
    warn_of_open_ports,
)
from replayproxy.cli.settling import settled
from replayproxy.config import Settings, api_key
from replayproxy.core.receipt import Receipt
from replayproxy.errors import StartError
from replayproxy.proxy.loop import run_loop

__all__ = ["playback", "record", "serve"]


@click.command()
@proxy_options()
def serve(settings: Settings, ready_file: Path | None) -> None:
    """Run the proxy until SIGTERM or SIGINT.

    \b
    Examples:
      replayproxy serve                                        play what is recorded, ask the emulator for the rest
      replayproxy serve --upstream https://api.openai.com      ... or the real API
    Then set OPENAI_BASE_URL=http://127.0.0.1:8080/v1 for the app.
    """
    _serve(settings, ready_file)


@click.command()
@proxy_options(mode="record")
def record(settings: Settings, ready_file: Path | None) -> None:
    """Run the proxy and record: forward everything and put it into the cassette, in place of an earlier take.

    \b
    Example:
      replayproxy record --upstream https://api.openai.com --cassette cassettes/chat.yaml
    """
    _serve(settings, ready_file)


@click.command()
@proxy_options(mode="playback")
def playback(settings: Settings, ready_file: Path | None) -> None:
    """Run the proxy and answer from the cassette alone. Exit status 1 when a request missed or nothing was played.

    \b
    Example:
      replayproxy playback --cassette cassettes/chat.yaml
    """
    _serve(settings, ready_file)


def _serve(settings: Settings, ready_file: Path | None) -> None:
    key = api_key(settings, os.environ)
    make_room_for_receipts(settings)
    receipts, failure = run_loop(_until_stopped(settings, key, ready_file))
    kept = keep_receipts(receipts, settings)
    passed = tell_receipts(receipts)
    if failure is not None:
        raise failure
    if not passed:
        raise click.exceptions.Exit(1)
    if not kept:
        raise click.exceptions.Exit(2)


async def _until_stopped(
    settings: Settings, key: str | None, ready_file: Path | None
) -> tuple[tuple[Receipt, ...], StartError | None]:
    """Serves; the receipts of all sessions there were, and why it ended when nobody told it to."""
    from replayproxy.proxy.app import running
    from replayproxy.proxy.log import configure

    configure(settings.log_format)
    with stop_signal() as stop:
        async with running(settings, key) as proxy, settled(proxy, settings):
            about = f", upstream {proxy.upstream}" if proxy.upstream else ""
            line = f"replayproxy: {settings.mode} on {proxy.url} (admin {proxy.admin_url}){about}"
            announce(f"{line}, cassette {proxy.cassette}", facts_of(proxy, settings), ready_file)
            tell_inspector(proxy)
            warn_of_open_ports(settings)
            warn_of_nothing_to_play(settings)
            failure = await told_or_failed(stop, proxy.failed())
    return tuple(receipt for _, receipt in proxy.sessions.receipts()), failure
