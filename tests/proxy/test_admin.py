"""The admin API: sessions declared, told, reset and closed, what went through, and who may ask."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest

from replayproxy.config import AllowSettings, LimitSettings
from replayproxy.config.catalogs import load_catalog
from replayproxy.core.journal import Entry, Journal
from replayproxy.core.levels import Levels
from replayproxy.core.messages import FileBody, Headers, Request
from replayproxy.core.redaction import Redactor
from replayproxy.proxy.admin import Admin, sessions_runner
from replayproxy.proxy.admin_forms import BODIES_TOLD, BODY_TOLD, OUTCOMES, Wanted, exchanges_json
from replayproxy.proxy.admin_openapi import openapi
from replayproxy.proxy.admin_port import Guard, admin_runner
from replayproxy.proxy.app import Proxy
from replayproxy.proxy.listening import listening
from tests.processes import KEY
from tests.proxies import admin_headers, proxied, settings_for
from tests.servers import Visit, answering, exchange, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OPENAPI = openapi()


def described(method: str, path: str, status: int) -> dict[str, Any] | None:
    """The schema that the description has for an answer's body; None when it is no JSON."""
    for template, methods in OPENAPI["paths"].items():
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
            content = methods[method.lower()]["responses"][str(status)]["content"]
            return content["application/json"]["schema"] if "application/json" in content else None
    raise AssertionError(f"{path} is not described")


