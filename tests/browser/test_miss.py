"""A miss: why nothing answered, the nearest recording beside the request, and the rule that accepts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest
import yaml
from playwright.sync_api import Page, expect

from replayproxy.config.match_kinds import match_rules
from tests.browser.stage import Staged

Stage = Callable[..., Staged]

MODEL, PLAY = "gpt-4o-mini", ("serve", "--mode", "playback")


def _ask(proxy: Staged, text: str, **more: Any) -> None:
    with proxy.client() as client:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}], store=True, **more)


@pytest.fixture
def missed(stage: Stage) -> Staged:
    """A proxy in playback whose exchange 1 missed: of the recorded request a word and the seed differ."""
    recording = stage("record")
    _ask(recording, "What is the weather like in Paris?", seed=1, metadata={"unchanged": "yes"})
    recording.running.stop()
    proxy = stage(*PLAY)
    with pytest.raises(openai.APIStatusError):
        _ask(proxy, "What is the weather like in Rome?", seed=2, metadata={"unchanged": "yes"})
    return proxy


def test_a_miss_shows_its_nearest_recording_beside_the_request(page: Page, missed: Staged) -> None:
    """The paths that differ are listed, and within both bodies what differs is marked word by word, the rest folded."""
    page.goto(missed.inspector("/exchanges/1"))
    panel = page.get_by_role("region", name="missed No recording answers this request")
    differences = panel.get_by_role("table", name="What differs")
    expect(differences.get_by_role("rowheader")).to_have_text(["body.messages[0].content", "body.seed"])
    body = panel.get_by_role("table", name="Body of the request")
    expect(body.locator("del")).to_have_text(["Paris", "1"])
    expect(body.locator("ins")).to_have_text(["Rome", "2"])
    expect(body.get_by_role("img", name="differs")).to_have_count(2)
    panel.get_by_role("button", name="Show all").click()
    expect(body).to_contain_text('"unchanged": "yes"')


def test_one_click_copies_the_rule_that_accepts_it(page: Page, missed: Staged) -> None:
    """What is on the clipboard then is a config file's, and names the paths that differ."""
    page.goto(missed.inspector("/exchanges/1"))
    page.get_by_role("button", name="Copy the rule").click()
    expect(page.get_by_role("status").filter(has_text="Rule copied")).to_be_visible()
    rule = yaml.safe_load(page.evaluate("navigator.clipboard.readText()"))
    assert rule == {"match": {"ignore": ["body.messages[0].content", "body.seed"]}}
    assert len(match_rules(rule["match"], "test").rules) == 2


def test_a_path_leads_to_its_rows(page: Page, missed: Staged) -> None:
    """A click on it puts the focus on the difference, in both bodies."""
    page.goto(missed.inspector("/exchanges/1"))
    page.get_by_role("table", name="Body of the request").wait_for()
    page.get_by_role("button", name="body.seed").click()
    expect(page.locator("tr[data-path='body.seed']")).to_be_focused()


def test_links_lead_to_the_recording_and_to_all_differences(page: Page, missed: Staged) -> None:
    """The recording is named with its line; the differences compare it with the exchange."""
    page.goto(missed.inspector("/exchanges/1"))
    panel = page.locator(".miss")
    expect(panel.get_by_role("link", name="Recording #1")).to_have_attribute(
        "href", "#/cassettes/default.yaml/interactions/1"
    )
    panel.get_by_role("link", name="Diff").click()
    expect(page).to_have_url(f"{missed.admin_url}/#/diff?left=default.yaml%231&right=exchange%3A1")


def test_another_path_has_no_rule(page: Page, missed: Staged) -> None:
    """The page says so, where the rule would be."""
    assert missed.raw("POST", "/v1/chat/completions/x", json={}).status_code == 424
    page.goto(missed.inspector("/exchanges/2"))
    expect(page.locator(".miss")).to_contain_text("No rule can accept it")


def test_a_recording_that_was_played_can_be_played_again_after_a_reset(page: Page, stage: Stage) -> None:
    """The panel says that it had its turn, and resets the session."""
    recording = stage("record")
    _ask(recording, "Hello")
    recording.running.stop()
    proxy = stage(*PLAY)
    _ask(proxy, "Hello")
    with pytest.raises(openai.APIStatusError):
        _ask(proxy, "Hello")
    page.goto(proxy.inspector("/exchanges/2"))
    expect(page.locator(".miss h3")).to_contain_text("Every recording of this request was given already")
    page.get_by_role("button", name="Reset session default").click()
    expect(page.get_by_role("status").filter(has_text="Session default was reset")).to_be_visible()
    _ask(proxy, "Hello")


def test_nothing_recorded_says_what_to_do(page: Page, stage: Stage) -> None:
    """There is nothing to compare with, and the panel says how to record."""
    proxy = stage(*PLAY)
    assert proxy.raw("GET", "/v1/models").status_code == 424
    page.goto(proxy.inspector("/exchanges/1"))
    expect(page.locator(".miss")).to_contain_text("Nothing was ever recorded for it")
    expect(page.locator(".miss")).to_contain_text("replayproxy record")


def test_markup_in_a_miss_stays_text(page: Page, stage: Stage, tmp_path: Path) -> None:
    """Neither a body nor a name in it becomes an element."""
    evil = "<img src=x onerror=alert(1)>"
    recording = stage("record")
    _ask(recording, evil, metadata={evil: "1"})
    recording.running.stop()
    proxy = stage(*PLAY)
    with pytest.raises(openai.APIStatusError):
        _ask(proxy, f"{evil} and more", metadata={evil: "<script>alert(2)</script>"})
    page.goto(proxy.inspector("/exchanges/1"))
    expect(page.locator(".miss .aligned").last).to_contain_text("onerror")
    assert page.locator(".miss img, .miss script").count() == 0


def test_a_miss_fits_a_narrow_page(narrow: Page, missed: Staged) -> None:
    """The page itself never scrolls sideways."""
    narrow.goto(missed.inspector("/exchanges/1"))
    narrow.get_by_role("table", name="Body of the request").wait_for()
    assert narrow.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert narrow.evaluate("document.getElementById('main').scrollWidth <= innerWidth")
