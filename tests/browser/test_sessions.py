"""Sessions in the browser: their receipts, their switches, and who may use these."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import openai
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.stage import Complaints, Staged, staged

Stage = Callable[..., Staged]


def ask(proxy: Staged, session: str = "", content: str = "Hi") -> str:
    """What a chat completion says."""
    with proxy.client(session) as client:
        told = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": content}])
    return told.choices[0].message.content or ""


def recorded(folder: Path) -> None:
    """Records one chat completion into the default cassette."""
    with staged(folder, "record") as proxy:
        ask(proxy)


def counted(page: Page, name: str) -> Locator:
    """The number in the chosen session's receipt."""
    return page.locator(".tallies > div").filter(has=page.get_by_text(name, exact=True)).locator("dd")


def mode(page: Page, name: str) -> Locator:
    """The switch for a mode."""
    return page.get_by_role("group", name="Mode").get_by_role("button", name=name)


@pytest.fixture
def bad_requests(complaints: Complaints) -> None:
    """The browser says in its console that a request was refused."""
    complaints.expected += ["status of 400", "status of 401", "status of 409"]


def test_a_session_is_switched_from_recording_to_playback(stage: Stage, page: Page) -> None:
    """The same request is then a hit, and the receipt that is shown is that of the playback."""
    proxy = stage("record")
    said = ask(proxy)
    page.goto(proxy.inspector("/sessions"))
    expect(mode(page, "record")).to_have_attribute("aria-pressed", "true")
    expect(counted(page, "saved")).to_have_text("1")
    mode(page, "playback").click()
    expect(mode(page, "playback")).to_have_attribute("aria-pressed", "true")
    expect(mode(page, "record")).to_have_attribute("aria-pressed", "false")
    expect(counted(page, "unplayed")).to_have_text("1")
    assert ask(proxy) == said
    expect(counted(page, "played")).to_have_text("1")
    expect(counted(page, "unplayed")).to_have_text("0")
    expect(counted(page, "saved")).to_have_text("0")


def test_recording_anew_is_asked_about(stage: Stage, page: Page) -> None:
    """Nothing happens without a yes: the earlier take is at stake."""
    proxy = stage()
    ask(proxy)
    page.goto(proxy.inspector("/sessions"))
    mode(page, "record").click()
    dialog = page.get_by_role("dialog", name="Record session default anew?")
    expect(dialog).to_contain_text("default.yaml")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(mode(page, "record")).to_be_focused()
    assert proxy.get("/sessions/default")["mode"] == "auto"
    mode(page, "record").click()
    dialog.get_by_role("button", name="Record").click()
    expect(mode(page, "record")).to_have_attribute("aria-pressed", "true")
    assert proxy.get("/sessions/default")["mode"] == "record"


def test_what_missed_and_what_was_not_played_is_told(stage: Stage, page: Page, tmp_path: Path) -> None:
    """As it happens, with the lines of the cassette, and the verdict by word."""
    recorded(tmp_path)
    proxy = stage("playback")
    page.goto(proxy.inspector("/sessions"))
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("nothing was played")
    expect(page.get_by_text("Unplayed (1)")).to_be_visible()
    expect(page.get_by_role("link", name="POST /v1/chat/completions")).to_have_attribute(
        "href", "#/cassettes/default.yaml/interactions/1"
    )
    expect(page.get_by_text(re.compile(r"line \d+"))).to_be_visible()
    with pytest.raises(openai.APIStatusError):
        ask(proxy, content="Something else")
    expect(counted(page, "missed")).to_have_text("1")
    expect(verdict).to_contain_text("1 request(s) missed")
    page.get_by_text("What the client was told").click()
    expect(page.locator(".chosen pre")).to_contain_text("Something else")
    counted(page, "missed").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/#/\?filter=session%3Adefault(%20|\+)outcome%3Amissed$"))


