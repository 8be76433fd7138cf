"""replayproxy as users run it: a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

#: Programs that talk to the API, as users write them.
APPS = Path(__file__).parent / "apps"
#: The command line, run with the interpreter that runs the tests. A warning of ours is an error here too.
COMMAND = (sys.executable, "-W", "error", "-m", "replayproxy")
#: A key in the shape of a real one.
KEY = "sk-proj-Zm9vYmFyMTIzNDU2Nzg5MA_T3BlbkFJ-aBcDeFgHiJkLmNoPqRsTuVwXyZ012345678901234567890abcdA"
#: How long a process may take for anything, in seconds: only broken ones come near it.
PATIENCE = 30


@dataclass(slots=True)
class Running:
    """A process that said it is ready; `out` and `err` are filled when it has ended."""

    process: subprocess.Popen[str]
    facts: dict[str, Any] = field(default_factory=dict)
    out: str = ""
    err: str = ""
    status: int = 0

    @property
    def url(self) -> str:
        """Where the API is."""
        return str(self.facts["url"])

    @property
    def admin_url(self) -> str:
        """Where health is."""
        return str(self.facts["admin_url"])

    @property
    def admin_headers(self) -> dict[str, str]:
        """What whoever changes something there sends."""
        return {"x-replayproxy-token": str(self.facts["admin_token"])}

    def stop(self, number: int = signal.SIGTERM) -> Running:
        """Stops it with a signal and waits; itself."""
        self.process.send_signal(number)
        return self.finish()

    def finish(self) -> Running:
        """Waits for it to end; itself."""
        try:
            self.status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        return self


def environment(**more: str) -> dict[str, str]:
    """The environment of a child: nothing of ours in it but what is given."""
    ours = ("REPLAYPROXY_", "OPENAI_", "NO_COLOR", "FORCE_COLOR", "PYTHONWARNINGS")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more


@contextlib.contextmanager
def started(*arguments: str, cwd: Path, **more: str) -> Iterator[Running]:
    """Runs a command that serves, on free ports, and waits until it is ready; stops it in the end.

    `more` are environment variables. Fails when the process ends before it is ready.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        ready, out, err = Path(folder) / "ready.json", _file(stack), _file(stack)
        ports = () if arguments[0] == "run" else ("--port", "0", "--admin-port", "0")
        process = subprocess.Popen(
            [*COMMAND, arguments[0], *ports, "--ready-file", str(ready), *arguments[1:]],
            cwd=cwd,
            env=environment(**more),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        running = Running(process)
        try:
            wait_until(lambda: ready.exists() or process.poll() is not None)
            if not ready.exists():
                raise AssertionError(f"ended with {process.returncode}: {_content(err)}")
            running.facts = json.loads(ready.read_text())
            yield running
            if process.poll() is None:
                running.stop()
        finally:
            if process.poll() is None:
                process.kill()
            running.status = process.wait()
            running.out, running.err = _content(out), _content(err)


def ended(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of replayproxy to its end; `more` are environment variables."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment(**more),
        text=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


def app(name: str, *arguments: str, url: str, cwd: Path, key: str = KEY) -> str:
    """What a program in `tests/apps` prints when it talks to `url`."""
    seen = environment(OPENAI_BASE_URL=f"{url}/v1", OPENAI_API_KEY=key)
    done = subprocess.run(
        [*program(name), *arguments],
        cwd=cwd,
        # An app is none of ours: measuring its coverage would only make it slow.
        env={name: value for name, value in seen.items() if not name.startswith("COVERAGE_")},
        text=True,
        capture_output=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def program(name: str) -> tuple[str, ...]:
    """The words that run a program in `tests/apps`."""
    return ("sh" if name.endswith(".sh") else sys.executable, str(APPS / name))


def client(url: str, **more: Any) -> httpx.Client:
    """A client that takes nothing from its environment."""
    return httpx.Client(base_url=url, trust_env=False, verify=False, timeout=PATIENCE, **more)


def wait_until(holds: Callable[[], bool]) -> None:
    """Waits for another process to get there; fails when it takes too long."""
    limit = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < limit, "it did not get there in time"
        time.sleep(0.01)


def _file(stack: contextlib.ExitStack) -> IO[str]:
    return stack.enter_context(tempfile.TemporaryFile("w+"))


def _content(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
