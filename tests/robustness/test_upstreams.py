"""UPS: a faulty upstream, in every mode that has one."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.processes import wait_until
from tests.robustness.conftest import IDLE
from tests.robustness.faulty import BROKEN, ENDLESS, REFUSED, STALLED, doing, target_of
from tests.robustness.harness import OK, Answer, Stage, staged
from tests.servers import Script, Visit

_numbers = itertools.count()
#: What is the same in every mode needs only one.
in_one_mode = pytest.mark.parametrize("_way", ["record"], indirect=True)


def chunks(*pieces: bytes) -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def refused(got: Answer, status: int = 502) -> bool:
    """Whether an answer is an error of ours, whole and in the API's form."""
    assert (got.status, got.whole, got.header("content-type")) == (status, True, "application/json"), got
    error = json.loads(got.body)["error"]
    return bool(error["type"] == "upstream_error" and error["message"].startswith("replayproxy got no answer"))


def nothing_saved(stage: Stage, target: bytes) -> None:
    """The exchange counts as failed with a reason, and the cassette knows nothing of it."""
    last = [
        told for told in stage.asked("/exchanges?limit=50")["exchanges"] if told["request"]["target"] == target.decode()
    ]
    assert last[-1]["outcome"] == "failed"
    assert last[-1]["note"]
    cassette = stage.folder / "c.yaml"
    assert not cassette.exists() or target not in cassette.read_bytes()


def answering_each(stage: Stage, *answers: tuple[bytes, str]) -> None:
    """The next connections answer one request each, and then `close`, `reset` or `stay`."""
    left = list(answers)

    async def script(visit: Visit) -> None:
        data, end = left.pop(0) if len(left) > 1 else left[0]
        await stage.upstream.take(visit)
        await visit.send(data)
        if end == "stay":
            await visit.reader.read()
        elif end == "reset":
            visit.reset()

    stage.upstream.follow(script)


# --- every fault in every mode


def test_UPS_08_what_is_no_answer_is_never_passed_on(way: Stage) -> None:
    """Garbage, and answers that end before their head does, become an error that tells what the upstream did."""
    way.upstream.follow(doing(way.upstream))
    for name in REFUSED:
        assert refused(way.say(b"GET " + target_of(name))), name
        nothing_saved(way, target_of(name))
        assert way.say(b"GET /v1/between/%d" % next(_numbers)).body == b'{"fine": "yes"}', name


def test_UPS_05_a_broken_answer_breaks(way: Stage) -> None:
    """The client gets the beginning that there was, and no end."""
    way.upstream.follow(doing(way.upstream))
    for name in BROKEN:
        got = way.say(b"GET " + target_of(name))
        assert (got.status in (0, 200), got.closed, got.whole) == (True, True, False), name
        nothing_saved(way, target_of(name))
        assert way.say(b"GET /v1/between/%d" % next(_numbers)).body == b'{"fine": "yes"}', name


def test_UPS_13_a_stall_ends(way: Stage) -> None:
    """An upstream that says no more is left, wherever it stopped; all at once, since each takes its time."""
    way.upstream.follow(doing(way.upstream))
    began = time.monotonic()
    lines = {}
    for name in STALLED:
        lines[name] = line = way.line()
        line.send(b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target_of(name), way.host))
    for name, line in lines.items():
        got = line.answer()
        if got.status == 200:
            assert got.closed
            assert not got.whole, name
        else:
            assert refused(got, 504), name
        nothing_saved(way, target_of(name))
    assert time.monotonic() - began < IDLE + 2


def test_UPS_08_what_never_ends_is_ended(way: Stage) -> None:
    """Whatever grows without bringing the answer on has a bound: memory stays flat, and the upstream is left."""
    way.upstream.follow(doing(way.upstream))
    before = way.resident()
    for name in ENDLESS:
        got = way.say(b"GET " + target_of(name))
        assert not got.whole if got.status == 200 else refused(got), name
        nothing_saved(way, target_of(name))
    assert way.resident() - before < 16 << 20


def test_an_endless_body_flows_as_long_as_it_is_wanted(way: Stage) -> None:
    """It has no bound of its own: memory stays flat, and when the client has had enough the upstream is left."""
    block = bytes(64 * 1024)

    async def script(visit: Visit) -> None:
        await way.upstream.take(visit)
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n")
        while True:
            await visit.send(block)

    way.upstream.follow(script)
    before, line, taken = way.resident(), way.line(), 0
    line.send(b"GET /v1/endless HTTP/1.1\r\nHost: %b\r\n\r\n" % way.host)
    while taken < 32 << 20:
        taken += len(line.more())
    assert way.resident() - before < 64 << 20
    line.close()


