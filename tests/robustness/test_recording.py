"""What was recorded stays, whatever happens: kills, full disks, other recorders, breaks, edits."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import FileBody, Headers, Request, Response
from replayproxy.stores import FileStore
from tests.builders import JSON
from tests.processes import Running, ended
from tests.robustness.harness import OK, Answer, Stage, staged
from tests.servers import Visit

MODES = ("record", "auto")
#: Bodies from this size on stand in files of their own.
SMALL_INLINE = {"REPLAYPROXY_RECORD__INLINE_LIMIT": "4096"}


def answer(body: bytes, fields: bytes = b"Content-Type: application/json\r\n") -> bytes:
    """An answer with a length."""
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (fields, len(body), body)


def numbered(filling: int) -> Callable[[Visit], Any]:
    """A script that answers `/v1/items/N` with N and so many letters."""

    async def script(visit: Visit) -> None:
        while True:
            number = (await visit.request()).split(b" ", 2)[1].rpartition(b"/")[2].decode()
            await visit.send(answer(json.dumps({"number": number, "filling": "x" * filling}).encode()))

    return script


def ask(stage: Stage, number: int) -> bytes:
    """The answer to `/v1/items/N`, which has to be whole."""
    got = stage.say(b"GET /v1/items/%d" % number)
    assert (got.status, got.whole) == (200, True), got
    return got.body


def saved(folder: Path, name: str = "c.yaml") -> dict[int, bytes]:
    """The bodies in the cassette by the numbers they were asked for with."""
    store = FileStore(folder / name)
    found = dict[int, bytes]()
    for interaction in store.load().interactions:
        body = interaction.response.body
        if isinstance(body, FileBody):
            with store.open_body(body) as file:
                body = file.read()
        found[int(interaction.request.path.rpartition("/")[2])] = body
    return found


def documents(folder: Path) -> list[Any]:
    """The cassette as any reader of YAML takes it."""
    return list(yaml.safe_load_all((folder / "c.yaml").read_text("utf-8")))


def played(folder: Path, path: bytes) -> Answer:
    """The answer that a playback of the cassette gives; it has no upstream."""
    with staged(folder, mode="playback") as stage:
        return stage.say(b"GET " + path)


@contextmanager
def file_sizes(running: Running, limit: int) -> Iterator[None]:
    """No file of the process can grow beyond `limit` bytes meanwhile: a disk that is full, as far as it can tell."""
    pid, (_, hard) = running.process.pid, resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))


# --- kill -9


@pytest.mark.parametrize(("mode", "fsync"), [("record", "never"), ("auto", "interval"), ("record", "always")])
def test_REC_09_a_killed_recording_has_every_answer(folder: Path, mode: str, fsync: str) -> None:
    """kill -9 after 20 answers: other readers open the file, and all of them are there; the next process goes on."""
    with staged(folder, mode=mode, **SMALL_INLINE, REPLAYPROXY_RECORD__FSYNC=fsync) as stage:
        stage.upstream.follow(numbered(10))
        got = {number: ask(stage, number) for number in range(20)}
        stage.proxy.process.send_signal(signal.SIGKILL)
        stage.proxy.process.wait()
    assert len(documents(folder)) == 21
    assert saved(folder) == got
    with staged(folder, mode="auto") as stage:
        assert {number: ask(stage, number) for number in range(20)} == got
        assert not stage.upstream.connections
        assert ask(stage, 20) == b'{"fine": "yes"}'
    assert stage.proxy.status == 0
    assert list(saved(folder)) == list(range(21))


def test_what_a_killed_recording_leaves_beside_goes_with_the_next(folder: Path) -> None:
    """Half a large body and half a rewritten file do not pile up, kill by kill; the lock is nobody's."""
    with staged(folder, mode="auto", **SMALL_INLINE) as stage:
        stage.upstream.follow(numbered(10_000))
        ask(stage, 1)
        stage.proxy.process.kill()
        stage.proxy.process.wait()
    (folder / "c.files" / ".spool-abc").write_bytes(b"x" * 100)
    for name in ("c.files/.0123.json.new", ".c.yaml.new", ".c.yaml~.new"):
        (folder / name).write_bytes(b"x" * 100)
    with staged(folder, mode="auto", **SMALL_INLINE) as stage:
        assert [each.name for each in folder.rglob(".*")] == [".c.yaml.lock"]
    assert sorted(each.name for each in folder.iterdir()) == ["c.files", "c.yaml"]


