"""Cassettes in the browser: the folder, and the interactions of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.messages import Headers, Response
from replayproxy.core.redaction import Redactor
from replayproxy.stores import FileStore
from tests.browser.stage import Complaints, Staged
from tests.builders import interaction, request, response

Stage = Callable[..., Staged]
MARKUP = "<img src=x onerror=alert(1)>"


def write(path: Path, *recorded: Interaction) -> None:
    """A cassette with these interactions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    recorder = FileStore(path).append_to(Head("emulator", "2026-01-01T12:00:00Z", "test", Redactor().digest))
    for place, each in enumerate(recorded, 1):
        recorder.append(each, place)
    recorder.close()


def gets(*names: str) -> list[Interaction]:
    """Recorded GETs."""
    return [interaction(request("GET", f"/v1/{name}"), response(200, {"name": name})) for name in names]


def conversation() -> list[Interaction]:
    """Interactions of several kinds."""
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    body = {"model": "gpt-4o", "usage": usage, "choices": []}
    events = Headers.of(("Content-Type", "text/event-stream"))
    stream = b'data: {"choices": []}\n\ndata: [DONE]\n\n'
    return [
        interaction(
            request("POST", "/v1/chat/completions", {"model": "gpt-4o"}),
            response(200, body),
            operation="createChatCompletion",
            family="chat",
            took=0.25,
        ),
        *gets("models"),
        interaction(
            request("POST", "/v1/responses", {"stream": True}),
            Response(200, "OK", events, stream),
            fault=Fault("truncate"),
        ),
        interaction(request("GET", "/v1/files/nothing"), response(404, {"error": {"message": "no such file"}})),
    ]


