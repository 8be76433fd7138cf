"""Several workers behave as one proxy: every answer given once, every count exact, whoever served."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import FileBody, Headers, Response
from replayproxy.core.receipt import Receipt
from replayproxy.errors import StartError
from replayproxy.proxy.app import Proxy
from replayproxy.stores import FileStore
from tests.builders import interaction, request
from tests.proxies import admin_headers, documents, proxied
from tests.servers import Visit, raw_upstream

CONNECTIONS = 32
#: So many answers to one request stand in a cassette.
ANSWERS = 500
PATIENCE = 30
JSON_TYPE = {"Content-Type": "application/json"}


def write(cassette: Path, *recorded: Interaction) -> Path:
    """A cassette with these interactions."""
    recorder = FileStore(cassette).append_to(Head("test", "2026-01-01T00:00:00Z", "test", ""))
    for place, each in enumerate(recorded, 1):
        recorder.append(each, place)
    recorder.close()
    return cassette


def numbered(target: str, count: int) -> list[Interaction]:
    """So many answers to one request, each with its number."""
    return [
        interaction(request("POST", target), Response(200, "OK", Headers(), b"answer %d" % number))
        for number in range(count)
    ]


async def many(url: str, targets: Sequence[str], method: str = "POST") -> list[tuple[int, bytes]]:
    """What comes when all of this is asked over many connections at once."""
    waiting = list(reversed(targets))
    found = list[tuple[int, bytes]]()

    async def ask() -> None:
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector) as client:
            while waiting:
                async with client.request(method, f"{url}{waiting.pop()}", headers=JSON_TYPE) as answer:
                    found.append((answer.status, await answer.read()))

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return found


async def admin(proxy: Proxy, method: str, path: str, body: Any = None) -> Any:
    """What the admin API answers."""
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, f"{proxy.admin_url}{path}", json=body, headers=admin_headers(proxy)) as answer,
    ):
        told = await answer.json()
        assert answer.status < 400, told
        return told


def receipts(proxy: Proxy) -> dict[str, Receipt]:
    """The receipts by the sessions' names."""
    return dict(proxy.sessions.receipts())


async def echoing(visit: Visit) -> None:
    """Answers with the path that was asked for, and a large body when the path says so."""
    while True:
        path = (await visit.request()).split(b" ", 2)[1]
        body = path if b"large" not in path else path * 20_000
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


