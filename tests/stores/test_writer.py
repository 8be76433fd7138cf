"""The writer: many interactions saved with one write, in a thread that nobody waits for but those who save."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

import pytest

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import FileBody, Request, Response
from replayproxy.errors import CassetteError
from replayproxy.stores import CassetteStore, FileStore
from replayproxy.stores.contract import Spool, Unsaved
from replayproxy.stores.memory import MemoryStore
from replayproxy.stores.writer import Fsync, Settled, Writer


def exchange(target: str, body: bytes | FileBody = b"x") -> Interaction:
    """An interaction to save."""
    return Interaction(Request("GET", target), Response(200, body=body))


class Recording:
    """A recorder that tells what it is asked for, and saves nothing before its gate is opened."""

    def __init__(self) -> None:
        self.deeds: list[object] = []
        self.gate, self.begun, self.synced = threading.Event(), threading.Event(), threading.Event()
        self.failing: Exception | None = None
        self.unsyncable = False

    def append(self, interaction: Interaction, arrival: int) -> None:
        """Not used here."""
        raise NotImplementedError

    def append_all(self, batch: Sequence[Unsaved]) -> list[CassetteError | None]:
        """Waits for the gate; refuses those whose target says so."""
        self.begun.set()
        self.gate.wait()
        if self.failing:
            raise self.failing
        self.deeds.append([each.arrival for each in batch])
        return [CassetteError("refused") if each.interaction.request.target == "/bad" else None for each in batch]

    def sync(self) -> None:
        """Fails when it is told to."""
        self.deeds.append("sync")
        self.synced.set()
        if self.unsyncable:
            raise CassetteError("cannot be made durable")

    def spool(self) -> Spool:
        """Not used here."""
        raise NotImplementedError

    def close(self) -> None:
        """Tells that it is closed."""
        self.deeds.append("close")


class Told:
    """What was told of interactions, by number."""

    def __init__(self) -> None:
        self.errors: dict[int, str] = {}

    def of(self, number: int) -> Settled:
        """A hearer for one of them."""
        return lambda error: self.errors.update({number: str(error or "saved")})


@pytest.fixture
def recorder() -> Recording:
    """A recorder whose gate is closed."""
    return Recording()


@pytest.fixture
def told() -> Told:
    """Nothing yet."""
    return Told()


def hand_over(writer: Writer, told: Told, number: int, interaction: Interaction | None = None) -> asyncio.Task[bool]:
    """Saves an interaction in the background."""
    saving = writer.append(interaction or exchange("/"), number, told.of(number))
    return asyncio.create_task(saving)


async def turn() -> None:
    """Lets every task that can go on do so."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CassetteStore:
    """Each kind of store, empty."""
    return FileStore(tmp_path / "a.yaml") if request.param == "file" else MemoryStore()


async def test_what_waits_is_saved_with_one_write(recorder: Recording, told: Told) -> None:
    """In the order in which it was handed over, however many did so while the disk was busy."""
    writer = Writer(recorder, "never")
    first = hand_over(writer, told, 1)
    await asyncio.to_thread(recorder.begun.wait)
    more = [hand_over(writer, told, number) for number in (4, 2, 3)]
    await turn()
    assert not told.errors
    recorder.gate.set()
    assert await asyncio.gather(first, *more) == [True] * 4
    assert recorder.deeds == [[1], [4, 2, 3]]
    await writer.close()
    assert recorder.deeds[2:] == ["close"]


async def test_what_is_handed_over_in_one_turn_is_saved_with_one_write(recorder: Recording, told: Told) -> None:
    """The thread is woken once for all of it."""
    writer = Writer(recorder, "never")
    recorder.gate.set()
    saving = [hand_over(writer, told, number) for number in (2, 1, 3)]
    assert await asyncio.gather(*saving) == [True] * 3
    await writer.close()
    assert recorder.deeds == [[2, 1, 3], "close"]


async def test_what_was_handed_over_just_before_the_end_is_saved(recorder: Recording, told: Told) -> None:
    """Closing passes on what the thread was not given yet."""
    writer = Writer(recorder, "never")
    recorder.gate.set()
    saving = hand_over(writer, told, 1)
    closing = asyncio.create_task(writer.close())
    assert await saving
    await closing
    assert recorder.deeds == [[1], "close"]


async def test_what_is_saved_is_loaded_in_order_of_arrival(store: CassetteStore, told: Told) -> None:
    """It is in the cassette as soon as that is told; the order is made when the recording ends."""
    writer = Writer(store.append_to(Head()))
    b, a = exchange("/b"), exchange("/a")
    assert await hand_over(writer, told, 2, b)
    assert store.load().interactions == (b,)
    assert await hand_over(writer, told, 1, a)
    await writer.close()
    await writer.close()
    assert store.load().interactions == (a, b)


async def test_what_cannot_be_saved_fails_alone(store: CassetteStore, told: Told) -> None:
    """Those that were handed over together with it are saved."""
    writer = Writer(store.append_to(Head()))
    unwritable = Interaction(Request("", "/"), Response(200))
    given = (exchange("/a"), unwritable, exchange("/b"))
    assert await asyncio.gather(*(hand_over(writer, told, n, each) for n, each in enumerate(given))) == [
        True,
        False,
        True,
    ]
    assert "not a method" in told.errors.pop(1)
    assert told.errors == {0: "saved", 2: "saved"}
    await writer.close()
    assert store.load().interactions == (given[0], given[2])