class Client:
    """Talks to the admin port, and holds each answer against the description of the API."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        async with self._http.request(method, self._url + path, **more) as response:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.content_type == "application/json"
            body = await response.json()
            if response.status in (200, 201, 400, 409, 429):
                schema = described(method, path.partition("?")[0], response.status) or {}
            else:
                schema = {"$ref": "#/components/schemas/Error"}
            jsonschema.validate(body, schema | {"components": OPENAPI["components"]})
            return response.status, body

    async def declare(self, **fields: Any) -> tuple[int, Any]:
        return await self.ask("POST", "/sessions", json=fields)

    async def refused(self, **fields: Any) -> dict[str, str]:
        status, body = await self.declare(**fields)
        assert (status, body["error"]["code"]) == (400, "invalid")
        return {problem["field"]: problem["message"] for problem in body["error"]["problems"]}


@contextlib.asynccontextmanager
async def talking(proxy: Proxy) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession(headers=admin_headers(proxy)) as http:
        yield Client(http, proxy.admin_url)


async def get(url: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return response.status, await response.read()


async def record(cassette: Path, *paths: str) -> None:
    """Records GETs into a cassette."""
    async with raw_upstream(answering(OK)) as upstream, proxied(cassette, upstream.url) as proxy:
        for path in paths:
            assert (await get(proxy.url + path))[0] == 200


class TestDeclaring:
    """POST /sessions"""

    async def test_a_session_answers_where_it_says(self, tmp_path: Path) -> None:
        """Its base URL is what an app is pointed to; the cassette is in the folder of cassettes."""
        (tmp_path / "api").mkdir()
        await record(tmp_path / "api" / "x.yaml", "/v1/a")
        async with proxied(tmp_path / "c.yaml", mode="auto") as proxy, talking(proxy) as client:
            status, told = await client.declare(name="s", cassette="api/x.yaml", mode="playback")
            assert status == 201
            assert told == {
                "name": "s",
                "base_url": f"{proxy.url}/@s/v1",
                "url": f"{proxy.url}/@s",
                "cassette": str(tmp_path / "api" / "x.yaml"),
                "mode": "playback",
            }
            assert (await get(f"{told['base_url']}/a")) == (200, b"ok")

    async def test_options_are_those_of_the_session_alone(self, tmp_path: Path) -> None:
        """What is left out, or null, is what the proxy's settings say."""
        await record(tmp_path / "s.yaml", "/v1/a", "/v1/b")
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            more = {"validate": "off", "speed": 0.5, "strict": True, "repeat": "never", "mode": None, "cassette": None}
            status, told = await client.declare(name="s", **more)
            assert (status, told["mode"]) == (201, "playback")
            assert [(await get(f"{told['base_url']}/a"))[0] for _ in range(2)] == [200, 424]
            handler = await proxy.sessions.get("s")
            assert (handler.checker.levels, handler.policy.speed) == (Levels("off"), 0.5)
            _, receipt = await client.ask("DELETE", "/sessions/s")
            assert receipt["failures"] == ["1 request(s) missed", "1 interaction(s) were never played"]

    async def test_a_session_too_many(self, tmp_path: Path) -> None:
        """It is not opened, and told what to do about it."""
        limits = LimitSettings(sessions=1)
        async with proxied(tmp_path / "c.yaml", mode="playback", limits=limits) as proxy, talking(proxy) as client:
            status, answer = await client.declare(name="one")
        assert (status, answer["error"]["code"]) == (429, "too_many_sessions")
        assert "limits.sessions" in answer["error"]["message"]

    async def test_a_name_is_taken_once(self, tmp_path: Path) -> None:
        """By a declared session, by one that a request opened, and while it is being opened."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            answers = await asyncio.gather(*(client.declare(name="s") for _ in range(5)))
            assert sorted(status for status, _ in answers) == [201, 409, 409, 409, 409]
            await get(f"{proxy.url}/@t/v1/a")
            for name in ("t", "default"):
                status, body = await client.declare(name=name)
                assert (status, body["error"]["code"]) == (409, "name_taken")

    @pytest.mark.parametrize(
        ("fields", "problems"),
        [
            ({}, {"name": "is missing: a session needs one"}),
            ({"name": None}, {"name": "is missing: a session needs one"}),
            ({"name": "../x"}, {"name": "expected up to 200 letters, digits"}),
            ({"name": 5}, {"name": "expected up to 200 letters, digits"}),
            ({"name": "s", "mode": "replay"}, {"mode": "expected one of playback, auto, record, passthrough, not"}),
            ({"name": "s", "mode": ["auto"]}, {"mode": "expected one of"}),
            ({"name": "s", "modus": "auto"}, {"modus": "there is no such field; did you mean `mode`?"}),
            ({"name": "s", "speed": -1}, {"speed": "expected a number from 0"}),
            ({"name": "s", "strict": "maybe"}, {"strict": "expected true or false"}),
            ({"name": "s", "validate": "on"}, {"validate": "expected one of off, warn, enforce"}),
            ({"name": "s", "repeat": "first"}, {"repeat": "expected one of last, never, cycle"}),
            (
                {"nam": "s", "speed": {}},
                {"nam": "did you mean `name`?", "name": "is missing", "speed": "not a mapping"},
            ),
        ],
    )
    async def test_what_is_wrong_is_told_by_field(
        self, tmp_path: Path, fields: dict[str, Any], problems: dict[str, str]
    ) -> None:
        """All of it at once, and no session is opened."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            told = await client.refused(**fields)
            assert told.keys() == problems.keys()
            for field, message in problems.items():
                assert message in told[field]
                assert not told[field].startswith(f"{field}:")
            assert proxy.sessions.names() == ("default",)

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"s"', b"\xff"])
    async def test_a_body_that_is_no_declaration(self, tmp_path: Path, body: bytes) -> None:
        """Is said not to be one, and to which form it should come."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            status, told = await client.ask("POST", "/sessions", data=body)
            assert (status, told["error"]["code"]) == (400, "invalid")
            assert "JSON" in told["error"]["message"]

    @pytest.mark.parametrize(
        "cassette",
        [
            *("/etc/x.yaml", "../x.yaml", "a/../../x.yaml", "a/./x.yaml", "", "a//x.yaml", "a/", "./x.yaml"),
            *(".hidden.yaml", "a\\x.yaml", "C:x.yaml", "a\nb", "a\x00b", "x" * 201, "a/" * 600 + "x", 5, ["x.yaml"]),
        ],
    )
    async def test_a_cassette_cannot_be_elsewhere(self, tmp_path: Path, cassette: Any) -> None:
        """Only a plain relative path is one."""
        async with proxied(tmp_path / "in" / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            told = await client.refused(name="s", cassette=cassette)
            assert told["cassette"].startswith("expected a plain relative path inside the folder of cassettes")

    async def test_links_do_not_lead_out(self, tmp_path: Path) -> None:
        """Neither of the file nor of a folder; those that stay inside are followed."""
        folder, outside = tmp_path / "in", tmp_path / "out"
        (folder / "sub").mkdir(parents=True)
        outside.mkdir()
        (folder / "file.yaml").symlink_to(outside / "x.yaml")
        (folder / "folder").symlink_to(outside)
        (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
        (folder / "fine").symlink_to(folder / "sub")
        async with proxied(folder / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            for cassette in ("file.yaml", "folder/x.yaml"):
                assert "symbolic link" in (await client.refused(name="s", cassette=cassette))["cassette"]
            status, _ = await client.declare(name="s", cassette="loop.yaml")
            assert status == 400
            assert (await client.declare(name="s", cassette="fine/x.yaml"))[0] == 201

    async def test_a_cassette_that_cannot_be_used_is_told(self, tmp_path: Path) -> None:
        """File and cure are named; the next try may succeed."""
        (tmp_path / "s.yaml").write_text("not: a cassette\n")
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            status, told = await client.declare(name="s")
            assert (status, told["error"]["code"]) == (400, "cassette_unusable")
            assert "s.yaml" in told["error"]["problems"][0]["message"]
            (tmp_path / "s.yaml").unlink()
            assert (await client.declare(name="s"))[0] == 201


class TestTelling:
    """GET /sessions, GET /sessions/NAME"""

    async def test_a_live_receipt(self, tmp_path: Path) -> None:
        """What was played, what missed and why, and what was not asked for yet."""
        await record(tmp_path / "s.yaml", "/v1/a", "/v1/b?x=1")
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            await client.declare(name="s")
            await get(f"{proxy.url}/@s/v1/a")
            await get(f"{proxy.url}/@s/v1/b?x=2")
            status, told = await client.ask("GET", "/sessions/s")
            assert (status, told["passed"], told["failures"]) == (200, False, ["1 request(s) missed"])
            assert (told["counts"]["played"], told["counts"]["missed"], told["counts"]["unplayed"]) == (1, 1, 1)
            (left,) = told["unplayed"]
            assert (left["number"], left["method"], left["target"]) == (2, "GET", "/v1/b?x=1")
            assert left["line"] > 1
            (miss,) = told["misses"]
            assert (miss["reason"], miss["method"], miss["target"]) == ("no_match", "GET", "/v1/b?x=2")
            assert "query.x: recorded" in miss["message"]
            assert told["base_url"] == f"{proxy.url}/@s/v1"

    async def test_the_open_sessions(self, tmp_path: Path) -> None:
        """Declared or opened by a request, in that order, each with its counts."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            await client.declare(name="s")
            await get(f"{proxy.url}/@t/v1/a")
            _, told = await client.ask("GET", "/sessions")
            assert [(one["name"], one["counts"]["missed"]) for one in told["sessions"]] == [
                ("default", 0),
                ("s", 0),
                ("t", 1),
            ]
            assert told["sessions"][0]["base_url"] == f"{proxy.url}/v1"

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/sessions/chekout"), ("DELETE", "/sessions/chekout"), ("POST", "/sessions/chekout/reset")],
    )
    async def test_a_session_that_is_not_there(self, tmp_path: Path, method: str, path: str) -> None:
        """The nearest name is told."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            await client.declare(name="checkout")
            status, told = await client.ask(method, path)
            assert (status, told["error"]["code"]) == (404, "no_session")
            assert "did you mean `checkout`?" in told["error"]["message"]

    async def test_a_session_that_is_being_opened_is_not_told(self, tmp_path: Path) -> None:
        """There is nothing to say of it yet."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            opening = asyncio.create_task(proxy.sessions.get("s"))
            await asyncio.sleep(0)
            with pytest.raises(KeyError):
                proxy.sessions.receipt("s")
            await opening
            assert (await client.ask("GET", "/sessions/s"))[0] == 200


