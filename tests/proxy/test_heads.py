"""What heads say, read once for those that come again."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request

from replayproxy.core.messages import Request
from replayproxy.errors import ConfigError
from replayproxy.proxy.heads import Heads, Recall
from tests.proxies import proxied
from tests.servers import RawUpstream, answering, exchange, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_the_same_head_is_the_same_object() -> None:
    """Headers count in full: their order, their spelling, their repetition."""
    heads = Heads()
    one, same, other = (
        heads.read(make_mocked_request("GET", "/@s/v1/x", headers=fields))
        for fields in ({"A": "1", "B": "2"}, {"A": "1", "B": "2"}, {"B": "2", "A": "1"})
    )
    assert one[0] == "s"
    assert one[1].target == "/v1/x"
    assert one[1] is same[1]
    assert one[1] is not other[1]


def test_what_names_no_session_is_told_each_time() -> None:
    """Nothing is remembered of it."""
    heads = Heads()
    for _ in range(2):
        with pytest.raises(ConfigError):
            heads.read(make_mocked_request("GET", "/@.../v1"))


@pytest.mark.parametrize(("count", "size"), [(2_000, 1), (3, 20_000)])
def test_heads_are_remembered_within_bounds(count: int, size: int) -> None:
    """Neither too many nor large ones; what was forgotten reads the same."""
    heads = Heads()
    for number in range(count):
        name, head = heads.read(make_mocked_request("GET", f"/v1/{number}", headers={"X": "x" * size}))
        assert (name, head.target) == ("default", f"/v1/{number}")
    again = heads.read(make_mocked_request("GET", "/v1/0", headers={"X": "x" * size}))[1]
    assert again.headers.get("x") == "x" * size


def test_what_was_made_is_made_anew_for_another_object() -> None:
    """Even for an equal one, and even where the other one took its place in memory."""
    made: list[str] = []

    def make(head: Request) -> str:
        made.append(head.target)
        return head.target

    recall, kept = Recall(make), Request("GET", "/kept")
    assert [recall.of(kept), recall.of(kept)] == ["/kept", "/kept"]
    assert made == ["/kept"]
    for number in range(2_000):
        assert recall.of(Request("GET", f"/{number}")) == f"/{number}"
    assert recall.of(kept) == "/kept"


async def test_heads_that_come_again_go_on_alike(tmp_path: Path) -> None:
    """To the byte, with the body that came with them; another key is another head."""

    def asking(key: str, body: str) -> bytes:
        lines = ["POST /v1/x HTTP/1.1", "Host: localhost", "Connection: close, x-hop", "X-Hop: 1"]
        lines += [f"Authorization: Bearer {key}"]
        head = "".join(f"{line}\r\n" for line in lines)
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        for key, body in (("one", "aa"), ("one", "bb"), ("two", "cc"), ("one", "dd")):
            assert (await exchange(proxy.url, asking(key, body))).endswith(b"ok")
    assert forwarded(upstream) == [("one", "aa"), ("one", "bb"), ("two", "cc"), ("one", "dd")]
    assert b"x-hop" not in upstream.received.lower()


async def test_a_key_of_ours_goes_on_with_each(tmp_path: Path) -> None:
    """In the place of the client's, which never does."""
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, key="ours") as proxy,
        aiohttp.ClientSession() as client,
    ):
        for _ in range(3):
            async with client.get(f"{proxy.url}/v1/x", headers={"Authorization": "Bearer theirs"}) as answer:
                assert answer.status == 200
    assert upstream.received.count(b"Authorization: Bearer ours\r\n") == 3
    assert b"theirs" not in upstream.received


def forwarded(upstream: RawUpstream) -> list[tuple[str, str]]:
    """The key and the body of each request that an upstream got."""
    found = []
    for piece in upstream.received.split(b"POST ")[1:]:
        head, _, body = piece.decode().partition("\r\n\r\n")
        found.append((head.partition("Bearer ")[2].partition("\r\n")[0], body))
    return found
