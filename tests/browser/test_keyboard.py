"""The inspector without a mouse: none of these tests ever clicks."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.stage import Staged

Stage = Callable[..., Staged]


def row(page: Page, number: int) -> Locator:
    """The row of an exchange."""
    return page.locator(f"#exchange-{number}")


def chosen(page: Page, number: int) -> None:
    """The row is the chosen one, for eyes and for screen readers, and can be seen."""
    expect(row(page, number)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("grid")).to_have_attribute("aria-activedescendant", f"exchange-{number}")
    expect(page.locator(".row[aria-selected=true]")).to_have_count(1)
    expect(row(page, number)).to_be_in_viewport(ratio=0.9)


def filled(page: Page, stage: Stage, exchanges: int) -> Staged:
    """A list of so many exchanges, with the keyboard in it."""
    proxy = stage()
    client = proxy.client()
    for _ in range(exchanges):
        client.models.list()
    page.goto(proxy.inspector())
    expect(page.locator(".view.list")).to_have_attribute("data-state", "live")
    expect(page.get_by_role("grid")).to_be_focused()
    return proxy


def press(page: Page, *keys: str) -> None:
    """Presses keys one after the other."""
    for key in keys:
        page.keyboard.press(key)


def test_keys_walk_through_the_list(stage: Stage, page: Page) -> None:
    """j and k, arrows, pages, the ends: each brings the chosen row into sight."""
    filled(page, stage, 90)
    for keys, number in (
        (("j",), 90),
        (("j", "j"), 88),
        (("k",), 89),
        (("ArrowDown", "ArrowDown"), 87),
        (("ArrowUp",), 88),
        (("G",), 1),
        (("j",), 1),
        (("g", "g"), 90),
        (("k",), 90),
        (("End",), 1),
        (("Home",), 90),
    ):
        press(page, *keys)
        chosen(page, number)
    press(page, "PageDown")
    further = page.locator(".row[aria-selected=true]").get_attribute("data-number")
    assert further
    assert 60 < int(further) < 80
    chosen(page, int(further))
    press(page, "PageUp")
    chosen(page, 90)


def test_from_the_list_to_an_exchange_and_back(stage: Stage, page: Page) -> None:
    """Enter opens the chosen exchange, Esc comes back to the same row in the same place, o opens it as well."""
    filled(page, stage, 90)
    press(page, "End", *["k"] * 30)
    chosen(page, 31)
    before = row(page, 31).bounding_box()
    press(page, "Enter")
    expect(page).to_have_url(re.compile("#/exchanges/31$"))
    expect(page).to_have_title(re.compile("^Exchange 31|31"))
    expect(page.locator(".view.exchange")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("grid")).to_be_focused()
    chosen(page, 31)
    assert row(page, 31).bounding_box() == before
    press(page, "j", "o")
    expect(page).to_have_url(re.compile("#/exchanges/30$"))


def test_filter_by_keyboard(stage: Stage, page: Page) -> None:
    """/ goes to the box, Enter back to the list with the filter in use, which is there again after an exchange.

    Esc goes back to the list as well, and leaves the box as it is.
    """
    proxy = filled(page, stage, 3)
    proxy.raw("GET", "/v1/nothing/here")
    press(page, "/")
    expect(page.get_by_label("Filter", exact=True)).to_be_focused()
    page.keyboard.type("status:404")
    press(page, "Escape", "Enter")
    expect(page.get_by_role("grid")).to_be_focused()
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "2")
    press(page, "j", "Enter")
    expect(page).to_have_url(re.compile("#/exchanges/4$"))
    press(page, "Escape")
    expect(page).to_have_url(re.compile(r"#/\?filter=status%3A404$"))
    chosen(page, 4)
    press(page, "/", "Escape")
    expect(page.get_by_role("grid")).to_be_focused()


def test_two_marked_exchanges_are_compared(stage: Stage, page: Page) -> None:
    """d marks one, and with a second one opens their differences; Esc comes back, and takes a mark off."""
    filled(page, stage, 4)
    press(page, "j", "d")
    expect(row(page, 4)).to_have_attribute("data-marked", "")
    expect(page.get_by_text("Exchange 4 is marked")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_text("Exchange 4 is marked")).to_be_hidden()
    press(page, "d", "j", "j", "d")
    expect(page).to_have_url(re.compile(r"#/diff\?left=exchange:4&right=exchange:2$"))
    expect(page.locator(".view.diff")).to_be_visible()
    press(page, "Escape")
    chosen(page, 2)
    expect(page.get_by_text("is marked")).to_be_hidden()


def test_help_tells_the_keys(stage: Stage, page: Page) -> None:
    """? opens the help with the keys of this view and those that are everywhere; Esc closes it, the focus is back."""
    filled(page, stage, 2)
    press(page, "j", "?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_role("table", name="In this view")).to_contain_text("copy it as curl")
    expect(dialog.get_by_role("table", name="Everywhere")).to_contain_text("go to cassettes")
    press(page, "j")
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("grid")).to_be_focused()
    chosen(page, 2)


def test_copy_pause_clear_and_misses_by_keyboard(stage: Stage, page: Page) -> None:
    """c copies as curl, p pauses and goes on, x clears and X shows all again, m shows misses only."""
    proxy = filled(page, stage, 2)
    press(page, "c")
    expect(page.get_by_role("status")).to_have_text("Choose an exchange first.")
    press(page, "j", "c")
    expect(page.get_by_role("status")).to_have_text("Copied as curl")
    assert "curl" in page.evaluate("navigator.clipboard.readText()")
    press(page, "p")
    expect(page.get_by_role("button", name="Go on")).to_have_attribute("aria-pressed", "true")
    proxy.client().models.list()
    expect(page.get_by_role("button", name="Go on (1 wait)")).to_be_visible()
    press(page, "p")
    expect(row(page, 3)).to_be_visible()
    press(page, "x")
    expect(page.get_by_role("heading", name="Cleared")).to_be_visible()
    press(page, "X")
    expect(row(page, 3)).to_be_visible()
    press(page, "m")
    expect(page.get_by_role("heading", name="None fits the filter")).to_be_visible()
    press(page, "m")
    expect(row(page, 3)).to_be_visible()


def test_edit_by_keyboard(stage: Stage, page: Page) -> None:
    """e opens the chosen exchange in the editor; Esc goes to the exchange, and from there to the list."""
    filled(page, stage, 2)
    press(page, "j", "e")
    expect(page).to_have_url(re.compile("#/exchanges/2/edit$"))
    expect(page.locator(".view.editor")).to_be_visible()


@pytest.mark.parametrize(
    ("key", "path"), [("v", "conversations"), ("c", "cassettes"), ("s", "sessions"), ("u", "usage")]
)
def test_g_and_a_letter_go_to_a_view(stage: Stage, page: Page, key: str, path: str) -> None:
    """From anywhere, and g e comes back to the list, in which the first letter alone would do something else."""
    filled(page, stage, 1)
    press(page, "g", key)
    expect(page).to_have_url(re.compile(f"#/{path}$"))
    expect(page.locator("#views a[aria-current=page]")).to_have_attribute("href", f"#/{path}")
    press(page, "g", "e")
    expect(page).to_have_url(re.compile("#/$"))
    expect(page.get_by_role("grid")).to_be_focused()


def test_a_chosen_row_stays_in_sight_while_others_come(stage: Stage, page: Page) -> None:
    """New rows come in at the top; the chosen one is never pushed out of the window."""
    proxy = filled(page, stage, 30)
    press(page, *["j"] * 20)
    chosen(page, 11)
    client = proxy.client()
    for _ in range(30):
        client.models.list()
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "61")
    chosen(page, 11)


def test_every_control_is_reached_with_tab(stage: Stage, page: Page) -> None:
    """From the filter box on, Tab reaches switch, buttons and list, and nothing keeps it."""
    filled(page, stage, 1)
    press(page, "/")
    reached = list[str]()
    for _ in range(7):
        press(page, "Tab")
        reached.append(
            page.evaluate("document.activeElement.getAttribute('role') ?? document.activeElement.textContent.trim()")
        )
    assert reached == ["", "Misses", "How?", "Pause", "Clear", "HAR", "grid"]
