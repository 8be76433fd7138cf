"""How long an exchange may take: one timer for all its waits."""

from __future__ import annotations

import asyncio

import pytest

from replayproxy.errors import UpstreamError
from replayproxy.proxy.patience import Patience, Timeouts

SHORT = 0.02


def patience(timeouts: Timeouts) -> tuple[Patience, asyncio.Future[UpstreamError]]:
    """A patience, and what it gives up with."""
    given_up: asyncio.Future[UpstreamError] = asyncio.get_running_loop().create_future()
    return Patience(timeouts, Patience.deadline(timeouts), given_up.set_result), given_up


@pytest.mark.parametrize(
    ("timeouts", "told"),
    [
        (Timeouts(idle=SHORT), "the upstream said nothing for 0.02 s"),
        (Timeouts(idle=0, total=SHORT), "the whole took longer than 0.02 s"),
        (Timeouts(idle=60, total=SHORT), "the whole took longer than 0.02 s"),
    ],
)
async def test_a_wait_that_takes_too_long_is_given_up(timeouts: Timeouts, told: str) -> None:
    """The error tells what the upstream did, and for how long."""
    waiting, given_up = patience(timeouts)
    waiting.begin("said nothing")
    assert str(await given_up) == told
    waiting.stop()


async def test_time_in_which_nobody_waits_does_not_count() -> None:
    """A client that takes its time is no silence of the upstream; the next wait has all of its own again."""
    waiting, given_up = patience(Timeouts(idle=SHORT))
    waiting.begin("said nothing")
    waiting.end()
    await asyncio.sleep(4 * SHORT)
    assert not given_up.done()
    waiting.begin("said nothing more")
    assert str(await given_up) == "the upstream said nothing more for 0.02 s"
    waiting.stop()


async def test_a_later_wait_is_measured_from_its_own_beginning() -> None:
    """The timer of the first wait goes off during the second, and gives that what is left of its time."""
    loop = asyncio.get_running_loop()
    waiting, given_up = patience(Timeouts(idle=0.2))
    waiting.begin("said nothing")
    await asyncio.sleep(0.1)
    waiting.end()
    waiting.begin("said nothing more")
    began = loop.time()
    assert "nothing more" in str(await given_up)
    assert loop.time() - began >= 0.19
    waiting.stop()


async def test_without_limits_there_is_no_timer() -> None:
    """Nothing is set that would have to be taken back."""
    waiting, given_up = patience(Timeouts(idle=0))
    waiting.begin("said nothing")
    await asyncio.sleep(0)
    assert not given_up.done()
    waiting.stop()