class TestPlayback:
    """What is recorded is given as by one process."""

    @pytest.mark.parametrize(("repeat", "gone"), [("never", 424), ("last", 424), ("cycle", 200)])
    async def test_a_sequence_is_given_once_each(self, tmp_path: Path, repeat: str, gone: int) -> None:
        """Under many connections at once; what happens past the end is what the setting says."""
        cassette = write(tmp_path / "c.yaml", *numbered("/v1/x", ANSWERS))
        async with proxied(cassette, mode="playback", workers=2) as proxy:
            await admin(proxy, "POST", "/sessions", {"name": "s", "cassette": "c.yaml", "repeat": repeat})
            found = await many(proxy.base_url("s"), ["/v1/x"] * ANSWERS)
            assert Counter(body for _, body in found) == Counter(b"answer %d" % number for number in range(ANSWERS))
            told = await admin(proxy, "GET", "/sessions/s")
            assert (told["counts"]["played"], told["counts"]["unplayed"]) == (ANSWERS, 0)
            past = await many(proxy.base_url("s"), ["/v1/x"] * 40)
            assert {status for status, _ in past} == {gone}
        receipt = receipts(proxy)["s"]
        assert (receipt.played, receipt.repeated, receipt.missed) == (
            (ANSWERS, 40, 0) if gone == 200 else (ANSWERS, 0, 40)
        )
        assert receipt.unplayed == ()
        assert [each.requests for each in receipt.asked] == [ANSWERS + 40]
        assert len(receipt.misses) == (0 if gone == 200 else 20)
        if gone == 200:
            assert Counter(body for _, body in past) == Counter(b"answer %d" % number for number in range(40))

    async def test_the_last_answer_to_a_get_repeats(self, tmp_path: Path) -> None:
        """Over and over, for whoever asks."""
        cassette = write(
            tmp_path / "c.yaml",
            *(interaction(request("GET", "/v1/x"), Response(200, "OK", Headers(), b"%d" % each)) for each in range(3)),
        )
        async with proxied(cassette, mode="playback", workers=2) as proxy:
            found = Counter(body for _, body in await many(proxy.url, ["/v1/x"] * 50, "GET"))
        assert found == {b"0": 1, b"1": 1, b"2": 48}
        assert (receipts(proxy)["default"].played, receipts(proxy)["default"].repeated) == (3, 47)

    async def test_exchanges_are_numbered_once(self, tmp_path: Path) -> None:
        """And told in the order of their numbers, whoever served them."""
        cassette = write(tmp_path / "c.yaml", *numbered("/v1/x", 100))
        async with proxied(cassette, mode="playback", workers=2) as proxy:
            await many(proxy.url, ["/v1/x"] * 100 + ["/v1/y"] * 20)
            told = await admin(proxy, "GET", "/exchanges?limit=1000")
            assert [each["number"] for each in told["exchanges"]] == list(range(1, 121))
            assert told["more"] is False
            missed = await admin(proxy, "GET", "/exchanges?outcome=missed&limit=5")
            assert [each["outcome"] for each in missed["exchanges"]] == ["missed"] * 5
            assert missed["more"] is True

    async def test_a_rule_that_one_worker_used_is_used(self, tmp_path: Path) -> None:
        """The receipt tells of those that nobody needed."""
        cassette = write(tmp_path / "c.yaml", interaction(request("POST", "/v1/x", {"a": 1})))
        rules = {"ignore": ["body.seed", "body.nonce"]}
        async with proxied(cassette, mode="playback", workers=2) as proxy:
            await admin(proxy, "POST", "/sessions", {"name": "s", "cassette": "c.yaml", "match": rules})
            async with (
                aiohttp.ClientSession() as client,
                client.post(f"{proxy.base_url('s')}/v1/x", json={"a": 1, "seed": 2}) as answer,
            ):
                assert answer.status == 200
            (unused,) = (await admin(proxy, "GET", "/sessions/s"))["unused_rules"]
        assert "nonce" in unused
        assert len(receipts(proxy)["s"].unused_rules) == 1


