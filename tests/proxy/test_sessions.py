"""Sessions: which recording answers, and many of them on one proxy."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.config import Settings
from replayproxy.core.messages import Headers, Request
from replayproxy.core.modes import MODES
from replayproxy.core.receipt import Receipt
from replayproxy.core.session import Session
from replayproxy.errors import CassetteError, ConfigError
from replayproxy.proxy.app import Proxy
from replayproxy.proxy.names import session_of
from replayproxy.proxy.opening import Declaration
from replayproxy.proxy.sessions import Sessions
from tests.proxies import documents, proxied
from tests.servers import Visit, answering, exchange, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def get(url: str, **headers: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as response:
        return response.status, await response.read()


def receipts(proxy: Proxy) -> dict[str, Receipt]:
    return dict(proxy.sessions.receipts())


@pytest.mark.parametrize(
    ("target", "header", "name", "rest"),
    [
        ("/v1/models", None, "default", "/v1/models"),
        ("/@a.b_c-1/v1/models?x=%2F", None, "a.b_c-1", "/v1/models?x=%2F"),
        ("/@a//v1", None, "a", "//v1"),
        ("/%40a/v1", None, "a", "/v1"),
        ("/@a", None, "a", "/"),
        ("/@a?x=1", None, "a", "/?x=1"),
        ("/v1/models", "b", "b", "/v1/models"),
        ("/@a/v1", "b", "a", "/v1"),
        ("/v1/@a/x", None, "default", "/v1/@a/x"),
    ],
)
def test_the_session_of_a_request(target: str, header: str | None, name: str, rest: str) -> None:
    """The prefix wins over the header, and is taken off with the rest untouched."""
    headers = Headers.of(("X-Replayproxy-Session", header)) if header else Headers()
    found, head = session_of(Request("GET", target, headers))
    assert (found, head.target) == (name, rest)


@pytest.mark.parametrize("name", ["..", ".", ".hidden", "a%2Fb", "a b", "", "x" * 201, "é"])
async def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    """Nothing that could lead out of the folder of cassettes is a name."""
    with pytest.raises(ConfigError, match="letters, digits"):
        session_of(Request("GET", f"/@{name}/v1"))
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        answer = await exchange(
            proxy.url, f"GET /@{name}/v1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
    assert answer.split()[1] == b"400"


async def test_each_session_has_its_own_cassette(tmp_path: Path) -> None:
    """By prefix or by header; the upstream sees neither."""
    async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        await get(f"{proxy.base_url('one')}/v1/a")
        await get(f"{proxy.url}/v1/b", **{"x-replayproxy-session": "two"})
        assert {name: receipt.saved for name, receipt in receipts(proxy).items()} == {"one": 1, "two": 1}
    for name, path in (("one", "/v1/a"), ("two", "/v1/b")):
        recorded = documents(tmp_path / f"{name}.yaml")[1]["request"]
        assert recorded["target"] == path
        assert "session" not in json.dumps(recorded).lower()
    assert b"@one" not in upstream.received
    assert b"session" not in upstream.received.lower()
    assert not (tmp_path / "c.yaml").exists()


async def test_an_undeclared_session_without_a_cassette_misses(tmp_path: Path) -> None:
    """The file that was looked for is named."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        status, body = await get(f"{proxy.base_url('nobody')}/v1/a")
    assert status == 424
    assert json.loads(body)["error"]["code"] == "no_cassette"
    assert "nobody.yaml" in json.loads(body)["error"]["message"]


async def test_an_unreadable_cassette_is_told_to_the_client_and_may_be_mended(tmp_path: Path) -> None:
    """A session that could not be opened is tried again with the next request."""
    (tmp_path / "s.yaml").write_text("not: a cassette\n")
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        status, body = await get(f"{proxy.base_url('s')}/v1/a")
        assert (status, json.loads(body)["error"]["code"]) == (424, "cassette_unreadable")
        assert "s.yaml" in json.loads(body)["error"]["message"]
        (tmp_path / "s.yaml").unlink()
        _, body = await get(f"{proxy.base_url('s')}/v1/a")
        assert json.loads(body)["error"]["code"] == "no_cassette"


