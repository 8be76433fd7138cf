"""Where a request ends."""

from __future__ import annotations

import pytest

from replayproxy.proxy.endings import without_trailers

CHUNKED = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
SIZED = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GET,
        GET * 3,
        CHUNKED + b"0\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\n" + GET,
        CHUNKED + b"5;x=y\r\nhello\r\n000;last\r\n\r\n",
        CHUNKED + b"d\r\n\r\n0\r\nX: y\r\n\r\n\r\n0\r\n\r\n",
        SIZED % 14 + b"0\r\nX: y\r\n\r\nab" + CHUNKED + b"0\r\n\r\n" + GET[:10],
        SIZED.replace(b"%d", b"\t5 ") + b"hello" + CHUNKED + b"0\r\n\r\n",
        b"\r\n" + CHUNKED + b"0\r\n\r\n\r\n" + GET,
        CHUNKED + b"0\r\n\r\n" + SIZED % 500 + b"more is to come",
    ],
)
def test_requests_without_trailers(data: bytes) -> None:
    """Nothing is behind the last chunk but the end."""
    assert without_trailers(data)


@pytest.mark.parametrize(
    "data",
    [
        CHUNKED + b"0\r\nX: y\r\n\r\n",
        CHUNKED + b"0\r\nX: 0\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\nX: y\r\n\r\n" + GET,
        SIZED % 2 + b"hi" + CHUNKED + b"0\r\nX: y\r\n\r\n",
        CHUNKED + b"0\r\n",
        CHUNKED + b"5\r\nhel",
        CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"0x0\r\n\r\n",
        CHUNKED + b"0 \r\n\r\n",
        SIZED.replace(b"%d", b"-9") + CHUNKED + b"0\r\n\r\n",
        SIZED.replace(b"%d", b"") + CHUNKED + b"0\r\n\r\n",
    ],
)
def test_requests_with_trailers(data: bytes) -> None:
    """Or with something of which nobody can tell what it is."""
    assert not without_trailers(data)
