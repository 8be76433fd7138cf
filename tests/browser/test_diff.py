"""Any two exchanges or interactions side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import Staged

Stage = Callable[..., Staged]

_PAIR = "/diff?left=exchange:1&right=exchange:2"


def _ask(proxy: Staged, text: str, **more: Any) -> None:
    with proxy.client() as client:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": text}], **more)


@pytest.fixture
def proxy(stage: Stage) -> Staged:
    """Two exchanges that were recorded: one word and the seed differ."""
    proxy = stage()
    _ask(proxy, "Say one thing", seed=1)
    _ask(proxy, "Say two thing", seed=2)
    return proxy


def test_what_differs_is_listed_and_marked_in_place(page: Page, proxy: Staged) -> None:
    """By path, what counts for matching apart from what does not, and by word in both bodies."""
    page.goto(proxy.inspector(_PAIR))
    expect(page.get_by_role("heading", name="Differences", exact=True)).to_be_visible()
    requests = page.get_by_role("table", name="Differences of the requests")
    expect(requests.get_by_role("rowheader")).to_have_text(["body.messages[0].content", "body.seed"])
    answers = page.get_by_role("table", name="Differences of the answers")
    expect(answers.get_by_role("row", name="header.x-request-id")).to_contain_text("differs each time")
    body = page.get_by_role("table", name="Request: body")
    expect(body.locator("del")).to_have_text(["one", "1"])
    expect(body.locator("ins")).to_have_text(["two", "2"])
    expect(page.get_by_role("button", name="Copy the rule")).to_be_visible()


def test_keys_lead_from_difference_to_difference(page: Page, proxy: Staged) -> None:
    """`n` and `p`, with the focus on the row, and the path told."""
    page.goto(proxy.inspector(_PAIR))
    page.get_by_role("table", name="Request: body").wait_for()
    page.keyboard.press("n")
    expect(page.locator("tr[data-path='body.messages[0].content']")).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("tr[data-path='body.seed']")).to_be_focused()
    page.keyboard.press("p")
    expect(page.locator("tr[data-path='body.messages[0].content']")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Difference 1 of")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next, previous difference")


def test_the_sides_are_swapped(page: Page, proxy: Staged) -> None:
    """By a button, and by `x`."""
    page.goto(proxy.inspector(_PAIR))
    page.get_by_role("button", name="Swap sides").click()
    expect(page).to_have_url(f"{proxy.admin_url}/#/diff?left=exchange%3A2&right=exchange%3A1")
    expect(page.get_by_role("table", name="Request: body").locator("del")).to_have_text(["two", "2"])
    page.keyboard.press("x")
    expect(page).to_have_url(f"{proxy.admin_url}/#/diff?left=exchange%3A1&right=exchange%3A2")


def test_what_is_the_same_is_folded_until_it_is_asked_for(page: Page, proxy: Staged) -> None:
    """All of it, or one fold."""
    page.goto(proxy.inspector(_PAIR))
    head = page.get_by_role("table", name="Request: head")
    expect(head).not_to_contain_text("content-type")
    page.get_by_role("button", name="Show all").click()
    expect(head).to_contain_text("content-type: application/json")
    page.get_by_role("button", name="Show all").click()
    expect(head).not_to_contain_text("content-type")
    head.get_by_role("button", name="rows the same").click()
    expect(head).to_contain_text("content-type: application/json")


def test_an_exchange_is_compared_with_an_interaction(page: Page, proxy: Staged) -> None:
    """The titles lead to both."""
    page.goto(proxy.inspector("/diff?left=default.yaml%231&right=exchange:1"))
    expect(page.get_by_role("status").filter(has_text="Both are the same")).to_be_visible()
    expect(page.get_by_role("link", name="Interaction 1 of default.yaml")).to_have_attribute(
        "href", "#/cassettes/default.yaml/interactions/1"
    )


def test_the_sides_are_chosen_where_one_is_missing(page: Page, proxy: Staged) -> None:
    """First an exchange of the journal, then an interaction of a cassette."""
    page.goto(proxy.inspector("/diff"))
    page.get_by_role("table", name="Exchanges").get_by_role("button", name="#2").click()
    expect(page.get_by_text("Choose what to compare with")).to_be_visible()
    page.get_by_role("combobox", name="Interactions of a cassette").select_option("default.yaml")
    page.get_by_role("table", name="Interactions of default.yaml").get_by_role("button", name="#1").click()
    expect(page.get_by_role("heading", name="Differences", exact=True)).to_be_visible()
    expect(page).to_have_url(f"{proxy.admin_url}/#/diff?left=exchange%3A2&right=default.yaml%231")


def test_event_streams_are_compared_event_by_event(page: Page, stage: Stage) -> None:
    """The path of a difference tells the event."""
    proxy = stage()
    for text in ("One", "Two"):
        with proxy.client() as client:
            messages: Any = [{"role": "user", "content": text}]
            for _ in client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True):
                pass
    page.goto(proxy.inspector(_PAIR))
    answers = page.get_by_role("table", name="Differences of the answers")
    expect(answers).to_contain_text("body.events[0].data.id")
    expect(
        page.get_by_role("table", name="Answer: body").locator("tr[data-path='body.events[0].data.id']")
    ).to_be_visible()


def test_what_is_not_there_is_told(page: Page, proxy: Staged, complaints: Any) -> None:
    """In the place of the view."""
    complaints.expected.append("404")
    page.goto(proxy.inspector("/diff?left=exchange:1&right=exchange:99"))
    expect(page.get_by_role("alert")).to_contain_text("there is no exchange 99")


def test_markup_stays_text(page: Page, stage: Stage) -> None:
    """In bodies and in the names of what is compared."""
    proxy = stage()
    for end in ("a", "b"):
        proxy.raw("POST", "/v1/<b>x</b>", json={"<img src=x onerror=alert(1)>": f"<script>alert('{end}')</script>"})
    page.goto(proxy.inspector(_PAIR))
    expect(page.get_by_role("table", name="Request: body")).to_contain_text("onerror")
    assert page.locator("#main img, #main script, #main .diff-page b").count() == 0


def test_it_fits_a_narrow_page(narrow: Page, proxy: Staged) -> None:
    """The page itself never scrolls sideways."""
    narrow.goto(proxy.inspector(_PAIR))
    narrow.get_by_role("table", name="Request: body").wait_for()
    assert narrow.evaluate("document.getElementById('main').scrollWidth <= innerWidth")
