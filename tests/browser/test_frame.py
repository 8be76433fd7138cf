"""The frame: menu, titles, focus, colours, connection, and addresses that lead nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import Complaints, Staged

Stage = Callable[..., Staged]


def background(page: Page) -> str:
    """The colour of the page."""
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 28)"


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/", "Exchanges"),
        ("/conversations", "Conversations"),
        ("/cassettes", "Cassettes"),
        ("/sessions", "Sessions"),
        ("/usage", "Usage"),
        ("/send", "New request"),
    ],
)
def test_every_view_has_a_title_and_a_place_in_the_menu(stage: Stage, page: Page, path: str, title: str) -> None:
    """The window is named after the view, and the menu shows where one is."""
    page.goto(stage().inspector(path))
    expect(page).to_have_title(re.compile(f"^{title}.* – replayproxy$"))
    expect(page.get_by_role("region", name=re.compile(f"^{title}"))).to_be_visible()
    expect(page.locator("#views a[aria-current=page]")).to_have_count(1)


def test_another_view_gets_the_focus(stage: Stage, page: Page) -> None:
    """Who uses a screen reader hears of the other view, and goes on from its beginning."""
    page.goto(stage().inspector())
    page.get_by_role("link", name="Sessions", exact=True).click()
    expect(page.locator("#main > section")).to_have_attribute("aria-label", "Sessions")
    assert page.evaluate("document.activeElement.closest('#main > section') !== null")


def test_mode_version_and_connection_are_shown(stage: Stage, page: Page) -> None:
    """The header tells in which mode the proxy runs, and its version."""
    proxy = stage("playback")
    page.goto(proxy.inspector())
    shown = page.locator(".connection")
    expect(shown).to_have_attribute("data-state", "good")
    expect(shown).to_contain_text("playback")
    expect(shown).to_contain_text(proxy.get("/health")["version"])


def test_a_proxy_that_is_gone_is_told_in_every_view(stage: Stage, page: Page, complaints: Complaints) -> None:
    """Without the proxy the header says so within seconds."""
    complaints.expected += ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING"]
    proxy = stage()
    page.goto(proxy.inspector("/sessions"))
    expect(page.locator(".connection")).to_have_attribute("data-state", "good")
    proxy.running.stop()
    expect(page.locator(".connection")).to_have_text("no connection")


@pytest.mark.parametrize(("scheme", "first"), [("light", LIGHT), ("dark", DARK)])
def test_colours_follow_the_system_or_the_choice(
    stage: Stage, open_page: Callable[..., Page], scheme: str, first: str
) -> None:
    """As the system has it until something is chosen; the choice is kept, and can be taken back."""
    page = open_page(color_scheme=scheme)
    page.goto(stage().inspector())
    switch = page.get_by_label("Colours")
    expect(switch).to_have_value("auto")
    assert background(page) == first
    for choice, colour in (("light", LIGHT), ("dark", DARK)):
        switch.select_option(choice)
        assert background(page) == colour
        page.reload()
        expect(switch).to_have_value(choice)
        assert background(page) == colour
    switch.select_option("auto")
    assert background(page) == first


def test_the_menu_comes_back_to_the_list_as_it_was_left(stage: Stage, page: Page) -> None:
    """The filter is still there after a look at another view; the name of the program leads to the whole list."""
    page.goto(stage().inspector("/?filter=status:404"))
    page.get_by_role("link", name="Cassettes", exact=True).click()
    page.get_by_role("link", name="Exchanges", exact=True).click()
    expect(page.get_by_label("Filter", exact=True)).to_have_value("status:404")
    page.get_by_role("link", name="replayproxy", exact=True).click()
    expect(page.get_by_label("Filter", exact=True)).to_have_value("")


def test_an_address_that_leads_nowhere(stage: Stage, page: Page, complaints: Complaints) -> None:
    """There is a word about it and a way out, whatever the address is."""
    proxy = stage()
    page.goto(proxy.inspector("/nowhere"))
    expect(page.get_by_text("There is no such view.")).to_be_visible()
    page.get_by_role("link", name="All exchanges").click()
    expect(page.locator(".view.list")).to_be_visible()
    complaints.expected.append("404 (Not Found)")
    page.goto(f"{proxy.admin_url}/#/exchanges/77")
    expect(page.get_by_text("there is no exchange 77 in the journal")).to_be_visible()


def test_nothing_scrolls_sideways_on_a_phone(stage: Stage, narrow: Page) -> None:
    """Header, menu and help fit into 400 pixels."""
    narrow.goto(stage().inspector())
    expect(narrow.get_by_role("navigation", name="Views")).to_be_visible()
    narrow.get_by_role("button", name="Keys").click()
    expect(narrow.get_by_role("dialog", name="Keys")).to_be_visible()
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 400


def test_changes_ask_for_the_token(stage: Stage, page: Page, complaints: Complaints) -> None:
    """Without the token a change opens a dialog that asks for it; the view is there all the same."""
    complaints.expected.append("401 (Unauthorized)")
    proxy = stage()
    page.goto(proxy.inspector("/sessions", unlocked=False))
    page.evaluate(
        "async () => { const api = await import('/ui/api.js');"
        " window.asked = api.send('POST', '/sessions', {name: 'made'}).then(() => 'done', error => error.message); }"
    )
    dialog = page.get_by_role("dialog", name="Who are you?")
    dialog.get_by_label("Admin token").fill(proxy.token)
    dialog.get_by_role("button", name="Unlock").click()
    assert page.evaluate("window.asked") == "done"
    assert [each["name"] for each in proxy.get("/sessions")["sessions"]] == ["default", "made"]