class TestResettingAndClosing:
    """POST /sessions/NAME/reset, DELETE /sessions/NAME"""

    async def test_reset_plays_from_the_beginning(self, tmp_path: Path) -> None:
        """The session stays what it was declared as; what missed before still counts at the end."""
        await record(tmp_path / "x.yaml", "/v1/a")
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            await client.declare(name="s", cassette="x.yaml", repeat="never")
            for _ in range(2):
                assert [(await get(f"{proxy.url}/@s/v1/a"))[0] for _ in range(2)] == [200, 424]
                status, told = await client.ask("POST", "/sessions/s/reset")
                assert (status, told["counts"]["played"], told["counts"]["unplayed"]) == (200, 0, 1)
            await client.ask("DELETE", "/sessions/s")
        assert [(name, receipt.played, receipt.missed) for name, receipt in proxy.sessions.receipts()] == [
            ("s", 1, 1),
            ("s", 1, 1),
        ]

    async def test_a_reset_that_changes_nothing_is_not_counted(self, tmp_path: Path) -> None:
        """Neither before the first request nor after the last one."""
        await record(tmp_path / "s.yaml", "/v1/a")
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            await client.declare(name="s")
            await client.ask("POST", "/sessions/s/reset")
            await get(f"{proxy.url}/@s/v1/a")
            await client.ask("POST", "/sessions/s/reset")
            assert [receipt.failures for _, receipt in proxy.sessions.receipts()] == [()]
        assert [receipt.failures for _, receipt in proxy.sessions.receipts()] == [()]

    async def test_many_resets_at_once(self, tmp_path: Path) -> None:
        """Leave one session, which plays from the beginning."""
        await record(tmp_path / "s.yaml", "/v1/a")
        async with proxied(tmp_path / "c.yaml", mode="auto") as proxy, talking(proxy) as client:
            await get(f"{proxy.url}/@s/v1/a")
            answers = await asyncio.gather(*(client.ask("POST", "/sessions/s/reset") for _ in range(5)))
            assert 200 in {status for status, _ in answers} <= {200, 404}  # 404: there was none at that moment
            assert (await get(f"{proxy.url}/@s/v1/a"))[0] == 200
            assert proxy.sessions.receipt("s").played == 1

    async def test_a_reset_of_a_session_whose_cassette_was_broken(self, tmp_path: Path) -> None:
        """Is refused with file and cure, and closes the session; what it played before is kept."""
        await record(tmp_path / "s.yaml", "/v1/a")
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            await get(f"{proxy.url}/@s/v1/a")
            (tmp_path / "s.yaml").write_text("not: a cassette\n")
            status, told = await client.ask("POST", "/sessions/s/reset")
            assert (status, told["error"]["code"]) == (400, "cassette_unusable")
            assert "s.yaml" in told["error"]["message"]
            assert (await client.ask("GET", "/sessions/s"))[0] == 404
        assert [(name, receipt.played) for name, receipt in proxy.sessions.receipts()] == [("s", 1)]

    async def test_closing_gives_the_receipt_and_frees_the_name(self, tmp_path: Path) -> None:
        """What was recorded is there, complete, and can be played at once."""
        async with (
            raw_upstream(answering(OK)) as upstream,
            proxied(tmp_path / "c.yaml", upstream.url, mode="playback") as proxy,
            talking(proxy) as client,
        ):
            await client.declare(name="s", mode="record")
            await get(f"{proxy.url}/@s/v1/a")
            status, told = await client.ask("DELETE", "/sessions/s")
            assert (status, told["name"], told["counts"]["saved"], told["passed"]) == (200, "s", 1, True)
            assert (await client.ask("GET", "/sessions/s"))[0] == 404
            assert (await client.declare(name="s"))[0] == 201
            assert (await get(f"{proxy.url}/@s/v1/a"))[0] == 200

    async def test_the_name_may_be_taken_while_the_old_session_ends(self, tmp_path: Path) -> None:
        """The new one is opened when the cassette is free: nothing is refused and nothing is lost."""
        go = asyncio.Event()

        async def script(visit: Visit) -> None:
            await visit.request()
            await visit.send(OK[:-1])
            await go.wait()
            await visit.send(OK[-1:])

        async with (
            raw_upstream(script) as upstream,
            proxied(tmp_path / "c.yaml", upstream.url, mode="auto") as proxy,
            talking(proxy) as client,
        ):
            asking = asyncio.create_task(get(f"{proxy.url}/@s/v1/a"))
            while not upstream.received:
                await asyncio.sleep(0.01)
            closing = asyncio.create_task(client.ask("DELETE", "/sessions/s"))
            while "s" in proxy.sessions:
                await asyncio.sleep(0.01)
            declaring = asyncio.create_task(client.declare(name="s"))
            while "s" not in proxy.sessions:
                await asyncio.sleep(0.01)
            assert not closing.done()
            go.set()
            assert ((await asking)[0], (await closing)[1]["counts"]["saved"], (await declaring)[0]) == (200, 1, 201)
            assert (await get(f"{proxy.url}/@s/v1/a")) == (200, b"ok")
            assert (await client.ask("GET", "/sessions/s"))[1]["counts"]["played"] == 1

    async def test_unused_sessions_without_a_recording_do_not_fail_a_run(self, tmp_path: Path) -> None:
        """A test that does not use the API has a session too; one that has a recording and plays nothing is wrong."""
        await record(tmp_path / "used.yaml", "/v1/a")
        await record(tmp_path / "forgotten.yaml", "/v1/a")
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            await client.declare(name="idle")
            assert [name for name, _ in proxy.sessions.receipts()] == ["default", "idle"]
            for name in ("used", "forgotten"):
                await client.declare(name=name)
            await get(f"{proxy.url}/@used/v1/a")
        assert {name: receipt.failures for name, receipt in proxy.sessions.receipts()} == {
            "used": (),
            "forgotten": ("nothing was played",),
        }


