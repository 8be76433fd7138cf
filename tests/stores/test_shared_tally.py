"""The counters that processes share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from replayproxy.core.tally import OwnTally, Tally
from replayproxy.errors import CassetteError, StartError
from replayproxy.stores.shared_tally import NAMES, SharedTally
from tests.processes import PATIENCE

KEY = bytes(range(16))
#: So many processes, each of which takes what it can get of so many places.
PROCESSES, PLACES = 4, 2_000

#: Takes turns at a few identities until there is none left, and prints the places it got.
_CLAIMER = """
import sys
from pathlib import Path
from replayproxy.stores.shared_tally import SharedTally

tally = SharedTally(Path(sys.argv[1]), int(sys.argv[2]))
seen, places = tally.named("seen"), int(sys.argv[3])
for name in (b"a" * 16, b"b" * 16, b"a" * 15 + b"b"):
    turns = tally.turns(name)
    while (place := turns.value) < places:
        if turns.claim(place):
            seen.count()
            print(name.decode(), place, tally.named("order").add())
"""

#: Takes a counter's lock and keeps it until it is killed.
_HOLDER = """
import sys, time
from pathlib import Path
from replayproxy.stores import shared_tally

tally = shared_tally.SharedTally(Path(sys.argv[1]), 1)
turns = tally.turns(bytes(range(16)))
turns.add()
for _ in range(int(sys.argv[2])):
    tally.named("seen").count()
shared_tally.lockf(tally.descriptor, shared_tally.LOCK, 4096)
print("held", flush=True)
time.sleep(1000)
"""


@pytest.fixture(params=["own", "shared"])
def tally(request: pytest.FixtureRequest, tmp_path: Path) -> Tally:
    """Every kind of tally."""
    return OwnTally() if request.param == "own" else SharedTally.create(tmp_path / "tally", 10, 2)


def python(program: str, *arguments: object) -> subprocess.Popen[str]:
    """A process that runs a program."""
    words = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(words, text=True, stdout=subprocess.PIPE)


class TestEveryTally:
    """What all tallies do."""

    def test_a_place_is_taken_once(self, tally: Tally) -> None:
        """By whoever knows which is next."""
        turns = tally.turns(KEY)
        assert turns.value == 0
        assert not turns.claim(1)
        assert turns.claim(0)
        assert not turns.claim(0)
        assert (turns.add(), turns.value) == (1, 2)

    def test_names_stand_in_the_order_in_which_they_were_asked_for(self, tally: Tally) -> None:
        """Also those that nobody counted under; the same name is the same counter."""
        for name in ("played", "asked\tlistModels\tmodels", "played", "größer"):
            tally.named(name).count()
        assert tally.named("unused").add() == 0
        assert list(tally.names().items()) == [
            ("played", 2),
            ("asked\tlistModels\tmodels", 1),
            ("größer", 1),
            ("unused", 1),
        ]

    def test_what_is_only_counted_takes_no_place(self, tally: Tally) -> None:
        """But its value has it."""
        counter = tally.named("arrived")
        counter.count()
        assert counter.value == 1
        turns = tally.turns(KEY)
        turns.count()
        assert turns.value == 1


class TestSharedTally:
    """What only the shared one has to mind."""

    def test_every_place_goes_to_one_process(self, tmp_path: Path) -> None:
        """However many ask for it at the same time; and each knows what it counted."""
        tally = SharedTally.create(tmp_path / "tally", 3, PROCESSES + 1)
        processes = [python(_CLAIMER, tally.path, seat, PLACES) for seat in range(1, PROCESSES + 1)]
        lines = [line.split() for each in processes for line in each.communicate(timeout=PATIENCE)[0].splitlines()]
        assert Counter((name, int(place)) for name, place, _ in lines) == Counter(
            (name, place) for name in ("a" * 16, "b" * 16, "a" * 15 + "b") for place in range(PLACES)
        )
        assert sorted(int(order) for *_, order in lines) == list(range(3 * PLACES))
        assert tally.names() == {"seen": 3 * PLACES, "order": 3 * PLACES}
        assert tally.turns(b"a" * 16).value == PLACES

    def test_a_process_that_is_killed_blocks_nobody_and_loses_nothing(self, tmp_path: Path) -> None:
        """The system takes its locks away, and what it counted stands."""
        tally = SharedTally.create(tmp_path / "tally", 3, 2)
        holder = python(_HOLDER, tally.path, 7)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        waiting = python(_CLAIMER, tally.path, 0, 3)
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate(timeout=PATIENCE)
        assert len(waiting.communicate(timeout=PATIENCE)[0].splitlines()) == 9
        assert tally.turns(KEY).value == 1
        assert tally.named("seen").value == 7 + 9

    def test_who_comes_later_sees_what_was_counted(self, tmp_path: Path) -> None:
        """Identities that are alike included."""
        tally = SharedTally.create(tmp_path / "tally", 4, 3)
        for last in range(4):
            for _ in range(last + 1):
                tally.turns(KEY[:-1] + bytes([last])).add()
        other = SharedTally(tally.path, 2)
        assert [other.turns(KEY[:-1] + bytes([last])).value for last in range(5)] == [1, 2, 3, 4, 0]

    def test_a_name_that_is_too_long_is_told_apart_by_a_digest(self, tmp_path: Path) -> None:
        """It is cut where a character ends."""
        tally = SharedTally.create(tmp_path / "tally", 1, 1)
        tally.named("ä" * 300 + "1").count()
        tally.named("ä" * 300 + "2").add()
        (first, _), (second, _) = tally.names().items()
        assert first != second
        assert first.partition("~")[0] == second.partition("~")[0] == "ä" * len(first.partition("~")[0])

    def test_no_more_than_there_is_room_for(self, tmp_path: Path) -> None:
        """Whoever wants more is told what to do; what is there goes on counting."""
        tally = SharedTally.create(tmp_path / "tally", 1, 1)
        for number in range(8):
            tally.turns(bytes([number + 1] * 16)).add()
        with pytest.raises(CassetteError, match="Reset the session"):
            tally.turns(bytes([99] * 16)).add()
        assert tally.turns(bytes([99] * 16)).value == 0
        assert tally.turns(bytes([8] * 16)).add() == 1

    def test_the_file_is_for_its_owner_only(self, tmp_path: Path) -> None:
        """And never one that was there."""
        tally = SharedTally.create(tmp_path / "tally", 100, 2)
        assert tally.path.stat().st_mode & 0o777 == 0o600
        assert tally.path.stat().st_blocks * 512 < 1024 * 1024 < NAMES * 64 * 8
        with pytest.raises(StartError, match="cannot make the counters"):
            SharedTally.create(tally.path, 1, 1)
        tally.remove()
        tally.remove()
        assert not tally.path.exists()
        assert tally.named("still").add() == 0

    @pytest.mark.parametrize(("content", "seat"), [(b"", 0), (b"\0" * 4096, 0), (None, 2)])
    def test_what_holds_no_counters_is_refused(self, tmp_path: Path, content: bytes | None, seat: int) -> None:
        """So is a seat that there is not."""
        path = tmp_path / "tally"
        if content is None:
            SharedTally.create(path, 1, 2)
        else:
            path.write_bytes(content)
        with pytest.raises(StartError, match="counters"):
            SharedTally(path, seat)
