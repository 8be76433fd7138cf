"""Planted keys of many shapes in many places, under the most verbose logging: they are nowhere but at the upstream."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.background import in_background
from tests.processes import Running, client, ended, environment, wait_until
from tests.robustness.harness import Line, ScriptedUpstream
from tests.robustness.planted import ANSWERS, QUESTIONS, SHAPES, Plant, found, plants
from tests.servers import Visit, raw_upstream

PROGRAM = Path(__file__).parent / "verbose.py"
#: What the upstream puts into every answer, so that there is something to tell.
PLAIN = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"fine": "yes"}'


@dataclass(slots=True)
class Written:
    """All that was written, by what it is, what the clients were answered in record mode, and what arrived."""

    plants: tuple[Plant, ...] = ()
    texts: dict[str, bytes] = field(default_factory=dict)
    answered: dict[int, bytes] = field(default_factory=dict)
    arrived: dict[int, bytes] = field(default_factory=dict)

    def tell(self, what: str, data: bytes | str) -> None:
        """Adds a text."""
        self.texts[f"{len(self.texts)} {what}"] = data if isinstance(data, bytes) else data.encode()


@contextlib.contextmanager
def verbose(folder: Path, command: str, *options: str, **more: str) -> Iterator[Running]:
    """A process that tells all it can, with Python's development mode on; what it told is in `out` and `err` then."""
    with tempfile.TemporaryDirectory() as aside:
        out, err, ready = (Path(aside) / name for name in ("out", "err", "ready.json"))
        ports = ("--port", "0", "--admin-port", "0", "--ready-file", str(ready))
        words = (sys.executable, "-X", "dev", str(PROGRAM), command, *ports, *options)
        seen = environment(
            PYTHONASYNCIODEBUG="1", PYTHONPATH=str(PROGRAM.parents[2]), TMPDIR=str(folder / "tmp"), **more
        )
        with out.open("wb") as output, err.open("wb") as errors:
            process = subprocess.Popen(words, cwd=folder, env=seen, text=True, stdout=output, stderr=errors)
        running = Running(process)
        try:
            wait_until(lambda: ready.exists() or process.poll() is not None)
            assert ready.exists(), err.read_text()
            running.facts = json.loads(ready.read_text())
            yield running
            if process.poll() is None:
                running.stop()
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            running.out, running.err = out.read_text(errors="surrogateescape"), err.read_text(errors="surrogateescape")


def asked(proxy: Running, data: bytes) -> bytes:
    """The answer to bytes, head and body."""
    parts = urlsplit(proxy.url)
    line = Line(socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20))
    try:
        line.send(data.replace(b"{host}", parts.netloc.encode(), 1))
        answer = line.answer(b"POST")
        return answer.head + answer.body
    finally:
        line.close()


def question(plant: Plant, text: bytes = b"") -> bytes:
    """The request for a plant; `text` makes it another one."""
    if plant.place in QUESTIONS:
        return QUESTIONS[plant.place](plant).replace(plant.path.encode(), plant.path.encode() + text, 1)
    return b"POST %b%b HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{}" % (plant.path.encode(), text)


def keep_answers(written: Written, proxy: Running, what: str) -> None:
    """What the admin port tells, and what can be seen of the process from outside."""
    with client(proxy.admin_url, headers=proxy.admin_headers) as admin:
        for path in (
            "/",
            "/openapi.json",
            "/health",
            "/ready",
            "/sessions",
            "/sessions/default",
            "/exchanges?limit=1000",
        ):
            answer = admin.get(path)
            assert answer.status_code == 200, answer.text
            written.tell(f"{what} admin {path}", f"{answer.headers}\n{answer.text}")
        written.tell(f"{what} admin error", admin.get("/sessions/nobody").text)
    written.tell(f"{what} arguments", Path(f"/proc/{proxy.process.pid}/cmdline").read_bytes())
    written.tell(f"{what} title", Path(f"/proc/{proxy.process.pid}/comm").read_bytes())


