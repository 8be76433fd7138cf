"""The body of a request on its way in."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from replayproxy.core.bodies import PARSE_LIMIT
from tests.proxies import proxied
from tests.servers import answering, exchange, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UPLOAD = b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


async def test_a_large_body_that_no_temporary_file_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused with the reason, nothing of it is forwarded, and small ones pass as before."""
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, "auto") as proxy,
    ):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
        answer = await exchange(proxy.url, UPLOAD % (PARSE_LIMIT + 1000) + bytes(PARSE_LIMIT + 1000))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert json.loads(body)["error"]["code"] == "spool_full"
        assert str(tmp_path).encode() not in answer
        assert upstream.received == b""
        assert (await exchange(proxy.url, UPLOAD % 2 + b"{}")).startswith(b"HTTP/1.1 200 ")
