"""A miss that is rehearsed: nobody notices, and all that it takes is there afterwards."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Headers, Request, Response
from replayproxy.proxy.app import Proxy
from replayproxy.proxy.handler import Handler
from replayproxy.proxy.names import DEFAULT
from replayproxy.proxy.rehearsal import rehearsing, steps
from replayproxy.stores import FileStore
from tests.proxies import proxied

JSON = Headers.of(("Content-Type", "application/json"), ("OpenAI-Beta", "assistants=v2"))
ASKED = (
    Request("POST", "/v1/threads", JSON, b"{}"),
    Request("POST", "/v1/threads", JSON, b'{"metadata": {}}'),
    Request("POST", "/v1/embeddings", JSON, b'{"model": "m", "input": "x"}'),
    Request("GET", "/v1/nowhere"),
)
#: Rehearses a miss in a process of its own, and prints what it took.
REHEARSE = """
import asyncio, json, sys
from pathlib import Path
from replayproxy.proxy.names import DEFAULT
from replayproxy.proxy.rehearsal import steps
from tests.proxies import proxied

async def main():
    async with proxied(Path(sys.argv[1]), mode="playback") as proxy:
        for _ in steps(await proxy.sessions.get(DEFAULT)):
            pass
        print(json.dumps(sorted(sys.modules)))

asyncio.run(main())
"""


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """A recording of three operations, and of a path that the API does not have."""
    path = tmp_path / "c.yaml"
    recorder = FileStore(path).replace_take(Head())
    for number, asked in enumerate(ASKED, 1):
        recorder.append(Interaction(asked, Response(200, "OK", body=b"{}")), number)
    recorder.close()
    return path


async def default(proxy: Proxy) -> Handler:
    """The handler of the default session."""
    return await proxy.sessions.get(DEFAULT)


def test_it_loads_what_a_miss_takes(cassette: Path) -> None:
    """What checks by schemas and by models, and what tells a miss."""
    command = [sys.executable, "-W", "error", "-c", REHEARSE, str(cassette)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=root)
    wanted = {"jsonschema_rs", "pydantic", "replayproxy.core.report", "replayproxy.core.validation"}
    assert wanted - set(json.loads(done.stdout)) == set()


@pytest.mark.parametrize(("level", "count"), [("warn", 4), ("off", 2)])
async def test_it_counts_and_tells_nothing(cassette: Path, level: str, count: int) -> None:
    """Each operation is a step of its own, unless it is not to be checked; the receipt knows nothing of it."""
    async with proxied(cassette, mode="playback", validate=level) as proxy:
        handler = await default(proxy)
        before = handler.session.receipt()
        assert len(list(steps(handler))) == count
        assert handler.session.receipt() == before
        assert len(proxy.journal) == 0


async def test_it_ends_when_the_proxy_does(cassette: Path) -> None:
    """Before it began, and in the middle: nobody waits for the rest of it."""
    async with proxied(cassette, mode="playback") as proxy:
        tasks = asyncio.all_tasks()
        async with rehearsing(await default(proxy)):
            assert len(asyncio.all_tasks() - tasks) == 1
        assert asyncio.all_tasks() - tasks == set()


async def test_it_is_played_to_its_end_when_nothing_happens(cassette: Path) -> None:
    """In the background, and once."""
    async with proxied(cassette, mode="playback") as proxy:
        tasks = asyncio.all_tasks()
        async with rehearsing(await default(proxy), pause=0):
            await asyncio.wait(asyncio.all_tasks() - tasks, timeout=60)
            assert asyncio.all_tasks() - tasks == set()


@pytest.mark.parametrize("mode", ["playback", "passthrough"])
async def test_there_is_none_where_no_miss_is_told(tmp_path: Path, mode: str) -> None:
    """Without a cassette, and with an upstream."""
    async with proxied(tmp_path / "none.yaml", mode=mode) as proxy:
        tasks = asyncio.all_tasks()
        async with rehearsing(await default(proxy)):
            assert asyncio.all_tasks() - tasks == set()


async def test_a_recording_that_cannot_be_read_is_left_for_who_asks_for_it(cassette: Path) -> None:
    """It was changed while it is played: whoever asks for it is told."""
    async with proxied(cassette, mode="playback") as proxy:
        cassette.write_bytes(cassette.read_bytes().replace(b"/v1/", b"/v2/"))
        tasks = asyncio.all_tasks()
        async with rehearsing(await default(proxy), pause=0):
            (task,) = asyncio.all_tasks() - tasks
            await asyncio.wait([task], timeout=60)
            assert task.exception() is None