@pytest.mark.parametrize("mode", ["record", "auto"])
def test_no_fault_is_ever_played_as_a_whole_answer(folder: Path, mode: str) -> None:
    """Recorded with failures, each plays as what it was, or as nothing; without its upstream."""
    names = [*REFUSED, *BROKEN, *ENDLESS]
    with staged(folder, "--record-failures", mode=mode) as stage:
        stage.upstream.follow(doing(stage.upstream))
        for name in names:
            stage.send(b"GET %b HTTP/1.1\r\nHost: {host}\r\n\r\n" % target_of(name))
    with staged(folder, mode="playback") as stage:
        for name in names:
            got = stage.send(b"GET %b HTTP/1.1\r\nHost: {host}\r\n\r\n" % target_of(name))
            assert not (got.whole and got.status == 200), name
            assert name not in REFUSED or got.status in (0, 502), name


def test_faults_meet_several_workers_too(folder: Path) -> None:
    """Some of each kind, many at once."""
    names = [*list(REFUSED)[::6], *list(BROKEN)[::3], *list(ENDLESS)[::3]]
    with staged(folder, "--workers", "2") as stage:
        stage.upstream.follow(doing(stage.upstream))
        lines = {name: stage.line() for name in names}
        for name, line in lines.items():
            line.send(b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target_of(name), stage.host))
        for name, line in lines.items():
            got = line.answer()
            assert not got.whole if got.status in (0, 200) else refused(got), name
        wait_until(lambda: not stage.upstream_connections())
        stage.check()
    assert b"faults" not in (folder / "c.yaml").read_bytes()


# --- the rows


