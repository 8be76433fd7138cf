"""`run -- CMD`: what the command sees, what becomes of it, and the status in the end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Headers, Request, Response
from replayproxy.stores import FileStore
from tests.processes import COMMAND, Running, ended, environment, started, wait_until

#: Prints what is of interest in its environment.
SHOW = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith(('OPENAI', 'REPLAY'))}))"
#: Gets what it is told to get.
GET = "import os, sys, urllib.request as u; [u.urlopen(os.environ['OPENAI_BASE_URL'] + path) for path in sys.argv[1:]]"
#: The same, but whatever comes back is fine.
TRY = f"try: exec({GET!r})\nexcept OSError: pass"
#: Says that it is there, then waits to be told to stop.
WAIT = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(5));"
    "signal.signal(signal.SIGINT, lambda *_: sys.exit(6)); open('waiting', 'w').close(); time.sleep(60)"
)


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """A cassette with two answers."""
    recorder = FileStore(tmp_path / "c.yaml").replace_take(Head("https://api.example.com"))
    for number, target in enumerate(("/v1/models", "/v1/files"), 1):
        answer = Response(200, "OK", Headers.of(("Content-Type", "application/json")), b"{}")
        recorder.append(Interaction(Request("GET", target, Headers(())), answer), number)
    recorder.close()
    return tmp_path / "c.yaml"


def ran(
    *words: str, cwd: Path, mode: str = "playback", options: tuple[str, ...] = (), **more: str
) -> subprocess.CompletedProcess[str]:
    """`run` in a mode, with a command."""
    return ended("run", "--mode", mode, "--cassette", "c.yaml", *options, "--", *words, cwd=cwd, **more)


def python(program: str, *arguments: str) -> tuple[str, ...]:
    """The words of a Python program."""
    return (sys.executable, "-I", "-c", program, *arguments)


class TestEnvironment:
    """What the command sees."""

    @pytest.mark.parametrize(
        ("mode", "options", "mine", "key"),
        [
            ("playback", (), {}, "replayproxy"),
            ("playback", (), {"OPENAI_API_KEY": "mine"}, "mine"),
            ("record", (), {}, "replayproxy"),
            ("record", ("--upstream", "http://127.0.0.1:1"), {}, None),
            ("record", ("--upstream", "http://127.0.0.1:1"), {"OPENAI_API_KEY": "mine"}, "mine"),
        ],
    )
    def test_it_points_to_the_proxy(
        self, tmp_path: Path, mode: str, options: tuple[str, ...], mine: dict[str, str], key: str | None
    ) -> None:
        """A base URL ending in /v1, the proxy's addresses, and a dummy key only where none is needed or set."""
        result = ran(*python(SHOW), cwd=tmp_path, mode=mode, options=options, **mine)
        seen = json.loads(result.stdout)
        assert seen["OPENAI_BASE_URL"] == f"{seen['REPLAYPROXY_URL']}/v1"
        assert seen["REPLAYPROXY_ADMIN_URL"].startswith("http://127.0.0.1:")
        assert seen["REPLAYPROXY_ADMIN_URL"] != seen["REPLAYPROXY_URL"]
        assert seen.get("OPENAI_API_KEY") == key

    def test_standard_streams_are_the_commands_own(self, cassette: Path) -> None:
        """What it reads and prints is not touched; the log and the receipt go to standard error."""
        result = subprocess.run(
            [*COMMAND, "run", "--cassette", "c.yaml", "--", "cat"],
            cwd=cassette.parent,
            env=environment(),
            input=b"\x00\xffbytes\n",
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert (result.returncode, result.stdout) == (0, b"\x00\xffbytes\n")
        assert b"2 unplayed" in result.stderr


class TestStatus:
    """The command's own, or 3 when it passed and the receipt did not."""

    @pytest.mark.parametrize(
        ("words", "options", "status", "told"),
        [
            (python(GET, "/models", "/files"), (), 0, "passed"),
            (python(GET, "/models"), (), 0, "passed"),
            (python(GET, "/models"), ("--strict",), 3, "failed: 1 interaction(s) were never played"),
            (python(TRY, "/models", "/other"), (), 3, "failed: 1 request(s) missed"),
            (python("pass"), (), 3, "failed: nothing was played"),
            (python("raise SystemExit(7)"), (), 7, "failed: nothing was played"),
            (python(f"{TRY}\nraise SystemExit(7)", "/other"), (), 7, "failed: 1 request(s) missed"),
            (python("import os; os.kill(os.getpid(), 9)"), (), 137, "failed: nothing was played"),
            (("there-is-no-such-command",), (), 127, "failed: nothing was played"),
            (("/",), (), 126, "failed: nothing was played"),
        ],
    )
    def test_playback(
        self, cassette: Path, words: tuple[str, ...], options: tuple[str, ...], status: int, told: str
    ) -> None:
        """A receipt in any case; 127 and 126 as a shell has it, 128 + N when signal N ended the command."""
        result = ran(*words, cwd=cassette.parent, options=options)
        assert result.returncode == status, result.stderr
        assert result.stderr.splitlines()[-1].startswith(f"replayproxy: {told}")
        assert "Traceback" not in result.stderr.replace("urllib", "")

    def test_nothing_asked_is_fine_when_recording(self, tmp_path: Path) -> None:
        """And leaves no cassette."""
        result = ran(*python("pass"), cwd=tmp_path, mode="record")
        assert result.returncode == 0
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("words", [("there-is-no-such-command",), ("/",)])
    def test_command_that_cannot_run_is_named(self, tmp_path: Path, words: tuple[str, ...]) -> None:
        """In one line, as the first."""
        first = ran(*words, cwd=tmp_path, mode="record").stderr.splitlines()[0]
        assert first.startswith("Error: ")
        assert words[0] in first

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("run",), "Missing argument '-- CMD...'"),
            (("run", "--config", "nothere.yaml", "--", "true"), "nothere.yaml: cannot be read"),
            (("run", "--workers", "no", "--", "true"), "--workers: expected a whole number from 1 to 256, or auto"),
        ],
    )
    def test_wrong_usage_is_2(self, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
        """And the command was not started."""
        result = ended(*arguments, cwd=tmp_path)
        assert result.returncode == 2
        assert message in result.stderr


class TestSignals:
    """A signal to `run` is a signal to the command."""

    @pytest.fixture
    def waiting(self, tmp_path: Path) -> Iterator[Running]:
        """`run` with a command that waits for a signal."""
        with started("run", "--cassette", "c.yaml", "--", *python(WAIT), cwd=tmp_path) as running:
            wait_until((tmp_path / "waiting").exists)
            yield running

    @pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 5), (signal.SIGINT, 6), (signal.SIGHUP, 129)])
    def test_it_is_passed_on(self, waiting: Running, number: signal.Signals, status: int) -> None:
        """The command decides what it means; a death by signal N is 128 + N."""
        assert waiting.stop(number).status == status

    def test_ready_file_is_written(self, waiting: Running) -> None:
        """For those who watch from outside."""
        assert waiting.facts["mode"] == "auto"
        assert waiting.stop().status == 5
