"""Two hundred tests at once on one proxy, and on a proxy for each xdist worker: each plays its own recording.

All of them ask the same, each in an order of its own, and the upstream never gave the same answer twice: what leaks
from one session into another one is seen at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest

from replayproxy.proxy.app import Proxy, running
from replayproxy.pytest_plugin.background import Background
from tests.proxies import settings_for
from tests.pytest_plugin.inner import inner_project
from tests.servers import Script, Visit, raw_upstream

pytest_plugins = ["pytester"]

#: So many tests with a synchronous client, and so many with an asynchronous one.
EACH = 100
NAMES = [f"{kind}-{number}" for kind in ("sync", "async") for number in range(EACH)]
STEPS = ("gpt-1", "gpt-2", "gpt-2", "gpt-3")
#: How many of the tests run at the same time in threads, and within one event loop.
AT_ONCE = 25
PATIENCE = 30

Answers = list[tuple[str, str]]


def order(name: str) -> list[str]:
    """The steps in an order that belongs to the test, the same each time."""
    return random.Random(name).sample(STEPS, len(STEPS))


def counting() -> Script:
    """A script of an upstream that never gives the same answer twice."""
    numbers = itertools.count(1)

    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            body = b'{"id":"%d","object":"model","created":1,"owned_by":"us"}' % next(numbers)
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            await visit.send(head + body)

    return script


def all_talk(proxy: Proxy) -> dict[str, Answers]:
    """What each test gets: half of them in threads, half of them in an event loop, all at once."""
    with ThreadPoolExecutor(AT_ONCE + 1) as pool, openai.DefaultHttpxClient(trust_env=False) as shared:

        def talk(name: str) -> Answers:
            client = openai.OpenAI(base_url=f"{proxy.base_url(name)}/v1", api_key="any", http_client=shared)
            return [(step, client.models.retrieve(step).id) for step in order(name)]

        in_a_loop = pool.submit(lambda: asyncio.run(_all_talk_in_a_loop(proxy)))
        in_threads = list(pool.map(talk, NAMES[:EACH]))
        return dict(zip(NAMES, in_threads + in_a_loop.result(PATIENCE), strict=True))


async def _all_talk_in_a_loop(proxy: Proxy) -> list[Answers]:
    places = asyncio.Semaphore(AT_ONCE)
    async with openai.DefaultAsyncHttpxClient(trust_env=False) as shared:

        async def talk(name: str) -> Answers:
            client = openai.AsyncOpenAI(base_url=f"{proxy.base_url(name)}/v1", api_key="any", http_client=shared)
            async with places:
                return [(step, (await client.models.retrieve(step)).id) for step in order(name)]

        return await asyncio.gather(*map(talk, NAMES[EACH:]))


@dataclass(frozen=True)
class Take:
    """The recordings of all tests, `NAME.yaml` in a folder, and what each test got."""

    folder: Path
    answers: dict[str, Answers]


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Take:
    """All tests, recorded at once on one proxy."""
    folder = tmp_path_factory.mktemp("take")
    upstream = Background(raw_upstream(counting()))
    recording = Background(running(settings_for(folder / "c.yaml", upstream.value.url)))
    answers = all_talk(recording.value)
    recording.stop()
    upstream.stop()
    ids = [answer for each in answers.values() for _, answer in each]
    assert len(set(ids)) == len(ids) == 2 * EACH * len(STEPS)
    return Take(folder, answers)


@contextlib.contextmanager
def played(take: Take) -> Iterator[Proxy]:
    """A proxy that plays the take; in the end each session has played its own, and all of it."""
    playing = Background(running(settings_for(take.folder / "c.yaml", mode="playback")))
    try:
        yield playing.value
        receipts = dict(playing.value.sessions.receipts())
    finally:
        playing.stop()
    assert set(receipts) == set(NAMES)
    assert {(receipt.played, receipt.missed, receipt.unplayed) for receipt in receipts.values()} == {
        (len(STEPS), 0, ())
    }


def test_on_one_proxy_in_threads_and_in_a_loop(take: Take) -> None:
    """Each test has what it had."""
    with played(take) as proxy:
        assert all_talk(proxy) == take.answers


INNER = """
import asyncio
import json
import random
import urllib.request
from pathlib import Path

import pytest

TAKE = json.loads(Path("take.json").read_text())
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def asked(url):
    with OPENER.open(url) as answer:
        return json.load(answer)["id"]


@pytest.mark.parametrize("name", [name for name in TAKE if name.startswith("sync")])
def test_many(base_url, name):
    assert [[step, asked(f"{base_url}/models/{step}")] for step, _ in TAKE[name]] == TAKE[name]


@pytest.mark.parametrize("name", [name for name in TAKE if name.startswith("async")])
async def test_many_async(base_url, name):
    got = [[step, await asyncio.to_thread(asked, f"{base_url}/models/{step}")] for step, _ in TAKE[name]]
    assert got == TAKE[name]
"""
ON_ONE_PROXY = """
import os, pytest

@pytest.fixture
def base_url(request):
    return f"{os.environ['PROXY']}/@{request.node.callspec.params['name']}/v1"
"""
ON_ITS_OWN = """
import pytest

@pytest.fixture
def base_url(replay_session):
    return replay_session.base_url
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, take: Take) -> pytest.Pytester:
    """The inner tests, which know what each of them has to get."""
    project = inner_project(pytester, monkeypatch)
    project.makepyfile(test_many=INNER)
    (project.path / "take.json").write_text(json.dumps(take.answers))
    return project


def test_on_one_proxy_in_four_processes(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, take: Take) -> None:
    """The workers of xdist share a proxy that runs elsewhere; a base URL is all that they need."""
    project.makeconftest(ON_ONE_PROXY)
    with played(take) as proxy:
        monkeypatch.setenv("PROXY", proxy.url)
        project.runpytest_subprocess("-n", "4", "-q").assert_outcomes(passed=2 * EACH)


def test_with_a_proxy_for_each_of_four_processes(project: pytest.Pytester, take: Take) -> None:
    """The plugin does the rest."""
    project.makeconftest(ON_ITS_OWN)
    folder = project.path / "cassettes" / "test_many"
    folder.mkdir(parents=True)
    for name in NAMES:
        test = "test_many_async" if name.startswith("async") else "test_many"
        shutil.copy(take.folder / f"{name}.yaml", folder / f"{test}-{name}.yaml")
    result = project.runpytest_subprocess("-n", "4", "-q", "--replay-strict")
    result.assert_outcomes(passed=2 * EACH)
    result.stdout.fnmatch_lines([f"{2 * EACH} session(s), playback: {2 * EACH * len(STEPS)} played"])