# --- full disks


#: How much room there is left, in bytes, in turn.
ROOMS = (0, 1, 40, 400, 700, 1500)


@pytest.mark.parametrize("filling", [300, 20_000])
@pytest.mark.parametrize("mode", MODES)
def test_REC_11_a_full_disk_loses_only_what_does_not_fit(folder: Path, mode: str, filling: int) -> None:
    """Clients get their answers, what was saved is whole, the rest is said loudly; with room again it goes on."""
    with staged(folder, "--receipt", "r.json", mode=mode, **SMALL_INLINE) as stage:
        stage.upstream.follow(numbered(filling))
        got = {number: ask(stage, number) for number in range(4)}
        kept, lost, numbers = set(got), 0, itertools.count(4)
        for room in ROOMS:
            with file_sizes(stage.proxy, (folder / "c.yaml").stat().st_size + room):
                some = list(itertools.islice(numbers, 4))
                got |= {number: ask(stage, number) for number in some}
                there = set(saved(folder))
                assert kept <= there < kept | set(some)
                lost += len(kept) + 4 - len(there)
            number = next(numbers)
            got[number] = ask(stage, number)
            kept = there | {number}
            assert saved(folder) == {number: got[number] for number in kept}
    assert stage.proxy.status == 1
    assert "not saved: " in stage.proxy.err  # as far as its own log had room
    assert f"{lost} answer(s) could not be saved" in stage.proxy.err
    assert json.loads((folder / "r.json").read_text())["counts"]["lost"] == lost
    assert saved(folder) == {number: got[number] for number in kept}
    assert [each.name for each in folder.iterdir() if each.name.endswith((".new", ".torn", ".lock"))] == []


