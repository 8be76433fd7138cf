"""Clients of every manner, each its own: they keep connections and make new ones, pipeline, read slowly, and leave.

Rule: what a client did is counted when the proxy must have counted it too; where nobody can know whether it did (a
connection cut in the middle of something), both counts are allowed, and that is counted as `maybe`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.heavy.traffic import KINDS, Answer, Line, Upstream, expected, request

__all__ = ["Client", "Deeds", "End"]

_FORWARDS = ("auto", "record", "passthrough")
_SAVES = ("auto", "record")
#: How the answers that a client waits for are marked when something of the proxy's own answered.
_OUTCOME = "x-replayproxy-outcome"
# The connection may end behind an answer to these: the upstream's does, or nobody can tell where a long upload ended.
_LAST = ("closed", "chunked")


@dataclass(slots=True)
class Deeds:
    """What all clients did: by session how often what became of a request, and how many requests there were."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    requests: int = 0
    maybe: int = 0
    did: Counter[str] = field(default_factory=Counter)

    def answered(self, session: str, mode: str, kind: str, answer: Answer) -> None:
        """Takes down an answer."""
        self.requests += 1
        outcome = answer.fields.get(_OUTCOME, "forwarded")
        outcome = "forwarded" if outcome == "failed" else outcome
        self.counts[session][outcome] += 1
        self.counts[session]["saved"] += outcome == "forwarded" and mode in _SAVES and KINDS[kind].saved

    def left(self, session: str, *, saved: str = "") -> None:
        """Takes down a request that was forwarded, and whose client did not wait for the end of its answer."""
        self.requests += 1
        self.counts[session]["forwarded"] += 1
        self.counts[session][saved] += bool(saved)

    def cut(self, session: str) -> None:
        """Takes down a request that did not come to its end."""
        self.maybe += 1
        self.counts[session]["maybe_forwarded"] += 1


@dataclass(frozen=True, slots=True)
class End:
    """Where clients talk to: a proxy, its admin port with its token, and the upstream behind it (None: none)."""

    url: str
    admin: str
    token: str
    mode: str
    upstream: Upstream | None
    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, **more: Any) -> Any:
        """What the admin API answers."""
        headers = {"x-replayproxy-token": self.token} if self.token else {}
        async with self.session.request(method, self.admin + path, headers=headers, **more) as answer:
            assert answer.status < 300, (method, path, answer.status, await answer.text())
            return await answer.json()