def test_UPS_01_nobody_listens(folder: Path) -> None:
    """A closed port is an error within moments."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with staged(folder, "--upstream", url) as stage:
            began = time.monotonic()
            got = stage.say(b"POST /v1/responses", body=b"{}")
            assert refused(got)
            assert b"refused" in got.body
            assert time.monotonic() - began < 5
    assert "Traceback" not in stage.proxy.err


def test_UPS_01_nobody_takes_the_connection(folder: Path) -> None:
    """A host that answers nothing at all costs connect_timeout."""
    with socket.socket() as full, contextlib.ExitStack() as held:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # whoever waits to be accepted fills the queue: the next is not answered
            waiting = held.enter_context(contextlib.closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with staged(folder, "--upstream", url, REPLAYPROXY_UPSTREAM__CONNECT_TIMEOUT="0.5") as stage:
            assert refused(stage.say(b"POST /v1/responses", body=b"{}"), 504)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_UPS_02_no_byte_comes_back(way: Stage, end: str) -> None:
    """An upstream that hangs up instead of answering a new connection is asked once."""
    answering_each(way, (b"", end))
    assert refused(way.say(b"POST /v1/responses", body=b"{}"))
    assert len(way.upstream.requests) == 1


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("length", [0, 1, 99_999])
def test_UPS_04_a_body_shorter_than_its_length(way: Stage, length: int, end: str) -> None:
    """However much of it came, the client sees that it is not all."""
    target = b"/v1/short/%d/%b" % (length, end.encode())
    answering_each(way, (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(length), end))
    got = way.say(b"GET " + target)
    assert got.status in (0, 200)
    assert len(got.body) <= length
    assert not got.whole
    nothing_saved(way, target)


def test_UPS_06_a_reset_in_the_middle_of_an_event_stream(way: Stage) -> None:
    """The events so far have arrived before the connection breaks."""
    event, heard = b'data: {"n": 1}\n\n', threading.Event()

    async def script(visit: Visit) -> None:
        await way.upstream.take(visit)
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            await visit.send(b"%x\r\n%b\r\n" % (len(event), event))
        while not heard.is_set():
            await asyncio.sleep(0.005)
        visit.reset()

    way.upstream.follow(script)
    line = way.line()
    line.send(b"POST /v1/reset/stream HTTP/1.1\r\nHost: %b\r\nContent-Length: 2\r\n\r\n{}" % way.host)
    seen = b""
    while seen.count(event) < 3:
        seen += line.more()
    heard.set()
    assert not (seen + line.everything()).endswith(b"0\r\n\r\n")
    nothing_saved(way, b"/v1/reset/stream")


POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
POISONED: dict[str, tuple[bytes, bytes]] = {
    "an answer behind an answer": (b"GET", OK + POISON),
    "two answers behind one": (b"GET", OK + POISON * 2),
    "part of an answer": (b"GET", OK + POISON[:20]),
    "behind chunks": (b"GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(b"ok") + POISON),
    "behind 204": (b"DELETE", b"HTTP/1.1 204 No Content\r\n\r\n" + POISON),
    "a body of 204": (b"DELETE", b"HTTP/1.1 204 No Content\r\nContent-Length: 51\r\n\r\n" + POISON),
    "a chunked body of 204": (b"DELETE", b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(POISON)),
    "behind 304": (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 51\r\n\r\n" + POISON),
    "behind HEAD": (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 51\r\n\r\n" + POISON),
    "a chunked body of HEAD": (b"HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(POISON)),
    "half a body of HEAD": (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + POISON),
    "behind an empty answer": (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + POISON),
    "behind an answer that closes": (
        b"GET",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" + POISON,
    ),
}


@in_one_mode
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("name", POISONED)
def test_UPS_10_an_answer_nobody_asked_for(way: Stage, name: str, later: bool) -> None:
    """It spoils the connection it came on, and never becomes the next client's answer."""
    method, answer = POISONED[name]
    answer_end = answer.index(b"\r\n\r\n") + 4
    if method == b"GET" and b"Content-Length: 15" in answer:
        answer_end = len(OK)
    elif method == b"GET" and b"chunked" in answer:
        answer_end = len(answer) - len(POISON)
    clean, first, sent, gone = answer[:answer_end], threading.Event(), threading.Event(), threading.Event()

    async def script(visit: Visit) -> None:
        try:
            arrived = await way.upstream.take(visit)
            while arrived.target.startswith(b"/v1/clean"):
                await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean")
                arrived = await way.upstream.take(visit)
            await visit.send(clean if later else answer)
            while later and not first.is_set():
                await asyncio.sleep(0.001)
            with contextlib.suppress(ConnectionError):
                await visit.send(answer[len(clean) :] if later else b"")
            sent.set()
            await visit.reader.read()
        finally:
            gone.set()

    way.upstream.follow(script)
    number = next(_numbers)
    line = way.line()
    line.send(b"%b /v1/poisoned/%d HTTP/1.1\r\nHost: %b\r\n\r\n" % (method, number, way.host))
    assert b"poison" not in line.answer(method).body
    first.set()
    assert sent.wait(10)
    for turn in range(3):
        got = way.send(b"GET /v1/clean/%d/%d HTTP/1.1\r\nHost: {host}\r\n\r\n" % (number, turn))
        assert (got.status, got.body, got.rest) == (200, b"clean", b"")
    assert gone.wait(10)


def test_UPS_10_an_answer_that_waits_unseen(folder: Path) -> None:
    """What came on an idle connection while the proxy slept is noticed before the connection is used again."""
    with staged(folder) as stage:
        sent = threading.Event()
        push = threading.Event()

        async def script(visit: Visit) -> None:
            arrived = await stage.upstream.take(visit)
            if arrived.target == b"/v1/clean":
                await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean")
                return
            await visit.send(OK)
            while not push.is_set():
                await asyncio.sleep(0.001)
            await visit.send(POISON)
            sent.set()
            await visit.reader.read()

        stage.upstream.follow(script)
        line = stage.line()
        line.send(b"GET /v1/first HTTP/1.1\r\nHost: %b\r\n\r\n" % stage.host)
        assert line.answer().status == 200
        with asleep(stage):
            line.send(b"POST /v1/clean HTTP/1.1\r\nHost: %b\r\nContent-Length: 2\r\n\r\n{}" % stage.host)
            push.set()
            assert sent.wait(10)
        assert line.answer().body == b"clean"