def test_REC_11_an_earlier_take_survives_a_full_disk(folder: Path) -> None:
    """Recording over it on a full disk leaves it as it was, or replaces it by a whole one."""
    with staged(folder, mode="record") as stage:
        stage.upstream.follow(numbered(3000))
        got = {number: ask(stage, number) for number in range(3)}
    before = (folder / "c.yaml").read_bytes()
    with staged(folder, mode="record") as stage:
        stage.upstream.follow(numbered(3000))
        for room in (0, 50, 600):
            with file_sizes(stage.proxy, room):
                assert ask(stage, 0) == got[0]
                assert (folder / "c.yaml").read_bytes() == before
    assert stage.proxy.status == 1
    assert (folder / "c.yaml").read_bytes() == before
    assert not (folder / "c.yaml~").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 KiB, where one can be had."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", place], check=False).returncode
    ):
        pytest.skip("only root can mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize(("mode", "filling"), [("record", 3000), ("auto", 20_000)])
def test_REC_11_a_disk_without_space(small_disk: Path, mode: str, filling: int) -> None:
    """The same when the system says that nothing is left, for side files and for the cassette alike."""
    with staged(small_disk, mode=mode, **SMALL_INLINE) as stage:
        stage.upstream.follow(numbered(filling))
        (small_disk / "ballast").write_bytes(b"x" * 8192)
        got = {number: ask(stage, number) for number in range(40)}
        meanwhile = saved(small_disk)
        assert 0 < len(meanwhile) < 40
        assert {number: got[number] for number in meanwhile} == meanwhile
        (small_disk / "ballast").unlink()
        assert ask(stage, 40) == got[0].replace(b'"0"', b'"40"') or filling > 8000
    assert stage.proxy.status == 1
    assert stage.proxy.err.count("not saved: ") >= 40 - len(meanwhile)
    after = saved(small_disk)
    assert {number: got[number] for number in meanwhile} == {number: after[number] for number in meanwhile}


# --- places and other recorders


@pytest.mark.parametrize("mode", MODES)
def test_REC_12_a_folder_that_is_a_file_stops_the_start(folder: Path, mode: str) -> None:
    """One line, no traceback, exit 2."""
    (folder / "file").write_text("")
    _check_refused(folder, mode, "file/c.yaml", "Not a directory")


@pytest.mark.parametrize("mode", MODES)
def test_REC_12_a_folder_that_cannot_be_written_stops_the_start(folder: Path, mode: str) -> None:
    """As above; where rights do not stop us, a disk that is mounted to be read does."""
    place = folder / "closed"
    place.mkdir()
    if os.geteuid():
        place.chmod(0o500)
        _check_refused(folder, mode, "closed/c.yaml", "Permission denied")
        return
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=4k", "tmpfs", place], check=False).returncode:
        pytest.skip("rights do not stop this user, and nothing can be mounted")
    try:
        _check_refused(folder, mode, "closed/c.yaml", "Read-only file system")
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("first", MODES)
def test_REC_14_a_second_recorder_is_refused(folder: Path, first: str) -> None:
    """With the process that has the cassette; the first one goes on and loses nothing."""
    with staged(folder, mode=first) as stage:
        stage.upstream.follow(numbered(10))
        ask(stage, 1)
        told = f"another replayproxy records into it (process {stage.proxy.process.pid})"
        for second in MODES:
            _check_refused(folder, second, "c.yaml", told)
        ask(stage, 2)
    assert list(saved(folder)) == [1, 2]


def test_REC_14_a_player_beside_a_recorder_is_welcome(folder: Path) -> None:
    """It plays what was there when it began, and says so when that is not true any more."""
    with staged(folder, mode="auto") as stage:
        ask(stage, 1)
        got = played(folder, b"/v1/items/1")
        assert (got.status, got.body) == (200, b'{"fine": "yes"}')


def _check_refused(folder: Path, mode: str, cassette: str, what: str) -> None:
    ports = ("--port", "0", "--admin-port", "0", "--upstream", "http://127.0.0.1:9")
    done = ended("serve", "--mode", mode, "--cassette", cassette, *ports, cwd=folder)
    assert done.returncode == 2, done
    assert done.stdout == ""
    told = [line for line in done.stderr.splitlines() if what in line]
    assert len(told) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


# --- breaks


async def _slow_events(visit: Visit) -> None:
    while True:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(10):
            event = b'data: {"n": %d}\n\n' % number
            await visit.send(b"%x\r\n%b\r\n" % (len(event), event))
            await asyncio.sleep(0.1)
        await visit.send(b"0\r\n\r\n")


@pytest.mark.parametrize(("mode", "number"), [("record", signal.SIGTERM), ("auto", signal.SIGINT)])
def test_REC_15_a_stream_under_way_is_finished_and_saved(folder: Path, mode: str, number: int) -> None:
    """SIGTERM in the middle of it: the client gets all of it, the process ends with 0, the cassette has it."""
    with staged(folder, mode=mode) as stage:
        stage.upstream.follow(_slow_events)
        line = stage.line()
        line.send(b"GET /v1/stream HTTP/1.1\r\nHost: %b\r\n\r\n" % stage.host)
        first = line.more()
        began = time.monotonic()
        stage.proxy.process.send_signal(number)
        rest = line.everything()
        stage.proxy.finish()
        assert time.monotonic() - began < 10
    assert stage.proxy.status == 0
    assert (first + rest).endswith(b"0\r\n\r\n")
    body = FileStore(folder / "c.yaml").load().interactions[0].response.body
    assert body == b"".join(b'data: {"n": %d}\n\n' % each for each in range(10))


BROKEN = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nhalf",
    "no-body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
    "events": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"9\r\ndata: 1\n\n\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 90\r\n\r\n\x1f\x8b\x08",
}


@pytest.mark.parametrize("failures", [False, True])
def test_REC_17_half_an_answer_is_never_played_as_a_whole(folder: Path, failures: bool) -> None:
    """It is not recorded; with --record-failures it is, and breaks in the same place."""

    async def script(visit: Visit) -> None:
        _, name, end = (await visit.request()).split(b" ")[1].rsplit(b"/", 2)
        await visit.send(BROKEN[name.decode()])
        if end == b"reset":
            visit.reset()

    targets = [f"/v1/{name}/{end}".encode() for name in BROKEN for end in ("fin", "reset")]
    with staged(folder, *["--record-failures"] * failures, mode="record") as stage:
        stage.upstream.follow(script)
        live = {target: stage.say(b"GET " + target) for target in targets}
        stage.upstream.answer(OK)
        stage.say(b"GET /v1/fine")
    with staged(folder, mode="playback") as stage:
        for target in targets:
            got = stage.say(b"GET " + target)
            assert not live[target].whole or live[target].status >= 500
            if failures:
                assert not got.whole or got.status == live[target].status >= 500, (target, got)
                assert live[target].body.startswith(got.body) or b"gzip" in target
            else:
                assert got.status == 424, (target, got)


