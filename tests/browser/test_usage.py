"""Usage in the inspector: tokens and costs, and what playback saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.stage import Staged

Stage = Callable[..., Staged]

PRICES = "prices:\n  gpt-4o*: {input: 1000000, output: 0}\ncurrency: EUR\n"


def ask(proxy: Staged, session: str = "") -> int:
    """Asks something; how many tokens went in."""
    answer = proxy.client(session).chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
    assert answer.usage is not None
    return answer.usage.prompt_tokens


def test_tokens_are_shown_by_session_and_model(stage: Stage, page: Page) -> None:
    """Without prices, with what to write into the config file for the models that were used."""
    proxy = stage()
    ask(proxy)
    ask(proxy, "other")
    page.goto(proxy.inspector("/usage"))
    table = page.get_by_role("table", name="Usage of session default by model")
    expect(table.get_by_role("row").nth(1)).to_contain_text("gpt-4o")
    expect(table).to_contain_text("from the upstream")
    expect(table).to_contain_text("no price")
    expect(page.get_by_role("region", name="Session other", exact=True)).to_be_visible()
    expect(page.get_by_text("The upstream is the emulator now")).to_be_visible()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#status")).to_have_text("The table is in the clipboard")
    expected = 'prices:\n  "gpt-4o": {input: 0.00, cached: 0.00, output: 0.00}\ncurrency: USD\n'
    assert page.evaluate("navigator.clipboard.readText()") == expected


def test_playback_tells_what_it_saved(stage: Stage, page: Page, tmp_path: Path) -> None:
    """Tokens, their cost by the user's own prices, and time; it goes on while one looks."""
    (tmp_path / "replayproxy.yaml").write_text(PRICES, "utf-8")
    tokens = ask(stage("record"))
    proxy = stage("playback")
    page.goto(proxy.inspector("/usage"))
    expect(page.get_by_text("No exchange yet.")).to_be_visible()
    ask(proxy)
    saved = page.locator(".card").filter(has_text="Saved by playback")
    expect(saved).to_contain_text(f"{tokens}.00 EUR · 1 played answer")
    row = page.get_by_role("table").get_by_role("row").nth(1)
    expect(row).to_contain_text("played")
    expect(row).to_contain_text(f"{tokens}.00 EUR")
    expect(page.locator(".card").filter(has_text="Time saved")).to_contain_text("recorded in")
    expect(page.get_by_role("region", name="Prices")).to_have_count(0)


def test_it_fits_a_phone(stage: Stage, narrow: Page) -> None:
    """Tables scroll in their own box."""
    proxy = stage()
    ask(proxy)
    narrow.goto(proxy.inspector("/usage"))
    expect(narrow.get_by_role("table")).to_be_visible()
    assert narrow.evaluate("document.querySelector('main').scrollWidth") <= 400
