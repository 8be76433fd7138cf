"""Several workers as users run them: signals, deaths, and what is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from replayproxy.core.cassette import Delay, Head, Interaction
from replayproxy.core.messages import Headers, Request, Response
from replayproxy.stores import FileStore
from tests.processes import Running, client, ended, started, wait_until

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """A cassette with ten answers to one request, and one that takes a second."""
    path = tmp_path / "c.yaml"
    recorder = FileStore(path).append_to(Head("test", "2026-01-01T00:00:00Z", "test", ""))
    headers = Headers.of(("Content-Type", "application/json"))
    for number in range(10):
        answer = Response(200, "OK", headers, b'{"id":"%d"}' % number)
        recorder.append(Interaction(Request("POST", "/v1/x", headers, b""), answer), number)
    slow = Response(200, "OK", headers, b'{"id":"slow"}')
    recorder.append(Interaction(Request("POST", "/v1/slow", headers, b""), slow, delay=Delay(first_byte=1.0)), 11)
    recorder.close()
    return path


def pids(running: Running) -> list[int]:
    """The workers."""
    with client(running.admin_url) as http:
        found: list[int] = http.get("/health").json()["workers"]["pids"]
    return found


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody asked for its status counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_answers_under_way_finish(tmp_path: Path, cassette: Path, number: int) -> None:
    """Then all end, with the receipt, and nothing is left in the folder for temporary files."""
    (tmp_path / "tmp").mkdir()
    words = ("playback", "--workers", "2", "--cassette", str(cassette))
    with (
        started(*words, cwd=tmp_path, TMPDIR=str(tmp_path / "tmp")) as running,
        client(running.url) as http,
        client(running.admin_url) as admin,
        ThreadPoolExecutor() as pool,
    ):
        workers = pids(running)
        assert len(workers) == 2
        for pid in workers:  # as a terminal or a service does, which tell everybody
            os.kill(pid, number)
        slow = pool.submit(http.post, "/v1/slow", headers=JSON)
        wait_until(lambda: admin.get("/sessions/default").json()["counts"]["played"] == 1)
        running.stop(number)
        assert slow.result().json() == {"id": "slow"}
    assert running.status == 0, running.err
    assert "1 played" in running.err
    assert "worker" not in running.err
    assert all(map(is_gone, workers))
    assert not list((tmp_path / "tmp").iterdir())


def test_workers_do_not_outlive_their_supervisor(tmp_path: Path, cassette: Path) -> None:
    """Also when it is killed; the last one clears up."""
    (tmp_path / "tmp").mkdir()
    words = ("playback", "--workers", "2", "--cassette", str(cassette))
    with started(*words, cwd=tmp_path, TMPDIR=str(tmp_path / "tmp")) as running:
        workers = pids(running)
        running.process.kill()
        wait_until(lambda: all(map(is_gone, workers)))
        running.finish()
    assert not list((tmp_path / "tmp").iterdir())
    assert running.err.count("the supervisor is gone; this worker ends") == 2


def test_a_proxy_whose_workers_keep_dying_ends_with_2(tmp_path: Path, cassette: Path) -> None:
    """After what it knows: the receipt."""
    with started("playback", "--workers", "2", "--cassette", str(cassette), cwd=tmp_path) as running:
        with client(running.url) as http:
            assert http.post("/v1/x", headers=JSON).status_code == 200
        with client(running.admin_url) as http:
            while running.process.poll() is None:
                with contextlib.suppress(httpx.TransportError, ProcessLookupError):
                    for pid in http.get("/health").json()["workers"]["pids"]:
                        os.kill(pid, signal.SIGKILL)
        running.finish()
    assert running.status == 2
    assert "was killed by SIGKILL; another one takes its place" in running.err
    assert "1 played" in running.err
    assert running.err.splitlines()[-1].startswith("Error: 5 workers died within 10 seconds")


def test_a_port_that_is_taken_is_told_with_one_that_is_free(tmp_path: Path, cassette: Path) -> None:
    """Also when those who have it are workers of another proxy, with whom it could be shared."""
    words = ("--workers", "2", "--cassette", str(cassette), "--admin-port", "0")
    with started("playback", "--workers", "2", "--cassette", str(cassette), cwd=tmp_path) as running:
        port = running.url.rpartition(":")[2]
        second = ended("playback", *words, "--port", port, cwd=tmp_path)
        single = ended("playback", *words, "--workers", "1", "--port", port, cwd=tmp_path)
    for result in (second, single):
        assert result.returncode == 2
        assert f"cannot listen on 127.0.0.1:{port} (Address already in use); try --port " in result.stderr


def test_run_gives_a_command_several_workers(tmp_path: Path, cassette: Path) -> None:
    """With the receipt of all of them; `auto` is as many as there are cores."""
    program = (
        "import os, urllib.request as u\n"
        "for _ in range(10):\n"
        "    r = u.Request(os.environ['OPENAI_BASE_URL'] + '/x', b'', {'Content-Type': 'application/json'})\n"
        "    u.urlopen(r).read()\n"
    )
    for workers in ("3", "auto"):
        receipt = tmp_path / "receipt.json"
        words = ("run", "--mode", "playback", "--workers", workers, "--cassette", str(cassette))
        result = ended(*words, "--receipt", str(receipt), "--", sys.executable, "-c", program, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        (session,) = json.loads(receipt.read_text())["sessions"]
        assert session["counts"]["played"] == 10


def test_one_worker_is_one_process(tmp_path: Path, cassette: Path) -> None:
    """As ever: there is nobody else, and health says nothing of others."""
    with started("playback", "--workers", "1", "--cassette", str(cassette), cwd=tmp_path) as running:
        with client(running.admin_url) as http:
            assert http.get("/health").json().keys() == {"status", "version"}
        children = subprocess.run(
            ["ps", "--ppid", str(running.process.pid), "-o", "pid="], capture_output=True, check=False
        )
    assert children.stdout == b""