async def test_a_session_may_be_declared_with_its_own_mode(tmp_path: Path) -> None:
    """One records while another one plays; a name is taken only once."""
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, mode="playback") as proxy,
    ):
        assert proxy.upstream == ""
        declared = Declaration("s", mode="record", cassette=tmp_path / "elsewhere.yaml", speed=2.0, repeat="never")
        await proxy.sessions.declare(declared)
        assert (await get(f"{proxy.base_url('s')}/v1/a"))[1] == b"ok"
        with pytest.raises(ConfigError, match="there is a session s already"):
            await proxy.sessions.declare(declared)
        assert proxy.sessions.names() == ("default", "s")
        assert (await proxy.sessions.close("s")).saved == 1
        await proxy.sessions.declare(Declaration("s", cassette=tmp_path / "elsewhere.yaml"))
        assert (await get(f"{proxy.base_url('s')}/v1/a"))[1] == b"ok"
        assert receipts(proxy)["s"].played == 1
        assert [name for name, _ in proxy.sessions.receipts()] == ["s", "s"]


async def test_a_session_is_opened_once(tmp_path: Path) -> None:
    """However many requests wait for it."""
    async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        await asyncio.gather(*(get(f"{proxy.base_url('s')}/v1/{n}") for n in range(20)))
        assert receipts(proxy)["s"].saved == 20
    assert len(documents(tmp_path / "s.yaml")) == 21


async def test_reset_plays_from_the_beginning(tmp_path: Path) -> None:
    """The play counts are gone, the recordings are not."""
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url) as proxy,
        aiohttp.ClientSession() as client,
    ):
        await client.post(f"{proxy.base_url('s')}/v1/a", data=b"x")
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as client:
        statuses = []
        for _ in range(2):
            for _ in range(2):
                async with client.post(f"{proxy.base_url('s')}/v1/a", data=b"x") as response:
                    statuses.append(response.status)
            await proxy.sessions.reset("s")
        assert statuses == [200, 424, 200, 424]
        with pytest.raises(KeyError):
            await proxy.sessions.reset("nobody")
        with pytest.raises(KeyError):
            await proxy.sessions.close("nobody")


async def test_closing_waits_for_what_is_under_way(tmp_path: Path) -> None:
    """An answer that is still coming is recorded before the cassette is closed."""
    go = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(OK[:-1])
        await go.wait()
        await visit.send(OK[-1:])

    async with raw_upstream(script) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        asking = asyncio.create_task(get(f"{proxy.base_url('s')}/v1/a"))
        while not upstream.received:
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(proxy.sessions.close("s"))
        await asyncio.sleep(0)
        assert not closing.done()
        go.set()
        assert (await closing).saved == 1
        assert (await asking)[1] == b"ok"


async def test_two_hundred_sessions_at_once_keep_apart(tmp_path: Path) -> None:
    """The same requests in different order, each answered from its own recording."""

    async def script(visit: Visit) -> None:
        while True:
            request = await visit.request()
            tag = request.partition(b"x-tag: ")[2].split(b"\r\n")[0]
            await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(tag) + tag)

    async def talk(client: aiohttp.ClientSession, proxy: Proxy, number: int) -> list[str]:
        answers: dict[int, str] = {}
        for step in sorted(range(4), key=lambda step: (step * 7 + number) % 5):
            url = f"{proxy.base_url(f't{number}')}/v1/{step}"
            async with client.get(url, headers={"x-tag": f"{number}-{step}"}) as response:
                answers[step] = await response.text()
        return [answers[step] for step in range(4)]

    expected = [[f"{number}-{step}" for step in range(4)] for number in range(200)]
    async with raw_upstream(script) as upstream:
        for mode in ("record", "playback"):
            async with (
                proxied(tmp_path / "c.yaml", upstream.url, mode=mode) as proxy,
                aiohttp.ClientSession() as client,
            ):
                assert await asyncio.gather(*(talk(client, proxy, number) for number in range(200))) == expected
                assert not any(receipt.failures for _, receipt in proxy.sessions.receipts())


