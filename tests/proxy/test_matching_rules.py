"""Rules of matching, from the settings and from a session's own declaration, at work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.config import MatchSettings, ValidateSettings
from replayproxy.core.levels import Levels
from replayproxy.core.rules import MatchRules, Scope
from replayproxy.errors import ConfigError
from replayproxy.openai_api import catalog as openai_catalog
from replayproxy.proxy.opening import Declaration
from tests.proxies import admin_headers, proxied, settings_for
from tests.servers import answering, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def post(url: str, **body: Any) -> int:
    async with aiohttp.ClientSession() as client, client.post(url, json=body) as response:
        return response.status


async def record(cassette: Path, **body: Any) -> None:
    async with raw_upstream(answering(OK)) as upstream, proxied(cassette, upstream.url) as proxy:
        assert await post(f"{proxy.url}/v1/threads", **body) == 200


async def test_rules_hold_for_recordings_made_before_them(tmp_path: Path) -> None:
    """What is ignored may differ or be missing; what is not still counts."""
    await record(tmp_path / "c.yaml", metadata={"run": "1"}, text="on 2026-01-01")
    rules = MatchRules.of(ignore=["body.metadata.run"], mask={"body.text": r"\d{4}-\d\d-\d\d"})
    match = MatchSettings(rules=rules.rules)
    for text, status in (("on 2027-12-31", 200), ("at 2027-12-31", 424)):
        async with proxied(tmp_path / "c.yaml", mode="playback", match=match) as proxy:
            assert await post(f"{proxy.url}/v1/threads", metadata={}, text=text) == status
            assert proxy.session.receipt().unused_rules == ()


async def test_a_session_may_have_rules_of_its_own(tmp_path: Path) -> None:
    """On top of those of the settings, scoped to an operation; an unused one is named in the receipt."""
    await record(tmp_path / "c.yaml", metadata={"run": "1"})
    scoped = MatchRules.of(ignore=["body.metadata"], scope=Scope(operation="createThread"))
    own = scoped.plus(MatchRules.of(ignore=["body.nowhere"]))
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        await proxy.sessions.declare(Declaration("s", cassette=tmp_path / "c.yaml", rules=own))
        assert await post(f"{proxy.base_url('s')}/v1/threads", metadata={"run": "2"}) == 200
        assert await post(f"{proxy.url}/v1/threads", metadata={"run": "2"}) == 424
        (unused,) = proxy.sessions.receipt("s").unused_rules
    assert "body.nowhere" in unused


async def test_rules_for_a_family(tmp_path: Path) -> None:
    """Hold for its operations, and no others."""
    await record(tmp_path / "c.yaml", metadata={"run": "1"})
    family = openai_catalog().operation("createThread").family
    for name, status in ((family, 200), ("embeddings", 424)):
        match = MatchSettings(rules=MatchRules.of(ignore=["body.metadata"], scope=Scope(family=name)).rules)
        async with proxied(tmp_path / "c.yaml", mode="playback", match=match) as proxy:
            assert await post(f"{proxy.url}/v1/threads", metadata={"run": "2"}) == status


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {
                "match": MatchSettings(
                    rules=MatchRules.of(ignore=["body.a"], scope=Scope(operation="createTread")).rules
                )
            },
            "match.rules: there is no operation createTread; did you mean `createThread`?",
        ),
        (
            {"validate": ValidateSettings(operations=(("createTread", "off"),))},
            "validate.operations: there is no operation or family createTread; did you mean `createThread`?",
        ),
    ],
)
async def test_an_operation_that_there_is_not(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    """What could never apply stops the start, and the nearest is named."""
    with pytest.raises(ConfigError) as caught:
        async with proxied(tmp_path / "c.yaml", mode="playback", **settings):
            pass
    assert str(caught.value) == message


async def test_a_session_that_names_what_there_is_not(tmp_path: Path) -> None:
    """Is not opened; the others go on."""
    rules = MatchRules.of(ignore=["body.a"], scope=Scope(family="chatt"))
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        with pytest.raises(ConfigError, match="no family chatt; did you mean `chat`"):
            await proxy.sessions.declare(Declaration("s", rules=rules))
        assert proxy.sessions.names() == ("default",)


async def test_the_catalog_of_another_api(tmp_path: Path) -> None:
    """Takes the place of OpenAI's for rules; one that cannot be read stops the start."""
    await record(tmp_path / "c.yaml", metadata={"run": "1"})
    form = {"id": "spin", "method": "POST", "path": "/threads", "family": "yarn"}
    (tmp_path / "yarn.json").write_text(json.dumps({"catalog": 1, "bases": ["/v1"], "operations": [form]}))
    match = MatchSettings(rules=MatchRules.of(ignore=["body.metadata"], scope=Scope(operation="spin")).rules)
    settings: dict[str, Any] = {"mode": "playback", "match": match}
    async with proxied(tmp_path / "c.yaml", catalog=tmp_path / "yarn.json", **settings) as proxy:
        assert await post(f"{proxy.url}/v1/threads", metadata={"run": "2"}) == 200
    for catalog, message in ((None, "there is no operation spin"), (tmp_path / "no.json", "no.json: cannot be read")):
        with pytest.raises(ConfigError, match=message):
            async with proxied(tmp_path / "c.yaml", catalog=catalog, **settings):
                pass


def test_a_session_may_have_a_level_of_its_own(tmp_path: Path) -> None:
    """It takes the place of that for all; what the settings say of single operations and families goes before it."""
    by = (("chat", "off"),)
    settings = settings_for(tmp_path / "c.yaml", validate=ValidateSettings("warn", by))
    assert Declaration("s").applied(settings).validation == Levels("warn", by)
    assert Declaration("s", validate="enforce").applied(settings).validation == Levels("enforce", by)
    unsaid = settings_for(tmp_path / "c.yaml")
    assert Declaration("s").applied(unsaid).validation == Levels("enforce")
    assert Declaration("s", mode="playback").applied(unsaid).validation == Levels("warn")


async def test_rules_over_the_admin_api(tmp_path: Path) -> None:
    """In the form of the config file."""
    await record(tmp_path / "c.yaml", metadata={"run": "1"})
    async with (
        proxied(tmp_path / "c.yaml", mode="playback") as proxy,
        aiohttp.ClientSession(headers=admin_headers(proxy)) as client,
    ):
        declared = {"name": "s", "cassette": "c.yaml", "match": {"ignore": ["body.metadata.run"]}}
        async with client.post(f"{proxy.admin_url}/sessions", json=declared) as response:
            assert response.status == 201, await response.text()
        assert await post(f"{proxy.base_url('s')}/v1/threads", metadata={"run": "2"}) == 200
        for bad in ({"ignore": ["body..x"]}, ["body.x"], {"ignor": []}):
            async with client.post(
                f"{proxy.admin_url}/sessions", json=declared | {"name": "t", "match": bad}
            ) as response:
                assert response.status == 400
                assert "match" in await response.text()
