"""Commands on a terminal: a process at the other end of a pseudo-terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.processes import COMMAND, PATIENCE, environment

__all__ = ["CONTROLS", "Terminal", "on_a_terminal", "shown", "uncoloured"]

#: What no terminal may be sent: a control that is no line end and no tab, and what is not seen or turns the direction.
CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0041]"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
#: A bar of progress comes, moves and goes; the terminal itself ends lines with CR LF.
_MOVES = re.compile(r"\x1b\[(?:\?25[lh]|2K|1A)|\r")


def uncoloured(text: str) -> str:
    """What was shown, without colours and moves of ours."""
    return _MOVES.sub("", _COLOUR.sub("", text))


@dataclass(slots=True)
class Terminal:
    """A process on a terminal, and everything that it has shown there."""

    process: subprocess.Popen[bytes]
    descriptor: int
    seen: bytes = b""

    @property
    def text(self) -> str:
        """What was shown."""
        return self.seen.decode("utf-8", "surrogateescape")

    def wait_for(self, text: str) -> str:
        """Reads until a text is shown; everything up to now. Fails when it does not come."""
        limit = time.monotonic() + PATIENCE
        while text not in uncoloured(self.text):
            is_there = self._read()
            assert is_there, f"no {text!r} in {self.text!r}"
            assert time.monotonic() < limit, f"no {text!r} in {self.text!r}"
        return uncoloured(self.text)

    def finish(self) -> int:
        """Reads to the end; the exit status."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.descriptor], [], [], PATIENCE)
        assert ready, f"it went silent after {self.text!r}"
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:  # the other end is closed
            return False
        self.seen += data
        return bool(data)


@contextlib.contextmanager
def on_a_terminal(*words: str, cwd: Path, piped: bool = False, **more: str) -> Iterator[Terminal]:
    """Runs a command on a terminal of 100 columns and 30 lines; `piped`: standard output goes elsewhere."""
    ours, theirs = pty.openpty()
    seen = environment(TERM="xterm-256color", COLUMNS="100", LINES="30", LESS="", PAGER="cat") | more
    process = subprocess.Popen(
        [*COMMAND, *words],
        cwd=cwd,
        env=seen,
        stdin=theirs,
        stdout=subprocess.DEVNULL if piped else theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def shown(*words: str, cwd: Path, piped: bool = False, **more: str) -> str:
    """What a command shows on a terminal until it ends, its colours included."""
    with on_a_terminal(*words, cwd=cwd, piped=piped, **more) as terminal:
        terminal.finish()
        return terminal.text
