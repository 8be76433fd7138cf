"""The tape: what is counted, said and kept when exchanges are saved."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest
from aiohttp.test_utils import make_mocked_request

from replayproxy.config import RecordSettings
from replayproxy.core.cassette import Cassette, Head
from replayproxy.core.messages import Request, Response
from replayproxy.core.modes import MODES
from replayproxy.core.redaction import Redactor
from replayproxy.core.session import Session
from replayproxy.errors import CassetteError
from replayproxy.proxy.exchange import Clock, Exchange
from replayproxy.proxy.heads import Heading
from replayproxy.proxy.intake import Intake
from replayproxy.proxy.recording import Tape
from replayproxy.stores import FileStore
from replayproxy.stores.contract import Unsaved
from replayproxy.stores.memory import MemoryRecorder, MemoryStore
from replayproxy.stores.writer import Fsync, Writer
from tests.proxies import documents, proxied
from tests.servers import answering, exchange, raw_upstream

ANSWER = Response(200, "OK", body=b"ok")
GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Gated(MemoryRecorder):
    """A recorder that saves nothing before its gate is opened."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store, store.load())
        self.gate = threading.Event()
        self.failing: Exception | None = None

    def append_all(self, batch: Sequence[Unsaved]) -> list[CassetteError | None]:
        """Waits, then does what every recorder does."""
        self.gate.wait()
        if self.failing:
            raise self.failing
        return super().append_all(batch)


def tape_of(recorder: MemoryRecorder) -> Tape:
    """A tape of a session that records."""
    session, clock = Session(MODES["record"]), Clock(lambda: 1.0, lambda: "then")
    return Tape(Writer(recorder), Redactor(()), session, failures=False, clock=clock)


def asked(target: str, slot: int) -> Exchange:
    """An exchange whose request is `target`."""
    head, raw = Request("GET", target), make_mocked_request("GET", target)
    told = Heading(head, None, frozenset(), head, head)
    return Exchange(raw, told, cast("Intake", None), slot, 0.0, "then", head)


async def save(tape: Tape, target: str, slot: int = 1, answer: Response = ANSWER) -> bool:
    """Saves an exchange."""
    exchange = asked(target, slot)
    return await tape.save(exchange, exchange.twin, answer)


async def test_an_exchange_is_counted_when_it_is_in_the_cassette() -> None:
    """Not before, whoever asks."""
    store = MemoryStore(Cassette())
    recorder = Gated(store)
    tape = tape_of(recorder)
    saving = asyncio.create_task(save(tape, "/a"))
    await asyncio.sleep(0)
    assert (tape.session.receipt().saved, len(store.load().interactions)) == (0, 0)
    recorder.gate.set()
    assert await saving
    assert (tape.session.receipt().saved, len(store.load().interactions)) == (1, 1)
    await tape.close()


async def test_a_cancelled_exchange_is_saved_and_counted() -> None:
    """Its client went while the disk was slow; by the end of the recording the session knows of it."""
    store = MemoryStore(Cassette())
    recorder = Gated(store)
    tape = tape_of(recorder)
    saving = asyncio.create_task(save(tape, "/a"))
    await asyncio.sleep(0)
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    recorder.gate.set()
    await tape.close()
    assert (tape.session.receipt().saved, len(store.load().interactions)) == (1, 1)


async def test_what_cannot_be_saved_is_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """Once each; what nobody thought of with where it happened."""
    recorder = Gated(MemoryStore(Cassette()))
    recorder.gate.set()
    tape = tape_of(recorder)
    assert not await save(tape, "no path")
    recorder.failing = RuntimeError("a bug")
    assert not await save(tape, "/b")
    assert (tape.session.receipt().saved, tape.session.receipt().lost) == (0, 2)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["not saved"] * 2
    assert [bool(record.exc_info) for record in caplog.records] == [False, True]
    await tape.close()


@pytest.mark.parametrize("fsync", ["never", "interval", "always"])
async def test_recordings_are_the_same_however_they_are_synced(tmp_path: Path, fsync: Fsync) -> None:
    """The setting reaches the recorder, and many clients at once get their answers."""
    cassette = tmp_path / "c.yaml"
    upstream_answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    async with (
        raw_upstream(answering(upstream_answer)) as upstream,
        proxied(cassette, upstream.url, record=RecordSettings(fsync=fsync)) as proxy,
    ):
        asking = [GET % f"/v1/{number}".encode() for number in range(20)]
        answers = await asyncio.gather(*(exchange(proxy.url, request) for request in asking))
        assert all(answer.endswith(b"\r\n\r\nok") for answer in answers)
        assert len(documents(cassette)) == 21
    assert proxy.session.receipt().saved == 20
    assert sorted(each["request"]["target"] for each in documents(cassette)[1:]) == sorted(
        f"/v1/{number}" for number in range(20)
    )


async def test_a_clock_that_jumps_changes_no_order_and_no_duration(tmp_path: Path) -> None:
    """The time of day is written down as it was told, back or forth; everything else goes by the other clock."""
    seconds = iter([5.0, 5.5, 6.0])
    days = ["2026-01-02T00:00:00Z", "2025-01-01T00:00:00Z", "2036-01-01T00:00:00Z"]
    tape = Tape(
        Writer(FileStore(tmp_path / "c.yaml").append_to(Head())),
        Redactor(()),
        Session(MODES["record"]),
        failures=False,
        clock=Clock(lambda: next(seconds), lambda: "never asked"),
    )
    for slot, day in enumerate(days):
        told = asked(f"/v1/{slot}", slot)
        told.recorded, told.started, told.first_byte = day, 4.0, 0.25
        assert await tape.save(told, told.twin, ANSWER)
    await tape.close()
    saved = FileStore(tmp_path / "c.yaml").load().interactions
    assert [each.request.target for each in saved] == ["/v1/0", "/v1/1", "/v1/2"]
    assert [(each.recorded, each.first_byte, each.took) for each in saved] == [
        (day, 0.25, took) for day, took in zip(days, (1.0, 1.5, 2.0), strict=True)
    ]
