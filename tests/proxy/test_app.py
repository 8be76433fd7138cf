"""A proxy, put together and taken down."""

from __future__ import annotations

import logging
from pathlib import Path

import aiohttp
import pytest

from replayproxy.errors import CassetteError, StartError
from tests.proxies import proxied
from tests.servers import answering, exchange, raw_upstream

GET = b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def test_admin_says_alive_and_ready(tmp_path: Path) -> None:
    """Health tells the version, readiness the mode."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as client:
        async with client.get(f"{proxy.admin_url}/health") as response:
            assert (await response.json())["status"] == "ok"
        async with client.get(f"{proxy.admin_url}/ready") as response:
            assert await response.json() == {"status": "ready", "mode": "playback"}


async def test_playback_has_no_upstream(tmp_path: Path) -> None:
    """There is nothing that could be asked, and nothing that says so."""
    async with proxied(tmp_path / "c.yaml", "http://127.0.0.1:9", mode="playback") as proxy:
        assert proxy.upstream == ""


@pytest.mark.parametrize("option", ["port", "admin_port"])
async def test_a_busy_port_names_a_free_one(tmp_path: Path, option: str) -> None:
    """What happened, and what to type."""
    async with proxied(tmp_path / "a.yaml", mode="playback") as first:
        port = int(first.url.rpartition(":")[2])
        flag = "--" + option.replace("_", "-")
        with pytest.raises(StartError, match=rf"cannot listen on 127.0.0.1:{port} .*try {flag} \d+"):
            async with proxied(tmp_path / "b.yaml", mode="playback", **{option: port}):
                pass


async def test_an_address_that_is_not_ours(tmp_path: Path) -> None:
    """A host that cannot be listened on is told apart from a busy port."""
    with pytest.raises(StartError, match="choose another --host"):
        async with proxied(tmp_path / "c.yaml", mode="playback", host="192.0.2.1"):
            pass


async def test_ipv6_urls_have_brackets(tmp_path: Path) -> None:
    """Where the machine has IPv6."""
    try:
        async with proxied(tmp_path / "c.yaml", mode="playback", host="::1") as proxy:
            assert proxy.url.startswith("http://[::1]:")
            with pytest.raises(StartError):
                async with proxied(
                    tmp_path / "d.yaml", mode="playback", host="::1", port=int(proxy.url.split(":")[-1])
                ):
                    pass
    except StartError:
        pytest.skip("no IPv6 on this machine")


@pytest.mark.parametrize("mode", ["playback", "auto", "record"])
async def test_an_unreadable_cassette_stops_the_start(tmp_path: Path, mode: str) -> None:
    """File and line are named, and the file is left as it is."""
    cassette = tmp_path / "c.yaml"
    cassette.write_text("what: is this\n")
    with pytest.raises(CassetteError, match=r"c\.yaml"):
        async with proxied(cassette, mode=mode):
            pass
    assert cassette.read_text() == "what: is this\n"


async def test_a_torn_cassette_plays_what_is_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A recording that was killed is said to be torn, and its whole part answers."""
    cassette = tmp_path / "c.yaml"
    async with raw_upstream(answering(OK)) as upstream, proxied(cassette, upstream.url) as proxy:
        await exchange(proxy.url, GET)
        await exchange(proxy.url, GET)
    text = cassette.read_text()
    cassette.write_text(text[: text.rindex("response:")])
    with caplog.at_level(logging.WARNING):
        async with proxied(cassette, mode="playback") as proxy:
            assert (await exchange(proxy.url, GET)).endswith(b"ok")
            assert len(proxy.session) == 1
    assert "not finished" in caplog.text


async def test_todays_redaction_rules_apply_to_older_recordings(tmp_path: Path) -> None:
    """A cassette written by hand, with a key in it, still answers the request that carries that key."""
    cassette, data = tmp_path / "c.yaml", GET.replace(b"/v1/x", b"/v1/x?api_key=a-secret-value")
    async with raw_upstream(answering(OK)) as upstream, proxied(cassette, upstream.url) as proxy:
        await exchange(proxy.url, data)
    text = cassette.read_text().replace("redacted.api-key", "a-secret-value")
    cassette.write_text("\n".join(line for line in text.splitlines() if "redaction:" not in line) + "\n")
    async with proxied(cassette, mode="playback") as proxy:
        assert (await exchange(proxy.url, data)).endswith(b"ok")


async def test_a_recording_made_again_is_the_same_file(tmp_path: Path) -> None:
    """Byte for byte, when nothing changed but time."""
    cassette = tmp_path / "c.yaml"
    contents = []
    for _ in range(2):
        async with raw_upstream(answering(OK)) as upstream, proxied(cassette, upstream.url) as proxy:
            await exchange(proxy.url, GET)
        contents.append(cassette.read_bytes())
    assert contents[0] == contents[1]


async def test_two_recorders_cannot_share_a_cassette(tmp_path: Path) -> None:
    """The second is refused."""
    async with proxied(tmp_path / "c.yaml", mode="record"):
        with pytest.raises(CassetteError):
            async with proxied(tmp_path / "c.yaml", mode="record"):
                pass


async def test_certificates_of_a_private_authority(tmp_path: Path) -> None:
    """`upstream.ca_file` names whom to trust instead of the usual ones."""
    import ssl

    import trustme

    authority, serving = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    cassette = tmp_path / "c.yaml"
    async with raw_upstream(answering(OK), serving) as upstream:
        async with proxied(cassette, upstream.url, ca_file=tmp_path / "ca.pem") as proxy:
            assert (await exchange(proxy.url, GET)).endswith(b"ok")
        async with proxied(cassette, upstream.url) as proxy:
            got = await exchange(proxy.url, GET)
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"certificate" in got