async def test_the_journal_tells_what_went_through(tmp_path: Path) -> None:
    """Session, outcome and the redacted request of each exchange."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        await get(f"{proxy.base_url('s')}/v1/a?api_key=secret-value", Authorization="Bearer abc")
        (noted,) = proxy.journal.entries(session="s")
    entry = noted.entry()
    assert (entry.outcome, entry.status, entry.request.target) == ("missed", 424, "/v1/a?api_key=redacted.api-key")
    assert "abc" not in str(entry)
    assert "no_cassette" in entry.note


async def test_a_default_session_that_nobody_used_is_no_receipt(tmp_path: Path) -> None:
    """It would fail every run in which all tests have sessions of their own; alone it does count."""
    async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        assert list(receipts(proxy)) == ["default"]
        await get(f"{proxy.base_url('s')}/v1/a")
        assert list(receipts(proxy)) == ["s"]


async def test_two_sessions_cannot_record_into_one_cassette(tmp_path: Path) -> None:
    """The second is refused, and the first goes on."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        one: dict[str, Any] = {"mode": "record", "cassette": tmp_path / "x.yaml"}
        await proxy.sessions.declare(Declaration("a", **one))
        with pytest.raises(CassetteError):
            await proxy.sessions.declare(Declaration("b", **one))
        assert proxy.sessions.names() == ("default", "a")


async def test_all_sessions_are_closed_although_one_breaks() -> None:
    """What broke is told afterwards; what could not be opened was told before."""

    class Breaking:
        name, cassette, closed = "s", "s.yaml", False
        session = Session(MODES["auto"])

        async def close(self) -> None:
            self.closed = True
            if self.name == "broken":
                raise RuntimeError("it broke")

    class Doors:
        def __init__(self) -> None:
            self.handlers: list[Breaking] = []
            self.settings = Settings()

        async def open(self, declaration: Declaration) -> Breaking:
            if declaration.name == "refused":
                raise CassetteError("unreadable")
            handler = Breaking()
            handler.name = declaration.name
            self.handlers.append(handler)
            return handler

    doors = Doors()
    sessions = Sessions(doors)  # type: ignore[arg-type]
    for name in ("broken", "fine"):
        await sessions.declare(Declaration(name))
    refused = asyncio.create_task(sessions.get("refused"))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="it broke"):
        await sessions.close_all()
    with pytest.raises(CassetteError):
        await refused
    assert [handler.closed for handler in doors.handlers] == [True, True]
    assert [name for name, _ in sessions.receipts()] == ["fine"]
    await sessions.close_all()


