"""`serve`, `record` and `playback` as processes: what they print, write, answer and exit with."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Chunk, Headers, Request, Response
from replayproxy.stores import FileStore
from tests.processes import KEY, Running, client, ended, started, wait_until
from tests.proxies import documents
from tests.servers import Visit, answering, raw_upstream

URL = r"http://127\.0\.0\.1:\d+"
READY_LINE = re.compile(rf"replayproxy: (?P<mode>\w+) on (?P<url>{URL}) \(admin (?P<admin>{URL})\)(?:, .+)?")
BETA = {"Authorization": f"Bearer {KEY}", "OpenAI-Beta": "assistants=v2"}


def cassette_of(path: Path, *interactions: Interaction) -> Path:
    """A cassette with these interactions in it."""
    recorder = FileStore(path).replace_take(Head("https://api.example.com", "2026-01-01T00:00:00Z", "a test"))
    for number, interaction in enumerate(interactions, 1):
        recorder.append(interaction, number)
    recorder.close()
    return path


def got(target: str, body: bytes = b"{}", content_type: str = "application/json", **more: Any) -> Interaction:
    """A recorded GET."""
    headers = Headers.of(("Content-Type", content_type))
    return Interaction(Request("GET", target, Headers(())), Response(200, "OK", headers, body, **more))


# --- a recording, and what can be seen of it from outside


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that is over, and what was seen while it ran."""

    folder: Path
    running: Running
    health: httpx.Response
    ready: httpx.Response
    second: subprocess.CompletedProcess[str]
    busy: dict[str, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A recording of two requests on the emulator in the process, with a log of JSON lines."""
    folder = tmp_path_factory.mktemp("recording")
    options = ("--cassette", "c.yaml", "--log-format", "json")
    with started("record", *options, cwd=folder) as proxy, client(proxy.url, headers=BETA) as api:
        thread = api.post("/v1/threads", json={}).json()["id"]
        api.post(f"/v1/threads/{thread}/messages", json={"role": "human", "content": "\x1b[31mHello"})
        with client(proxy.admin_url) as admin:
            health, ready = admin.get("/health"), admin.get("/ready")
        free, port = ("--port", "0", "--admin-port", "0"), proxy.url.rpartition(":")[2]
        second = ended("record", *free, *options, cwd=folder)
        busy = {name: ended("playback", *free, name, port, *options, cwd=folder) for name in ("--port", "--admin-port")}
        busy["emulate"] = ended("emulate", "--port", port, cwd=folder)
    return Recording(folder, proxy, health, ready, second, busy)


def test_ready_line_names_mode_and_addresses(recording: Recording) -> None:
    """One line on standard output, nothing else there."""
    (line,) = recording.running.out.splitlines()
    match = READY_LINE.fullmatch(line)
    assert match, line
    assert (match["mode"], match["url"], match["admin"]) == (
        "record",
        recording.running.url,
        recording.running.admin_url,
    )
    assert line.endswith(f"upstream emulator, cassette {recording.folder / 'c.yaml'}")


def test_ready_file_holds_what_a_program_needs(recording: Recording) -> None:
    """Mode, URLs and the process to stop; the folder holds no leftover of writing it."""
    facts = recording.running.facts
    assert facts.keys() == {"mode", "url", "admin_url", "admin_token", "pid"}
    assert (facts["mode"], facts["pid"]) == ("record", recording.running.process.pid)
    assert [path.name for path in recording.folder.iterdir()] == ["c.yaml"]


def test_admin_port_tells_health_and_readiness(recording: Recording) -> None:
    """Both are JSON with status 200."""
    assert recording.health.status_code == 200
    assert recording.health.json()["status"] == "ok"
    assert recording.ready.status_code == 200
    assert recording.ready.json() == {"status": "ready", "mode": "record"}


def test_sigterm_ends_with_0_and_a_receipt(recording: Recording) -> None:
    """The last two lines on standard error."""
    told, verdict = recording.running.err.splitlines()[-2:]
    assert (recording.running.status, verdict) == (0, "replayproxy: passed")
    assert told.startswith("replayproxy: record: ")
    assert "2 saved" in told


def test_json_log_has_an_object_on_each_line(recording: Recording) -> None:
    """Up to the receipt; what was asked and what became of it."""
    *told, problems, _, _ = recording.running.err.splitlines()
    assert problems == "replayproxy: problems: createMessage 1"
    lines = [json.loads(line) for line in told]
    assert [(line["method"], line["status"], line["outcome"]) for line in lines] == [
        ("POST", 200, "saved"),
        ("POST", 400, "rejected"),
    ]
    assert lines[1]["problems"] == ["Invalid value: 'human'. Supported values are: 'user' and 'assistant'."]


def test_second_recorder_of_a_cassette_is_refused(recording: Recording) -> None:
    """Two processes would overwrite each other: the later one does not start."""
    assert recording.second.returncode == 2
    assert recording.second.stdout == ""
    (line,) = recording.second.stderr.splitlines()
    assert re.fullmatch(r"Error: .*c\.yaml: another replayproxy records into it \(process \d+\)\. .+", line)


@pytest.mark.parametrize("where", ["--port", "--admin-port", "emulate"])
def test_busy_port_is_an_error_that_names_a_free_one(recording: Recording, where: str) -> None:
    """One line, and a port that can be taken instead."""
    result = recording.busy[where]
    assert (result.returncode, result.stdout) == (2, "")
    option = "--port" if where == "emulate" else where
    match = re.fullmatch(
        r"Error: cannot listen on 127\.0\.0\.1:\d+ \(Address already in use\); "
        rf"try {option} (\d+), or 0 for any free one\n",
        result.stderr,
    )
    assert match, result.stderr
    with socket.create_server(("127.0.0.1", int(match[1]))):
        pass


# --- stopping


async def test_stop_lets_an_event_stream_finish(tmp_path: Path) -> None:
    """SIGINT closes the door; who is inside is served to the end, and the cassette holds the whole."""
    go_on = asyncio.Event()
    events = [b"data: %d\n\n" % number for number in range(4)]

    async def streaming(visit: Visit) -> None:
        await visit.request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        await visit.send(head + events[0])
        await go_on.wait()
        for event in events[1:]:
            await visit.send(event)
        visit.writer.close()

    async with raw_upstream(streaming) as upstream:
        with started("record", "--cassette", "c.yaml", "--upstream", upstream.url, cwd=tmp_path) as proxy:
            async with (
                httpx.AsyncClient(trust_env=False, verify=False) as http,
                http.stream("GET", f"{proxy.url}/v1/stream") as answer,
            ):
                pieces = answer.aiter_raw()
                received = await anext(pieces)
                proxy.process.send_signal(signal.SIGINT)
                await asyncio.to_thread(wait_until, lambda: not listens(proxy.url))
                assert proxy.process.poll() is None
                go_on.set()
                received += b"".join([piece async for piece in pieces])
            await asyncio.to_thread(proxy.finish)
    assert received == b"".join(events)
    assert proxy.status == 0
    (saved,) = documents(tmp_path / "c.yaml")[1:]
    assert [event["data"] for event in saved["response"]["body"]["events"]] == ["0", "1", "2", "3"]


def listens(url: str) -> bool:
    """Whether somebody takes connections there."""
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        socket.create_connection((host, int(port))).close()
    except ConnectionRefusedError:
        return False
    return True


# --- playback


@pytest.mark.parametrize(
    ("targets", "options", "status", "verdict"),
    [
        (["/v1/models"], (), 0, "passed"),
        (["/v1/models", "/v1/models"], (), 0, "passed"),
        (["/v1/models", "/v1/files"], (), 1, "failed: 1 request(s) missed"),
        ([], (), 1, "failed: nothing was played"),
        (["/v1/models"], ("--strict",), 1, "failed: 1 interaction(s) were never played"),
    ],
)
def test_playback_ends_with_its_verdict(
    tmp_path: Path, targets: list[str], options: tuple[str, ...], status: int, verdict: str
) -> None:
    """1 when a request missed, when nothing was played, and with --strict when something was left over."""
    cassette_of(tmp_path / "c.yaml", got("/v1/models"), got("/v1/threads/thread_1"))
    with (
        started("playback", "--cassette", "c.yaml", *options, cwd=tmp_path) as proxy,
        client(proxy.url) as api,
    ):
        for target in targets:
            api.get(target)
    assert (proxy.status, proxy.err.splitlines()[-1]) == (status, f"replayproxy: {verdict}")


def test_playback_without_a_cassette_says_so_at_once(tmp_path: Path) -> None:
    """It starts, since the requests' misses tell more; but a mistyped name is noticed before them."""
    with started("playback", "--cassette", "typo.yaml", cwd=tmp_path) as proxy, client(proxy.url) as api:
        answer = api.get("/v1/models")
    assert answer.json()["error"]["code"] == "no_cassette"
    assert proxy.err.splitlines()[0] == (
        f"replayproxy: there is no file {tmp_path / 'typo.yaml'}: requests that name no session will miss"
    )
    assert list(tmp_path.iterdir()) == []


def test_stream_plays_at_once_or_in_recorded_time(tmp_path: Path) -> None:
    """--speed 1 keeps the pauses, --speed 2 halves them, and without the option there are none."""
    chunks = (Chunk(0.0, 9), Chunk(0.15, 9), Chunk(0.3, 9))
    stream = got("/v1/stream", b"data: 0\n\ndata: 1\n\ndata: 2\n\n", "text/event-stream", chunks=chunks)
    cassette_of(tmp_path / "c.yaml", stream)
    took = {}
    for speed in ("0", "1", "2"):
        options = ("--cassette", "c.yaml", "--speed", speed)
        with started("playback", *options, cwd=tmp_path) as proxy, client(proxy.url) as api:
            began = time.monotonic()
            assert api.get("/v1/stream").content == stream.response.body
            took[speed] = time.monotonic() - began
    assert took["0"] < 0.3 <= took["1"]
    assert 0.15 <= took["2"] < took["1"]


# --- the key


async def test_key_is_injected_on_the_way_up(tmp_path: Path) -> None:
    """`upstream.api_key_env` names the variable that holds it; it takes the place of the client's dummy."""
    async with raw_upstream(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as upstream:
        config = f"upstream:\n  url: {upstream.url}\n  api_key_env: MY_KEY\ncassette: c.yaml\n"
        (tmp_path / "replayproxy.yaml").write_text(config)
        with started("record", cwd=tmp_path, MY_KEY=KEY) as proxy:
            async with httpx.AsyncClient(trust_env=False, verify=False) as http:
                await http.get(f"{proxy.url}/v1/models", headers={"Authorization": "Bearer dummy"})
            proxy.stop()
    assert f"Authorization: Bearer {KEY}\r\n".encode() in upstream.received
    assert b"dummy" not in upstream.received
    assert KEY not in (tmp_path / "c.yaml").read_text()


def test_key_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Better now than as a 401 in the middle of a test."""
    (tmp_path / "replayproxy.yaml").write_text("upstream: {url: 'http://127.0.0.1:1', api_key_env: MY_KEY}\n")
    result = ended("record", "--port", "0", "--admin-port", "0", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "MY_KEY" in result.stderr
    assert len(result.stderr.splitlines()) == 1


# --- what stops the start

#: The last sentence of a message: what to do.
CURE = r"\. [A-Z][^.]+"


def no_yaml(folder: Path) -> tuple[str, str]:
    """A cassette with a slip of the keyboard in its middle."""
    path = cassette_of(folder / "c.yaml", got("/v1/models"), got("/v1/files"))
    path.write_text(path.read_text().replace("  method: GET\n", "  method: [GET\n", 1))
    return "c.yaml", r"c\.yaml:\d+: this is not YAML: .+"


def wrong_value(folder: Path) -> tuple[str, str]:
    """A cassette with a value that makes no sense."""
    path = cassette_of(folder / "c.yaml", got("/v1/models"), got("/v1/files"))
    path.write_text(path.read_text().replace("  status: 200\n", "  status: fine\n", 1))
    return "c.yaml", rf"c\.yaml:\d+: .+{CURE}"


def something_else(folder: Path) -> tuple[str, str]:
    """A file that is no cassette."""
    (folder / "c.yaml").write_text("services:\n  web: {}\n")
    return "c.yaml", rf"c\.yaml: this is no cassette of replayproxy.+{CURE}"


def parent_is_a_file(folder: Path) -> tuple[str, str]:
    """A path through a file."""
    (folder / "file").write_text("")
    return "file/c.yaml", rf"file/c\.yaml: .+{CURE}"


def a_folder(folder: Path) -> tuple[str, str]:
    """A folder where the cassette should be."""
    (folder / "c.yaml").mkdir()
    return "c.yaml", rf"c\.yaml: cannot be read: Is a directory{CURE}"


def read_only(folder: Path) -> tuple[str, str]:
    """A folder that cannot be written."""
    if os.geteuid() == 0:
        return "/proc/c.yaml", rf"/proc/c\.yaml: .+{CURE}"
    (folder / "locked").mkdir(mode=0o500)
    return "locked/c.yaml", rf"locked/c\.yaml: .+{CURE}"


@pytest.mark.parametrize(
    ("prepare", "mode"),
    [
        (no_yaml, "record"),
        (no_yaml, "auto"),
        (no_yaml, "playback"),
        (wrong_value, "playback"),
        (something_else, "record"),
        (parent_is_a_file, "record"),
        (a_folder, "auto"),
        (read_only, "record"),
    ],
)
def test_unusable_cassette_stops_the_start(
    tmp_path: Path, prepare: Callable[[Path], tuple[str, str]], mode: str
) -> None:
    """One line with the file (and the line in it) and a cure, status 2; what is there stays as it is."""
    name, message = prepare(tmp_path)
    before = snapshot(tmp_path)
    ports = ("--port", "0", "--admin-port", "0")
    result = ended("serve", *ports, "--mode", mode, "--cassette", name, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert re.fullmatch(f"Error: .*{message}", line), line
    assert snapshot(tmp_path) == before


def snapshot(folder: Path) -> dict[str, bytes]:
    """All that is in a folder."""
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("serve", "--workers", "0"), "--workers: expected a whole number from 1 to 256, or auto, not '0'"),
        (("serve", "--port", "99999"), "--port: expected a port from 0 to 65535, not '99999'"),
        (("serve", "--upstream", "https://u:hunter2@x.test"), "--upstream: the URL holds a user name or a password"),
        (("serve", "--config", "nothere.yaml"), "nothere.yaml: cannot be read: No such file or directory"),
        (("serve", "--bogus"), "No such option"),
        (("record", "--mode", "playback"), "No such option"),
        (("serve", "--port", "0", "--admin-port", "0", "--ready-file", "no/where"), "cannot write the ready file"),
        (("serve", "--host", "192.0.2.1", "--port", "0"), "cannot listen on 192.0.2.1:0"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """A message that names the option; no traceback, and no secret repeated."""
    result = ended(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert f"Error: {message}" in result.stderr
    assert not re.search(r"Traceback|hunter2", result.stderr + result.stdout)


# --- how it looks


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colours_are_for_those_who_want_them(tmp_path: Path, environment: dict[str, str], coloured: bool) -> None:
    """None in a file or a pipe, some when they are forced, none at all with NO_COLOR."""
    with started("playback", "--cassette", "c.yaml", cwd=tmp_path, **environment) as proxy:
        pass
    assert ("\x1b[" in proxy.err) == coloured