class TestSessions:
    """Sessions are the supervisor's; workers follow."""

    async def test_a_session_is_reset_and_closed_everywhere(self, tmp_path: Path) -> None:
        """Play counts begin anew for all; a closed one is opened again by whoever asks."""
        cassette = write(tmp_path / "c.yaml", *numbered("/v1/x", 30))
        async with proxied(cassette, mode="playback", workers=2) as proxy:
            await admin(proxy, "POST", "/sessions", {"name": "s", "cassette": "c.yaml"})
            for _ in range(3):
                found = await many(proxy.base_url("s"), ["/v1/x"] * 30)
                assert {status for status, _ in found} == {200}
                assert len({body for _, body in found}) == 30
                assert (await admin(proxy, "POST", "/sessions/s/reset"))["counts"]["played"] == 0
            await many(proxy.base_url("s"), ["/v1/x"] * 31)
            closed = await admin(proxy, "DELETE", "/sessions/s")
            assert (closed["counts"]["played"], closed["counts"]["missed"]) == (30, 1)
            assert len(closed["misses"]) == 1
            assert [one["name"] for one in (await admin(proxy, "GET", "/sessions"))["sessions"]] == ["default"]
            assert {status for status, _ in await many(proxy.base_url("s"), ["/v1/x"] * 3)} == {424}
        assert [receipt.played for name, receipt in proxy.sessions.receipts() if name == "s"] == [30, 30, 30, 30, 0]

    async def test_requests_go_on_while_a_session_is_reset(self, tmp_path: Path) -> None:
        """Each is counted in the session before or after."""
        cassette = write(tmp_path / "c.yaml", interaction(request("GET", "/v1/x")))
        async with proxied(cassette, mode="playback", workers=2) as proxy:
            asking = asyncio.create_task(many(proxy.base_url("c"), ["/v1/x"] * 600, "GET"))
            for _ in range(8):
                if "c" in proxy.sessions.names():
                    await proxy.sessions.reset("c")
                await asyncio.sleep(0.01)
            assert {status for status, _ in await asking} == {200}
        counted = [receipt for name, receipt in proxy.sessions.receipts() if name == "c"]
        assert sum(receipt.played + receipt.repeated for receipt in counted) == 600

    async def test_a_session_that_cannot_be_opened_is_told_of(self, tmp_path: Path) -> None:
        """To the client, and in the receipt; it may be mended."""
        (tmp_path / "broken.yaml").write_text("nothing: [")
        async with proxied(tmp_path / "c.yaml", mode="playback", workers=2) as proxy:
            assert {status for status, _ in await many(proxy.base_url("broken"), ["/v1/x"] * 3)} == {424}
            assert {status for status, _ in await many(f"{proxy.url}/@a%20b", ["/v1/x"])} == {400}
            assert "broken.yaml" in receipts(proxy)["broken"].broken
            assert "letters, digits" in receipts(proxy)["?"].broken
            (tmp_path / "broken.yaml").unlink()
            write(tmp_path / "broken.yaml", *numbered("/v1/x", 3))
            assert {status for status, _ in await many(proxy.base_url("broken"), ["/v1/x"] * 3)} == {200}

    async def test_a_planned_fault_is_met_as_often_as_it_says(self, tmp_path: Path) -> None:
        """By whoever comes first, not by each worker's first; a new plan takes its place everywhere."""
        cassette = write(tmp_path / "c.yaml", *numbered("/v1/x", 60))
        async with proxied(cassette, mode="playback", workers=2) as proxy:
            for times in (3, 5):
                plan = {"faults": [{"kind": "status", "status": 503, "times": times}]}
                assert (await admin(proxy, "PUT", "/sessions/default/faults", plan))["met"] == [0]
                statuses = Counter(status for status, _ in await many(proxy.url, ["/v1/x"] * 30))
                assert statuses == {503: times, 200: 30 - times}
                assert (await admin(proxy, "GET", "/sessions/default/faults"))["met"] == [times]
        assert receipts(proxy)["default"].faulted == 8


class TestRecording:
    """One correct cassette, whoever recorded."""

    async def test_every_exchange_is_saved_once_and_in_order(self, tmp_path: Path) -> None:
        """Numbered as they arrived; it plays back, large bodies too."""
        targets = [f"/v1/{'large' if number % 40 == 0 else 'items'}/{number}" for number in range(200)]
        cassette = tmp_path / "c.yaml"
        async with raw_upstream(echoing) as upstream, proxied(cassette, upstream.url, workers=2) as proxy:
            assert {status for status, _ in await many(proxy.url, targets, "GET")} == {200}
            assert receipts(proxy)["default"].saved == 200
        head, *recorded = documents(cassette)
        assert head
        assert sorted(each["request"]["target"] for each in recorded) == sorted(targets)
        saved = FileStore(cassette).load().interactions
        assert [each.recorded for each in saved] == sorted(each.recorded for each in saved)
        assert sum(isinstance(each.response.body, FileBody) for each in saved) <= 5
        assert not list(tmp_path.glob(".*"))
        async with proxied(cassette, mode="playback", workers=2) as proxy:
            found = await many(proxy.url, targets, "GET")
        assert {status for status, _ in found} == {200}
        assert receipts(proxy)["default"].unplayed == ()
        assert receipts(proxy)["default"].played == 200

    async def test_what_is_recorded_in_auto_mode_is_asked_for_again(self, tmp_path: Path) -> None:
        """By all workers, as by one: what was there is played, what was not is forwarded each time."""
        cassette = write(tmp_path / "c.yaml", *numbered("/v1/known", 10))
        async with raw_upstream(echoing) as upstream, proxied(cassette, upstream.url, "auto", workers=2) as proxy:
            first = await many(proxy.url, ["/v1/new"] * 10 + ["/v1/known"] * 10)
            again = await many(proxy.url, ["/v1/new"] * 10 + ["/v1/known"] * 10)
        assert Counter(body for _, body in first)[b"/v1/new"] == 10
        assert Counter(body for _, body in again) == {b"/v1/new": 10, b"/v1/known": 10}
        receipt = receipts(proxy)["default"]
        assert (receipt.played, receipt.forwarded, receipt.saved) == (10, 30, 30)
        assert len(FileStore(cassette).load().interactions) == 40

    async def test_the_emulator_is_one_for_all(self, tmp_path: Path) -> None:
        """What was made through one worker is there for the other."""
        async with proxied(tmp_path / "c.yaml", mode="passthrough", key="any", workers=2) as proxy:
            await many(proxy.url, ["/v1/vector_stores"] * 10)
            async with (
                aiohttp.ClientSession() as client,
                client.get(f"{proxy.url}/v1/vector_stores") as answer,
            ):
                assert len(json.loads(await answer.read())["data"]) == 10
            assert proxy.upstream == "emulator"