BYTES = {
    "all": bytes(range(256)) * 3,
    "empty": b"",
    "nel": "a\x85b\u2028c\u2029d".encode(),
    "bom": b"\xef\xbb\xbf{}",
    "crlf": b"a\r\nb\rc\n\n\r\n",
    "surrogate": b'{"a": "\\ud800"}',
    "raw surrogate": b'"\xed\xa0\x80"',
    "blanks": b" a \t\n  \n b \n ",
    "marks": b"---\n...\n--- # 1: x\n... # key 1 0 0\n%YAML 1.1\n",
    "nul": b"\0",
    "escapes": b"\x1b[31m\x9b",
    "yaml": b"- &a [*a, !!binary x]\n<<: {a: 1}\n",
    "utf-16": "{}".encode("utf-16"),
    "ambiguous": b'{"<<": {"a": 1}, "y": "NO", "=": "1:30", "~": "0777", "a": "1e3", "b": "2001-01-01", "null": "~"}',
    "numbers": b'{"a": 1.0, "b": 1E400, "c": -0, "d": 123456789012345678901234567890}',
}


MEDIA = (b"application/json", b"text/plain", b"text/event-stream", b"application/octet-stream")


def test_REC_19_every_byte_comes_back(folder: Path) -> None:
    """Whatever it is declared to be, plain or compressed; and other readers open the cassette."""
    cases = [(media, coded, body) for media in MEDIA for coded in (False, True) for body in BYTES.values()]

    async def script(visit: Visit) -> None:
        while True:
            place = int((await visit.request()).split(b" ", 2)[1].rpartition(b"/")[2])
            media, coded, body = cases[place]
            coding = b"Content-Encoding: gzip\r\n" if coded else b""
            sent = gzip.compress(body, mtime=0) if coded else body
            await visit.send(answer(sent, b"Content-Type: %b\r\n%b" % (media, coding)))

    with staged(folder, mode="record") as stage:
        stage.upstream.follow(script)
        for place in range(len(cases)):
            assert stage.say(b"GET /v1/%d" % place, b"Accept-Encoding: gzip\r\n").status == 200
    assert len(documents(folder)) == 1 + len(cases)
    with staged(folder, mode="playback") as stage:
        for place, (_, coded, body) in enumerate(cases):
            got = stage.say(b"GET /v1/%d" % place, b"Accept-Encoding: gzip\r\n")
            assert got.header("content-encoding") == ("gzip" if coded else None)
            assert (gzip.decompress(got.body) if coded else got.body) == body
            assert stage.say(b"GET /v1/%d" % place).body == body
    assert stage.proxy.status == 0


@pytest.mark.parametrize("cassette", [True, False])
def test_REC_22_playback_asks_nobody(folder: Path, cassette: bool) -> None:
    """An unrecorded request is refused, although an upstream is named and up; it never sees a connection."""
    if cassette:
        with staged(folder, mode="record") as stage:
            stage.say(b"GET /v1/there")
    with staged(folder, mode="auto") as upstream_only:
        with staged(folder, "--upstream", upstream_only.upstream.url, mode="playback") as stage:
            for text in (b"GET /v1/elsewhere", b"POST /v1/there", b"GET http://127.0.0.1:1/v1/there2", b"HEAD /v1/x"):
                got = stage.say(text)
                assert 400 <= got.status < 600
            assert not stage.upstream.connections
        assert not upstream_only.upstream.connections
    assert stage.proxy.status == 1


# --- edits while it is used


