"""CLT: clients that leave, and clients that do not read."""

from __future__ import annotations

import asyncio
import itertools
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import wait_until
from tests.robustness.conftest import MODES, PARSERS
from tests.robustness.harness import Line, Stage, staged
from tests.servers import Visit

_EVENT = b'10\r\ndata: {"n": 12}\n\r\n'
_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_numbers = itertools.count()


def reset(line: Line) -> None:
    """Leaves as a process that dies does."""
    line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


#: How clients leave. One that only says that it sends no more has gone as well.
LEAVING: dict[str, Callable[[Line], None]] = {"close": Line.close, "reset": reset, "half-close": Line.finish}
#: How far the upstream has come then.
MOMENTS = {
    "nothing": b"",
    "an interim answer": b"HTTP/1.1 102 Processing\r\n\r\n",
    "part of a head": b"HTTP/1.1 200 OK\r\nContent-",
    "a head": _STREAM,
    "an event": _STREAM + _EVENT,
    "part of an event": _STREAM + _EVENT + _EVENT[:9],
    "part of a body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{",
}


@pytest.fixture(scope="module", params=MODES)
def _patient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("patient"), mode=request.param) as stage:
        yield stage


@pytest.fixture
def patient(_patient: Stage) -> Iterator[Stage]:
    """A proxy in each mode, which waits for its upstream for ten minutes."""
    _patient.upstream.forget()
    yield _patient
    _patient.end()
    _patient.part()
    _patient.check()


def target_of(moment: str, way: str) -> bytes:
    """A path that tells both."""
    return f"/v1/left/{next(_numbers)}/{moment}/{way}".replace(" ", "-").encode()