async def test_spooled_bodies_are_kept_and_synced(store: CassetteStore, told: Told) -> None:
    """With `always`, the file beside the cassette too."""
    writer = Writer(store.append_to(Head()), "always")
    spool = writer.spool()
    spool.write(b"large body")
    interaction = exchange("/", FileBody(spool.adopt("0" * 64, ".bin"), 10, "digest"))
    assert await hand_over(writer, told, 1, interaction)
    await writer.close()


async def test_nothing_is_saved_after_the_end(store: CassetteStore, told: Told) -> None:
    """Who comes too late is told so."""
    writer = Writer(store.append_to(Head()))
    await writer.close()
    assert not await hand_over(writer, told, 1)
    assert told.errors == {1: "the recording has ended"}
    assert not store.exists()


async def test_whoever_is_cancelled_has_it_saved_all_the_same(recorder: Recording, told: Told) -> None:
    """What was handed over is saved and told, and so is what waited for room."""
    writer = Writer(recorder, "never", room=1)
    waiting = [hand_over(writer, told, number) for number in (1, 2)]
    await turn()
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    recorder.gate.set()
    await writer.close()
    assert told.errors == {1: "saved", 2: "saved"}


async def test_a_slow_disk_makes_savers_wait(recorder: Recording, told: Told) -> None:
    """No more is held than there is room for; what is larger than that gets in alone, and nobody is forgotten."""
    writer = Writer(recorder, "never", room=100)
    sizes = {1: 60, 2: 60, 3: 30, 4: 500, 5: 1, 6: 1}
    tasks = [hand_over(writer, told, number, exchange("/", b"x" * size)) for number, size in sizes.items()]
    await turn()
    recorder.gate.set()
    assert all(await asyncio.gather(*tasks))
    batches = [batch for batch in recorder.deeds if isinstance(batch, list)]
    assert sorted(number for batch in batches for number in batch) == list(sizes)
    assert all(len(batch) == 1 or sum(sizes[number] for number in batch) <= 100 for batch in batches)
    await writer.close()


@pytest.mark.parametrize(
    ("fsync", "expected"),
    [
        ("never", [[1], [2], "close"]),
        ("interval", [[1], [2], "sync", "close"]),
        ("always", [[1], "sync", [2], "sync", "sync", "close"]),
    ],
)
async def test_the_disk_is_synced_as_asked(
    recorder: Recording, told: Told, fsync: Fsync, expected: list[object]
) -> None:
    """Before a save counts, once after a while and at the end, or not at all."""
    recorder.gate.set()
    writer = Writer(recorder, fsync, sync_after=3600)
    for number in (1, 2):
        assert await hand_over(writer, told, number)
    await writer.close()
    assert recorder.deeds == expected


@pytest.mark.parametrize("after", [0.0, 0.01])
async def test_the_disk_is_synced_after_the_interval(recorder: Recording, told: Told, after: float) -> None:
    """Once for what was written, also when nothing else comes."""
    recorder.gate.set()
    writer = Writer(recorder, "interval", sync_after=after)
    assert await hand_over(writer, told, 1)
    await asyncio.to_thread(recorder.synced.wait)
    await writer.close()
    assert recorder.deeds == [[1], "sync", "sync", "close"]


async def test_a_failed_sync_is_told(recorder: Recording, told: Told) -> None:
    """At once where saving depends on it; else when the recording ends, which it does."""
    recorder.gate.set()
    recorder.unsyncable = True
    writer = Writer(recorder, "always")
    assert not await hand_over(writer, told, 1)
    assert "durable" in told.errors[1]
    writer = Writer(recorder, "interval", sync_after=0.0)
    recorder.synced.clear()
    assert await hand_over(writer, told, 2)
    await asyncio.to_thread(recorder.synced.wait)
    recorder.unsyncable = False
    with pytest.raises(CassetteError, match="durable"):
        await writer.close()
    assert recorder.deeds[-1] == "close"


async def test_whatever_goes_wrong_nobody_waits_for_ever(recorder: Recording, told: Told) -> None:
    """An error that nobody thought of is told to those whom it concerns, and the next are saved."""
    recorder.gate.set()
    recorder.failing = RuntimeError("a bug")
    writer = Writer(recorder, "interval")
    assert not await hand_over(writer, told, 1)
    recorder.failing = None
    assert await hand_over(writer, told, 2)
    await writer.close()
    assert told.errors == {1: "a bug", 2: "saved"}


def test_what_was_handed_over_is_saved_when_the_loop_is_gone(recorder: Recording, told: Told) -> None:
    """Its end does not end the thread."""
    writer = Writer(recorder, "never")

    async def hurried() -> None:
        hand_over(writer, told, 1)
        await turn()

    asyncio.run(hurried())
    recorder.gate.set()
    asyncio.run(writer.close())
    assert recorder.deeds == [[1], "close"]


async def test_what_was_saved_is_let_go_of() -> None:
    """Nothing of it waits in the thread for what is saved next: that may be megabytes, and may be never."""
    recording = Recording()
    recording.gate.set()
    writer = Writer(recording, "never")

    def settled(error: Exception | None) -> None:
        """Lives as long as what was saved."""

    kept = weakref.ref(settled)
    assert await writer.append(exchange("/a"), 1, settled)
    del settled
    async with asyncio.timeout(20):
        while kept() is not None:
            await asyncio.sleep(0.01)
    await writer.close()