def play(proxy: Staged, *names: str) -> None:
    """Asks for recorded GETs."""
    for name in names:
        answer = httpx.get(f"{proxy.url}/v1/{name}", headers={"Content-Type": "application/json"}, trust_env=False)
        assert answer.status_code == 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of cassettes of the proxies that are staged."""
    return tmp_path / "cassettes"


def test_the_folder_is_listed_with_what_is_wrong(stage: Stage, page: Page, folder: Path) -> None:
    """Each with what it holds, who uses it and what is left; a broken one says why, and takes nothing from the rest."""
    write(folder / "default.yaml", *gets("a", "b"))
    write(folder / "api" / "checkout.yaml", *gets("a"))
    write(folder / f"{MARKUP.replace('/', '')}.yaml", *gets("a"))
    (folder / "broken.yaml").write_text("---\nreplayproxy: 3\n...\n---\nrequest: [\n...\n")
    proxy = stage("playback")
    page.goto(proxy.inspector("/cassettes"))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    default = rows.filter(has_text="default.yaml")
    expect(default.locator("td").nth(0)).to_have_text("2")
    expect(default.locator("td").nth(1)).to_have_text("2")
    expect(default).to_contain_text("emulator")
    expect(rows.filter(has_text="checkout").locator("td").nth(1)).to_have_text("–")
    broken = rows.filter(has_text="broken.yaml")
    expect(broken.locator(".badge.bad")).to_have_text("broken")
    expect(broken).to_contain_text("line 6: this is not YAML")
    expect(rows.filter(has_text=MARKUP)).to_have_count(1)
    play(proxy, "a", "b")
    expect(default.locator("td").nth(1)).to_have_text("none")
    page.get_by_label("Filter").fill("check")
    expect(rows).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="1 of 4")).to_be_visible()
    default_session = page.get_by_role("link", name="default", exact=True)
    page.get_by_label("Filter").fill("")
    default_session.click()
    expect(page.get_by_role("heading", name="Session default")).to_be_visible()


def test_an_empty_folder_says_what_to_do(stage: Stage, page: Page) -> None:
    """There is nothing to list yet."""
    page.goto(stage().inspector("/cassettes"))
    expect(page.get_by_text("There is no cassette yet")).to_be_visible()


def test_interactions_are_listed_with_what_was_played(stage: Stage, page: Page, folder: Path) -> None:
    """By word and colour, as it happens; the rest of the row tells what stands in the cassette."""
    write(folder / "default.yaml", *conversation())
    proxy = stage("playback")
    page.goto(proxy.inspector("/cassettes/default.yaml"))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    first = rows.nth(0)
    for text in ("POST", "/v1/chat/completions", "createChatCompletion", "200", "unplayed", "7", "250 ms"):
        expect(first).to_contain_text(text)
    line = int(first.locator("td").nth(2).inner_text())
    assert (folder / "default.yaml").read_text().splitlines()[line - 1].startswith("--- # 1: POST")
    expect(rows.nth(2)).to_contain_text("stream")
    expect(rows.nth(2)).to_contain_text("fault: truncate")
    expect(rows.nth(3).locator(".badge.bad")).to_have_text("404")
    play(proxy, "models")
    expect(rows.nth(1).locator(".badge.played")).to_have_text("played")
    expect(page.get_by_text("4 interactions, 3 unplayed")).to_be_visible()
    page.get_by_label("only unplayed").check()
    expect(rows).to_have_count(3)
    page.get_by_label("Filter").fill("stream fault")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("/v1/responses")


def test_a_cassette_is_walked_with_the_keyboard(stage: Stage, page: Page, folder: Path) -> None:
    """From the folder to an interaction, to two that are compared, and back."""
    write(folder / "default.yaml", *gets("a", "b", "c"))
    proxy = stage("playback")
    page.goto(proxy.inspector("/cassettes"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="default.yaml")).to_be_visible()
    links = page.locator("tbody a.name")
    expect(links).to_have_count(3)
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(links.nth(2)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("x")
    compare = page.get_by_role("link", name="Compare #1 and #2")
    expect(compare).to_have_attribute("href", "#/diff?left=default.yaml%231&right=default.yaml%232")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("u")
    expect(page.get_by_label("only unplayed")).to_be_checked()
    page.keyboard.press("?")
    help_dialog = page.get_by_role("dialog", name="Keys")
    expect(help_dialog).to_contain_text("compare the two chosen")
    page.keyboard.press("Escape")
    expect(help_dialog).to_have_count(0)
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{proxy.admin_url}/#/cassettes/default.yaml/interactions/2")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="default.yaml")).to_be_visible()


def test_chosen_interactions_are_copied_and_downloaded(stage: Stage, page: Page, folder: Path, tmp_path: Path) -> None:
    """As text to paste, and as one HAR."""
    write(folder / "api" / "c.yaml", *gets("a", "b", "c"))
    proxy = stage("playback")
    page.goto(proxy.inspector("/cassettes/api%2Fc.yaml"))
    for number in (1, 3):
        page.get_by_label(f"Choose interaction {number}").check()
    expect(page.get_by_text("Chosen: #1, #3")).to_be_visible()
    page.get_by_label("As", exact=True).select_option("curl")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Copied as curl")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert (copied.count("curl "), "/v1/a" in copied, "/v1/b" in copied, "/v1/c" in copied) == (2, True, False, True)
    page.get_by_label("As", exact=True).select_option("har")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "c.har"
    download.value.save_as(tmp_path / "c.har")
    entries = json.loads((tmp_path / "c.har").read_text())["log"]["entries"]
    assert [each["request"]["url"].rpartition("/")[2] for each in entries] == ["a", "c"]


def test_ten_thousand_rows_are_shown_in_parts(stage: Stage, page: Page, folder: Path) -> None:
    """The filter looks through all of them."""
    write(folder / "default.yaml", *gets(*[f"n{number}" for number in range(1200)]))
    page.goto(stage("playback").inspector("/cassettes/default.yaml"))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(500)
    expect(page.get_by_text("1200 interactions, 1200 unplayed")).to_be_visible()
    page.get_by_role("button", name="Show 500 more of 1200").click()
    expect(rows).to_have_count(1000)
    page.get_by_label("Filter").fill("n1199")
    expect(rows).to_have_count(1)


def test_what_cannot_be_read_is_told(stage: Stage, page: Page, folder: Path, complaints: Complaints) -> None:
    """In the place of the interactions."""
    complaints.expected += ["status of 400", "status of 404"]
    folder.mkdir()
    (folder / "broken.yaml").write_text("nothing: [")
    proxy = stage()
    page.goto(proxy.inspector("/cassettes/broken.yaml"))
    expect(page.get_by_role("alert")).to_contain_text("broken.yaml")
    page.goto(proxy.inspector("/cassettes/nothing.yaml"))
    expect(page.get_by_role("alert")).to_contain_text("there is no cassette 'nothing.yaml'")


def test_it_fits_a_narrow_window(stage: Stage, narrow: Page, folder: Path) -> None:
    """Nothing scrolls sideways but tables in their boxes."""
    long = "a-cassette-with-quite-a-long-name-that-somebody-chose-for-a-test-of-the-checkout-page"
    write(folder / f"{long}.yaml", *conversation(), *gets("x" * 300))
    proxy = stage("playback")
    for view, count in (("/cassettes", 1), (f"/cassettes/{long}.yaml", 5)):
        narrow.goto(proxy.inspector(view))
        expect(narrow.locator("tbody tr")).to_have_count(count)
        assert narrow.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
        assert narrow.evaluate("document.documentElement.scrollWidth <= innerWidth")