class Client:
    """One client. `recorded` are the kinds and ids that a cassette has; of its requests `known` parts in ten are such.

    Where it speaks to is a session: the default one, or one named by prefix or header.
    """

    _numbers = itertools.count(1)

    def __init__(
        self, who: int, end: End, deeds: Deeds, recorded: Sequence[tuple[str, str]] = (), known: int = 0
    ) -> None:
        self.who, self.end, self.deeds = who, end, deeds
        self._random = random.Random(who)
        self._recorded, self._known = recorded, known
        self._line: Line | None = None
        self._place = self._place_of(who)

    def _place_of(self, who: int) -> tuple[str, str, str]:
        """Session, prefix, header lines; recordings are the default session's."""
        if self._recorded or who % 4 < 2:
            return "default", "", ""
        if who % 4 == 2:
            return f"p{who}", f"/@p{who}", ""
        return f"h{who}", "", f"x-replayproxy-session: h{who}\r\n"

    async def go(self, until: Callable[[], bool]) -> None:
        """Does one thing after the other."""
        ways: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (70, self.ask),
            (10, self.ask_anew),
            (5, self.pipeline),
            (2, self.read_slowly),
            (3, self.misspeak),
            (3, self.look_around),
        ]
        if self.end.mode in _FORWARDS and not self._recorded:
            ways += [(3, self.leave_early), (3, self.leave_in_stream), (3, self.leave_in_upload)]
        if not self._recorded:
            ways += [(1, self.visit)]
        weights, does = zip(*ways, strict=True)
        while not until():
            (way,) = self._random.choices(does, weights)
            self.deeds.did[way.__name__] += 1
            async with asyncio.timeout(60):
                await way()
        self._hang_up()

    # --- what it does

    async def ask(self) -> None:
        """A request on the connection that it keeps."""
        self._line = self._line or await Line.to(self.end.url)
        kind, id_ = self._choose()
        answer = await self._asked(self._line, kind, id_)
        if answer.fields.get("connection") == "close" or not answer.whole:
            self._hang_up()

    async def ask_anew(self) -> None:
        """A request on a connection of its own, with a head that never came before."""
        line, (kind, id_) = await Line.to(self.end.url), self._choose()
        await self._asked(line, kind, id_, f"X-Request-Id: {next(self._numbers)}\r\n")
        line.close()

    async def pipeline(self) -> None:
        """Several requests in one piece; the answers come in order."""
        line = await Line.to(self.end.url)
        _, prefix, fields = self._place
        chosen = [self._choose(whole=True) for _ in range(3)]
        line.send(b"".join(request(kind, id_, prefix, fields) for kind, id_ in chosen))
        for kind, id_ in chosen:
            self._take(kind, id_, await line.answer(KINDS[kind].method))
        line.close()

    async def read_slowly(self) -> None:
        """A large answer, taken in small pieces with pauses."""
        line = await Line.to(self.end.url, buffer=16_384)
        kind, id_ = self._choose("large")
        line.send(request(kind, id_, *self._place[1:]))
        await asyncio.sleep(0.5)
        self._take(kind, id_, await line.answer(KINDS[kind].method))
        line.close()

    async def misspeak(self) -> None:
        """Something that is no request: it is refused, and nobody hears of it."""
        line = await Line.to(self.end.url)
        line.send(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length : 5\r\n\r\nhello")
        answer = await line.answer()
        assert answer.status == 400, answer
        line.close()

    async def leave_early(self) -> None:
        """Leaves while the upstream thinks."""
        upstream = self.end.upstream
        assert upstream is not None
        line, id_ = await Line.to(self.end.url), self._new_id()
        line.send(request("held", id_, *self._place[1:]))
        await upstream.holding(id_).wait()
        line.close()
        self.deeds.left(self._place[0])

    async def leave_in_stream(self) -> None:
        """Leaves behind the first event: what the upstream has finished a moment later is recorded."""
        line = await Line.to(self.end.url)
        line.send(request("stream", self._new_id(), *self._place[1:]))
        await line.reader.readuntil(b"\n\n")
        line.close()
        self.deeds.left(self._place[0], saved="maybe_saved")

    async def leave_in_upload(self) -> None:
        """Leaves in the middle of its body."""
        line, kind = await Line.to(self.end.url), self._random.choice(["sized", "multipart", "chunked"])
        line.send(request(kind, self._new_id(), *self._place[1:])[: self._random.randrange(1_000, 120_000)])
        with contextlib.suppress(ConnectionError):
            await line.writer.drain()
        line.close()
        self.deeds.cut(self._place[0])

    async def look_around(self) -> None:
        """Reads what the admin port tells."""
        await self.end.call("GET", "/health")
        assert "sessions" in await self.end.call("GET", "/sessions")
        told = await self.end.call("GET", "/exchanges", params={"limit": "20"})
        assert len(told["exchanges"]) <= 20

    async def visit(self) -> None:
        """Opens a session, uses it and closes it: its receipt tells of what it did, and of nobody else's requests."""
        name, mode = f"v{next(self._numbers)}", self.end.mode
        await self.end.call("POST", "/sessions", json={"name": name})
        line, mine = await Line.to(self.end.url), Deeds()
        for kind in ("small", "got", "packed"):
            id_ = self._new_id()
            answer = await line.ask(kind, id_, f"/@{name}")
            assert expected(kind, id_, answer) or answer.status == 424, (kind, id_, answer)
            for deeds in (mine, self.deeds):
                deeds.answered(name, mode, kind, answer)
        line.close()
        counts = (await self.end.call("DELETE", f"/sessions/{name}"))["counts"]
        assert {what: counts[what] for what in mine.counts[name]} == mine.counts[name]
        del self.deeds.counts[name]

    # --- what it does it with

    def _choose(self, kind: str = "", *, whole: bool = False) -> tuple[str, str]:
        """The kind and the id of the next request; `whole`: behind whose answer another may come."""
        fit = [name for name, of in KINDS.items() if name != "held" and not (whole and (of.broken or name in _LAST))]
        if self._recorded and self._random.randrange(10) < self._known:
            return self._random.choice([each for each in self._recorded if each[0] in fit])
        kind = kind or self._random.choice([*fit, *["small", "got", "known"] * 4])
        return kind, self._new_id() if self._random.randrange(4) else f"again{self._random.randrange(20)}"

    def _new_id(self) -> str:
        return f"c{self.who}n{next(self._numbers)}"

    async def _asked(self, line: Line, kind: str, id_: str, fields: str = "") -> Answer:
        _, prefix, named = self._place
        answer = await line.ask(kind, id_, prefix, named + fields)
        self._take(kind, id_, answer)
        return answer

    def _take(self, kind: str, id_: str, answer: Answer) -> None:
        missed = self.end.mode == "playback" and answer.status == 424
        assert missed or expected(kind, id_, answer), (kind, id_, answer)
        self.deeds.answered(self._place[0], self.end.mode, kind, answer)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
