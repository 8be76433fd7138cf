"""The log on standard error."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import yarl

from replayproxy.proxy.log import configure
from tests.proxies import proxied
from tests.servers import answering, exchange, raw_upstream


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    """Leaves logging as it was."""
    loggers = [logging.getLogger(name) for name in ("replayproxy", "aiohttp.server")]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


async def test_one_line_for_each_exchange(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Method, target, status, outcome, time; the reason of a miss below it, indented."""
    configure("text")
    async with proxied(tmp_path / "c.yaml", mode="record") as proxy, aiohttp.ClientSession() as client:
        await client.post(f"{proxy.url}/v1/threads", json={}, headers={"Authorization": "Bearer x"})
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as client:
        await client.get(f"{proxy.url}/v1/models?api_key=secret-value-123")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].split()[1:-2] == ["POST", "/v1/threads", "400", "rejected", "by", "the", "validator"]
    assert lines[1].startswith("    You must provide the 'OpenAI-Beta' header")
    assert lines[2].split()[1:5] == ["GET", "/v1/models?api_key=redacted.api-key", "424", "missed"]
    assert lines[3].startswith("    replayproxy no_match")


async def test_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same facts, for machines."""
    configure("json")
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as client:
        await client.get(yarl.URL(f"{proxy.url}/v1/models?x=%0a%1b", encoded=True))
    logging.getLogger("replayproxy").warning("mind this")
    first, second = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (first["target"], first["status"], first["outcome"]) == ("/v1/models?x=%0a%1b", 424, "missed")
    assert (second["level"], second["message"]) == ("warning", "mind this")


@pytest.mark.parametrize("style", ["text", "json"])
def test_exceptions_are_logged_without_control_characters(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a client sent cannot steer the terminal."""
    configure(style)
    try:
        raise ValueError("\x1b[31m red \x07")
    except ValueError:
        logging.getLogger("replayproxy").exception("broke \x1b]0;title\x07")
    err = capsys.readouterr().err
    assert "ValueError" in err
    assert not set(err) & {"\x1b", "\x07"}


async def test_a_malformed_request_leaves_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is answered with 400, and one line tells of it."""
    configure("text")
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        got = await exchange(proxy.url, b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 400 ")
    (line,) = capsys.readouterr().err.splitlines()
    assert " refused: 400 " in line


@pytest.mark.parametrize("style", ["text", "json"])
def test_messages_and_exceptions_hold_no_secret(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They quote what they stumbled over."""
    configure(style)
    key = "sk-proj-Ab3dEf6hIj9lMnOpQrStUv"
    try:
        raise ValueError(f"no number: {key}")
    except ValueError:
        logging.getLogger("replayproxy.x").exception("cannot read Authorization: Bearer %s", key)
    told = capsys.readouterr().err
    assert key not in told
    assert told.count("redacted.api-key") == 1
    assert "Bearer redacted.authorization" in told


def test_json_lines_hold_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    """Not even the one that is ASCII and that JSON leaves as it is."""
    configure("json")
    for message in ("a\x7fb\x1b", "\u2028\u202e", "\udcff"):
        logging.getLogger("replayproxy.x").warning(message)
        told = capsys.readouterr().err
        assert told.isascii()
        assert told.rstrip("\n").isprintable()
        assert json.loads(told)["message"] == message


ANSWER = b"HTTP/1.1 200 OK\r\nx-request-id: req_123\r\nContent-Length: 5\r\n\r\nhello"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
JOINED = {"X-Client-Request-Id": "mine-7", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@contextlib.asynccontextmanager
async def recording(folder: Path, answer: bytes = ANSWER) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """The URL of a proxy that records what an upstream answers, and a client for it."""
    async with (
        raw_upstream(answering(answer)) as upstream,
        proxied(folder / "c.yaml", upstream.url) as proxy,
        aiohttp.ClientSession() as client,
    ):
        yield proxy.url, client


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """The lines of a JSON log."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


async def test_json_lines_can_be_joined_with_what_others_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the journal by the number, with the API's support, with the client's log and with traces by their ids."""
    configure("json")
    async with recording(tmp_path) as (url, client):
        for headers in (JOINED, {}):
            async with client.post(f"{url}/@s1/x", data=b"abc", headers=headers) as answer:
                assert await answer.read() == b"hello"
    lines = [line for line in lines_of(capsys) if line["message"] == "POST /x"]
    ids = [(line["number"], line["client_request_id"], line["trace_id"]) for line in lines]
    assert ids == [(1, "mine-7", TRACE), (2, "", "")]
    for line in lines:
        assert {name: line[name] for name in ("session", "request_id", "sent", "received", "level")} == {
            "session": "s1",
            "request_id": "req_123",
            "sent": 3,
            "received": 5,
            "level": "info",
        }
        assert 0 < line["first_byte"] <= line["seconds"]  # type: ignore[operator]


@pytest.mark.parametrize("headers", [{}, JOINED], ids=["bare", "joined"])
async def test_played_answers_are_told_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], headers: dict[str, str]
) -> None:
    """By the long way, and by the short one when the same bytes come again."""
    async with recording(tmp_path) as (url, client):
        await (await client.get(f"{url}/x")).read()
    capsys.readouterr()
    configure("json")
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as client:
        for _ in range(3):
            async with client.get(f"{proxy.url}/x", headers=headers) as answer:
                assert await answer.read() == b"hello"
    lines = [line for line in lines_of(capsys) if line["message"] == "GET /x"]
    assert [line.pop("number") for line in lines] == [1, 2, 3]
    assert [line.pop("outcome") for line in lines] == ["played", "repeated", "repeated"]
    times = [(line.pop("first_byte"), line.pop("seconds"), line.pop("time")) for line in lines]
    assert all(0 < first <= whole for first, whole, _ in times)  # type: ignore[operator]
    assert lines[0] == lines[1] == lines[2]
    told = {"session": "default", "interaction": 1, "status": 200, "sent": 0, "received": 5, "request_id": "req_123"}
    assert lines[0].items() >= told.items()
    assert lines[0]["client_request_id"] == headers.get("X-Client-Request-Id", "")


async def test_ids_are_redacted_and_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever makes them up may put anything there."""
    configure("json")
    key = "sk-proj-Ab3dEf6hIj9lMnOpQrStUv"
    answer = b"HTTP/1.1 200 OK\r\nX-Request-Id: " + key.encode() + b"\r\nContent-Length: 0\r\n\r\n"
    headers = {"X-Request-Id": key, "Authorization": f"Bearer {key}"}
    async with recording(tmp_path, answer) as (url, client):
        await client.get(f"{url}/x", headers=headers)
        await client.get(f"{url}/x", headers={"X-Client-Request-Id": "y" * 5000})
    first, second = lines_of(capsys)
    assert key not in json.dumps(first)
    assert str(first["request_id"]).startswith("redacted.")
    assert str(first["client_request_id"]).startswith("redacted.")
    assert second["client_request_id"] == "y" * 128


async def test_text_lines_stay_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are for people, who have the inspector."""
    configure("text")
    async with recording(tmp_path) as (url, client):
        await client.get(f"{url}/@s1/x", headers=JOINED)
    told = capsys.readouterr().err
    assert "GET /x 200 saved" in told
    assert not any(each in told for each in ("req_123", "mine-7", TRACE, "s1"))
