"""Cassettes over the admin port: those there are, their interactions, and their bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.messages import Headers, Response
from replayproxy.core.problem import Problem
from replayproxy.core.redaction import Redactor
from replayproxy.proxy.app import Proxy, running
from replayproxy.stores import FileStore
from tests.builders import JSON, interaction, request, response
from tests.proxies import admin_headers, proxied, settings_for
from tests.servers import answering, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
USAGE = {"model": "gpt-4o", "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}
EVENTS = Headers.of(("Content-Type", "text/event-stream"))


def write(path: Path, *recorded: Interaction, redaction: str | None = None) -> Path:
    """A cassette with these interactions, recorded under today's rules unless others are named."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = Redactor().digest if redaction is None else redaction
    recorder = FileStore(path, inline_limit=1000).append_to(Head("emulator", "2026-01-01T00:00:00Z", "test", digest))
    for place, each in enumerate(recorded, 1):
        recorder.append(each, place)
    recorder.close()
    return path


def simple(*names: str) -> list[Interaction]:
    """Recorded GETs."""
    return [interaction(request("GET", f"/v1/{name}"), response(200, {"name": name})) for name in names]


async def asked(proxy: Proxy, path: str) -> tuple[int, Any]:
    """What the admin API answers."""
    async with (
        aiohttp.ClientSession(headers=admin_headers(proxy)) as client,
        client.get(f"{proxy.admin_url}{path}") as answer,
    ):
        return answer.status, await answer.json()


async def told(proxy: Proxy, path: str) -> Any:
    """What the admin API answers when all is well."""
    status, body = await asked(proxy, path)
    assert status == 200, body
    return body


async def play(proxy: Proxy, name: str, session: str = "default") -> int:
    """The status of a GET."""
    async with aiohttp.ClientSession() as client:
        headers = {"Content-Type": "application/json"}
        async with client.get(f"{proxy.base_url(session)}/v1/{name}", headers=headers) as answer:
            return answer.status


def in_folder(folder: Path, mode: str = "playback") -> Any:
    """A proxy with a folder of cassettes."""
    import dataclasses

    return running(dataclasses.replace(settings_for(folder / "x", mode=mode), cassette=None, cassettes=folder))