def keep_files(written: Written, folder: Path, what: str) -> None:
    """All files there are, and their names."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            written.tell(f"{what} {path.relative_to(folder)}", str(path).encode() + b"\n" + path.read_bytes())


def keep_output(written: Written, proxy: Running, what: str) -> None:
    """What an ended process told."""
    written.tell(f"{what} stdout", proxy.out.encode(errors="surrogateescape"))
    written.tell(f"{what} stderr", proxy.err.encode(errors="surrogateescape"))


@pytest.fixture(scope="module", params=[6, pytest.param(1, marks=pytest.mark.heavy)], ids=["some", "all"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Every mode, every command that shows something, and a crash."""
    folder, told, upstream = (
        tmp_path_factory.mktemp("planted"),
        Written(tuple(plants(request.param))),
        ScriptedUpstream(),
    )
    planted = {plant.path.encode(): plant for plant in told.plants}
    (folder / "tmp").mkdir()

    async def indiscreet(visit: Visit) -> None:
        while True:
            arrived = await upstream.take(visit)
            path = b"/".join(arrived.target.partition(b"?")[0].split(b"/")[:4])
            plant = planted.get(path)
            make = ANSWERS.get(plant.place) if plant else None
            if plant:
                fields = (b": ".join(each) for each in arrived.fields)
                told.arrived[plant.number] = b"\r\n".join((arrived.line, *fields, arrived.body))
            await visit.send(make(plant) if plant and make else PLAIN)

    with in_background(raw_upstream(indiscreet)) as raw:
        record(told, folder, raw.url)
        refuse(told, folder, raw.url)
    fail(told, folder)
    play(told, folder)
    command(told, folder)
    return told


def record(told: Written, folder: Path, url: str) -> None:
    """Everything is saved, failures too."""
    options = ("--cassette", "c.yaml", "--record-failures", "--upstream", url, "--receipt", "receipt.json")
    with verbose(folder, "record", *options) as proxy:
        for plant in told.plants:
            told.answered[plant.number] = asked(proxy, question(plant))
        keep_answers(told, proxy, "record")
    keep_output(told, proxy, "record")
    assert proxy.process.returncode == 0, proxy.err[-2000:]
    keep_files(told, folder, "record")


def refuse(told: Written, folder: Path, url: str) -> None:
    """What the validator and the limits refuse, and what is no request at all."""
    options = ("--cassette", "refused.yaml", "--validate", "enforce", "--log-format", "json", "--upstream", url)
    with verbose(folder, "serve", "--mode", "auto", *options, REPLAYPROXY_LIMITS__BODY="2000") as proxy:
        for plant in told.plants[::7]:
            whole = question(plant).replace(plant.path.encode(), b"/v1/chat/completions", 1)
            told.tell("refused", asked(proxy, whole))
            told.tell("too long", asked(proxy, whole.replace(b"Content-Length: ", b"Content-Length: 9000", 1)))
            told.tell("misread", asked(proxy, whole.replace(b"Host: {host}\r\n", b"", 1)))
            told.tell("strange host", asked(proxy, whole.replace(b"{host}", b"evil.example", 1)))
            told.tell("bad session", asked(proxy, whole.replace(b"/v1/", b"/@a b/v1/", 1)))
        keep_answers(told, proxy, "refused")
    keep_output(told, proxy, "refused")
    keep_files(told, folder, "refused")


def fail(told: Written, folder: Path) -> None:
    """The upstream is gone; in the end the process is ended by a signal that makes it tell where it is."""
    options = ("--cassette", "failed.yaml", "--record-failures", "--upstream", "http://127.0.0.1:1")
    with verbose(folder, "record", *options) as proxy:
        for plant in told.plants[::5]:
            told.tell("upstream gone", asked(proxy, question(plant)))
        keep_answers(told, proxy, "failed")
        proxy.process.send_signal(signal.SIGABRT)
        proxy.finish()
    assert "Fatal Python error: Aborted" in proxy.err
    keep_output(told, proxy, "failed")
    keep_files(told, folder, "failed")


def play(told: Written, folder: Path) -> None:
    """Hits and misses, with a receipt that fails."""
    options = ("--cassette", "c.yaml", "--strict", "--receipt", "played.json", "--junit", "played.xml")
    with verbose(folder, "playback", *options) as proxy:
        for plant in told.plants:
            told.tell(f"played {plant.place}", asked(proxy, question(plant)))
        for plant in told.plants[::5]:
            told.tell("missed", asked(proxy, question(plant, b"/other")))
        keep_answers(told, proxy, "played")
    keep_output(told, proxy, "played")
    keep_files(told, folder, "played")


def command(told: Written, folder: Path) -> None:
    """Every command that shows something of a cassette."""
    (folder / "body.json").write_text('{"model": 1}')
    for words in (
        ("cassette", "list", "--json", "c.yaml"),
        ("cassette", "check", "--schema", "c.yaml"),
        ("cassette", "scan", "c.yaml"),
        ("cassette", "redact", "--dry-run", "c.yaml"),
        *(("cassette", "show", "c.yaml", str(number)) for number in (1, 23)),
        ("validate", "body.json", "--operation", "createChatCompletion"),
    ):
        done = ended(*words, cwd=folder)
        told.tell(" ".join(words), done.stdout + done.stderr)


