"""Following a proxy: reads its feed, prints lines, waits when it goes away.

Rule: it ends quietly when it is interrupted, told to end, or when nobody reads what it prints.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from replayproxy.cli.feed_reader import AdminPort, admin_port, read_feed, read_note
from replayproxy.cli.tail_lines import Columns, Rows, note_lines
from replayproxy.cli.terminal import page, print_json, say
from replayproxy.errors import ConfigError, UpstreamError

__all__ = ["Wanted", "run"]

#: How long to wait before a proxy that is away is tried again, at first and at most; in seconds.
_WAIT, _LONGEST_WAIT = 0.25, 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see, and of which proxy."""

    url: str
    token: str = field(repr=False)
    ready_file: Path | None
    filter: str
    lines: int
    follow: bool
    as_json: bool

    def port(self) -> AdminPort:
        """The admin port, as the ready file says it now. ConfigError when that cannot be used."""
        return admin_port(self.url, self.token, self.ready_file)


def run(wanted: Wanted) -> None:
    """Prints until it is told to end. ConfigError when there is no proxy, or it refuses."""
    wanted.port()
    try:
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(_until_told_to_end(wanted))
    except BrokenPipeError:
        # Whoever reads has gone: what is still to be flushed at the exit has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _until_told_to_end(wanted: Wanted) -> None:
    task = asyncio.ensure_future(_follow(wanted))
    with _told_to_end(task.cancel):
        await task


@contextlib.contextmanager
def _told_to_end(end: Callable[[], object]) -> Iterator[None]:
    """Calls `end` upon SIGINT and SIGTERM, and when the pipe that is written to is closed at its other end."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack, contextlib.suppress(NotImplementedError):  # Windows has none of it
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end)
            stack.callback(loop.remove_signal_handler, number)
        if (pipe := _pipe()) is not None:
            loop.add_reader(pipe, end)  # it never can be read, so this tells of its end
            stack.callback(loop.remove_reader, pipe)
        yield


def _pipe() -> int | None:
    """Standard output when it is a pipe."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = sys.stdout.fileno()
        return descriptor if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None
    return None


async def _follow(wanted: Wanted) -> None:
    printer = _Printer(wanted)
    wait, away = _WAIT, False
    async with aiohttp.ClientSession() as session:
        while True:
            reason = "it ended the feed"
            try:
                port = wanted.port()
                async for event, value in read_feed(session, port, wanted.filter):
                    if away:
                        say(f"replayproxy: {port.url} is back", err=True)
                    wait, away = _WAIT, False
                    await printer.take(session, port, event, value)
                    if event == "caught_up" and not wanted.follow:
                        return
            except UpstreamError as error:
                reason = str(error)
                if not printer.began:
                    raise ConfigError(_nothing_there(port.url, reason)) from error
            except ConfigError:
                if not away:  # a proxy that is being started again may have no ready file yet
                    raise
            if not away:
                say(f"replayproxy: {port.url} went away ({reason}); waiting until it is back", err=True)
            away = True
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)


def _nothing_there(url: str, reason: str) -> str:
    how = "start a proxy with `replayproxy serve`, or say where its admin port is with --admin or --ready-file"
    return f"no proxy answers on {url}: {reason}; {how}"


class _Printer:
    """Prints what a feed tells."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted, self._rows = wanted, Rows(wanted.lines, states=wanted.as_json)
        self._is_terminal = sys.stdout.isatty()
        self.began = False

    async def take(self, session: aiohttp.ClientSession, port: AdminPort, event: str, value: Mapping[str, Any]) -> None:
        """Prints what is to be shown after this event."""
        if not self.began and self._is_terminal and not self._wanted.as_json:
            page([self._columns().head()], pager=False)
        self.began = True
        for row in self._rows.take(event, value):
            if self._wanted.as_json:
                print_json(row, indent=None)
            else:
                await self._print(session, port, row)
        if left_out := int(value.get("left_out") or 0):
            say(f"replayproxy: {left_out} more went through too quickly to be shown", err=True)

    async def _print(self, session: aiohttp.ClientSession, port: AdminPort, row: Mapping[str, Any]) -> None:
        note = str(row["note"] or "")
        if row["outcome"] == "missed":  # the list has only the first line of it
            note = await read_note(session, port, int(row["number"])) or note
        page([self._columns().line(row), *note_lines(note)], pager=False)

    def _columns(self) -> Columns:
        """For the terminal as wide as it is now."""
        return Columns(shutil.get_terminal_size().columns if self._is_terminal else 0)
