"""`replayproxy run -- CMD`: a command behind the proxy."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from replayproxy.cli.options import proxy_options
from replayproxy.cli.serving import (
    announce_file,
    facts_of,
    keep_receipts,
    make_room_for_receipts,
    tell_receipts,
    warn_of_nothing_to_play,
    warn_of_open_ports,
)
from replayproxy.cli.settling import settled
from replayproxy.cli.terminal import say
from replayproxy.config import Settings, api_key
from replayproxy.core.receipt import Receipt
from replayproxy.errors import StartError
from replayproxy.proxy.admin_token import TOKEN_VARIABLE
from replayproxy.proxy.app import Proxy, running
from replayproxy.proxy.log import configure
from replayproxy.proxy.loop import run_loop

__all__ = ["run"]

#: What a shell answers for a command that is not there, or cannot be run.
NOT_FOUND, NOT_RUNNABLE = 127, 126
RECEIPT_UNWRITTEN, RECEIPT_FAILED = 2, 3
#: Client libraries refuse to start without a key; in playback any will do.
DUMMY_KEY = "replayproxy"


@click.command(context_settings={"allow_interspersed_args": False})
@proxy_options(free_ports=True)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD...")
def run(settings: Settings, ready_file: Path | None, command: tuple[str, ...]) -> None:
    """Start the proxy on free ports, run CMD with OPENAI_BASE_URL set to it, print the receipt.

    Ends with CMD's status, or with 3 when CMD passed and the receipt failed.

    \b
    Examples:
      replayproxy run --mode record --upstream https://api.openai.com -- python app.py
      replayproxy run --mode playback -- pytest
    """
    configure(settings.log_format)
    make_room_for_receipts(settings)
    status, receipts, failure = run_loop(_run(settings, ready_file, command))
    kept = keep_receipts(receipts, settings)
    passed = tell_receipts(receipts)
    if failure is not None:
        raise failure
    raise click.exceptions.Exit(status or (RECEIPT_FAILED if not passed else 0 if kept else RECEIPT_UNWRITTEN))


async def _run(
    settings: Settings, ready_file: Path | None, command: tuple[str, ...]
) -> tuple[int, tuple[Receipt, ...], StartError | None]:
    async with running(settings, api_key(settings, os.environ)) as proxy, settled(proxy, settings):
        announce_file(facts_of(proxy, settings), ready_file)
        warn_of_open_ports(settings)
        warn_of_nothing_to_play(settings)
        status = await _status(command, _environment(proxy, settings))
        failure = proxy.failure.result() if proxy.failure is not None and proxy.failure.done() else None
    return status, tuple(receipt for _, receipt in proxy.sessions.receipts()), failure


def _environment(proxy: Proxy, settings: Settings) -> dict[str, str]:
    """What CMD sees: the proxy in place of the API, and a key where none is needed and none is set."""
    url = proxy.url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    past_proxies = ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1,localhost,::1")))
    given = {
        "OPENAI_BASE_URL": f"{url}/v1",
        "REPLAYPROXY_URL": url,
        "REPLAYPROXY_ADMIN_URL": proxy.admin_url,
        TOKEN_VARIABLE: proxy.admin_token,
        "NO_PROXY": past_proxies,
        "no_proxy": past_proxies,
    }
    needless = not settings.forwards or settings.upstream.kind == "emulator" or settings.upstream.api_key_env
    if needless and not os.environ.get("OPENAI_API_KEY"):
        given["OPENAI_API_KEY"] = DUMMY_KEY
    return {**os.environ, **given}


async def _status(command: tuple[str, ...], environment: dict[str, str]) -> int:
    """Runs the command and passes signals on; its status, 128 + N when signal N ended it."""
    with _passing_signals() as relay:
        try:
            relay.process = await asyncio.create_subprocess_exec(*command, env=environment)
        except FileNotFoundError:
            say(f"Error: there is no command {command[0]}", err=True)
            return NOT_FOUND
        except OSError as error:
            say(f"Error: cannot run {command[0]}: {error.strerror or error}", err=True)
            return NOT_RUNNABLE
        relay.catch_up()
        status = await relay.process.wait()
    return status if status >= 0 else 128 - status


@dataclass(slots=True)
class _Relay:
    """Passes signals on to a process; those that came before there was one are kept for it."""

    process: asyncio.subprocess.Process | None = None
    early: list[signal.Signals] = field(default_factory=list)

    def send(self, number: signal.Signals) -> None:
        if self.process is None:
            self.early.append(number)
        elif number != signal.SIGINT or not _has_terminal():  # a terminal has sent its SIGINT to the command already
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    def catch_up(self) -> None:
        while self.early:
            self.send(self.early.pop(0))


@contextlib.contextmanager
def _passing_signals() -> Iterator[_Relay]:
    relay, loop = _Relay(), asyncio.get_running_loop()
    names = [] if sys.platform == "win32" else ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]
    numbers = [signal.Signals[name] for name in names]
    for number in numbers:
        loop.add_signal_handler(number, relay.send, number)
    try:
        yield relay
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
