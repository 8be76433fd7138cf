"""FRM: several requests on a connection: each is answered in its turn, and none is another's body."""

from __future__ import annotations

import time

import pytest

from tests.robustness.harness import OK, Stage
from tests.robustness.smuggled import CHUNKED, arrived, bodies, head, split


def test_FRM_19_two_requests_in_one_segment(parsed: Stage) -> None:
    """Two answers in order, two requests at the upstream."""
    parsed.upstream.answer(*(OK.replace(b"yes", b"%03d" % number) for number in (1, 2)))
    line = parsed.line()
    line.send(b"".join(head(b"", b"GET", b"/v1/%d" % number) for number in (1, 2)).replace(b"{host}", parsed.host))
    assert [line.answer().body for _ in range(2)] == [b'{"fine": "001"}', b'{"fine": "002"}']
    assert [each.target for each in arrived(parsed)] == [b"/v1/1", b"/v1/2"]


def test_FRM_19_many_requests_in_one_segment(parsed: Stage) -> None:
    """More than any queue holds at once."""
    line, count = parsed.line(), 300
    sent = b"".join(head(b"", b"GET", b"/v1/%d" % number) for number in range(count))
    line.send(sent.replace(b"{host}", parsed.host))
    assert {line.answer().status for _ in range(count)} == {200}
    assert [each.target for each in arrived(parsed)] == [b"/v1/%d" % number for number in range(count)]


def test_FRM_19_a_request_behind_the_last(parsed: Stage) -> None:
    """What comes behind `Connection: close` is not looked at."""
    got = parsed.send(head(b"Connection: close\r\n", b"GET"), head(b"", b"GET", b"/v1/late"))
    assert got.status in (200, 400)
    assert b"/v1/late" not in [each.target for each in arrived(parsed)]


THREE = (
    head(b"Content-Length: 11\r\n", b"POST", b"/v1/sized")
    + b"hello\r\n0\r\n\r"
    + head(CHUNKED, b"POST", b"/v1/chunked")
    + b"5\r\nGET /\r\n3;x\r\n v1\r\n0\r\n\r\n"
    + head(b"", b"GET", b"/v1/last")
)


@pytest.mark.parametrize("pause", [0.0, 0.001])
@pytest.mark.parametrize("cut", [1, 2, 3, 7, 11, 64, 10_000])
def test_FRM_20_pipelined_requests_in_pieces(parsed: Stage, cut: int, pause: float) -> None:
    """Wherever the segments end, the same three requests arrive, in order and whole."""
    parsed.upstream.answer(*(OK.replace(b"yes", b"%03d" % number) for number in (1, 2, 3)))
    line = parsed.line()
    for piece in split(THREE.replace(b"{host}", parsed.host), cut):
        line.send(piece)
        time.sleep(pause)  # so that some segments are read on their own
    assert [line.answer().body for _ in range(3)] == [b'{"fine": "00%d"}' % number for number in (1, 2, 3)]
    assert bodies(parsed) == [(b"/v1/sized", b"hello\r\n0\r\n\r"), (b"/v1/chunked", b"GET / v1"), (b"/v1/last", b"")]
