"""The page itself: what it is made of, and what it may do."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.stage import Staged


def test_the_page_opens_without_a_complaint(page: Page, stage: Callable[..., Staged]) -> None:
    """The frame is there, and the browser had nothing to refuse."""
    page.goto(stage().inspector())
    expect(page.get_by_role("heading", name="replayproxy")).to_be_visible()
    expect(page.get_by_role("navigation", name="Views").get_by_role("link", name="Exchanges")).to_have_attribute(
        "aria-current", "page"
    )


def test_the_token_leaves_the_address(page: Page, stage: Callable[..., Staged]) -> None:
    """What the link unlocks is kept for this tab, and nobody can read it over a shoulder."""
    proxy = stage()
    page.goto(proxy.inspector("/sessions"))
    expect(page).to_have_url(f"{proxy.admin_url}/#/sessions")
    assert page.evaluate("sessionStorage.getItem('replayproxy-token')") == proxy.token
