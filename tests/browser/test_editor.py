"""A request that somebody writes: checked while it is written, and sent through the proxy."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.stage import Staged
from tests.processes import KEY

Stage = Callable[..., Staged]


def _ask(proxy: Staged, text: str) -> None:
    with proxy.client() as client:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": text}])


def _problems(page: Page) -> Locator:
    return page.get_by_role("status", name="Problems")


def _result(page: Page) -> Locator:
    return page.get_by_role("status", name="Result")


@pytest.fixture
def proxy(stage: Stage) -> Staged:
    """One exchange, recorded."""
    proxy = stage()
    _ask(proxy, "Say one")
    return proxy


def test_an_exchange_is_edited_and_sent_again(page: Page, proxy: Staged) -> None:
    """With a key; the result leads to the new exchange and to what differs from the original."""
    page.goto(proxy.inspector("/exchanges/1/edit"))
    expect(page.locator(".operation")).to_have_text("createChatCompletion")
    expect(page.get_by_role("table", name="Headers")).to_contain_text("redacted before it was stored: not sent")
    body = page.get_by_role("textbox", name="Body")
    body.fill(body.input_value().replace("Say one", "Say two"))
    page.get_by_label("API key").fill(KEY)
    expect(_problems(page)).to_contain_text("No problem found")
    page.keyboard.press("Control+Enter")
    expect(_result(page)).to_contain_text("200")
    _result(page).get_by_role("link", name="Diff with the original").click()
    expect(page.get_by_role("table", name="Request: body").locator("ins")).to_have_text(["two"])
    detail = proxy.get("/exchanges/2")
    assert json.loads(detail["request"]["body"]["text"])["messages"][0]["content"] == "Say two"
    assert KEY not in json.dumps(detail)
    assert page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])").find(KEY) < 0


def test_problems_are_told_while_it_is_written_and_lead_to_their_place(page: Page, proxy: Staged) -> None:
    """By the field, in its line; also what is no JSON yet."""
    page.goto(proxy.inspector("/send"))
    body = page.get_by_role("textbox", name="Body")
    body.fill('{\n  "messages": [],\n  "model": "x"\n}')
    expect(_problems(page)).to_contain_text("empty array")
    page.get_by_role("button", name="line 2").click()
    expect(body).to_be_focused()
    assert body.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)") == '  "messages": [],'
    expect(page.locator(".gutter .marked")).to_have_text("2")
    body.fill('{\n  "messages": [}')
    expect(_problems(page)).to_contain_text("This is no JSON")
    expect(page.get_by_role("button", name="line 2, column 16")).to_be_visible()
    page.get_by_label("Path and query").fill("/v1/chat/completion")
    expect(page.locator(".operation")).to_have_text("none that the catalog knows")


def test_json_is_laid_out_and_numbers_keep_their_digits(page: Page, proxy: Staged) -> None:
    """What a double cannot hold included."""
    page.goto(proxy.inspector("/send"))
    body = page.get_by_role("textbox", name="Body")
    body.fill('{"seed":12345678901234567890,"a":[1.0]}')
    page.get_by_role("button", name="Format JSON").click()
    expect(body).to_have_value('{\n  "seed": 12345678901234567890,\n  "a": [\n    1.0\n  ]\n}')


def test_headers_are_added_and_removed(page: Page, stage: Stage) -> None:
    """What is sent is what the table says, in the session that is named."""
    proxy = stage("playback")
    page.goto(proxy.inspector("/send"))
    page.get_by_label("Method").fill("GET")
    page.get_by_label("Path and query").fill("/v1/models?a=b")
    page.get_by_label("Session").fill("mine")
    page.get_by_role("textbox", name="Body").fill("")
    page.get_by_role("button", name="Remove content-type").click()
    page.get_by_role("button", name="Add a header").click()
    page.keyboard.type("x-trace")
    page.keyboard.press("Tab")
    page.keyboard.type("17")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(_result(page)).to_contain_text("missed")
    detail = proxy.get("/exchanges/1")
    assert (detail["method"], detail["target"], detail["session"]) == ("GET", "/v1/models?a=b", "mine")
    assert [field for field in detail["request"]["headers"] if field[0] != "accept-encoding"] == [["x-trace", "17"]]


def test_parts_that_are_text_are_edited_and_the_others_sent_as_they_were(page: Page, stage: Stage) -> None:
    """The boundary stays, and so do the bytes."""
    proxy = stage("serve", "--mode", "passthrough")
    proxy.raw(
        "POST", "/v1/files", data={"purpose": "assistants"}, files={"file": ("a.bin", b"\x00\xff\x01", "image/png")}
    )
    page.goto(proxy.inspector("/exchanges/1/edit"))
    expect(page.get_by_text("no text: sent as it was")).to_be_visible()
    page.get_by_role("region", name="Part purpose").get_by_role("textbox").fill("vision")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(_result(page).get_by_role("link", name="Exchange 2")).to_be_visible()
    first, second = (proxy.get(f"/exchanges/{number}")["request"]["body"]["parts"] for number in (1, 2))
    assert [each.get("text") or each["base64"] for each in second] == ["vision", first[1]["base64"]]
    assert [each["headers"] for each in second] == [each["headers"] for each in first]


def test_what_is_no_text_is_sent_as_it_was(page: Page, stage: Stage) -> None:
    """Or not at all, where that is wanted."""
    proxy = stage("serve", "--mode", "passthrough")
    proxy.raw("POST", "/v1/audio", content=b"\x00\xff\x01", headers={"content-type": "audio/wav"})
    page.goto(proxy.inspector("/exchanges/1/edit"))
    page.get_by_role("button", name="Send", exact=True).click()
    expect(_result(page).get_by_role("link", name="Exchange 2")).to_be_visible()
    assert (
        proxy.get("/exchanges/2")["request"]["body"]["base64"] == proxy.get("/exchanges/1")["request"]["body"]["base64"]
    )
    page.get_by_role("button", name="Send without it").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(_result(page).get_by_role("link", name="Exchange 3")).to_be_visible()
    assert proxy.get("/exchanges/3")["request"]["body"]["size"] == 0


def test_what_cannot_be_sent_is_told(page: Page, proxy: Staged, complaints: Any) -> None:
    """By the field."""
    complaints.expected.append("400")
    page.goto(proxy.inspector("/send"))
    page.get_by_label("Path and query").fill("no slash")
    expect(_problems(page)).to_contain_text("target: expected a path")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(_result(page)).to_contain_text("target: expected a path")


def test_without_the_token_it_asks_for_it(page: Page, proxy: Staged) -> None:
    """Before anything is checked, and not with each key."""
    page.goto(proxy.inspector("/send", unlocked=False))
    expect(_problems(page)).to_contain_text("takes the admin token")
    _problems(page).get_by_role("button", name="Unlock").click()
    page.get_by_label("Admin token").fill(proxy.token)
    page.keyboard.press("Enter")
    expect(_problems(page)).to_contain_text("No problem found")


def test_markup_stays_text(page: Page, stage: Stage) -> None:
    """In what is edited and in what is told of it."""
    proxy = stage()
    proxy.raw(
        "POST",
        "/v1/<b>x</b>",
        content=b'"<img src=x onerror=alert(1)>',
        headers={"content-type": "application/json", "x-a": "<i>"},
    )
    page.goto(proxy.inspector("/exchanges/1/edit"))
    expect(_problems(page)).to_contain_text("This is no JSON")
    page.get_by_role("textbox", name="Body").fill('{"<img>": 1}')
    page.get_by_label("Path and query").fill("/v1/<b>x</b>")
    expect(_problems(page)).to_contain_text("<b>x</b>")
    assert page.locator("#main img, #main b, #main i").count() == 0


def test_it_fits_a_narrow_page(narrow: Page, proxy: Staged) -> None:
    """The page itself never scrolls sideways."""
    narrow.goto(proxy.inspector("/exchanges/1/edit"))
    narrow.get_by_role("textbox", name="Body").wait_for()
    assert narrow.evaluate("document.getElementById('main').scrollWidth <= innerWidth")
