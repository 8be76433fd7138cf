"""Both of aiohttp's parsers, and h11, are given the same bytes: nobody may read in them what another does not.

The rule: what reaches the upstream is, request by request, what h11 reads in the client's bytes, and the same under
both parsers up to where the stricter one refuses; and a strict reader at the upstream finds exactly these requests.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h11
import pytest

from tests.robustness.conftest import PARSERS
from tests.robustness.harness import OK, Line, Stage, staged
from tests.robustness.odd_requests import END, Read, odd_bytes, read_strictly, reading
from tests.servers import Visit

#: How many cases the usual run sees, and the long one; the variable makes it longer still.
FEW, MANY = 300, int(os.environ.get("ODD_REQUESTS", "5000"))
#: How long a connection may be silent before something else is sent, in seconds; no verdict hangs on it.
SHORT, LONG = 0.1, 2.0


@dataclass(slots=True)
class Side:
    """A proxy under one of the parsers, and a strict reader behind it. `broken` is what it could not read."""

    stage: Stage
    arrived: list[Read] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    async def read(self, visit: Visit) -> None:
        """Reads and answers what comes on a connection; bytes behind a request are none that anybody sent."""
        rest = b""
        while True:
            wire, request, body = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20), None, b""
            if rest:
                wire.receive_data(rest)
            while not isinstance(event := self._next(wire), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    data = await visit.reader.read(1 << 16)
                    if not data:
                        return
                    wire.receive_data(data)
                elif isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                else:
                    return
            assert request is not None
            self.arrived.append(reading(request, body))
            rest = bytes(wire.trailing_data[0])
            if rest:
                self.broken.append(f"bytes behind a request: {rest!r}")
            await visit.send(OK)

    def _next(self, wire: h11.Connection) -> object:
        try:
            return wire.next_event()
        except h11.RemoteProtocolError as error:
            self.broken.append(str(error))
            return None

    def meet(self, pieces: Sequence[bytes], count: int, pause: float) -> tuple[list[Read], list[int], bytes]:
        """What arrives when these pieces, maybe `count` requests, are sent, and then an end: the requests, and the
        statuses that came back."""
        self.arrived.clear()
        line = self.stage.line()
        for piece in pieces:
            line.send(piece)
            time.sleep(pause)  # so that some pieces are read on their own
        # What a parser refuses takes with it what came in the same segment before.
        heard = self._hear(line, SHORT, count)
        line.send(END)
        heard += self._hear(line, LONG)
        line.finish()  # whoever waits for more learns that there is none
        heard += self._hear(line, LONG)
        line.close()
        self.stage.lines.remove(line)
        return [each for each in self.arrived if each.target != b"/v1/end"], finals(heard), heard

    def _hear(self, line: Line, silence: float, count: int = 1 << 30) -> bytes:
        """What comes until so many answers are there, or the end, or nothing for so many seconds."""
        heard = b""
        line.socket.settimeout(silence)
        with contextlib.suppress(TimeoutError):
            while len(finals(heard)) < count and (more := line.more()):
                heard += more
        return heard


def finals(heard: bytes) -> list[int]:
    """The final statuses in what was heard."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([2-5]\d\d) ", heard)]


@pytest.fixture(scope="module", params=["passthrough", "record"])
def sides(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Side]]:
    """A proxy under each parser."""
    with contextlib.ExitStack() as stack:
        yield {name: made(stack, tmp_path_factory.mktemp(name), request.param, name) for name in PARSERS}


def made(stack: contextlib.ExitStack, folder: Path, mode: str, parser: str) -> Side:
    """A proxy under a parser."""
    side = Side(stack.enter_context(staged(folder, mode=mode, **PARSERS[parser])))
    side.stage.upstream.follow(side.read)
    return side


