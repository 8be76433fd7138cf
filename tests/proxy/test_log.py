"""The log on standard error."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import yarl

from replayproxy.proxy.log import configure
from tests.proxies import proxied
from tests.servers import exchange


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
    logging.getLogger("replayproxy.x").warning("a\x7fb\x1b")
    told = capsys.readouterr().err
    assert "\x7f" not in told
    assert json.loads(told)["message"] == "a\x7fb\x1b"