class TestList:
    """GET /cassettes"""

    async def test_all_of_the_folder_are_listed_and_the_broken_one_says_why(self, tmp_path: Path) -> None:
        """Whatever is wrong with one, the others are told."""
        write(tmp_path / "default.yaml", *simple("a", "b"))
        write(tmp_path / "deep" / "er" / "c.yaml", *simple("a"))
        (tmp_path / "broken.yaml").write_text("---\nreplayproxy: 3\n...\n---\nrequest: [\n...\n")
        (tmp_path / "latin.yaml").write_bytes(b"---\nreplayproxy: 3\n...\n\xff\xfe")
        (tmp_path / "foreign.yaml").write_text("services: {}\n")
        (tmp_path / "torn.yaml").write_text((tmp_path / "default.yaml").read_text() + "--- # 3: GET")
        async with in_folder(tmp_path) as proxy:
            found = await told(proxy, "/cassettes")
        assert found["folder"] == str(tmp_path)
        by_path = {each["path"]: each for each in found["cassettes"]}
        assert list(by_path) == [
            "broken.yaml",
            "deep/er/c.yaml",
            "default.yaml",
            "foreign.yaml",
            "latin.yaml",
            "torn.yaml",
        ]
        assert by_path["default.yaml"] == {
            "path": "default.yaml",
            "size": (tmp_path / "default.yaml").stat().st_size,
            "interactions": 2,
            "recorded": "2026-01-01T00:00:00Z",
            "upstream": "emulator",
            "broken": None,
            "note": None,
            "sessions": ["default"],
            "unplayed": 2,
        }
        assert by_path["deep/er/c.yaml"]["interactions"] == 1
        assert (by_path["deep/er/c.yaml"]["sessions"], by_path["deep/er/c.yaml"]["unplayed"]) == ([], None)
        assert by_path["broken.yaml"]["broken"].startswith("line 6: this is not YAML")
        assert "no cassette of replayproxy" in by_path["foreign.yaml"]["broken"]
        assert "UTF-8" in by_path["latin.yaml"]["broken"]
        assert not any(str(tmp_path) in (each["broken"] or "") for each in found["cassettes"])
        assert (by_path["torn.yaml"]["interactions"], by_path["torn.yaml"]["broken"]) == (2, None)
        assert by_path["torn.yaml"]["note"] == "the last document was not finished and is left out"

    async def test_what_is_no_cassette_of_ours_is_not_listed(self, tmp_path: Path) -> None:
        """Hidden files, bodies beside a cassette, other endings; a link that leads out is listed as broken, unread."""
        folder = tmp_path / "cassettes"
        write(folder / "default.yaml", *simple("a"))
        for name in (".hidden.yaml", ".git/c.yaml", "default.files/c.yaml", "notes.yml", "default.yaml~"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("x")
        write(tmp_path / "elsewhere.yaml", *simple("a"))
        (folder / "link.yaml").symlink_to(tmp_path / "elsewhere.yaml")
        (folder / "nowhere.yaml").symlink_to(tmp_path / "nothing.yaml")
        (folder / "colon:.yaml").write_text("x")
        async with in_folder(folder) as proxy:
            found = {each["path"]: each["broken"] for each in (await told(proxy, "/cassettes"))["cassettes"]}
        assert sorted(found) == ["colon:.yaml", "default.yaml", "link.yaml", "nowhere.yaml"]
        assert found["default.yaml"] is None
        assert "leads out of the folder" in found["link.yaml"]
        assert "plain relative path" in found["colon:.yaml"]
        assert found["nowhere.yaml"]

    async def test_an_empty_folder_or_none(self, tmp_path: Path) -> None:
        """Nothing is listed, and nothing is made."""
        async with in_folder(tmp_path / "nothing") as proxy:
            assert (await told(proxy, "/cassettes"))["cassettes"] == []
        assert not (tmp_path / "nothing").exists()

    async def test_one_file_is_listed_with_what_sessions_use_beside_it(self, tmp_path: Path) -> None:
        """And nothing else of a folder that may be a whole project."""
        write(tmp_path / "c.yaml", *simple("a"))
        write(tmp_path / "s.yaml", *simple("a"))
        write(tmp_path / "other.yaml", *simple("a"))
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
            assert [each["path"] for each in (await told(proxy, "/cassettes"))["cassettes"]] == ["c.yaml"]
            assert await play(proxy, "a", "s") == 200
            found = (await told(proxy, "/cassettes"))["cassettes"]
        assert [(each["path"], each["sessions"], each["unplayed"]) for each in found] == [
            ("c.yaml", ["default"], 1),
            ("s.yaml", ["s"], 0),
        ]

    async def test_one_file_may_be_named_by_a_link(self, tmp_path: Path) -> None:
        """Who names a file may name a link."""
        write(tmp_path / "elsewhere" / "c.yaml", *simple("a"))
        (tmp_path / "here").mkdir()
        (tmp_path / "here" / "link.yaml").symlink_to(tmp_path / "elsewhere" / "c.yaml")
        async with proxied(tmp_path / "here" / "link.yaml", mode="playback") as proxy:
            found = (await told(proxy, "/cassettes"))["cassettes"]
            assert [(each["path"], each["sessions"], each["broken"]) for each in found] == [
                ("link.yaml", ["default"], None)
            ]
            assert len((await told(proxy, "/cassettes/link.yaml/interactions"))["interactions"]) == 1

    async def test_a_changed_cassette_is_read_anew(self, tmp_path: Path) -> None:
        """And a session that plays what is not there any more counts nothing of it as unplayed."""
        write(tmp_path / "default.yaml", *simple("a"))
        async with in_folder(tmp_path) as proxy:
            assert (await told(proxy, "/cassettes"))["cassettes"][0]["interactions"] == 1
            write(tmp_path / "default.yaml", *simple("b"))
            found = (await told(proxy, "/cassettes"))["cassettes"][0]
        assert (found["interactions"], found["unplayed"]) == (2, None)

    async def test_several_sessions_that_play_one_cassette(self, tmp_path: Path) -> None:
        """Unplayed is what none of them gave."""
        write(tmp_path / "default.yaml", *simple("a", "b", "c"))
        async with in_folder(tmp_path) as proxy:
            async with aiohttp.ClientSession(headers=admin_headers(proxy)) as client:
                declared = {"name": "s", "cassette": "default.yaml"}
                async with client.post(f"{proxy.admin_url}/sessions", json=declared) as answer:
                    assert answer.status == 201
            await play(proxy, "a")
            await play(proxy, "b", "s")
            found = (await told(proxy, "/cassettes"))["cassettes"][0]
            assert (found["sessions"], found["unplayed"]) == (["default", "s"], 1)
            rows = (await told(proxy, "/cassettes/default.yaml/interactions"))["interactions"]
            assert [row["played"] for row in rows] == [True, True, False]


class TestInteractions:
    """GET /cassettes/PATH/interactions"""

    async def test_each_is_told_without_its_bodies(self, tmp_path: Path) -> None:
        """What it asks, what answered, where it stands, and whether it was played."""
        stream = b'data: {"choices": []}\n\ndata: [DONE]\n\n'
        problem = Problem("is wrong", "messages", "invalid_type")
        write(
            tmp_path / "sub" / "c.yaml",
            Interaction(
                request("POST", "/v1/chat/completions", {"model": "gpt-4o"}),
                response(200, USAGE),
                "createChatCompletion",
                "2026-01-01T00:00:01Z",
                0.25,
                0.5,
                problems=(problem, Problem("is odd", warning=True)),
                family="chat",
            ),
            Interaction(
                request("POST", "/v1/x", {}),
                Response(200, "OK", EVENTS, stream),
                fault=Fault("truncate", after_events=1),
            ),
        )
        async with in_folder(tmp_path) as proxy:
            found = await told(proxy, "/cassettes/sub%2Fc.yaml/interactions")
        assert found["path"] == "sub/c.yaml"
        first, second = found["interactions"]
        lines = (tmp_path / "sub" / "c.yaml").read_text().splitlines()
        assert lines[first["line"] - 1].startswith("--- # 1: POST /v1/chat/completions")
        assert lines[second["line"] - 1].startswith("--- # 2: POST /v1/x")
        assert first == {
            "number": 1,
            "line": first["line"],
            "method": "POST",
            "target": "/v1/chat/completions",
            "status": 200,
            "operation": "createChatCompletion",
            "family": "chat",
            "recorded": "2026-01-01T00:00:01Z",
            "seconds": 0.5,
            "first_byte": 0.25,
            "sent": 19,
            "received": first["received"],
            "stream": False,
            "model": "gpt-4o",
            "tokens": {"input": 3, "cached": 0, "output": 4, "reasoning": 0, "total": 7},
            "problems": 2,
            "warnings": 1,
            "fault": None,
            "broken": None,
            "played": None,
        }
        assert (second["stream"], second["fault"], second["seconds"]) == (True, "truncate after 1 events", None)

    @pytest.mark.parametrize("workers", [1, 2])
    async def test_what_was_played_is_marked(self, tmp_path: Path, workers: int) -> None:
        """Whichever process gave it."""
        write(tmp_path / "c.yaml", *simple("a", "b", "c"))
        async with proxied(tmp_path / "c.yaml", mode="playback", workers=workers) as proxy:
            rows = (await told(proxy, "/cassettes/c.yaml/interactions"))["interactions"]
            assert [row["played"] for row in rows] == [False, False, False]
            assert await play(proxy, "b") == 200
            rows = (await told(proxy, "/cassettes/c.yaml/interactions"))["interactions"]
            assert [row["played"] for row in rows] == [False, True, False]
            assert (await told(proxy, "/cassettes/c.yaml/interactions/2"))["played"] is True

    async def test_what_changed_is_told_as_it_is_now(self, tmp_path: Path) -> None:
        """Be it the cassette, or a body that was put back beside it."""
        write(tmp_path / "c.yaml", *simple("a"), interaction(request("GET", "/v1/b"), response(200, b"b" * 5000)))
        (beside,) = (tmp_path / "c.files").iterdir()
        content = beside.read_bytes()
        beside.unlink()
        async with proxied(tmp_path / "x.yaml", mode="playback") as proxy:
            for broken in (True, False):
                rows = (await told(proxy, "/cassettes/c.yaml/interactions"))["interactions"]
                assert bool(rows[1]["broken"]) is broken
                beside.write_bytes(content)
            write(tmp_path / "c.yaml", *simple("c"))
            rows = (await told(proxy, "/cassettes/c.yaml/interactions"))["interactions"]
            assert [row["target"] for row in rows] == ["/v1/a", "/v1/b", "/v1/c"]

    async def test_what_is_recorded_meanwhile_counts_as_neither(self, tmp_path: Path) -> None:
        """It came after the session began to play."""
        write(tmp_path / "c.yaml", *simple("a"))
        async with (
            raw_upstream(answering(OK)) as upstream,
            proxied(tmp_path / "c.yaml", upstream.url, mode="auto") as proxy,
        ):
            assert [await play(proxy, name) for name in "ab"] == [200, 200]
            rows = (await told(proxy, "/cassettes/c.yaml/interactions"))["interactions"]
        assert [(row["target"], row["played"]) for row in rows] == [("/v1/a", True), ("/v1/b", None)]

    async def test_a_recording_plays_nothing(self, tmp_path: Path) -> None:
        """So nothing counts as unplayed, nor as played."""
        write(tmp_path / "c.yaml", *simple("a"))
        async with proxied(tmp_path / "c.yaml", mode="record") as proxy:
            rows = (await told(proxy, "/cassettes/c.yaml/interactions"))["interactions"]
        assert [row["played"] for row in rows] == [None]

    async def test_one_whose_body_is_gone_says_so(self, tmp_path: Path) -> None:
        """The others are told."""
        write(tmp_path / "c.yaml", *simple("a"), interaction(request("GET", "/v1/b"), response(200, b"b" * 5000)))
        for file in (tmp_path / "c.files").iterdir():
            file.unlink()
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
            rows = (await told(proxy, "/cassettes/c.yaml/interactions"))["interactions"]
            assert rows[0]["broken"] is None
            assert (rows[1]["number"], rows[1].get("target")) == (2, None)
            assert "cannot be read" in rows[1]["broken"]
            status, body = await asked(proxy, "/cassettes/c.yaml/interactions/2")
            assert (status, body["error"]["code"]) == (400, "cassette_unusable")

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("nothing.yaml", 404, "no_cassette"),
            ("..%2Fc.yaml", 400, "invalid"),
            ("%2Fetc%2Fpasswd", 400, "invalid"),
            ("a%5Cb.yaml", 400, "invalid"),
            ("foreign.yaml", 400, "cassette_unusable"),
        ],
    )
    async def test_what_is_no_cassette_is_refused(self, tmp_path: Path, path: str, status: int, code: str) -> None:
        """Nothing outside of the folder is read."""
        folder = tmp_path / "cassettes"
        write(folder / "default.yaml", *simple("a"))
        write(tmp_path / "c.yaml", *simple("a"))
        (folder / "foreign.yaml").write_text("services: {}\n")
        async with in_folder(folder) as proxy:
            for more in ("", "/1", "/1/request/body"):
                found, body = await asked(proxy, f"/cassettes/{path}/interactions{more}")
                assert (found, body["error"]["code"]) == (status, code)
                assert str(tmp_path) not in body["error"]["message"]


