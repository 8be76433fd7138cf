"""Copy as: what the page copies, pasted and run, appears in the list again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import Staged
from tests.core.exports.catching import NEEDS_BASH_AND_CURL, NEEDS_NODE, run_javascript, run_python, run_shell

#: The client says that the Assistants API goes.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BODY: dict[str, Any] = {"metadata": {"said": 'it\'s "so" $HOME !\n<b>'}}
FORMS = [
    pytest.param("curl", run_shell, marks=NEEDS_BASH_AND_CURL),
    pytest.param("Python (openai)", run_python),
    pytest.param("Python (httpx)", run_python),
    pytest.param("JavaScript (fetch)", run_javascript, marks=NEEDS_NODE),
]


def asked(stage: Callable[..., Staged], session: str = "") -> Staged:
    """A proxy that was asked for a thread."""
    proxy = stage("serve", "--mode", "auto")
    proxy.client(session).beta.threads.create(**BODY)
    return proxy


def menu(page: Page, proxy: Staged, view: str = "/exchanges/1") -> Any:
    """The open menu."""
    page.goto(proxy.inspector(view))
    page.get_by_role("button", name="Copy as").click()
    shown = page.get_by_role("menu", name="Copy as")
    expect(shown).to_be_visible()
    return shown


def request_of(proxy: Staged, number: int) -> tuple[Any, ...]:
    """What counts of the request of an exchange."""
    shown = proxy.get(f"/exchanges/{number}")
    body = re.sub(r"\s+", "", shown["request"]["body"]["text"])
    return shown["session"], shown["operation"], shown["request"]["method"], shown["request"]["target"], body


@pytest.mark.parametrize(("name", "run"), FORMS)
@pytest.mark.parametrize("session", ["", "mine"])
def test_what_is_copied_runs(
    name: str, run: Callable[[str, Path], str], session: str, stage: Callable[..., Staged], page: Page, tmp_path: Path
) -> None:
    """As pasted, with nothing but a key in the environment: the same request, in the same session."""
    proxy = asked(stage, session)
    menu(page, proxy).get_by_role("menuitem", name=name).click()
    expect(page.locator("#status")).to_have_text(f"Copied as {name}")
    text = page.evaluate("navigator.clipboard.readText()")
    run(text, tmp_path)
    assert request_of(proxy, 2) == request_of(proxy, 1)
    page.goto(proxy.inspector("/"))
    expect(page.get_by_text("createThread")).to_have_count(2)


def test_the_menu_is_for_the_keyboard(stage: Callable[..., Staged], page: Page) -> None:
    """Arrows move, Escape closes and gives the focus back."""
    proxy = asked(stage)
    page.goto(proxy.inspector("/exchanges/1"))
    button = page.get_by_role("button", name="Copy as")
    button.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="curl")).to_be_focused()
    for key, name in (("ArrowUp", "Show …"), ("ArrowDown", "curl"), ("End", "Show …"), ("Home", "curl")):
        page.keyboard.press(key)
        expect(page.get_by_role("menuitem", name=name)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(button).to_be_focused()
    button.click()
    page.get_by_role("heading", name="replayproxy").click(position={"x": 1, "y": 1})
    expect(page.get_by_role("menu")).to_have_count(0)


def test_it_can_be_read_before_it_is_pasted(stage: Callable[..., Staged], page: Page) -> None:
    """In every form, for this proxy or the API itself, as text."""
    proxy = asked(stage)
    menu(page, proxy).get_by_role("menuitem", name="Show …").click()
    dialog = page.get_by_role("dialog", name="Copy as")
    shown = dialog.get_by_label("What is copied")
    expect(shown).to_contain_text(f"curl {proxy.url}/v1/threads")
    expect(shown).to_contain_text("<b>")
    dialog.get_by_label("Form").select_option("openai")
    expect(shown).to_contain_text("client.beta.threads.create(")
    dialog.get_by_label("ask the API itself").check()
    expect(shown).to_contain_text('base_url="https://api.openai.com/v1"')
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == shown.text_content()
    dialog.get_by_label("Form").select_option("har")
    expect(shown).to_contain_text('"version":"1.2"')
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Copy as")).to_be_focused()


def test_an_interaction_is_copied_too(stage: Callable[..., Staged], page: Page) -> None:
    """With the session of its cassette in the address."""
    proxy = asked(stage, "mine")
    menu(page, proxy, "/cassettes/mine.yaml/interactions/1").get_by_role("menuitem", name="curl").click()
    expect(page.locator("#status")).to_have_text("Copied as curl")
    assert f"curl {proxy.url}/@mine/v1/threads" in page.evaluate("navigator.clipboard.readText()")


def test_the_menu_fits_into_a_narrow_page(stage: Callable[..., Staged], narrow: Page) -> None:
    """It hangs from the right edge of its button where there is no room to the right."""
    box = menu(narrow, asked(stage)).bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 400
