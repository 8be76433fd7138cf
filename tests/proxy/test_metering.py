"""What an exchange comes to in numbers."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import get_args

import aiohttp
import pytest

from replayproxy.core.messages import FileBody, body_length
from replayproxy.core.meter import WHO
from replayproxy.errors import UpstreamError, UpstreamTimeoutError
from replayproxy.proxy.exchange import Outcome
from replayproxy.proxy.metering import failure_kind, reading_of_process, reading_of_sessions
from tests.proxies import proxied


def caused(cause: Exception | None) -> UpstreamError:
    """An error with a cause."""
    error = UpstreamError("x")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UpstreamTimeoutError("x"), "timeout"),
        (caused(None), "reset"),
        (caused(ConnectionRefusedError()), "connect"),
        (caused(OSError("no route")), "connect"),
        (caused(socket.gaierror(-2, "unknown")), "resolve"),
        (caused(UnicodeError("no name")), "resolve"),
        (caused(ssl.SSLError("wrong version")), "tls"),
        (caused(ssl.SSLCertVerificationError("untrusted")), "tls"),
    ],
)
def test_failures_of_the_upstream_have_a_kind(error: UpstreamError, kind: str) -> None:
    """In a word, for a label."""
    assert failure_kind(error) == kind


def test_a_body_has_a_length_wherever_it_is() -> None:
    """In memory or in a file."""
    assert (body_length(b"abc"), body_length(FileBody("x.bin", 7, "d"))) == (3, 7)


async def test_what_waits_to_be_told_is_counted(tmp_path: Path) -> None:
    """Whoever asks for the metrics right after an exchange sees it."""
    async with proxied(tmp_path / "c.yaml") as proxy, aiohttp.ClientSession() as client:
        async with client.get(f"{proxy.url}/v1/models", headers={"Authorization": "Bearer x"}) as answer:
            await answer.read()
        async with asyncio.timeout(10):
            while (await reading_of_process(proxy.sessions, proxy.journal))["replayproxy_exchanges_under_way"][()]:
                await asyncio.sleep(0)
        reading = await reading_of_process(proxy.sessions, proxy.journal)
    assert list(reading["replayproxy_exchanges"].values()) == [1]


async def test_a_cassette_that_is_not_there_has_no_size(tmp_path: Path) -> None:
    """Nothing was recorded into it yet; the session is open all the same, and one file counts once."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        reading = await reading_of_sessions(proxy.sessions, "playback")
    assert reading["replayproxy_sessions"] == {(): 1.0}
    assert reading["replayproxy_cassettes"] == reading["replayproxy_cassette_bytes"] == {(): 0.0}


def test_every_outcome_has_somebody_who_answered() -> None:
    """None is counted under `nobody` by mistake."""
    assert set(WHO) == set(get_args(Outcome))