class TestDeath:
    """A worker that dies is replaced."""

    async def test_it_is_reported_and_replaced_and_nothing_is_lost(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What was played stays played, and the one that comes knows faults and sessions."""
        cassette = write(tmp_path / "c.yaml", *numbered("/v1/x", 100))
        async with proxied(cassette, mode="playback", workers=2) as proxy:
            before = await many(proxy.url, ["/v1/x"] * 50)
            plan = {"faults": [{"kind": "status", "status": 503, "times": 4}]}
            await admin(proxy, "PUT", "/sessions/default/faults", plan)
            pids = (await admin(proxy, "GET", "/health"))["workers"]["pids"]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(PATIENCE):
                while (told := (await admin(proxy, "GET", "/health"))["workers"])["replaced"] < 2:
                    await asyncio.sleep(0.05)
            assert len(told["pids"]) == 2
            assert not set(told["pids"]) & set(pids)
            after = await many(proxy.url, ["/v1/x"] * 54)
        assert Counter(status for status, _ in after) == {200: 50, 503: 4}
        bodies = Counter(body for status, body in before + after if status == 200)
        assert bodies == Counter(b"answer %d" % number for number in range(100))
        assert (receipts(proxy)["default"].played, receipts(proxy)["default"].unplayed) == (100, ())
        assert sorted(record.getMessage() for record in caplog.records if record.levelname == "ERROR") == sorted(
            f"worker {pid} was killed by SIGKILL; another one takes its place" for pid in pids
        )

    async def test_who_cannot_be_kept_alive_is_not_for_ever(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After some deaths in a row it is the end, and said so; who lives serves on until then."""
        cassette = write(tmp_path / "c.yaml", *numbered("/v1/x", 10))
        async with proxied(cassette, mode="playback", workers=2) as proxy:
            monkeypatch.setenv("PYTHONHOME", str(tmp_path))  # no interpreter can start with this
            os.kill((await admin(proxy, "GET", "/health"))["workers"]["pids"][0], signal.SIGKILL)
            error = await asyncio.wait_for(proxy.failed(), PATIENCE)
            assert str(error).startswith("5 workers died within 10 seconds")
            assert {status for status, _ in await many(proxy.url, ["/v1/x"] * 10)} == {200}
        assert receipts(proxy)["default"].played == 10

    async def test_a_proxy_whose_workers_cannot_start_does_not_start(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It says so instead of trying for ever."""
        monkeypatch.setenv("PYTHONHOME", str(tmp_path))
        with pytest.raises(StartError, match="a worker ended before it served"):
            async with proxied(tmp_path / "c.yaml", mode="playback", workers=2):
                pass