@contextlib.contextmanager
def asleep(stage: Stage) -> Iterator[None]:
    """The proxy does nothing meanwhile; all that happens waits for it together."""
    os.kill(stage.proxy.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(stage.proxy.process.pid, signal.SIGCONT)


def test_UPS_15_errors_of_the_api(way: Stage) -> None:
    """Status, reason, headers and body of an error are what the upstream sent."""
    body = b'{"error": {"message": "M", "type": "t", "param": null, "code": null}}'
    fields = b"Retry-After: 7\r\nretry-after-ms: 6500\r\nx-ratelimit-remaining-requests: 0\r\nx-request-id: req_1\r\n"
    head = b"HTTP/1.1 %d As Told\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
    statuses = (301, 307, 400, 401, 403, 404, 409, 418, 422, 429, 500, 502, 503, 529, 600, 999)
    way.upstream.answer(*[head % (status, fields, len(body)) + body for status in statuses])
    for status in statuses:
        got = way.say(b"POST /v1/errors/%d" % status, body=b"{}")
        assert (got.status, got.body, got.whole) == (status, body, True)
        assert got.head.split(b"\r\n")[0] == b"HTTP/1.1 %d As Told" % status
        assert fields in got.head


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_UPS_18_a_body_that_ends_with_the_connection(way: Stage, version: bytes) -> None:
    """It reaches the client whole and framed."""
    body = bytes(range(256)) * 500
    answering_each(way, (b"HTTP/%b 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n" % version + body, "close"))
    got = way.say(b"GET /v1/until-close/" + version)
    assert (got.status, got.body, got.whole) == (200, body, True)
    assert got.header("transfer-encoding") == "chunked"


# --- kept connections


@pytest.mark.parametrize("end", ["close", "reset"])
def test_UPS_20_a_kept_connection_that_was_closed(way: Stage, end: str) -> None:
    """It is noticed before it is used: the next POST goes over a new one, once."""
    closed = threading.Event()

    async def script(visit: Visit) -> None:
        await way.upstream.take(visit)
        await visit.send(OK)
        if end == "reset":
            visit.reset()
        visit.writer.close()
        with contextlib.suppress(ConnectionError):
            await visit.writer.wait_closed()
        closed.set()

    way.upstream.follow(script)
    for number in range(3):
        closed.clear()
        assert way.say(b"POST /v1/again/%d" % next(_numbers), body=b"{}").status == 200
        assert closed.wait(10)
        assert len(way.upstream.requests) == number + 1


def test_UPS_20_a_kept_connection_that_is_closed_unseen(folder: Path) -> None:
    """Even when its end and the next POST reach the proxy together."""
    with staged(folder) as stage:
        close, closed = threading.Event(), threading.Event()

        async def script(visit: Visit) -> None:
            await stage.upstream.take(visit)
            await visit.send(OK)
            while not close.is_set():
                await asyncio.sleep(0.001)
            visit.writer.close()
            await visit.writer.wait_closed()
            closed.set()

        stage.upstream.follow(script)
        line = stage.line()
        line.send(b"GET /v1/first HTTP/1.1\r\nHost: %b\r\n\r\n" % stage.host)
        assert line.answer().status == 200
        with asleep(stage):
            line.send(b"POST /v1/second HTTP/1.1\r\nHost: %b\r\nContent-Length: 2\r\n\r\n{}" % stage.host)
            close.set()
            assert closed.wait(10)
        assert line.answer().status == 200
        assert [arrived.target for arrived in stage.upstream.requests] == [b"/v1/first", b"/v1/second"]


def dying(stage: Stage, end: str, data: bytes = b"") -> Script:
    """Kept connections that break under their second request, once that has arrived."""

    async def script(visit: Visit) -> None:
        await stage.upstream.take(visit)
        await visit.send(OK)
        await stage.upstream.take(visit)
        await visit.send(data)
        if end == "reset":
            visit.reset()

    return script


@in_one_mode
@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize(
    ("method", "body", "times"),
    [
        (b"GET", b"", 2),
        (b"DELETE", b"", 2),
        (b"PUT", b"{}", 2),
        (b"OPTIONS", b"", 2),
        (b"POST", b"", 1),
        (b"POST", b"{}", 1),
        (b"PATCH", b"{}", 1),
    ],
)
def test_UPS_20_only_what_may_happen_twice_is_sent_twice(
    way: Stage, method: bytes, body: bytes, times: int, end: str
) -> None:
    """A request whose bytes are out on a connection that breaks then is repeated when its method allows it."""
    way.upstream.follow(dying(way, end))
    target = b"/v1/dying/%d" % next(_numbers)
    assert way.say(b"GET " + target + b"/first").status == 200
    got = way.say(method + b" " + target, body=body, fields=b"Content-Length: 0\r\n" if not body else b"")
    arrived = [each.body for each in way.upstream.requests if each.target == target]
    assert arrived == [body] * times
    assert len(way.upstream.connections) == times
    if times == 1:
        assert refused(got)
        assert b"it may have acted on it" in got.body
    else:
        assert got.status == 200


def test_UPS_20_a_request_is_repeated_once(way: Stage) -> None:
    """When the new connection breaks as well that is all; and what began to be answered is not repeated at all."""
    statuses = []

    async def script(visit: Visit) -> None:
        await way.upstream.take(visit)
        if len(way.upstream.connections) == 1:
            await visit.send(OK)
            await way.upstream.take(visit)

    for scripted in (script, dying(way, "close", b"HTTP/1.1 2")):
        way.part()
        way.upstream.forget()
        way.upstream.follow(scripted)
        number = next(_numbers)
        statuses += [way.say(b"GET /v1/once/%d/%d" % (number, turn)).status for turn in range(2)]
        statuses.append(len(way.upstream.requests))
    assert statuses == [200, 502, 3, 200, 502, 2]


# --- early answers


@pytest.mark.parametrize("end", ["close", "stay"])
@pytest.mark.parametrize("sized", [True, False], ids=["sized", "chunked"])
@pytest.mark.parametrize("status", [200, 413])
def test_an_answer_that_comes_before_the_upload_ends(way: Stage, status: int, sized: bool, end: str) -> None:
    """It reaches the client; nothing is saved of a request that nobody read; the connection is not used again."""
    answer = b"HTTP/1.1 %d Early\r\nContent-Length: 5\r\n\r\nearly" % status
    target = b"/v1/early/%d" % next(_numbers)

    async def script(visit: Visit) -> None:
        head = await visit.reader.readuntil(b"\r\n\r\n")
        if target not in head:
            await visit.send(OK)
            return
        await visit.send(answer)
        if end == "stay":
            await visit.reader.read(1 << 16)
            await asyncio.sleep(0)
        await visit.reader.read()

    way.upstream.follow(script)
    size = 1 << 20
    framing = b"Content-Length: %d" % (2 * size) if sized else b"Transfer-Encoding: chunked"
    line = way.line()
    line.send(b"POST %b HTTP/1.1\r\nHost: %b\r\n%b\r\n\r\n" % (target, way.host, framing))
    line.send(bytes(size) if sized else b"%x\r\n%b\r\n" % (size, bytes(size)))
    if way.mode == "auto":  # the whole request is read before anything is decided
        line.send(bytes(size) if sized else b"0\r\n\r\n")
    got = line.answer()
    assert (got.status, got.body) == (status, b"early")
    line.close()
    cassette = way.folder / "c.yaml"
    if way.mode == "record":
        assert not cassette.exists() or target not in cassette.read_bytes()


def test_a_connection_with_half_a_request_on_it_is_never_used_again(way: Stage) -> None:
    """An early answer that is whole, and a client that leaves then: the rest of its body is not the next request."""
    target = b"/v1/half/%d" % next(_numbers)
    behind = list[bytes]()
    left = threading.Event()

    async def script(visit: Visit) -> None:
        head = await visit.reader.readuntil(b"\r\n\r\n")
        if target not in head:
            await visit.send(OK)
            return
        await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        while not left.is_set():
            await asyncio.sleep(0.001)
        await visit.send(b"0\r\n\r\n")
        behind.append(await visit.reader.read())

    way.upstream.follow(script)
    line = way.line()
    line.send(b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Length: 1000000\r\n\r\nfirst" % (target, way.host))
    if way.mode != "auto":
        while b"1\r\na\r\n" not in line.more():
            pass
    line.close()
    left.set()
    assert way.say(b"GET /v1/next/%d" % next(_numbers)).status == 200
    if behind or way.mode != "auto":
        wait_until(lambda: bool(behind))
    assert b"/v1/next" not in b"".join(behind)


# --- event streams


ODD = 'event: a\ndata: "é🦜"\n\nevent: b\r\ndata: [1,\r\ndata: 2]\r\n\r\n: c\rdata: 日本\r\rdata: [DONE]\n\n'.encode()


@pytest.mark.parametrize("framing", ["chunked", "sized", "until close"])
@pytest.mark.parametrize("step", [1, 3])
def test_UPS_24_event_streams_cut_anywhere(way: Stage, step: int, framing: str) -> None:
    """Whatever the segments and chunks, and wherever characters and line ends are cut, the body is the same."""

    async def script(visit: Visit) -> None:
        await way.upstream.take(visit)
        head = {"chunked": b"Transfer-Encoding: chunked\r\n", "sized": b"Content-Length: %d\r\n" % len(ODD)}
        data = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + head.get(framing, b"") + b"\r\n"
        pieces = [ODD[at : at + step + 1] for at in range(0, len(ODD), step + 1)]
        data += chunks(*pieces) if framing == "chunked" else ODD
        for at in range(0, len(data), step):
            await visit.send(data[at : at + step])
            await asyncio.sleep(0)

    way.upstream.follow(script)
    got = way.say(b"POST /v1/odd/%d" % next(_numbers), body=b"{}")
    assert (got.status, got.body, got.whole) == (200, ODD, True)


def test_UPS_25_events_are_not_kept_back(way: Stage) -> None:
    """The upstream writes an event when the client has the one before: none waits for the next."""
    heard = [threading.Event() for _ in range(11)]
    heard[0].set()

    async def script(visit: Visit) -> None:
        await way.upstream.take(visit)
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(10):
            while not heard[number].is_set():
                await asyncio.sleep(0.001)
            event = b"data: %d\n\n" % number
            await visit.send(b"%x\r\n%b\r\n" % (len(event), event))
        while not heard[10].is_set():
            await asyncio.sleep(0.001)
        await visit.send(b"0\r\n\r\n")

    way.upstream.follow(script)
    line, seen = way.line(), b""
    line.send(b"POST /v1/events HTTP/1.1\r\nHost: %b\r\nContent-Length: 2\r\n\r\n{}" % way.host)
    for number in range(10):
        while b"data: %d\n\n" % number not in seen:
            seen += line.more()
        heard[number + 1].set()
    while not seen.endswith(b"0\r\n\r\n"):
        seen += line.more()


@pytest.mark.heavy
def test_UPS_25_events_are_in_time(way: Stage) -> None:
    """Ten events, 200 ms apart: each is with the client less than 250 ms after it was written."""
    written, late = list[float](), list[float]()

    async def script(visit: Visit) -> None:
        await way.upstream.take(visit)
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(10):
            await asyncio.sleep(0.2)
            event = b"data: %d\n\n" % number
            written.append(time.monotonic())
            await visit.send(b"%x\r\n%b\r\n" % (len(event), event))
        await visit.send(b"0\r\n\r\n")

    way.upstream.follow(script)
    line, seen = way.line(), b""
    line.send(b"POST /v1/timed HTTP/1.1\r\nHost: %b\r\nContent-Length: 2\r\n\r\n{}" % way.host)
    for number in range(10):
        while b"data: %d\n\n" % number not in seen:
            seen += line.more()
        late.append(time.monotonic() - written[number])
    print(f"latest {max(late) * 1000:.1f} ms")
    assert max(late) < 0.25


# --- TLS


YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.mark.parametrize(
    ("known", "name", "more", "why"),
    [
        (True, "127.0.0.1", {}, ""),
        (False, "", {}, "self-signed certificate"),
        (False, "127.0.0.1", {}, "unable to get local issuer certificate"),
        (True, "other.example", {}, "IP address mismatch"),
        (True, "127.0.0.1", {"not_before": YESTERDAY - timedelta(days=1), "not_after": YESTERDAY}, "has expired"),
    ],
    ids=["good", "self-signed", "of an unknown authority", "wrong host", "expired"],
)
def test_UPS_27_certificates(folder: Path, known: bool, name: str, more: dict[str, Any], why: str) -> None:
    """A server that cannot prove who it is never sees the request; one that can, through SSL_CERT_FILE, does."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if name:
        authority.issue_cert(name, **more).configure_cert(context)
    else:
        own = folder / "own.pem"
        own.write_bytes(authority.private_key_pem.bytes() + authority.cert_pem.bytes())
        context.load_cert_chain(own)
    (authority if known else trustme.CA()).cert_pem.write_to_path(folder / "ca.pem")
    with staged(folder, tls=context, SSL_CERT_FILE=str(folder / "ca.pem")) as stage:
        if not why:
            stage.check()
            return
        got = stage.say(b"POST /v1/responses", body=b"{}")
        assert refused(got)
        assert why in json.loads(got.body)["error"]["message"]
        assert not stage.upstream.requests
        assert not stage.upstream.connections