def assert_nowhere(written: Written, *places: str) -> None:
    """No key of these places (all, when none is named) is in anything that was written."""
    wanted = {f"{plant.number:04x}".encode() for plant in written.plants if plant.place in (places or (plant.place,))}
    assert wanted or not places
    leaks = {what: found(data)[:3] for what, data in written.texts.items() if found(data)}
    if places:
        leaks = {what: near for what, near in leaks.items() if any(mark in text for text in near for mark in wanted)}
    assert leaks == {}


def test_REC_01_a_key_in_authorization_is_in_no_file_and_in_no_output(written: Written) -> None:
    """Of every shape, with the scheme and without, and wherever else the exchange repeats it."""
    assert_nowhere(written, "authorization", "authorization without a scheme", "header and everywhere")


def test_REC_02_keys_in_other_headers_are_in_no_file_and_in_no_output(written: Written) -> None:
    """Those of other clouds, cookies both ways, for proxies, and Basic with odd blanks and no padding."""
    names = ("api-key", "x-api-key", "subscription key", "google key", "cookie", "proxy-authorization", "basic")
    assert_nowhere(written, *names, "answer: set-cookie", "answer: x-api-key", "trailer")


def test_REC_03_keys_in_addresses_are_in_no_file_and_in_no_output(written: Written) -> None:
    """In queries, user information and Referer, and where answers point to."""
    queries = ("query api_key", "query key", "query access_token", "query sig")
    assert_nowhere(written, *queries, "referer", "answer: location", "answer: link")


def test_planted_keys_are_nowhere_but_at_the_upstream(written: Written) -> None:
    """Fifteen shapes and more in twelve places and more, under the most verbose logging."""
    assert len(SHAPES) >= 15
    assert {plant.place for plant in written.plants} == {*QUESTIONS, *ANSWERS}
    assert_nowhere(written)


def test_the_upstream_and_the_app_got_every_key(written: Written) -> None:
    """There was something to find: each request arrived with its key, each answer came back with it."""
    assert written.arrived.keys() == written.answered.keys() == {plant.number for plant in written.plants}
    for plant in written.plants:
        arrived, hidden = written.arrived[plant.number], ("trailer", "proxy-authorization", "json in gzip")
        if plant.place in QUESTIONS and plant.place not in hidden:
            assert found(arrived), plant
        if plant.place in ANSWERS and not any(word in plant.place for word in ("gzip", "coding", "pieces")):
            assert found(written.answered[plant.number]), plant


def test_everything_was_recorded_and_played(written: Written) -> None:
    """The cassette holds an interaction for every plant, and playing it answered all of them."""
    cassette = next(data for what, data in written.texts.items() if what.endswith(" record c.yaml"))
    assert cassette.count(b"\n--- # ") == len(written.plants)
    played = [data for what, data in written.texts.items() if " played " in what and data.startswith(b"HTTP/1.1 ")]
    assert len(played) == len(written.plants)
    assert not [data for data in played if data.startswith(b"HTTP/1.1 424")]
    assert next(data for what, data in written.texts.items() if what.endswith(" missed")).startswith(b"HTTP/1.1 424")


def test_everything_was_told(written: Written) -> None:
    """Debug messages of the loop, the lines of the log, where the process was when it was aborted."""
    told = {what.partition(" ")[2]: data for what, data in written.texts.items()}
    assert b" asyncio " in told["record stderr"]
    assert told["record stderr"].count(b" saved ") >= len(written.plants)
    assert b"Current thread" in told["failed stderr"]


@pytest.mark.parametrize("size", [100_000, 9_000_000])
def test_an_upload_under_way_is_in_no_file_with_a_name(size: int, tmp_path: Path) -> None:
    """Neither in the folder of the cassette nor in that of temporary files, and afterwards it is nowhere."""
    plant = next(plant for plant in plants() if plant.shape == "openai project")
    upstream, body = ScriptedUpstream(), f"{plant.text} ".encode() * (size // 60)
    (tmp_path / "tmp").mkdir()
    with in_background(raw_upstream(upstream.visited)) as raw:
        upstream.answer(PLAIN)
        with verbose(tmp_path, "record", "--cassette", "c.yaml", "--upstream", raw.url) as proxy:
            parts = urlsplit(proxy.url)
            head = f"POST /v1/files HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as line:
                line.sendall(head + body[:-1])
                under_way = Written()
                keep_files(under_way, tmp_path, "under way")
                line.sendall(body[-1:])
                assert line.recv(65536).startswith(b"HTTP/1.1 200")
        keep_output(under_way, proxy, "ended")
        keep_files(under_way, tmp_path, "ended")
    assert_nowhere(under_way)
    assert plant.secret.encode() in upstream.requests[0].body