def test_a_client_meets_the_fault_that_was_set(stage: Stage, page: Page) -> None:
    """As often as it says, and the page counts along."""
    proxy = stage()
    page.goto(proxy.inspector("/sessions"))
    expect(page.get_by_text("A fault makes requests fail on purpose")).to_be_visible()
    page.get_by_text("Add a fault").click()
    page.get_by_label("Status", exact=True).fill("503")
    page.get_by_label("Retry after (seconds)").fill("0.5")
    page.get_by_label("Times").fill("2")
    page.get_by_label("operation").fill("createChatCompletion")
    page.get_by_role("button", name="Add the fault").click()
    fault = page.locator("li.fault")
    expect(fault).to_contain_text("status 503")
    expect(fault).to_contain_text("createChatCompletion, retry after 0.5 s")
    expect(fault).to_contain_text("met 0 of 2")
    with pytest.raises(openai.InternalServerError) as raised:
        ask(proxy)
    assert raised.value.status_code == 503
    expect(fault).to_contain_text("met 1 of 2")
    expect(counted(page, "faulted")).to_have_text("1")
    page.get_by_role("button", name="Clear all faults").click()
    expect(fault).to_have_count(0)
    assert ask(proxy)


def test_a_second_fault_joins_the_first_and_one_is_removed(stage: Stage, page: Page) -> None:
    """The fields fit the kind."""
    proxy = stage()
    plan = {"faults": [{"family": "chat", "kind": "status", "status": 429, "times": 1}]}
    proxy.send("PUT", "/sessions/default/faults", plan)
    page.goto(proxy.inspector("/sessions"))
    page.get_by_text("Add a fault").click()
    page.get_by_label("Kind").select_option("truncate")
    expect(page.get_by_label("Status", exact=True)).to_be_hidden()
    page.get_by_label("After events").fill("3")
    page.get_by_label("always").check()
    expect(page.get_by_label("Times")).to_be_disabled()
    page.get_by_role("button", name="Add the fault").click()
    expect(page.locator("li.fault")).to_have_count(2)
    expect(page.locator("li.fault").nth(1)).to_contain_text("every request, after 3 events met 0 times, for ever")
    page.get_by_role("button", name="Remove fault 1").click()
    expect(page.locator("li.fault")).to_have_count(1)
    expect(page.locator("li.fault")).to_contain_text("truncate")


@pytest.mark.usefixtures("bad_requests")
def test_the_plan_is_edited_as_json(stage: Stage, page: Page) -> None:
    """What is wrong with it is told, and what is told has the place."""
    proxy = stage()
    page.goto(proxy.inspector("/sessions"))
    page.get_by_text("The plan as JSON").click()
    area = page.get_by_label("The plan of faults as JSON")
    expect(area).to_have_value('{\n  "faults": []\n}')
    area.fill("{")
    page.get_by_role("button", name="Set the plan").click()
    expect(page.get_by_role("alert").filter(has_text="This is no plan")).to_be_visible()
    area.fill(json.dumps({"faults": [{"kind": "status", "status": 700}]}))
    page.get_by_role("button", name="Set the plan").click()
    expect(page.get_by_role("alert").filter(has_text="faults[0].status")).to_be_visible()
    area.fill(json.dumps({"faults": [{"kind": "reset"}]}))
    page.get_by_role("button", name="Set the plan").click()
    expect(page.locator("li.fault")).to_contain_text("reset every request met 0 of 1")


@pytest.mark.usefixtures("bad_requests")
def test_a_session_is_declared_reset_and_closed(stage: Stage, page: Page, tmp_path: Path) -> None:
    """What is wrong with a declaration is told; closing is asked about."""
    recorded(tmp_path)
    proxy = stage()
    page.goto(proxy.inspector("/sessions"))
    page.get_by_text("New session").click()
    page.get_by_label("Name").fill("no good")
    page.get_by_label("Cassette").fill("default.yaml")
    page.get_by_role("combobox", name="Mode").select_option("playback")
    page.get_by_role("button", name="Open the session").click()
    expect(page.get_by_role("alert").filter(has_text="letters, digits")).to_be_visible()
    page.get_by_label("Name").fill("checkout")
    page.get_by_role("button", name="Open the session").click()
    expect(page.get_by_role("heading", name="Session checkout")).to_be_visible()
    expect(page).to_have_url(f"{proxy.admin_url}/#/sessions?name=checkout")
    expect(page.locator(".located code").first).to_have_text(f"{proxy.url}/@checkout/v1")
    page.get_by_role("button", name="Copy", exact=True).click()
    assert page.evaluate("navigator.clipboard.readText()") == f"{proxy.url}/@checkout/v1"
    assert ask(proxy, "checkout")
    expect(counted(page, "played")).to_have_text("1")
    page.get_by_role("button", name="Reset").click()
    expect(counted(page, "played")).to_have_text("0")
    expect(counted(page, "unplayed")).to_have_text("1")
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("dialog", name="Close session checkout?").get_by_role("button", name="Close it").click()
    expect(page.get_by_role("heading", name="Session default")).to_be_visible()
    assert [each["name"] for each in proxy.get("/sessions")["sessions"]] == ["default"]


