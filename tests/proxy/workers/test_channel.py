"""The channel between two processes of ours."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from replayproxy.errors import CassetteError
from replayproxy.proxy.workers.channel import Channel, GoneError


@contextlib.asynccontextmanager
async def two() -> AsyncIterator[tuple[Channel, Channel]]:
    """Both sides, each of which hears the other."""
    ends = socket.socketpair()
    sides = [await Channel.over(end) for end in ends]
    hearing = [asyncio.create_task(side.run()) for side in sides]
    try:
        yield sides[0], sides[1]
    finally:
        for side in sides:
            side.close()
        await asyncio.gather(*hearing)


async def test_questions_are_answered_and_what_was_told_before_was_heard() -> None:
    """In both directions at once, large answers too; the answers may come in another order."""
    heard = list[str]()
    goes = asyncio.Event()

    async def slow(text: str) -> str:
        await goes.wait()
        return text * 1_000_000

    async def quick() -> tuple[str, ...]:
        goes.set()
        return tuple(heard)

    async with two() as (here, there):
        there.asked, there.told = {"slow": slow, "quick": quick}, {"hear": heard.append}
        here.asked = {"quick": quick}
        asking = asyncio.create_task(here.ask("slow", "ab"))
        here.tell("hear", "one")
        here.tell("hear", "two")
        assert await here.ask("quick") == ("one", "two")
        assert len(await asking) == 2_000_000
        assert await there.ask("quick") == ("one", "two")


async def test_what_the_other_side_raises_is_raised_here() -> None:
    """What the user can act on as it is; anything else as an error of the other side, which logs it."""

    async def torn() -> None:
        raise CassetteError("it is torn", path="c.yaml", line=3, cure="Mend it")

    async def broken() -> None:
        raise ValueError("what")

    async with two() as (here, there):
        there.asked = {"torn": torn, "broken": broken}
        with pytest.raises(CassetteError, match=r"^c\.yaml:3: it is torn\. Mend it$") as caught:
            await here.ask("torn")
        assert (caught.value.line, caught.value.cure) == (3, "Mend it")
        with pytest.raises(GoneError, match="ValueError: what"):
            await here.ask("broken")


async def test_who_waits_is_told_when_the_other_side_goes() -> None:
    """And whoever asks afterwards; what is told is lost without a word."""

    async def never() -> None:
        await asyncio.Event().wait()

    async with two() as (here, there):
        there.asked = {"never": never}
        asking = asyncio.create_task(here.ask("never"))
        await asyncio.sleep(0)
        there.close()
        with pytest.raises(GoneError):
            await asking
        with pytest.raises(GoneError):
            await here.ask("never")
        here.tell("nothing")