async def test_a_cassette_is_named_for_each_open_session(tmp_path: Path) -> None:
    """As messages show it."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        await get(f"{proxy.base_url('s')}/v1/a")
        assert proxy.sessions.cassettes() == {
            "default": str(tmp_path / "c.yaml"),
            "s": str(tmp_path / "s.yaml"),
        }


class TestChanging:
    """A session goes on in another mode."""

    async def test_what_was_recorded_is_played_from_then_on(self, tmp_path: Path) -> None:
        """And both receipts are kept: that of the recording, and that of what came after."""
        async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
            assert (await get(f"{proxy.base_url('s')}/v1/a"))[0] == 200
            handler = await proxy.sessions.change("s", "playback")
            assert (handler.session.mode.name, handler.link) == ("playback", None)
            assert (await get(f"{proxy.base_url('s')}/v1/a")) == (200, b"ok")
            assert (await get(f"{proxy.base_url('s')}/v1/b"))[0] == 424
        told = [(each.mode, each.saved, each.played, each.missed) for _, each in proxy.sessions.receipts()]
        assert told == [("record", 1, 0, 0), ("playback", 0, 1, 1)]
        assert upstream.received.count(b"GET ") == 1

    async def test_the_upstream_is_made_when_playback_ends(self, tmp_path: Path) -> None:
        """There is none before."""
        async with (
            raw_upstream(answering(OK)) as upstream,
            proxied(tmp_path / "c.yaml", upstream.url, mode="playback") as proxy,
        ):
            assert (await get(f"{proxy.url}/v1/a"))[0] == 424
            for mode in ("passthrough", "auto", "record"):
                await proxy.sessions.change("default", mode)
                assert (await get(f"{proxy.url}/v1/{mode}"))[0] == 200
                assert proxy.sessions.receipt("default").mode == mode
        assert documents(tmp_path / "c.yaml")[1]["request"]["target"] == "/v1/record"
        assert documents(tmp_path / "c.yaml~")[1]["request"]["target"] == "/v1/auto"

    async def test_the_rest_of_the_declaration_holds(self, tmp_path: Path) -> None:
        """Its cassette above all, and also after a reset."""
        async with (
            raw_upstream(answering(OK)) as upstream,
            proxied(tmp_path / "c.yaml", upstream.url, mode="playback") as proxy,
        ):
            declared = Declaration("s", mode="record", cassette=tmp_path / "elsewhere.yaml", strict=True)
            await proxy.sessions.declare(declared)
            await get(f"{proxy.base_url('s')}/v1/a")
            await proxy.sessions.change("s", "playback")
            await proxy.sessions.reset("s")
            receipt = proxy.sessions.receipt("s")
            assert (receipt.mode, receipt.strict, receipt.unplayed) == ("playback", True, (1,))

    async def test_the_same_mode_again_is_no_change(self, tmp_path: Path) -> None:
        """Nothing begins anew, and nothing is recorded over."""
        async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
            await get(f"{proxy.url}/v1/a")
            await proxy.sessions.change("default", "record")
            await get(f"{proxy.url}/v1/b")
            assert receipts(proxy)["default"].saved == 2
        assert len(documents(tmp_path / "c.yaml")) == 3

    async def test_what_is_under_way_finishes_in_the_mode_that_it_began_in(self, tmp_path: Path) -> None:
        """An answer that is still coming is recorded before the cassette is played."""
        go = asyncio.Event()

        async def script(visit: Visit) -> None:
            await visit.request()
            await visit.send(OK[:-1])
            await go.wait()
            await visit.send(OK[-1:])

        async with raw_upstream(script) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
            asking = asyncio.create_task(get(f"{proxy.base_url('s')}/v1/a"))
            while not upstream.received:
                await asyncio.sleep(0.01)
            changing = asyncio.create_task(proxy.sessions.change("s", "playback"))
            playing = asyncio.create_task(get(f"{proxy.base_url('s')}/v1/a"))
            await asyncio.sleep(0.05)
            assert [task.done() for task in (changing, playing)] == [False, False]
            go.set()
            assert len((await changing).session) == 1
            assert await asking == await playing == (200, b"ok")

    async def test_a_mode_in_which_it_cannot_be_opened_leaves_it_as_it_was(self, tmp_path: Path) -> None:
        """Somebody else records into its cassette: that is told, and it plays on."""
        async with raw_upstream(answering(OK)) as upstream:
            async with proxied(tmp_path / "c.yaml", upstream.url) as proxy:
                await get(f"{proxy.url}/v1/a")
            async with proxied(tmp_path / "c.yaml", upstream.url, mode="playback") as proxy:
                await proxy.sessions.declare(Declaration("other", mode="auto", cassette=tmp_path / "c.yaml"))
                with pytest.raises(CassetteError, match="another replayproxy records into it"):
                    await proxy.sessions.change("default", "record")
                assert proxy.sessions.receipt("default").mode == "playback"
                assert (await get(f"{proxy.url}/v1/a")) == (200, b"ok")

    async def test_no_such_session(self, tmp_path: Path) -> None:
        """A KeyError, and none is opened."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
            with pytest.raises(KeyError):
                await proxy.sessions.change("nobody", "auto")
            with pytest.raises(KeyError):
                proxy.sessions.unplayed("nobody")
            assert proxy.sessions.names() == ("default",)
