"""FRM: framing and smuggling."""

from __future__ import annotations

from tests.robustness.harness import Stage


def test_FRM_23_a_request_without_a_host(parsed: Stage) -> None:
    """HTTP/1.1 without Host is refused."""
    got = parsed.send(b"GET /v1/models HTTP/1.1\r\n\r\n")
    assert got.status == 400
    assert not parsed.upstream.requests