def _recorded(folder: Path, count: int = 4) -> bytes:
    """A cassette of so many answers of `numbered(10)`; what is in it."""
    recorder = FileStore(folder / "c.yaml").replace_take(Head())
    for number in range(count):
        body = json.dumps({"number": str(number), "filling": "x" * 10}).encode()
        asked = Request("GET", f"/v1/items/{number}", Headers())
        recorder.append(Interaction(asked, Response(200, "OK", JSON, body)), number)
    recorder.close()
    return (folder / "c.yaml").read_bytes()


def _in_place(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()


def _renamed(path: Path, content: bytes) -> None:
    path.with_name("new").write_bytes(content)
    path.with_name("new").replace(path)


EDITS: dict[str, Callable[[bytes], bytes]] = {
    "answers": lambda raw: raw.replace(b"filling: xxx", b"filling: yyy"),
    "longer": lambda raw: raw.replace(b"filling: xxx", b"filling: xxxxxxxxxxxxxxx"),
    "cut": lambda raw: raw[: len(raw) // 2],
    "empty": lambda raw: b"",
    "one less": lambda raw: raw[: raw.index(b"--- # 4")],
    "appended": lambda raw: raw + raw[raw.index(b"--- # 4") :].replace(b"items/3", b"items/9"),
    "other order": lambda raw: _swapped(raw, b"items/1", b"items/2"),
    "rubbish": lambda raw: b"\x00" * len(raw),
}


def _swapped(raw: bytes, one: bytes, other: bytes) -> bytes:
    return raw.replace(one, b"\0").replace(other, one).replace(b"\0", other)


@pytest.mark.parametrize("write", [_in_place, _renamed])
def test_an_edit_is_played_or_refused(folder: Path, write: Callable[[Path, bytes], None]) -> None:
    """Whichever way the cassette is changed under a playback: no answer is half of one and half of another, and none is
    one that is no longer there; the receipt and the exit status tell. What is changed back is played again."""
    raw = _recorded(folder)
    with staged(folder, mode="playback") as stage:
        for edit in EDITS.values():
            before = [ask(stage, number) for number in range(4)]
            write(folder / "c.yaml", changed := edit(raw))
            for number in (0, 1, 2, 1, 3):
                got = stage.say(b"GET /v1/items/%d" % number)
                assert (got.status, got.whole) == (424, True) or _is_in(changed, number, got), got
            write(folder / "c.yaml", raw)
            assert [ask(stage, number) for number in range(4)] == before
    assert stage.proxy.status == 1
    assert "changed while it is played" in stage.proxy.err


def _is_in(changed: bytes, number: int, got: Answer) -> bool:
    """Whether that is what the changed cassette says."""
    found = list(yaml.safe_load_all(changed.decode()))[1:]
    told = [each["response"]["body"]["json"] for each in found if each["request"]["target"] == f"/v1/items/{number}"]
    return got.status == 200 and json.loads(got.body) in told


def test_a_playback_whose_cassette_was_broken_does_not_pass(folder: Path) -> None:
    """Also when what is left of it cannot be told any more."""
    raw = _recorded(folder)
    with staged(folder, mode="playback") as stage:
        ask(stage, 0)
        _in_place(folder / "c.yaml", b"\x00" * len(raw))
        assert stage.say(b"GET /v1/items/1").status == 424
    assert stage.proxy.status == 1
    assert "changed while it is played" in stage.proxy.err


@pytest.mark.parametrize("write", [_in_place, _renamed])
def test_the_same_content_written_again_is_no_edit(folder: Path, write: Callable[[Path, bytes], None]) -> None:
    """A checkout that changes nothing, say; so is one that was changed back."""
    raw = _recorded(folder)
    with staged(folder, mode="playback") as stage:
        ask(stage, 0)
        write(folder / "c.yaml", raw)
        ask(stage, 1)
        write(folder / "c.yaml", b"---\n")
        assert stage.say(b"GET /v1/items/2").status == 424
        write(folder / "c.yaml", raw)
        ask(stage, 2)
        ask(stage, 3)


def test_a_folder_that_is_moved_is_told(folder: Path) -> None:
    """Its cassettes are not where they were."""
    (folder / "a").mkdir()
    _recorded(folder / "a")
    with staged(folder / "a", mode="playback") as stage:
        ask(stage, 0)
        (folder / "a").rename(folder / "b")
        assert stage.say(b"GET /v1/items/0").status == 424
        (folder / "b").rename(folder / "a")
        ask(stage, 1)


@pytest.mark.parametrize("write", [_in_place, _renamed])
@pytest.mark.parametrize("mode", MODES)
def test_an_edit_while_it_is_recorded_is_never_written_over(
    folder: Path, mode: str, write: Callable[[Path, bytes], None]
) -> None:
    """What somebody else put there stays; what could not be saved is told on the log and by the exit status."""
    edits: dict[str, Callable[[bytes], bytes] | None] = {**EDITS, "gone": None}
    changed = dict[str, bytes]()
    with staged(folder, "--receipt", "r.json", mode=mode) as stage:
        stage.upstream.follow(numbered(10))
        for name, edit in edits.items():
            session, path = name.replace(" ", "-"), folder / f"{name.replace(' ', '-')}.yaml"
            for number in range(4):
                assert stage.say(f"GET /@{session}/v1/items/{number}".encode()).status == 200
            raw = path.read_bytes()
            changed[name] = edit(raw) if edit else b""
            if edit is None:
                path.unlink()
            else:
                write(path, changed[name])
            got = stage.say(f"GET /@{session}/v1/items/7".encode())
            assert (got.status, got.whole) in ((200, True), (424, True)), got
            there = path.read_bytes() if path.exists() else b""
            if len(changed[name]) == len(raw) and write is _in_place:  # nothing in it is ours to judge: it is added to
                assert there.startswith(changed[name])
                changed[name] = there
            assert there == changed[name]
    for name, content in changed.items():
        path = folder / f"{name.replace(' ', '-')}.yaml"
        assert (path.read_bytes() if path.exists() else b"") == content
    assert stage.proxy.status == 1
    failed = {each["name"] for each in json.loads((folder / "r.json").read_text())["sessions"] if not each["passed"]}
    assert {"longer", "cut", "empty", "one-less", "appended", "gone"} <= failed


@pytest.mark.parametrize("write", [_in_place, _renamed])
def test_an_edit_before_the_first_answer_of_a_new_take_is_not_written_over(
    folder: Path, write: Callable[[Path, bytes], None]
) -> None:
    """It may be the reason why somebody records again; the new take is not saved, and that is told."""
    raw = _recorded(folder)
    changed = EDITS["longer"](raw)
    with staged(folder, mode="record") as stage:
        write(folder / "c.yaml", changed)
        stage.upstream.follow(numbered(10))
        ask(stage, 0)
    assert (folder / "c.yaml").read_bytes() == changed
    assert stage.proxy.status == 1
    assert "changed while it was recorded" in stage.proxy.err


# --- rights


def _modes(folder: Path) -> dict[str, int]:
    return {str(each.relative_to(folder)): each.stat().st_mode & 0o777 for each in folder.rglob("*")}


def test_files_are_for_their_owner_only(folder: Path) -> None:
    """Whatever the process makes while it records, in the folders that it makes; umask or no."""
    umask = os.umask(0)
    try:
        files = ("--cassette", "a/b/c.yaml", "--receipt", "r/r.json", "--junit", "r/r.xml")
        with staged(folder, *files, mode="record", **SMALL_INLINE) as stage:
            stage.upstream.follow(numbered(10_000))
            for number in range(3):
                ask(stage, number)
            modes = _modes(folder)
    finally:
        os.umask(umask)
    modes |= _modes(folder)
    assert any(name.endswith(".lock") for name in modes)
    assert any(".files/" in name for name in modes)
    assert {name: oct(mode) for name, mode in modes.items() if mode not in (0o600, 0o700)} == {}


def test_a_committed_cassette_stays_readable(folder: Path) -> None:
    """Recording over it, adding to it and putting it in order keep the rights of the file that was there."""
    _recorded(folder)
    for mode in ("auto", "record"):
        (folder / "c.yaml").chmod(0o644)
        with staged(folder, mode=mode) as stage:
            stage.upstream.follow(numbered(20))
            ask(stage, 9)
            ask(stage, 8)
        assert (folder / "c.yaml").stat().st_mode & 0o777 == 0o644
    assert (folder / "c.yaml~").stat().st_mode & 0o777 == 0o600