class TestBrokenSessions:
    """What cannot be opened fails the run even when the app swallowed the error."""

    async def test_a_request_that_found_no_session_is_in_the_receipts(self, tmp_path: Path) -> None:
        """With the reason; a mended cassette does not undo it."""
        (tmp_path / "s.yaml").write_text("not: a cassette\n")
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
            await get(f"{proxy.url}/@s/v1/a")
            await get(f"{proxy.url}/@..%2Fx/v1/a")
        receipts = dict(proxy.sessions.receipts())
        assert receipts.keys() == {"s", "?"}
        assert "s.yaml" in receipts["s"].broken
        assert receipts["s"].failures == receipts["?"].failures == ("the session could not be opened",)


class TestExchanges:
    """GET /exchanges"""

    async def test_newest_last_with_the_request(self, tmp_path: Path) -> None:
        """Chosen by session, outcome and number, redacted, with the body of the request."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            async with aiohttp.ClientSession() as http:
                for number in range(3):
                    body = {"n": number, "api_key": "secret-value"}
                    await http.post(f"{proxy.url}/@s/v1/threads", json=body, headers={"Authorization": "Bearer abc"})
                await http.get(f"{proxy.url}/@t/v1/models")
            status, told = await client.ask("GET", "/exchanges?session=s&outcome=missed&limit=2")
            assert (status, told["more"]) == (200, True)
            assert [one["number"] for one in told["exchanges"]] == [2, 3]
            newest = told["exchanges"][-1]
            assert newest["request"]["body"]["json"] == {"n": 2, "api_key": "redacted.api-key"}
            assert (newest["status"], newest["outcome"], newest["operation"]) == (424, "missed", "createThread")
            assert "no_cassette" in newest["note"]
            assert "secret-value" not in json.dumps(told)
            assert "Bearer abc" not in json.dumps(told)
            _, everything = await client.ask("GET", "/exchanges")
            assert ([one["session"] for one in everything["exchanges"]], everything["more"]) == (list("ssst"), False)

    @pytest.mark.parametrize(
        ("query", "field", "message"),
        [
            ("limit=0", "limit", "expected a whole number from 1 to 1000"),
            ("limit=1001", "limit", "expected a whole number from 1 to 1000"),
            ("limit=x", "limit", "expected a whole number from 1 to 1000"),
            ("limit=%C2%B2", "limit", "expected a whole number from 1 to 1000"),
            ("outcome=miss", "outcome", "did you mean `missed`?"),
            ("sesion=a", "sesion", "there is no such parameter; did you mean `session`?"),
        ],
    )
    async def test_a_wrong_query(self, tmp_path: Path, query: str, field: str, message: str) -> None:
        """Is refused by parameter, so that nobody takes all exchanges for some."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            status, told = await client.ask("GET", f"/exchanges?{query}")
            assert status == 400
            (problem,) = told["error"]["problems"]
            assert problem["field"] == field
            assert message in problem["message"]

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b"", {"size": 0}),
            (b' {"a":1,"a":2}', {"size": 14, "json": {"a": 2}}),
            (b"{", {"size": 1, "text": "{"}),
            ("é".encode(), {"size": 2, "text": "é"}),
            (b"\xff\x00", {"size": 2, "base64": base64.b64encode(b"\xff\x00").decode()}),
            (FileBody("f.bin", 1 << 30, "d"), {"size": 1 << 30, "file": "f.bin"}),
            (b"1" + b"x" * BODY_TOLD, {"size": BODY_TOLD + 1, "text": "1" + "x" * (BODY_TOLD - 1), "truncated": True}),
            (
                ("é" * BODY_TOLD).encode()[1:] + b"x",
                {
                    "size": 2 * BODY_TOLD,
                    "base64": base64.b64encode(("é" * BODY_TOLD).encode()[1 : BODY_TOLD + 1]).decode(),
                    "truncated": True,
                },
            ),
            (
                ("é" * BODY_TOLD).encode() + b"x",
                {"size": 2 * BODY_TOLD + 1, "text": "é" * (BODY_TOLD // 2), "truncated": True},
            ),
        ],
        ids=["empty", "json", "torn", "text", "bytes", "file", "long", "long bytes", "long text"],
    )
    def test_the_forms_of_a_body(self, body: bytes | FileBody, told: dict[str, Any]) -> None:
        """JSON as it stands, else text, else base64; a long one is cut."""
        journal = Journal()
        journal.add(Entry(1, "s", "", Request("POST", "/\udcff", Headers.of(("a", "\udcff")), body), 200, "played"))
        found = json.loads(orjson.dumps(exchanges_json(journal, Wanted())))["exchanges"][0]["request"]
        assert found["body"] == told
        assert (found["target"], found["headers"]) == ("/\\udcff", [["a", "\\udcff"]])

    def test_deep_json_is_told_as_it_stands(self) -> None:
        """Deeper than it could be written anew."""
        journal, deep = Journal(), b"[" * 300 + b"]" * 300
        journal.add(Entry(1, "s", "", Request("POST", "/", body=deep), 200, "played"))
        assert b'"json":' + deep in orjson.dumps(exchanges_json(journal, Wanted()))

    def test_all_bodies_together_are_bounded(self) -> None:
        """Those of the newer exchanges are told, the others left out."""
        journal, count = Journal(), BODIES_TOLD // BODY_TOLD + 2
        for number in range(count):
            journal.add(Entry(number, "s", "", Request("POST", "/", body=b"x" * BODY_TOLD), 200, "played"))
        bodies = [one["request"]["body"] for one in exchanges_json(journal, Wanted())["exchanges"]]
        assert bodies[:2] == [{"size": BODY_TOLD, "left_out": True}] * 2
        assert all("text" in body for body in bodies[2:])


