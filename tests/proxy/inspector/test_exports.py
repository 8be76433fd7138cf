"""Traffic to take away over the admin port: requests to paste, and HAR."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.core.exports.har_read import Taken, har_entries, read_entry
from replayproxy.core.messages import FileBody, Request
from replayproxy.proxy.app import Proxy
from replayproxy.stores import FileStore
from tests.builders import interaction
from tests.core.exports.test_har import SCHEMA
from tests.proxies import proxied
from tests.proxy.inspector.test_cassettes import in_folder, simple, write


async def got(proxy: Proxy, path: str) -> tuple[int, str, str, str]:
    """Status, media type, disposition and text of an answer."""
    async with aiohttp.ClientSession() as client, client.get(f"{proxy.admin_url}{path}") as answer:
        disposition = answer.headers.get("Content-Disposition", "")
        return answer.status, answer.content_type, disposition, await answer.text()


async def ask(proxy: Proxy, session: str = "default", **body: Any) -> None:
    """Makes a thread."""
    headers = {"Authorization": "Bearer sk-" + "a1B2" * 8, "OpenAI-Beta": "assistants=v2"}
    url = f"{proxy.base_url(session)}/v1/threads"
    async with aiohttp.ClientSession(headers=headers) as client, client.post(url, json=body) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("form", "held"),
    [
        ("curl", "curl {base}/v1/threads"),
        ("openai", 'base_url="{base}/v1"'),
        ("httpx", '"{base}/v1/threads"'),
        ("javascript", 'fetch("{base}/v1/threads"'),
    ],
)
async def test_an_exchange_is_copied_for_its_own_session(form: str, held: str, tmp_path: Path) -> None:
    """What is pasted goes through this proxy again; no key is in it."""
    async with proxied(tmp_path / "c.yaml", mode="auto") as proxy:
        await ask(proxy, metadata={"a": "b"})
        await ask(proxy, "other")
        for number, session in ((1, "default"), (2, "other")):
            status, media, _, text = await got(proxy, f"/exchanges/{number}/as/{form}")
            assert (status, media) == (200, "text/plain")
            assert held.format(base=proxy.base_url(session)) in text
            assert "sk-a1B2" not in text
        _, _, _, text = await got(proxy, f"/exchanges/1/as/{form}?direct=1")
        assert held.format(base="https://api.openai.com") in text


async def test_the_openai_form_calls_the_method(tmp_path: Path) -> None:
    """Since the exchange's operation is known; one that is not is posted."""
    async with proxied(tmp_path / "c.yaml", mode="auto") as proxy:
        await ask(proxy)
        assert "client.beta.threads.create(" in (await got(proxy, "/exchanges/1/as/openai"))[3]
        async with aiohttp.ClientSession() as client, client.post(f"{proxy.url}/v1/odd", json={}):
            pass
        assert "client.post(" in (await got(proxy, "/exchanges/2/as/openai"))[3]


async def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """An unknown form with those that there are."""
    async with proxied(tmp_path / "c.yaml", mode="auto") as proxy:
        await ask(proxy)
        status, _, _, text = await got(proxy, "/exchanges/1/as/wget")
        assert status == 404
        assert "curl, openai, httpx, javascript, har" in json.loads(text)["error"]["message"]
        assert (await got(proxy, "/exchanges/9/as/curl"))[0] == 404
        assert (await got(proxy, "/exchanges.har?filter=nonsense:x"))[0] == 400


async def test_the_journal_is_har(tmp_path: Path) -> None:
    """Valid, in order, of a session or what fits a filter only; an exchange alone is one as well."""
    async with proxied(tmp_path / "c.yaml", mode="auto") as proxy:
        for session in ("default", "other", "other"):
            await ask(proxy, session, metadata={"in": session})
        status, media, disposition, text = await got(proxy, "/exchanges.har")
        assert (status, media, disposition) == (200, "application/json", 'attachment; filename="exchanges.har"')
        har = json.loads(text)
        assert not list(SCHEMA.iter_errors(har))
        assert [each["_replayproxy"]["number"] for each in har_entries(har)] == [1, 2, 3]
        assert "sk-a1B2" not in text
        assert all(isinstance(read_entry(each, 1), Taken) for each in har_entries(har))
        for query, numbers in (("session=other", [2, 3]), ("filter=session:default", [1]), ("filter=status:5xx", [])):
            _, _, _, text = await got(proxy, f"/exchanges.har?{query}")
            assert [each["_replayproxy"]["number"] for each in har_entries(json.loads(text))] == numbers
        _, _, disposition, text = await got(proxy, "/exchanges/2/as/har")
        assert disposition == 'attachment; filename="exchange-2.har"'
        assert len(har_entries(json.loads(text))) == 1


async def test_an_interaction_is_copied_for_the_session_that_plays_it(tmp_path: Path) -> None:
    """The one that is open on the cassette, or that has its name."""
    write(tmp_path / "default.yaml", *simple("models"))
    write(tmp_path / "checkout.yaml", *simple("models"))
    write(tmp_path / "deep" / "odd.yaml", *simple("models"))
    write(tmp_path / "not a name.yaml", *simple("models"))
    async with in_folder(tmp_path) as proxy:
        for path, session in (
            ("default.yaml", "default"),
            ("checkout.yaml", "checkout"),
            ("deep%2Fodd.yaml", "default"),
            ("not%20a%20name.yaml", "default"),
        ):
            status, _, _, text = await got(proxy, f"/cassettes/{path}/interactions/1/as/curl")
            assert (status, text.split()[1]) == (200, f"{proxy.base_url(session)}/v1/models")
        _, _, _, text = await got(proxy, "/cassettes/default.yaml/interactions/1/as/har")
        (entry,) = har_entries(json.loads(text))
        found = read_entry(entry, 1)
        assert isinstance(found, Taken)
        assert found.interaction == simple("models")[0]
        assert (await got(proxy, "/cassettes/default.yaml/interactions/2/as/curl"))[0] == 404
        assert (await got(proxy, "/cassettes/default.yaml/interactions/1/as/x"))[0] == 404


async def test_an_open_session_names_its_cassette(tmp_path: Path) -> None:
    """Whatever that is called."""
    path = write(tmp_path / "mine.yaml", *simple("models"))
    async with proxied(path, mode="playback") as proxy:
        _, _, _, text = await got(proxy, "/cassettes/mine.yaml/interactions/1/as/curl")
        assert text.split()[1] == f"{proxy.url}/v1/models"


def test_a_body_in_a_file_is_named(tmp_path: Path) -> None:
    """Whoever pastes has to supply it."""
    from replayproxy.core.exports.curl import as_curl

    asked = interaction(Request("POST", "/v1/files", body=FileBody("a.bin", 9, "x")))
    assert "--data-binary @a.bin" in as_curl(asked.request, "http://h")
    assert not FileStore(tmp_path / "none.yaml").exists()