def compare(sides: dict[str, Side], pieces: Sequence[bytes], pause: float = 0.0) -> tuple[int, str]:
    """Holds the rule for some bytes; how many requests arrived, and whether the parsers' verdicts differ."""
    data = b"".join(pieces)
    count = len(read_strictly(data))
    met = {name: side.meet(pieces, count, pause) for name, side in sides.items()}
    expected = [own(each) for each in read_strictly(data + END)]
    for name, (arrived, statuses, heard) in met.items():
        told = f"{name}: {data!r} became {arrived}, answered {statuses}, h11 reads {expected}; {heard[-400:]!r}"
        assert not sides[name].broken, (sides[name].broken, told)
        assert arrived == expected[: len(arrived)], told
        assert all(status < 500 or status in (501, 505) for status in statuses), told
        assert len(statuses) <= len(arrived) + 3, told
    (one, _, _), (other, _, _) = met.values()
    assert one[: len(other)] == other[: len(one)], (data, met)
    return max(len(one), len(other)), "" if len(one) == len(
        other
    ) else f"{data!r}: {len(one)} under C, {len(other)} under Python"


def own(read: Read) -> Read:
    """A request whose target names us, as it goes on."""
    for beginning in (b"http://localhost",):
        if read.target.startswith(beginning + b"/"):
            return Read(read.method, read.target[len(beginning) :], read.fields, read.body)
    return read


def in_pieces(chance: random.Random, data: bytes) -> list[bytes]:
    """The bytes in one piece, mostly, or in a few."""
    cuts = sorted(chance.randrange(len(data)) for _ in range(chance.choice((0, 0, 1, 3))))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def run(sides: dict[str, Side], seed: int, count: int) -> tuple[int, int, list[str]]:
    """So many cases of chance: how many of them brought a request to the upstream, how many requests, and where the
    parsers' verdicts differ."""
    chance, reached, requests, differ = random.Random(seed), 0, 0, list[str]()
    for _ in range(count):
        arrived, difference = compare(sides, in_pieces(chance, odd_bytes(chance)))
        reached, requests = reached + bool(arrived), requests + arrived
        differ += [difference] if difference else []
    return reached, requests, differ


def test_both_parsers_and_h11_read_the_same(sides: dict[str, Side]) -> None:
    """A few hundred connections of chance: refused, or what a strict reader makes of them."""
    reached, _, differ = run(sides, 7, FEW // 2)
    assert reached > FEW // 20, "most cases are refused: what arrives is not looked at"
    assert len(differ) < FEW // 20, differ


HEAD = b" HTTP/1.1\r\nHost: localhost\r\n"
BASES = (
    b"POST /v1/1" + HEAD + b"Content-Length: 5\r\nX-A: 1\r\n\r\nhello",
    b"POST /v1/2" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n",
    b"GET /v1/3" + HEAD + b"\r\nPUT /v1/4" + HEAD + b"Content-Length: 2\r\n\r\nhi",
    b"POST /v1/5" + HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /v1/6 HTTP/1.1\nHost: localhost\n\n",
    b"GET /v1/7" + HEAD + b"X: a\r\n b\r\n\r\n",
)


@pytest.mark.parametrize("base", BASES)
def test_segments_end_anywhere(sides: dict[str, Side], base: bytes) -> None:
    """Where a segment ends changes nothing."""
    counts = {compare(sides, (base[:at], base[at:]), 0.001)[0] for at in range(1, len(base), 7)}
    assert counts == {len(read_strictly(base))} or counts == {0}


@pytest.mark.heavy
@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_both_parsers_and_h11_read_the_same_for_long(sides: dict[str, Side], seed: int) -> None:
    """Thousands of connections of chance."""
    reached, requests, differ = run(sides, 1000 + seed, MANY // 4)
    print(
        f"{MANY // 4} cases: {reached} reached the upstream with {requests} requests; verdicts differ in {len(differ)}"
    )
    print("\n".join(differ[:20]))
    assert reached


@pytest.mark.heavy
@pytest.mark.parametrize("base", BASES)
def test_segments_end_at_every_byte(sides: dict[str, Side], base: bytes) -> None:
    """Two segments cut at each position, and single bytes."""
    for at in range(1, len(base)):
        compare(sides, (base[:at], base[at:]), 0.002)
    compare(sides, [base[at : at + 1] for at in range(len(base))], 0.001)
