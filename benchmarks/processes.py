"""Servers in processes of their own, and what the system says of them: CPU time, memory."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["HAS_PROC", "NotStartedError", "Server", "floor", "proxy"]

#: Without it there are no figures of CPU time and memory.
HAS_PROC = Path("/proc/self/stat").exists()
_TICK = os.sysconf("SC_CLK_TCK") if HAS_PROC else 1
#: Quiet is what has used no tick of the system's clock (1/100 s) in so many seconds; nothing is waited for longer.
_QUIET, _QUIET_LIMIT = 0.06, 10.0


class NotStartedError(Exception):
    """A server that gave up before it was ready; says what it wrote on standard error."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers; `started` is on the clock of `time.perf_counter`, before the process was."""

    url: str
    process: subprocess.Popen[bytes]
    started: float
    admin_url: str = ""

    def cpu(self) -> float:
        """Seconds of CPU of the process and of all that it started, nan where the system does not tell."""
        if not HAS_PROC:
            return float("nan")
        return sum(_ticks(pid) for pid in self.family()) / _TICK

    def settled_cpu(self) -> float:
        """The same, as soon as nothing is worked off any more after the last answer."""
        before, limit = self.cpu(), time.perf_counter() + _QUIET_LIMIT
        while HAS_PROC and time.perf_counter() < limit:
            time.sleep(_QUIET)
            if (now := self.cpu()) == before:
                break
            before = now
        return before

    def memory(self) -> tuple[float, float]:
        """Resident MB of the process and its children: now, and the most so far."""
        if not HAS_PROC:
            return float("nan"), float("nan")
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in self.family()]
        return _megabytes(texts, "VmRSS"), _megabytes(texts, "VmHWM")

    def family(self) -> list[int]:
        """The ids of the process and of all its descendants."""
        parents = dict(_parents())
        found = [self.process.pid]
        for pid in found:
            found.extend(child for child, parent in parents.items() if parent == pid)
        return found


def _fields(pid: int) -> list[str]:
    """The fields of a process from its state on: 0 is the state, 1 the parent."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _ticks(pid: int) -> int:
    with contextlib.suppress(OSError):
        return sum(map(int, _fields(pid)[11:15]))  # user, system, and those of children that have ended
    return 0


def _parents() -> Iterator[tuple[int, int]]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), int(_fields(int(entry.name))[1])


def _megabytes(texts: list[str], name: str) -> float:
    lines = (line for text in texts for line in text.splitlines() if line.startswith(name))
    return sum(int(line.split()[1]) for line in lines) * 1024 / 1e6


@contextlib.contextmanager
def proxy(
    *options: str | Path, settings: Mapping[str, str] | None = None, program: Sequence[str] = ("-m", "replayproxy")
) -> Iterator[Server]:
    """`replayproxy` with these options, on free ports; `settings` are variables without `REPLAYPROXY_`.

    NotStartedError when it ends without having been ready.
    """
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder, "ready.json")
        command = [sys.executable, *program, *map(str, options)]
        command += ["--port", "0", "--admin-port", "0", "--ready-file", str(ready)]
        environment = {name: text for name, text in os.environ.items() if not name.startswith("REPLAYPROXY_")}
        environment |= {f"REPLAYPROXY_{name}": text for name, text in (settings or {}).items()} | _compiled()
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with Path(folder, "errors").open("wb+") as errors:
            began = time.perf_counter()
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors)
            with _ending(process):
                assert process.stdout
                process.stdout.readline()
                facts = _facts(ready, process, Path(errors.name))
                yield Server(facts["url"], process, began, facts["admin_url"])


@functools.cache
def _compiled() -> dict[str, str]:
    """Where compiled modules are: an installed package has them, a checkout may not."""
    folder = tempfile.mkdtemp(prefix="replayproxy-compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return {"PYTHONPYCACHEPREFIX": folder}


def _facts(ready: Path, process: subprocess.Popen[bytes], errors: Path) -> dict[str, str]:
    """What the ready file tells; it is written right after the line on standard output."""
    while not ready.exists():
        if process.poll() is not None:
            raise NotStartedError(errors.read_text()[-2000:])
        time.sleep(0.0005)
    facts: dict[str, str] = json.loads(ready.read_text())
    return facts


@contextlib.contextmanager
def floor(*arguments: str) -> Iterator[Server]:
    """A server of `floors.py`."""
    command = [sys.executable, str(Path(__file__).with_name("floors.py")), *arguments]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    with _ending(process):
        assert process.stdout
        url = process.stdout.readline().decode().strip()
        if not url:
            raise NotStartedError(f"{arguments} did not start")
        yield Server(url, process, began)


@contextlib.contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