def left_alone(stage: Stage, moments: dict[str, bytes], awaited: int) -> None:
    """Clients ask, get `awaited` bytes at least, and leave in every way: upstreams are released, nothing is saved."""
    released = list[bytes]()

    async def script(visit: Visit) -> None:
        arrived = await stage.upstream.take(visit)
        moment = next(
            name for name in sorted(moments, key=len, reverse=True) if name.replace(" ", "-").encode() in arrived.target
        )
        await visit.send(moments[moment])
        assert await visit.reader.read() == b""
        released.append(arrived.target)

    stage.upstream.follow(script)
    targets = {target_of(moment, way): way for moment in moments for way in LEAVING}
    lines = {}
    for target in targets:
        lines[target] = line = stage.line()
        line.send(b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Length: 2\r\n\r\n{}" % (target, stage.host))
    wait_until(lambda: len(stage.upstream.requests) == len(targets))
    for target, line in lines.items():
        seen = b""
        while len(seen) < awaited:
            seen += line.more()
        LEAVING[targets[target]](line)
    left_at = time.monotonic()
    wait_until(lambda: len(released) == len(targets))
    assert time.monotonic() - left_at < 10
    assert sorted(released) == sorted(targets)
    wait_until(lambda: not stage.upstream_connections())
    nothing_saved(stage)


def nothing_saved(stage: Stage) -> None:
    """No interaction that a client left is in the cassette."""
    cassette = stage.folder / "c.yaml"
    assert not cassette.exists() or b"/v1/left/" not in cassette.read_bytes()


def test_CLT_01_a_client_that_leaves_in_the_middle_of_a_stream(patient: Stage) -> None:
    """However it leaves and wherever the stream is, the upstream is released within 10 s, and nothing is recorded."""
    moments = {name: data for name, data in MOMENTS.items() if b"\r\n\r\n" in data and b" 102 " not in data}
    left_alone(patient, moments, awaited=30)


def test_CLT_03_a_client_that_leaves_before_the_first_byte(patient: Stage) -> None:
    """The same while the model thinks."""
    moments = {name: data for name, data in MOMENTS.items() if b"\r\n\r\n" not in data or b" 102 " in data}
    left_alone(patient, moments, awaited=0)


def test_CLT_01_what_the_upstream_finished_is_saved(patient: Stage) -> None:
    """A client that leaves a moment before the end has had all that it wanted: the whole is recorded, and plays."""
    left = threading.Event()

    async def script(visit: Visit) -> None:
        await patient.upstream.take(visit)
        await visit.send(_STREAM + _EVENT)
        while not left.is_set():
            await asyncio.sleep(0.001)
        await visit.send(_EVENT + b"0\r\n\r\n")
        await visit.reader.read()

    patient.upstream.follow(script)
    line, seen = patient.line(), b""
    line.send(b"POST /v1/finished HTTP/1.1\r\nHost: %b\r\nContent-Length: 2\r\n\r\n{}" % patient.host)
    while _EVENT not in seen:
        seen += line.more()
    line.close()
    left.set()
    told = "saved" if patient.mode != "passthrough" else "forwarded"
    assert wait_for_all(patient, {b"/v1/finished"}) == {"/v1/finished": told}
    if patient.mode != "passthrough":
        assert (patient.folder / "c.yaml").read_bytes().count(b'data: {"n": 12}') == 2


def test_CLT_05_a_client_that_does_not_read(way: Stage) -> None:
    """Of 200 MiB the proxy takes what its buffers hold and no more, and the upstream waits; nothing is lost."""
    size, block = 200 << 20, bytes(range(256)) * 256
    sent = 0

    async def script(visit: Visit) -> None:
        nonlocal sent
        await way.upstream.take(visit)
        await visit.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % size
        )
        for _ in range(size // len(block)):
            await visit.send(block)
            sent += len(block)
        await visit.reader.read()

    way.upstream.follow(script)
    before, line = way.resident(), way.line()
    line.send(b"GET /v1/large HTTP/1.1\r\nHost: %b\r\n\r\n" % way.host)
    seen = -1
    while seen < sent or not sent:
        seen = sent
        time.sleep(0.5)  # what is watched is that nothing happens
    print(f"taken {sent / 1e6:.1f} MB, growth {(way.resident() - before) / 1e6:.1f} MB")
    assert sent < 64 << 20
    assert way.resident() - before < 64 << 20
    line.close()
    wait_until(lambda: not way.upstream_connections())


# --- uploads that break off


@dataclass(frozen=True, slots=True)
class Upload:
    """The beginning of a request; what would make it whole does not come."""

    fields: bytes
    begun: bytes


UPLOADS = {
    "nothing of a small body": Upload(b"Content-Length: 5\r\n", b""),
    "half of a small body": Upload(b"Content-Length: 5\r\n", b"{}"),
    "nothing of a large body": Upload(b"Content-Length: 1000000\r\n", b""),
    "half of a large body": Upload(b"Content-Length: 1000000\r\n", bytes(500_000)),
    "all but one byte of a large body": Upload(b"Content-Length: 300000\r\n", bytes(299_999)),
    "nothing in chunks": Upload(b"Transfer-Encoding: chunked\r\n", b""),
    "a chunk": Upload(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n"),
    "part of a chunk": Upload(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n5\r\nwo"),
    "part of a chunk's head": Upload(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n5"),
    "many chunks": Upload(b"Transfer-Encoding: chunked\r\n", b"2710\r\n%b\r\n" % bytes(10_000) * 30),
    "all but the last line end": Upload(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n"),
    "the last chunk's head": Upload(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0"),
    "a form": Upload(
        b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n",
        b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + bytes(400_000),
    ),
}


@pytest.fixture(scope="module", params=[(mode, parser) for mode in MODES for parser in PARSERS], ids="-".join)
def _reading(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    mode, parser = request.param
    with staged(tmp_path_factory.mktemp("reading"), mode=mode, **PARSERS[parser]) as stage:
        yield stage


@pytest.fixture
def reading(_reading: Stage) -> Iterator[Stage]:
    """A proxy in each mode, under each parser."""
    _reading.upstream.forget()
    yield _reading
    _reading.end()
    _reading.part()
    _reading.check()


def test_CLT_07_a_client_that_leaves_in_the_middle_of_its_upload(reading: Stage) -> None:
    """The upstream never sees a request that looks complete, and is released; the client's files are gone."""
    seen = dict[bytes, bytes]()

    async def script(visit: Visit) -> None:
        head = await visit.reader.readuntil(b"\r\n\r\n")
        target = head.split(b" ")[1]
        rest = b""
        while piece := await visit.reader.read(1 << 20):
            rest += piece
            seen[target + b" so far"] = rest
        seen[target] = head + rest

    reading.upstream.follow(script)
    before = open_files(reading)
    targets = {target_of(name, way): (upload, way) for name, upload in UPLOADS.items() for way in LEAVING}
    lines = {}
    for target, (upload, _) in targets.items():
        lines[target] = line = reading.line()
        line.send(b"POST %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (target, reading.host, upload.fields) + upload.begun)
    for target, (_, way) in targets.items():
        LEAVING[way](lines[target])
    told = wait_for_all(reading, set(targets))
    assert set(told.values()) <= {"gone", "failed"}
    wait_until(lambda: not reading.upstream_connections())
    for target, data in seen.items():
        assert not looks_complete(data), (target, data[-40:])
    nothing_saved(reading)
    for line in lines.values():
        line.close()
    wait_until(lambda: open_files(reading) <= before + 2)


#: More than lies in buffers between a client and an upstream that does not read, in bytes.
STANDING = 40 << 20
FRAMINGS = {
    "sized": (b"Content-Length: %d\r\n" % STANDING, bytes(STANDING)),
    "in chunks": (b"Transfer-Encoding: chunked\r\n", b"10000\r\n%b\r\n" % bytes(1 << 16) * (STANDING >> 16)),
}


def unread(stage: Stage, line: Line) -> int:
    """How many bytes lie in the proxy's end of a connection."""
    ends = [b":%04X" % end[1] for end in (line.socket.getpeername(), line.socket.getsockname())]
    for known in Path("/proc/net/tcp").read_bytes().splitlines()[1:]:
        fields = known.split()
        if [fields[1][-5:], fields[2][-5:]] == ends:
            return int(fields[4].partition(b":")[2], 16)
    return 0


def send_until_it_stands(stage: Stage, line: Line, data: bytes) -> None:
    """Sends bytes until the proxy takes no more of them for a while, or all are sent. All of them have arrived."""
    for piece in (data[at : at + 50_000] for at in range(0, len(data), 50_000)):
        line.send(piece)
        limit = time.monotonic() + 0.5  # what is watched is that nothing happens
        while unread(stage, line):
            if time.monotonic() > limit:
                return
            time.sleep(0.001)


def send_until_all_is_full(line: Line, data: bytes) -> None:
    """Sends bytes until there is no room for more of them anywhere, or all are sent."""
    left = memoryview(data)
    while left and select.select([], [line.socket], [], 0.5)[1]:
        left = left[line.socket.send(left[: 1 << 16], socket.MSG_DONTWAIT) :]


async def never_read(visit: Visit) -> None:
    """A script: takes the head and the beginning of a body, and then nothing."""
    visit.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    await visit.reader.readuntil(b"\r\n\r\n")
    await visit.reader.readexactly(1 << 16)
    visit.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.Event().wait()


def released(stage: Stage, *leaving: tuple[Line, str]) -> None:
    """The clients leave, and all upstream connections are let go of within 10 s."""
    for line, way in leaving:
        LEAVING[way](line)
    left_at = time.monotonic()
    wait_until(lambda: not stage.upstream_connections())
    assert time.monotonic() - left_at < 10
    nothing_saved(stage)


@pytest.mark.parametrize("_patient", ["record", "passthrough"], indirect=True)
@pytest.mark.parametrize("full", [pytest.param(False, marks=pytest.mark.heavy), True])
def test_CLT_07_a_client_that_leaves_while_its_upload_stands_still(patient: Stage, full: bool) -> None:
    """An upstream that reads no more is released as soon as it can be known that the client has gone, which is not read
    either then. Its last word (FIN) gets through where its bytes do; only a reset overtakes them."""
    patient.upstream.follow(never_read)
    ways = ["reset"] if full else list(LEAVING)
    leaving = {target_of(name, way): (patient.line(), way) for name in FRAMINGS for way in ways}

    def begin(target: bytes) -> None:
        fields, body = next(each for name, each in FRAMINGS.items() if name.replace(" ", "-").encode() in target)
        line, _ = leaving[target]
        line.send(b"POST %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (target, patient.host, fields))
        if full:
            send_until_all_is_full(line, body)
        else:
            send_until_it_stands(patient, line, body)

    with ThreadPoolExecutor(len(leaving)) as threads:
        list(threads.map(begin, leaving))
    assert patient.upstream_connections() == len(leaving)
    assert all(unread(patient, line) for line, _ in leaving.values())
    released(patient, *leaving.values())
    assert set(wait_for_all(patient, set(leaving)).values()) <= {"gone", "failed"}


def test_CLT_03_a_client_that_leaves_behind_many_requests(patient: Stage) -> None:
    """Requests that nobody reads yet do not hide that it has gone."""

    async def script(visit: Visit) -> None:
        await patient.upstream.take(visit)
        assert await visit.reader.read() == b""

    patient.upstream.follow(script)
    leaving = [(patient.line(), way) for way in LEAVING]
    for line, _ in leaving:
        line.send(b"GET /v1/left/many HTTP/1.1\r\nHost: %b\r\n\r\n" % patient.host * 1000)
    wait_until(lambda: len(patient.upstream.requests) == len(leaving))
    released(patient, *leaving)
    assert len(patient.upstream.requests) == len(leaving)


def wait_for_all(stage: Stage, targets: set[bytes]) -> dict[str, str]:
    """Waits until what became of requests to all targets is known, and gives it."""
    told = dict[str, str]()

    def known() -> bool:
        exchanges = stage.asked("/exchanges?limit=200")["exchanges"]
        told.update((each["request"]["target"], each["outcome"]) for each in exchanges)
        return {target.decode() for target in targets} <= set(told)

    try:
        wait_until(known)
    except AssertionError:
        raise AssertionError({target.decode() for target in targets} - set(told)) from None
    return {target.decode(): told[target.decode()] for target in targets}


def looks_complete(data: bytes) -> bool:
    """Whether a request's bytes are a whole request."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    if b"transfer-encoding: chunked" in head.lower():
        return body.endswith(b"0\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or b"0")
    return len(body) >= length


def open_files(stage: Stage) -> int:
    """How many descriptors the proxy has."""
    return len(os.listdir(Path(f"/proc/{stage.proxy.process.pid}/fd")))
