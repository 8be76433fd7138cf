"""What the commands that run something have in common: the loop, the signals, the ready line and file."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TypeVar

import click

from replayproxy.config import Settings
from replayproxy.core.report import receipt_lines
from replayproxy.core.session import Receipt
from replayproxy.errors import StartError

__all__ = ["announce", "announce_file", "run_loop", "stop_signal", "tell_receipt", "warn_of_nothing_to_play"]

T = TypeVar("T")


def run_loop(main: Coroutine[None, None, T]) -> T:
    """Runs `main` on uvloop where the platform has it, on asyncio's loop elsewhere."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


@contextlib.contextmanager
def stop_signal() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set; a second one takes its usual course."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    caught = [signal.SIGTERM, signal.SIGINT] if sys.platform != "win32" else []

    def told() -> None:
        stop.set()
        for number in caught:
            loop.remove_signal_handler(number)

    for number in caught:
        loop.add_signal_handler(number, told)
    try:
        yield stop
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def announce(line: str, facts: dict[str, object], path: Path | None) -> None:
    """Prints the ready line and writes the ready file. StartError when that fails."""
    click.echo(line)
    sys.stdout.flush()
    announce_file(facts, path)


def announce_file(facts: dict[str, object], path: Path | None) -> None:
    """Writes the ready file, moved into place whole. StartError when that fails."""
    if path is None:
        return
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            json.dump(facts | {"pid": os.getpid()}, file)
            file.write("\n")
        os.replace(file.name, path)
    except OSError as error:
        raise StartError(f"cannot write the ready file {path}: {error.strerror or error}") from None


def tell_receipt(receipt: Receipt) -> None:
    """Prints the receipt on standard error."""
    told, verdict = receipt_lines(receipt)
    click.echo(f"replayproxy: {told}", err=True)
    click.secho(f"replayproxy: {verdict}", err=True, fg="red" if receipt.failures else "green")


def warn_of_nothing_to_play(settings: Settings) -> None:
    """Says on standard error that a playback has no cassette: a name mistyped is better noticed before the misses."""
    path = settings.default_cassette
    if settings.mode == "playback" and not path.exists():
        click.echo(f"replayproxy: there is no file {path}: every request will be a miss", err=True)
