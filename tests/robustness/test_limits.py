"""LIM: limits. What is too much is refused with the right status, what is strange is carried as it is."""

from __future__ import annotations

import json
import re
import resource
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import wait_until
from tests.robustness.conftest import PARSERS
from tests.robustness.harness import Line, Stage, staged
from tests.servers import Visit

HOST = b"Host: 127.0.0.1\r\n"
MIB = 1024**2
#: What a bomb may add to what a process takes.
GROWTH = 64 * MIB
JSON = b"application/json"


def refused(line: Line) -> tuple[int, str]:
    """Status and code of an error of ours, which is JSON, whole, and the last on its connection."""
    got = line.answer()
    assert (got.whole, got.closed, got.rest) == (True, True, b""), got
    return got.status, json.loads(got.body)["error"]["code"]


def descriptors(stage: Stage) -> int:
    """How many files and connections the proxy has open."""
    return len(list(Path(f"/proc/{stage.proxy.process.pid}/fd").iterdir()))


def memory(stage: Stage, name: str) -> int:
    """What the proxy takes (VmRSS), or the most it ever took (VmHWM), in bytes."""
    status = Path(f"/proc/{stage.proxy.process.pid}/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


# --- heads


@pytest.mark.parametrize("end", [b": 1\r\n\r\n", b""])
@pytest.mark.parametrize("name", [b"X-Large: ", b"a"])
def test_LIM_01_a_header_of_100_kib(parsed: Stage, name: bytes, end: bytes) -> None:
    """431, whether or not it comes to its end, and whether it is the name or the value that is long."""
    line = parsed.line()
    line.send(b"GET /v1/models HTTP/1.1\r\n" + HOST + name + b"a" * 100 * 1024 + end)
    assert refused(line) == (431, "header_too_large")
    assert not parsed.upstream.requests


@pytest.mark.parametrize("pieces", [1, 50])
@pytest.mark.parametrize("end", [b"\r\n", b""])
def test_LIM_02_ten_thousand_headers(parsed: Stage, pieces: int, end: bytes) -> None:
    """431, at once or bit by bit, without waiting for their end."""
    fields, line = b"X-Many: 1\r\n" * (10_000 // pieces), parsed.line()
    line.send(b"GET /v1/models HTTP/1.1\r\n" + HOST)
    for _ in range(pieces):
        line.send(fields)
    line.send(end)
    assert refused(line)[0] == 431
    assert not parsed.upstream.requests


def test_LIM_02_a_head_of_a_megabyte(parsed: Stage) -> None:
    """431, though none of its fields is too long, and there are not too many."""
    line = parsed.line()
    line.send(b"GET /v1/models HTTP/1.1\r\n" + HOST + (b"X: " + b"a" * 60_000 + b"\r\n") * 16)
    assert refused(line) == (431, "head_too_large")
    assert not parsed.upstream.requests


@pytest.fixture(scope="module", params=PARSERS)
def impatient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A proxy that gives a head one second."""
    folder = tmp_path_factory.mktemp("stage")
    with staged(folder, REPLAYPROXY_LIMITS__HEAD_TIMEOUT="1", **PARSERS[request.param]) as stage:
        yield stage
        stage.end()
        stage.check()


@pytest.mark.parametrize(
    "before", [b"", b"GET /v1/models HTTP/1.1\r\n" + HOST + b"\r\n"], ids=["at first", "after an answer"]
)
def test_LIM_04_a_head_that_never_ends(impatient: Stage, before: bytes) -> None:
    """408 when its time is over, however often a byte of it comes."""
    line = impatient.line()
    if before:
        line.send(before)
        assert line.answer().status == 200
    _drip(line, b"GET /v1/models HTTP/1.1\r\nX: ", every=0.05, seconds=1.3)
    assert refused(line) == (408, "request_timeout")


def test_LIM_04_a_connection_that_never_says_anything(impatient: Stage) -> None:
    """It is closed without a word."""
    assert impatient.line().everything() == b""


@pytest.mark.heavy
@pytest.mark.long
def test_LIM_04_a_head_that_never_ends_by_default(stage: Stage) -> None:
    """One byte a second: 60 s, and it is over."""
    line, began = stage.line(), time.monotonic()
    _drip(line, b"GET /v1/models HTTP/1.1\r\nX: ", every=1.0, seconds=62.0)
    assert refused(line) == (408, "request_timeout")
    assert time.monotonic() - began < 70


def _drip(line: Line, begun: bytes, *, every: float, seconds: float) -> None:
    line.send(begun)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        line.send(b"a")
        time.sleep(every)


# --- connections


def test_LIM_06_five_hundred_silent_connections(impatient: Stage) -> None:
    """The service goes on, and they are gone when their time is over."""
    impatient.check()
    before = descriptors(impatient)
    lines = [impatient.line() for _ in range(500)]
    impatient.check()
    assert all(line.everything() == b"" for line in lines)
    wait_until(lambda: descriptors(impatient) <= before + 2)


def test_LIM_06_more_connections_than_there_may_be(folder: Path) -> None:
    """Those who come too many are told so with 503 or closed at once, and those who were there are served."""
    asked = b"GET /v1/models HTTP/1.1\r\n" + HOST + b"\r\n"
    with staged(folder, REPLAYPROXY_LIMITS__CONNECTIONS="20") as stage:
        served = [stage.line() for _ in range(20)]
        for line in served:
            line.send(asked)
            assert line.answer().status == 200
        further = [stage.line() for _ in range(40)]
        for line in further:
            line.send(asked)
        answers = [line.answer() for line in further]
        assert {(got.status, got.header("retry-after")) for got in answers} <= {(503, "1"), (0, None)}
        for line in served:
            line.send(asked)
            assert line.answer().status == 200
        stage.end()
        stage.check()


@pytest.mark.heavy
def test_LIM_06_a_thousand_recorded_streams_under_the_usual_limit_of_descriptors(folder: Path) -> None:
    """With a soft limit of 1,024 descriptors, as most systems have it, and a higher hard one."""
    count, (soft, hard) = 1000, resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 8 * count:
        pytest.skip(f"the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    begun = 0

    async def streaming(visit: Visit) -> None:
        nonlocal begun
        await stage.upstream.take(visit)
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        begun += 1
        await visit.reader.read(1)

    try:
        with staged(folder) as stage:
            resource.setrlimit(resource.RLIMIT_NOFILE, (8 * count, hard))
            stage.upstream.follow(streaming)
            lines = [stage.line() for _ in range(count)]
            for number, line in enumerate(lines):
                line.send(b"GET /v1/stream/%d HTTP/1.1\r\n" % number + HOST + b"\r\n")
            wait_until(lambda: begun == count)
            for line in lines:
                got = b""
                while b"data: 1" not in got:
                    more = line.more()
                    assert more, got
                    got += more
            stage.end()
            stage.check()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- bodies

DEEP = b"[" * 100_000 + b"]" * 100_000
STRANGE = {
    "duplicate keys": b'{"role": "user", "role": "system"}',
    "duplicate keys inside": b'{"messages": [{"role": "user", "role": "system", "content": "\xc3\xa9"}]}',
    "escaped duplicate": b'{"role": "user", "r\\u006fle": "system"}',
    "deep": DEEP,
    "deep objects": b'{"a":' * 2000 + b"1" + b"}" * 2000,
    "deep and open": b"[" * 100_000,
    "lone surrogate": b'{"text": "\\ud800"}',
    "surrogates the wrong way round": b'{"text": "\\udc00\\ud800"}',
    "invalid UTF-8": b'{"text": "\xff\xfe"}',
    "overlong": b'{"text": "\xc0\x80"}',
    "surrogate in UTF-8": b'{"text": "\xed\xa0\x80"}',
    "byte order mark": b'\xef\xbb\xbf{"text": "a"}',
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "UTF-16 without mark": '{"text": "a"}'.encode("utf-16-le"),
    "NUL": b'{"text": "a\x00b"}',
    "escaped NUL": b'{"text": "a\\u0000b"}',
    "control bytes": b'{"text": "\x01\x1b[31m\x7f\r\n\x85"}',
    "empty": b"",
    "blank": b" \r\n\t ",
    "null": b"null",
    "a number": b"1e400",
    "a long number": b"9" * 5000,
    "NaN": b'{"a": NaN}',
    "trailing garbage": b'{"text": "a"} more',
    "two values": b'{"a": 1}{"b": 2}',
    "no end": b'{"text": "a',
}


@pytest.fixture(scope="module")
def _playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage"), mode="auto") as stage:
        yield stage


@pytest.fixture
def playing(_playing: Stage) -> Stage:
    """A proxy that plays what it has recorded. Its upstream is content with everything."""
    _playing.upstream.forget()
    return _playing


def carried(stage: Stage, body: bytes, fields: bytes = b"Content-Type: application/json\r\n") -> None:
    """Sends a body, which arrives as it is; sent again to a proxy that plays it is played, and is said to be no other.

    Whatever anybody may think of what is in it.
    """
    target = f"/v1/carried/{time.monotonic_ns()}".encode()
    got = stage.say(b"POST " + target, fields + (b"" if body else b"Content-Length: 0\r\n"), body)
    assert got.status == 200, got
    assert [(each.target, each.body) for each in stage.upstream.requests] == [(target, body)]


@pytest.mark.parametrize("name", STRANGE)
def test_LIM_12_bodies_that_readers_do_not_agree_on(stage: Stage, name: str) -> None:
    """They arrive byte for byte."""
    carried(stage, STRANGE[name])


@pytest.mark.parametrize("name", ["deep", "deep objects", "deep and open"])
@pytest.mark.parametrize("media", [JSON, b"application/json; charset=utf-8", b"application/vnd.x+json", b"text/plain"])
def test_LIM_08_json_nested_100_000_deep(stage: Stage, name: str, media: bytes) -> None:
    """It arrives byte for byte, whatever it is said to be."""
    carried(stage, STRANGE[name], b"Content-Type: " + media + b"\r\n")


@pytest.mark.parametrize("level", ["warn", "enforce"])
def test_LIM_08_deep_json_for_the_validator(folder: Path, level: str) -> None:
    """What cannot be checked is carried, or refused with 400 where everything has to be checked."""
    with staged(folder, "--validate", level, mode="auto") as stage:
        got = stage.say(b"POST /v1/chat/completions", b"Content-Type: application/json\r\n", DEEP)
        arrived = [each.body for each in stage.upstream.requests]
        assert (got.status, arrived) == ((200, [DEEP]) if level == "warn" else (400, []))
        stage.end()
        stage.check()
    assert "not looked into: nested too deep" in stage.proxy.err


@pytest.mark.parametrize("name", ["duplicate keys", "duplicate keys inside", "escaped duplicate"])
def test_LIM_11_duplicate_keys(playing: Stage, name: str) -> None:
    """They arrive byte for byte, and another body that a reader takes for the same is not played for them."""
    body, fields = STRANGE[name], b"Content-Type: application/json\r\n"
    last = re.sub(rb'"role": "user", ', b"", body).replace(b"r\\u006fle", b"role")
    target = f"POST /v1/duplicate/{time.monotonic_ns()}".encode()
    for sent in (body, last, body, last):
        assert playing.say(target, fields, sent).status in (200, 424)
    assert [each.body for each in playing.upstream.requests][:2] == [body, last]


@pytest.mark.parametrize("name", [name for name in STRANGE if "duplicate" not in name])
def test_LIM_12_strange_bodies_are_known_again(playing: Stage, name: str) -> None:
    """A body that nobody can read is recorded and answered all the same, and not taken for another one."""
    body = STRANGE[name]
    target = f"POST /v1/again/{time.monotonic_ns()}".encode()
    length = b"" if body else b"Content-Length: 0\r\n"
    outcomes = []
    for sent in (body, body + b"x"):
        got = playing.say(target, b"Content-Type: application/json\r\n" + (length if sent is body else b""), sent)
        outcomes.append((got.status, got.header("x-replayproxy-outcome")))
    assert outcomes[0][0] == outcomes[1][0] == 200
    assert [each.body for each in playing.upstream.requests] == [body, body + b"x"]


def test_LIM_16_a_json_body_of_3_mib(stage: Stage, playing: Stage) -> None:
    """An image in base64 arrives as it is, whether or not it is looked into before."""
    body = b'{"image": "' + b"iVBORw0K" * (3 * MIB // 8) + b'"}'
    carried(stage, body)
    carried(playing, body)


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Type: application/json; charset=foo\r\n",
        b"Content-Type: application/json; charset=utf-7\r\n",
        b"Content-Type: application/json; charset=utf-16\r\n",
        b"Content-Type: application/json; charset=\xff\r\n",
        b'Content-Type: application/json; charset="\r\n',
        b"Content-Type: text/plain\r\n",
        b"Content-Type: application/json" + b"; a=b" * 2048 + b"\r\n",
        b"Content-Type: application/json;" + b";" * 10_240 + b"\r\n",
        b"Content-Type: \r\n",
        b"Content-Type: /\r\n",
        b"Content-Type: json\r\n",
        b"Content-Type: multipart/form-data\r\n",
        b"Content-Type: multipart/form-data; boundary=" + b"b" * 10_240 + b"\r\n",
        b"Content-Encoding: gzip\r\nContent-Type: application/json\r\n",
        b"Content-Encoding: br, foo\r\nContent-Type: application/json\r\n",
        b"",
    ],
)
def test_LIM_22_content_types_that_say_nothing_sensible(stage: Stage, playing: Stage, fields: bytes) -> None:
    """The body arrives as it is."""
    for each in (stage, playing):
        each.upstream.forget()
        carried(each, '{"text": "héé", "n": 1.0}'.encode(), fields)


def test_LIM_22_two_content_types(stage: Stage) -> None:
    """Refused, or the body arrives as it is."""
    got = stage.say(b"POST /v1/two", b"Content-Type: application/json\r\nContent-Type: text/plain\r\n", b'{"a": 1}')
    assert got.status in (200, 400)
    assert [each.body for each in stage.upstream.requests] == ([b'{"a": 1}'] if got.status == 200 else [])


# --- bombs


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """1 GiB of nothing in 1 MiB."""
    packer, block = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(MIB)
    packed = b"".join(packer.compress(block) for _ in range(1024)) + packer.flush()
    assert len(packed) < 2 * MIB
    return packed


@pytest.mark.heavy
@pytest.mark.parametrize("mode", ["record", "auto", "passthrough"])
@pytest.mark.parametrize("coding", [b"gzip", b"gzip, gzip"])
def test_LIM_13_a_request_that_unpacks_to_a_gigabyte(folder: Path, bomb: bytes, mode: str, coding: bytes) -> None:
    """It is forwarded as it came, and nothing unpacks it."""
    with staged(folder, mode=mode) as stage:
        stage.check()
        before = memory(stage, "VmRSS")
        stage.upstream.forget()
        carried(stage, bomb, b"Content-Type: application/json\r\nContent-Encoding: " + coding + b"\r\n")
        assert memory(stage, "VmHWM") - before < GROWTH
        stage.end()
        stage.check()


@pytest.mark.heavy
@pytest.mark.parametrize("mode", ["record", "passthrough"])
@pytest.mark.parametrize("media", [JSON, b"text/event-stream"])
def test_LIM_15_an_answer_that_unpacks_to_a_gigabyte(folder: Path, bomb: bytes, mode: str, media: bytes) -> None:
    """The client gets it as it came. What is recorded is unpacked bit by bit, if at all."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    with staged(folder, mode=mode) as stage:
        stage.check()
        before = memory(stage, "VmRSS")
        stage.upstream.forget()
        stage.upstream.answer(head % (media, len(bomb)) + bomb)
        line = stage.line()
        line.socket.settimeout(120)
        line.send(b"GET /v1/bomb HTTP/1.1\r\n" + HOST + b"\r\n")
        got = line.answer()
        assert (got.whole, got.body == bomb) == (True, True)
        assert memory(stage, "VmHWM") - before < GROWTH
        stage.end()
        stage.check()