@pytest.mark.usefixtures("bad_requests")
def test_who_has_no_token_is_asked_for_it(stage: Stage, page: Page) -> None:
    """Reading needs none here; the action waits for the token, and then is done."""
    proxy = stage()
    page.goto(proxy.inspector("/sessions", unlocked=False))
    expect(page.get_by_role("heading", name="Session default")).to_be_visible()
    mode(page, "passthrough").click()
    dialog = page.get_by_role("dialog", name="Who are you?")
    dialog.get_by_label("Admin token").fill(proxy.token)
    dialog.get_by_role("button", name="Unlock").click()
    expect(mode(page, "passthrough")).to_have_attribute("aria-pressed", "true")
    assert proxy.get("/sessions/default")["mode"] == "passthrough"


@pytest.mark.usefixtures("bad_requests")
def test_without_a_token_nothing_changes(stage: Stage, page: Page) -> None:
    """Who cancels is told why."""
    proxy = stage()
    page.goto(proxy.inspector("/sessions", unlocked=False))
    mode(page, "passthrough").click()
    page.get_by_role("dialog", name="Who are you?").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert").filter(has_text="token")).to_be_visible()
    expect(mode(page, "auto")).to_have_attribute("aria-pressed", "true")
    assert proxy.get("/sessions/default")["mode"] == "auto"


def test_what_is_typed_and_focused_outlasts_news(stage: Stage, page: Page) -> None:
    """The page asks again every few seconds, and touches only what changed."""
    proxy = stage()
    page.goto(proxy.inspector("/sessions"))
    page.get_by_text("Add a fault").click()
    page.get_by_label("Times").fill("7")
    copying = page.get_by_role("button", name="Copy", exact=True)
    copying.focus()
    page.evaluate("document.querySelector('.switch').dataset.same = 'yes'")
    ask(proxy)
    expect(counted(page, "saved")).to_have_text("1")
    expect(copying).to_be_focused()
    expect(page.get_by_label("Times")).to_have_value("7")
    expect(page.locator(".switch")).to_have_attribute("data-same", "yes")


def test_sessions_are_walked_with_the_keyboard(stage: Stage, page: Page) -> None:
    """One that somebody else opens appears by itself."""
    proxy = stage()
    page.goto(proxy.inspector("/sessions"))
    expect(page.get_by_role("heading", name="Session default")).to_be_visible()
    ask(proxy, "other")
    other = page.get_by_role("link", name="other")
    expect(other).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(other).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Session other")).to_be_visible()
    expect(other).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("def")
    expect(other).to_have_count(0)


def test_it_fits_a_narrow_window(stage: Stage, narrow: Page) -> None:
    """Nothing scrolls sideways but tables in their boxes."""
    proxy = stage()
    ask(proxy, "a-session-with-quite-a-long-name-that-somebody-chose-for-a-test-of-the-checkout-page")
    narrow.goto(proxy.inspector("/sessions"))
    expect(narrow.get_by_role("heading", name="Session default")).to_be_visible()
    narrow.get_by_text("Add a fault").click()
    narrow.get_by_text("New session").click()
    assert narrow.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
    assert narrow.evaluate("document.documentElement.scrollWidth <= innerWidth")