class TestFaults:
    """PUT and GET /sessions/NAME/faults"""

    async def test_requests_fail_as_planned_and_then_succeed(self, tmp_path: Path) -> None:
        """The fault uses no recording up; the receipt counts it; what is wrong with a plan is told."""
        await record(tmp_path / "c.yaml", "/v1/models")
        async with (
            proxied(tmp_path / "c.yaml", mode="playback") as proxy,
            aiohttp.ClientSession(headers=admin_headers(proxy)) as http,
        ):
            url = f"{proxy.admin_url}/sessions/default/faults"
            plan = {"faults": [{"path": "/v1/models", "kind": "status", "status": 503}]}
            async with http.put(url, json=plan) as response:
                assert (response.status, (await response.json())["met"]) == (200, [0])
            statuses = []
            for _ in range(2):
                async with http.get(f"{proxy.url}/v1/models") as response:
                    statuses.append(response.status)
            assert statuses == [503, 200]
            async with http.get(url) as response:
                assert (await response.json())["met"] == [1]
            assert proxy.session.receipt().faulted == 1
            async with http.put(url, json={"faults": [{"kind": "explode"}]}) as response:
                assert response.status == 400
                assert (await response.json())["error"]["problems"][0]["field"] == "faults[0].kind"
            async with http.put(f"{proxy.admin_url}/sessions/nobody/faults", json=plan) as response:
                assert response.status == 404


