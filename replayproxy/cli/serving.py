"""What the commands that run something have in common: the signals, the ready line, the receipts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from replayproxy.cli.terminal import say
from replayproxy.config import Settings
from replayproxy.core.receipt import Receipt
from replayproxy.errors import StartError

if TYPE_CHECKING:
    from replayproxy.proxy.app import Proxy

__all__ = [
    "announce",
    "announce_file",
    "facts_of",
    "keep_receipts",
    "make_room_for_receipts",
    "stop_signal",
    "tell_inspector",
    "tell_receipts",
    "told_or_failed",
    "warn_of_nothing_to_play",
    "warn_of_open_ports",
]


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


async def told_or_failed(stop: asyncio.Event, failed: Coroutine[None, None, StartError]) -> StartError | None:
    """Waits until it is told to stop, or cannot go on; why it cannot."""
    stopping, failing = asyncio.ensure_future(stop.wait()), asyncio.ensure_future(failed)
    try:
        await asyncio.wait((stopping, failing), return_when=asyncio.FIRST_COMPLETED)
        return failing.result() if failing.done() else None
    finally:
        stopping.cancel()
        failing.cancel()


def facts_of(proxy: Proxy, settings: Settings) -> dict[str, object]:
    """What the ready file says of a proxy; the admin token is told there and not on the screen."""
    urls = {"url": proxy.url, "admin_url": proxy.admin_url}
    return {"mode": settings.mode, **urls, "admin_token": proxy.admin_token}


def announce(line: str, facts: dict[str, object], path: Path | None) -> None:
    """Prints the ready line and writes the ready file. StartError when that fails."""
    say(line)
    sys.stdout.flush()
    announce_file(facts, path)


def announce_file(facts: dict[str, object], path: Path | None) -> None:
    """Writes the ready file, moved into place whole, which nobody else may read (a temporary file is 0600). StartError
    when that fails."""
    if path is None:
        return
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            json.dump(facts | {"pid": os.getpid()}, file)
            file.write("\n")
        os.replace(file.name, path)
    except OSError as error:
        raise StartError(f"cannot write the ready file {path}: {error.strerror or error}") from None


def tell_inspector(proxy: Proxy) -> None:
    """Prints on standard error the address of the inspector that lets the browser change something. On a terminal
    alone: the token in it belongs to who sits there, and to no file that standard error is kept in."""
    if not sys.stderr.isatty():
        return
    parts = urlsplit(proxy.admin_url)
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(parts.hostname or "")  # noqa: S104 -- nothing is bound here
    where = f"http://{host}:{parts.port}" if host else proxy.admin_url
    say(f"inspector: {where}/#token={proxy.admin_token}", err=True)


def make_room_for_receipts(settings: Settings) -> None:
    """Makes the folders of the files that the receipts go to, and removes what an earlier run left in their place: it
    must not be taken for this run's. StartError when that fails."""
    from replayproxy.stores.plain_files import make_folder  # here, since completion needs none of it

    for path in filter(None, (settings.receipt, settings.junit)):
        try:
            make_folder(path.parent)
            if not _is_device(path):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StartError(f"cannot write the receipt {path}: {error.strerror or error}") from None


def keep_receipts(receipts: Sequence[Receipt], settings: Settings) -> bool:
    """Writes the receipts to the files that the settings name, each moved into place whole.

    Says on standard error when that fails; whether it did not.
    """
    from replayproxy.core.receipts import junit_xml, receipts_json  # here, since a start need not pay for the end

    told = json.dumps(receipts_json(receipts), indent=2).encode() + b"\n"
    suite = junit_xml(receipts, datetime.now(UTC).isoformat(timespec="seconds"))
    kept = True
    for path, content in ((settings.receipt, told), (settings.junit, suite)):
        try:
            if path is not None:
                _write_whole(path, content)
        except OSError as error:
            say(f"Error: cannot write the receipt {path}: {error.strerror or error}", err=True)
            kept = False
    return kept


def tell_receipts(receipts: Sequence[Receipt]) -> bool:
    """Prints the receipts on standard error; whether the run counts as passed."""
    from replayproxy.core.report import receipts_lines

    *lines, verdict = receipts_lines(receipts)
    passed = not any(receipt.failures for receipt in receipts)
    for line in lines:
        say(line if line.startswith(" ") else f"replayproxy: {line}", err=True)
    click.secho(f"replayproxy: {verdict}", err=True, fg="green" if passed else "red")
    return passed


def _write_whole(path: Path, content: bytes) -> None:
    from replayproxy.stores.plain_files import write_whole  # here, since completion needs none of it

    if _is_device(path):
        path.write_bytes(content)
        return
    write_whole(path, content)


def _is_device(path: Path) -> bool:
    """Whether it is something like /dev/stderr, which is written to and never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def warn_of_nothing_to_play(settings: Settings) -> None:
    """Says on standard error that a playback has no cassette: a name mistyped is better noticed before the misses."""
    path = settings.default_cassette
    if settings.mode == "playback" and not path.exists():
        say(f"replayproxy: there is no file {path}: requests that name no session will miss", err=True)


def warn_of_open_ports(settings: Settings) -> None:
    """Says on standard error who else can use the ports, where they do not listen on loopback alone."""
    from replayproxy.proxy.doorman import is_loopback  # here, since not all commands listen

    told = []
    if not is_loopback(settings.host):
        key = settings.upstream.api_key_env if settings.forwards and settings.upstream.kind == "http" else None
        told.append(f"use the API on {settings.host}{f', with the key in {key}' if key else ''}")
    if not is_loopback(settings.admin_host):
        told.append(f"steer it on {settings.admin_host}, with the admin token")
    if told:
        say(f"replayproxy: warning: whoever reaches this machine can {' and '.join(told)}", err=True)