class TestOne:
    """GET /cassettes/PATH/interactions/N"""

    async def test_it_is_told_whole_with_its_document(self, tmp_path: Path) -> None:
        """As an exchange is, and as it stands in the file."""
        write(tmp_path / "c.yaml", *simple("a", "b"))
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
            found = await told(proxy, "/cassettes/c.yaml/interactions/2")
        assert (found["number"], found["interaction"], found["cassette"]) == (2, 2, "c.yaml")
        assert found["response"]["body"]["text"] == '{"name": "b"}'
        assert found["yaml"].startswith("--- # 2: GET /v1/b")
        assert found["yaml"] in (tmp_path / "c.yaml").read_text()
        assert found["yaml"].count("\n", 0, 1) == 0
        line = (tmp_path / "c.yaml").read_text().split("--- # 2")[0].count("\n") + 1
        assert found["line"] == line

    @pytest.mark.parametrize(
        ("number", "status", "code"),
        [("0", 404, "no_interaction"), ("3", 404, "no_interaction"), ("x", 400, "invalid")],
    )
    async def test_no_such_interaction(self, tmp_path: Path, number: str, status: int, code: str) -> None:
        """How many there are is told."""
        write(tmp_path / "c.yaml", *simple("a", "b"))
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
            for more in ("", "/response/body"):
                found, body = await asked(proxy, f"/cassettes/c.yaml/interactions/{number}{more}")
                assert (found, body["error"]["code"]) == (status, code)

    async def test_what_was_recorded_without_redaction_is_redacted_before_it_is_shown(self, tmp_path: Path) -> None:
        """In the fields, in the document, and in the bytes; what holds no secret stays as it was written."""
        secret = "sk-proj-" + "a1B2c3D4" * 6
        leaky = interaction(
            request(
                "POST",
                f"/v1/x?api_key={secret}",
                {"note": secret},
                Headers.of(*JSON, ("Authorization", "Bearer hush-hush-and-never-tell-1")),
            ),
            response(200, {"echo": "hush-hush-and-never-tell-1"}),
        )
        path = write(tmp_path / "c.yaml", leaky, *simple("b"), redaction="")
        path.write_text(path.read_text().replace("--- # 2: GET /v1/b", "--- # 2: GET /v1/b, by hand"))
        async with proxied(path, mode="playback") as proxy:
            shown = await told(proxy, "/cassettes/c.yaml/interactions/1")
            rows = await told(proxy, "/cassettes/c.yaml/interactions")
            assert not [word for word in (secret, "hush-hush-and-never-tell-1") if word in f"{shown}{rows}"]
            assert "redacted" in shown["yaml"]
            assert "by hand" in (await told(proxy, "/cassettes/c.yaml/interactions/2"))["yaml"]
            async with (
                aiohttp.ClientSession() as client,
                client.get(f"{proxy.admin_url}/cassettes/c.yaml/interactions/1/request/body") as answer,
            ):
                assert secret.encode() not in await answer.read()

    @pytest.mark.parametrize("size", [0, 20, 5_000, 20_000_000])
    async def test_the_bytes_of_a_body(self, tmp_path: Path, size: int) -> None:
        """As a file to keep, wherever they lie."""
        content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        binary = Headers.of(("Content-Type", "application/octet-stream"))
        write(tmp_path / "c.yaml", interaction(request("GET", "/v1/b"), Response(200, "OK", binary, content)))
        async with (
            proxied(tmp_path / "c.yaml", mode="playback") as proxy,
            aiohttp.ClientSession() as client,
            client.get(f"{proxy.admin_url}/cassettes/c.yaml/interactions/1/response/body") as answer,
        ):
            assert answer.content_type == "application/octet-stream"
            assert answer.headers["Content-Disposition"].startswith('attachment; filename="interaction-1-response')
            assert answer.headers["Content-Length"] == str(size)
            assert await answer.read() == content

    async def test_a_message_has_two_sides(self, tmp_path: Path) -> None:
        """No others."""
        write(tmp_path / "c.yaml", *simple("a"))
        async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
            assert (await asked(proxy, "/cassettes/c.yaml/interactions/1/both/body"))[0] == 404