class TestDescription:
    """GET /, /docs and /openapi.json"""

    def test_it_covers_exactly_the_routes(self, tmp_path: Path) -> None:
        """Each route is described, and nothing else is."""
        admin = Admin(settings_for(tmp_path / "c.yaml"), None, Journal(), "", None, None)  # type: ignore[arg-type]
        described = {(method.upper(), path) for path, methods in OPENAPI["paths"].items() for method in methods}
        there = {(method, re.sub(r"\{(\w+):[^}]*\}", r"{\1}", path)) for method, path, _ in admin.routes()}
        assert there == described

    def test_its_schemas_are_schemas(self) -> None:
        """Every reference leads somewhere, and operations have names of their own."""
        for schema in OPENAPI["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(OPENAPI)):
            assert name in OPENAPI["components"]["schemas"]
        ids = [one["operationId"] for methods in OPENAPI["paths"].values() for one in methods.values()]
        assert len(ids) == len(set(ids))
        assert OPENAPI["components"]["schemas"]["Exchange"]["properties"]["outcome"]["enum"] == list(OUTCOMES)

    def test_it_tells_what_takes_the_token(self) -> None:
        """Whatever is no GET; what it looks like stands once."""
        for methods in OPENAPI["paths"].values():
            for method, one in methods.items():
                assert ("security" in one, "401" in one["responses"]) == (method != "get", method != "get")
        schemes = OPENAPI["components"]["securitySchemes"]
        assert schemes["token"] == {"type": "apiKey", "in": "header", "name": "x-replayproxy-token"}
        assert {name for one in OPENAPI["paths"]["/sessions"]["post"]["security"] for name in one} == schemes.keys()

    async def test_the_page_needs_nothing_from_elsewhere(self, tmp_path: Path) -> None:
        """Plain HTML with every route in it; no script, and a policy that would not let one run."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as http:
            async with http.get(f"{proxy.admin_url}/docs") as response:
                text, policy = await response.text(), response.headers["Content-Security-Policy"]
                assert (response.status, response.content_type) == (200, "text/html")
            assert policy.startswith("default-src 'none'; style-src 'sha256-")
            assert "unsafe" not in policy
            assert not re.search(r"<script|<link|<img|src=|https?://", text)
            for template, methods in OPENAPI["paths"].items():
                for method in methods:
                    assert f"<code>{method.upper()} {template}</code>" in text

    async def test_programs_get_it_as_json(self, tmp_path: Path) -> None:
        """The same that the page is made of."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            assert (await client.ask("GET", "/openapi.json"))[1] == OPENAPI


class TestPort:
    """What else the admin port answers, and to whom."""

    async def test_health_and_readiness(self, tmp_path: Path) -> None:
        """In a proxy and in an emulator alike."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            assert (await client.ask("GET", "/health"))[1]["status"] == "ok"
            assert (await client.ask("GET", "/ready"))[1] == {"status": "ready", "mode": "playback"}
        async with listening(admin_runner("emulate", Guard("secret")), "127.0.0.1", 0, "--admin-port") as url:
            status, body = await get(f"{url}/ready")
            assert (status, json.loads(body)) == (200, {"status": "ready", "mode": "emulate"})
            assert (await get(f"{url}/sessions"))[0] == 404

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nothing", 404, "no_route"),
            ("GET", "/sessions/", 404, "no_route"),
            ("PUT", "/sessions", 405, "wrong_method"),
            ("DELETE", "/health", 405, "wrong_method"),
            ("OPTIONS", "/sessions", 405, "wrong_method"),
        ],
    )
    async def test_what_is_not_there(self, tmp_path: Path, method: str, path: str, status: int, code: str) -> None:
        """JSON in the one form for refusals."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            got, told = await client.ask(method, path)
            assert (got, told["error"]["code"]) == (status, code)
            assert "Traceback" not in told["error"]["message"]

    async def test_a_wrong_method_is_told_the_right_ones(self, tmp_path: Path) -> None:
        """In the header that is for it."""
        async with (
            proxied(tmp_path / "c.yaml", mode="playback") as proxy,
            aiohttp.ClientSession(headers=admin_headers(proxy)) as http,
            http.put(f"{proxy.admin_url}/sessions") as response,
        ):
            assert response.headers["Allow"] == "GET, HEAD, POST"

    async def test_too_large_a_body(self, tmp_path: Path) -> None:
        """Is refused as everything else is."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            status, told = await client.ask("POST", "/sessions", data=io.BytesIO(b"x" * (2 << 20)))
            assert (status, told["error"]["code"]) == (413, "refused")

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            *(
                ("localhost:8081", 200),
                ("127.0.0.1", 200),
                ("[::1]:8081", 200),
                ("LOCALHOST", 200),
                ("a.localhost", 200),
            ),
            *(
                ("evil.example", 403),
                ("127.0.0.1.evil.example:8081", 403),
                ("[bad", 403),
                ("localhost.evil.example", 403),
            ),
        ],
    )
    async def test_a_name_bound_to_this_address_is_refused(self, tmp_path: Path, host: str, status: int) -> None:
        """A web page could have any name lead here; an address, and localhost, lead nowhere else."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
            head = f"GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
            assert int((await exchange(proxy.admin_url, head)).split()[1]) == status

    async def test_a_client_of_old_needs_no_name(self, tmp_path: Path) -> None:
        """HTTP/1.0 has no Host field; no browser speaks it."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
            assert int((await exchange(proxy.admin_url, b"GET /health HTTP/1.0\r\n\r\n")).split()[1]) == 200

    async def test_names_of_containers_are_fine_when_it_listens_to_all(self, tmp_path: Path) -> None:
        """In a container it is called by the service's name, and says so in its base URLs."""
        async with (
            proxied(tmp_path / "c.yaml", mode="playback", host="0.0.0.0", admin_host="0.0.0.0") as proxy,
            talking(proxy) as client,
        ):
            port = proxy.url.rpartition(":")[2]
            for host, name in (
                ("replayproxy:8081", "replayproxy"),
                ("[::1]:8081", "[::1]"),
                ("127.0.0.1", "127.0.0.1"),
            ):
                _, told = await client.ask("GET", "/sessions", headers={"Host": host})
                assert told["sessions"][0]["base_url"] == f"http://{name}:{port}/v1"
            for host in ("[bad", "replayproxy.evil.example"):
                status, told = await client.ask("GET", "/sessions", headers={"Host": host})
                assert (status, told["error"]["code"]) == (403, "wrong_host")

    @pytest.mark.parametrize(
        ("origin", "status"), [("https://evil.example", 403), ("null", 403), ("http://localhost:1", 403), (None, 404)]
    )
    async def test_pages_of_others_may_not_use_it(self, tmp_path: Path, origin: str | None, status: int) -> None:
        """A POST without a body needs no permission of the browser: the origin tells."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, talking(proxy) as client:
            headers = {"Origin": origin} if origin else {}
            assert (await client.ask("POST", "/sessions/x/reset", headers=headers))[0] == status
            own = {"Origin": proxy.admin_url}
            assert (await client.ask("POST", "/sessions/x/reset", headers=own))[0] == 404

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/sessions"),
            ("DELETE", "/sessions/default"),
            ("POST", "/sessions/default/reset"),
            ("PUT", "/sessions/default/faults"),
            ("OPTIONS", "/sessions"),
            ("POST", "/nothing"),
        ],
    )
    async def test_who_changes_something_shows_the_token(self, tmp_path: Path, method: str, path: str) -> None:
        """In its header or as a bearer token; the refusal says where it is, and not what it is."""
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as http:
            wrong: list[dict[str, str]] = [{}, {"x-replayproxy-token": ""}, {"x-replayproxy-token": "x" * 32}]
            wrong += [{"Authorization": f"Basic {proxy.admin_token}"}, {"Authorization": f"Bearer {KEY}"}]
            for headers in wrong:
                async with http.request(method, proxy.admin_url + path, headers=headers) as response:
                    told = await response.text()
                    assert (response.status, json.loads(told)["error"]["code"]) == (401, "token_required")
                    assert response.headers["WWW-Authenticate"] == "Bearer"
                    assert "REPLAYPROXY_ADMIN_TOKEN" in told
                    assert proxy.admin_token not in told
            assert proxy.sessions.names() == ("default",)
            right = {"x-replayproxy-token": proxy.admin_token}, {"Authorization": f"bearer {proxy.admin_token}"}
            for headers in right:
                async with http.request(method, proxy.admin_url + path, headers=headers) as response:
                    assert response.status != 401

    async def test_where_others_reach_it_readers_show_the_token_too(self, tmp_path: Path) -> None:
        """The journal holds traffic. Health and readiness are for whoever watches over the process."""
        async with proxied(tmp_path / "c.yaml", mode="playback", admin_host="0.0.0.0") as proxy:
            for path in ("/docs", "/openapi.json", "/sessions", "/sessions/default", "/exchanges"):
                assert (await get(proxy.admin_url + path))[0] == 401
            for path in ("/", "/health", "/ready"):
                assert (await get(proxy.admin_url + path))[0] == 200
            async with talking(proxy) as client:
                assert (await client.ask("GET", "/exchanges"))[0] == 200

    async def test_a_page_that_may_use_the_api_may_not_steer(self, tmp_path: Path) -> None:
        """`allow.origins` is about the data port; `allow.hosts` is about both."""
        allow = AllowSettings(hosts=("proxy.test",), origins=("https://app.example",))
        async with proxied(tmp_path / "c.yaml", mode="playback", allow=allow) as proxy, talking(proxy) as client:
            status, told = await client.ask("GET", "/sessions", headers={"Origin": "https://app.example"})
            assert (status, told["error"]["code"]) == (403, "wrong_origin")
            assert (await client.ask("GET", "/sessions", headers={"Host": "proxy.test:1"}))[0] == 200

    async def test_the_token_is_a_secret_wherever_it_turns_up(self, tmp_path: Path) -> None:
        """In a request to the data port it is redacted, like the key."""
        async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
            assert proxy.admin_token not in repr(proxy)
            async with aiohttp.ClientSession() as http:
                await (await http.post(f"{proxy.url}/v1/x", data=f"so {proxy.admin_token} it is")).read()
            async with talking(proxy) as client:
                _, told = await client.ask("GET", "/exchanges")
            assert told["exchanges"][0]["request"]["body"]["text"] == "so redacted.api-key it is"
        assert proxy.admin_token not in (tmp_path / "c.yaml").read_text()

    async def test_an_error_of_ours_is_told_without_its_inside(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The log has the traceback, the client has not."""

        class Broken(Journal):
            def entries(self, session: str = "", outcome: str = "") -> Any:
                raise RuntimeError("/home/secret")

        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
            redactor, catalog = Redactor(), load_catalog(None)
            admin = Admin(settings_for(tmp_path / "c.yaml"), proxy.sessions, Broken(), proxy.url, redactor, catalog)
            async with listening(sessions_runner(admin, "secret"), "127.0.0.1", 0, "--admin-port") as url:
                status, body = await get(f"{url}/exchanges")
        assert (status, json.loads(body)["error"]["code"]) == (500, "internal")
        assert b"secret" not in body
        assert "/home/secret" in caplog.text
