"""A proxy whose tasks, objects, threads, descriptors and memory are watched while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.heavy.weighing import MIB, Weighed
from tests.processes import environment

__all__ = ["Look", "Watched", "many_descriptors", "number", "watched"]

_PROGRAM = Path(__file__).with_name("watched.py")
#: What a login gives a program: 1,024 files, of which it may make more itself.
_FEW_FILES = ("sh", "-c", 'ulimit -Sn 1024; exec "$@"', "sh")
#: How long a process may take to start, and to end, in seconds.
_PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Look:
    """What a process holds at a moment; `resident` is in bytes, `kinds` counts objects by their types' names."""

    resident: int
    descriptors: int
    threads: int
    tasks: int
    objects: int
    garbage: int
    kinds: Counter[str] = field(repr=False)

    def figures(self, name: str) -> dict[str, float]:
        """What is worth telling of it."""
        told = {"mib": self.resident / MIB, "fds": self.descriptors, "tasks": self.tasks, "threads": self.threads}
        return {f"{name}_{what}": value for what, value in told.items()}

    def more(self, earlier: Look, least: int = 100) -> dict[str, int]:
        """The kinds of objects of which there are more now, by `least` at least."""
        grown = self.kinds - earlier.kinds
        return {name: count for name, count in grown.most_common(12) if count >= least}


@dataclass(frozen=True, slots=True)
class Watched(Weighed):
    """A running proxy that tells what it holds; `receipt` is the file that its receipt goes to when it ends."""

    admin: str
    token: str
    log: Path
    receipt: Path
    line: socket.socket

    def look(self) -> Look:
        """What it holds now. It stops for that: some tenths of a second."""
        self.line.sendall(b"?")
        with self.line.makefile("rb") as answers:
            told = json.loads(answers.readline())
        told["kinds"] = Counter(told["kinds"])
        threads = self._status("Threads") - 1  # but for the one that tells us
        return Look(self.resident, len(os.listdir(f"/proc/{self.pid}/fd")) - 1, threads, **told)

    async def settled(self, holds: Callable[[Look], bool], seconds: float = 20.0) -> Look:
        """A look at it when that holds, or at what it is when that never came to hold."""
        end = time.monotonic() + seconds
        while not holds(look := await asyncio.to_thread(self.look)) and time.monotonic() < end:
            await asyncio.sleep(0.5)
        return look

    def told(self) -> dict[str, Any]:
        """The receipts of all its sessions, when it has ended."""
        return dict(json.loads(self.receipt.read_text()))

    def _status(self, name: str) -> int:
        return int(Path(f"/proc/{self.pid}/status").read_text().partition(f"{name}:")[2].split()[0])


@contextlib.contextmanager
def watched(mode: str, folder: Path, *options: str, status: int = 0, **more: str) -> Iterator[Watched]:
    """Runs `replayproxy MODE` with its cassette `heavy.yaml` in `folder`; it has to end with `status`. `more` are
    environment variables.

    Its log goes into a file, and no coverage is measured: both would be weighed with it.
    """
    stamp = time.monotonic_ns()
    ready, log, receipt = (folder / f"{name}-{stamp}" for name in ("ready.json", f"{mode}.log", "receipt.json"))
    ours, its = socket.socketpair()
    words = [*_FEW_FILES, sys.executable, "-W", "error", str(_PROGRAM), str(its.fileno()), "serve", "--mode", mode]
    words += ["--port", "0", "--admin-port", "0", "--cassette", "heavy.yaml"]
    words += ["--ready-file", str(ready), "--receipt", str(receipt), *options]
    env = {name: value for name, value in environment(**more).items() if not name.startswith("COVERAGE_")}
    with ours, log.open("w") as told:
        process = subprocess.Popen(
            words, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=told, pass_fds=[its.fileno()]
        )
        its.close()
        try:
            _wait_for(ready, process, log)
            facts = json.loads(ready.read_text())
            token = facts.get("admin_token", "")
            yield Watched(facts["url"], process.pid, facts["admin_url"], token, log, receipt, ours)
        except BaseException:
            print(*_odd(log), sep="\n")
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            ended = process.wait(timeout=_PATIENCE)
    assert ended == status, "\n".join([str(ended), *_odd(log)])


def _odd(log: Path) -> list[str]:
    """The last lines of a log that tell of more than an exchange."""
    return [line for line in log.read_text("utf-8", "replace").splitlines() if not line.endswith(" ms")][-60:]


def _wait_for(ready: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while not ready.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, "it did not get ready"
        time.sleep(0.01)


@contextlib.contextmanager
def many_descriptors(wanted: int) -> Iterator[None]:
    """This process may open so many files meanwhile; a proxy has to see to that itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= wanted, f"the hard limit of descriptors is {hard}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def number(name: str, usual: int) -> int:
    """How many of something a test takes: the environment variable `REPLAYPROXY_NAME`, or what is usual in CI."""
    return int(os.environ.get(f"REPLAYPROXY_{name}", usual))
