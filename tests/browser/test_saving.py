"""Exchanges saved into cassettes from the page, and interactions edited and deleted there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from replayproxy.stores import FileStore
from tests.browser.stage import Staged

Stage = Callable[..., Staged]

_INTERACTION = "/cassettes/default.yaml/interactions/2"


def _targets(path: Path) -> list[str]:
    return [each.request.target for each in FileStore(path).load().interactions]


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Where the default session's cassette is."""
    return tmp_path / "cassettes" / "default.yaml"


@pytest.fixture
def proxy(stage: Stage) -> Staged:
    """A proxy that plays a cassette of three interactions."""
    recording = stage("record")
    for number in (1, 2, 3):
        assert (
            recording.raw("GET", f"/v1/models?n={number}", headers={"authorization": "Bearer any"}).status_code == 200
        )
    recording.running.stop()
    return stage("playback")


def test_an_exchange_is_saved_into_a_cassette(page: Page, proxy: Staged, cassette: Path) -> None:
    """A new one, whose name is typed; the dialog leads to the interaction."""
    proxy.raw("GET", "/v1/models?n=2")
    page.goto(proxy.inspector("/exchanges/1"))
    page.get_by_role("button", name="Save to cassette").click()
    page.get_by_label("Cassette").fill("picked.yaml")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("dialog").get_by_role("link", name="interaction 1 of picked.yaml").click()
    expect(page).to_have_url(f"{proxy.admin_url}/#/cassettes/picked.yaml/interactions/1")
    assert _targets(cassette.with_name("picked.yaml")) == ["/v1/models?n=2"]


def test_sessions_that_play_the_cassette_can_be_reset_at_once(page: Page, proxy: Staged, cassette: Path) -> None:
    """The dialog names them, with a button each."""
    proxy.raw("GET", "/v1/models?n=1")
    page.goto(proxy.inspector("/exchanges/1"))
    page.get_by_role("button", name="Save to cassette").click()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Reset session default").click()
    expect(page.get_by_role("status").filter(has_text="Session default was reset")).to_be_visible()
    assert len(_targets(cassette)) == 4
    assert proxy.raw("GET", "/v1/models?n=2").status_code == 200


def test_a_name_that_leads_elsewhere_is_refused_in_the_dialog(page: Page, proxy: Staged, complaints: Any) -> None:
    """What was typed stays, to be mended."""
    complaints.expected.append("400")
    proxy.raw("GET", "/v1/models?n=1")
    page.goto(proxy.inspector("/exchanges/1"))
    page.get_by_role("button", name="Save to cassette").click()
    page.get_by_label("Cassette").fill("../outside.yaml")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("expected a plain relative path")
    expect(page.get_by_label("Cassette")).to_have_value("../outside.yaml")


def test_a_miss_has_nothing_to_save(page: Page, proxy: Staged) -> None:
    """So there is no button for it."""
    proxy.raw("GET", "/v1/other")
    page.goto(proxy.inspector("/exchanges/1"))
    page.locator(".miss").wait_for()
    expect(page.get_by_role("button", name="Save to cassette")).to_have_count(0)


def test_an_interaction_is_edited_as_yaml(page: Page, proxy: Staged, cassette: Path, complaints: Any) -> None:
    """A mistake is told with its line, to which a button leads; then the view shows what was written."""
    complaints.expected.append("400")
    page.goto(proxy.inspector(_INTERACTION))
    page.get_by_role("button", name="Edit YAML").click()
    document = page.get_by_role("textbox", name="The document in the file")
    text = document.input_value()
    document.fill(text.replace("status: 200", "status: ok"))
    page.get_by_role("button", name="Save", exact=True).click()
    line = next(at for at, each in enumerate(text.split("\n"), 1) if "status: 200" in each)
    page.get_by_role("button", name=f"Go to line {line}").click()
    expect(document).to_be_focused()
    document.fill(text.replace("n=2", "n=20"))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_contain_text("The interaction was changed")
    expect(page.get_by_role("button", name="Reset session default")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="/v1/models?n=20")).to_be_visible()
    assert _targets(cassette)[1] == "/v1/models?n=20"


def test_an_interaction_is_deleted_when_one_is_sure(page: Page, proxy: Staged, cassette: Path) -> None:
    """Not before; then the cassette is shown, and sessions that play it are named."""
    page.goto(proxy.inspector(_INTERACTION))
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Cancel").click()
    assert len(_targets(cassette)) == 3
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("A session plays this cassette")
    expect(page).to_have_url(f"{proxy.admin_url}/#/cassettes/default.yaml")
    assert _targets(cassette) == ["/v1/models?n=1", "/v1/models?n=3"]


def test_an_interaction_is_sent_again(page: Page, proxy: Staged) -> None:
    """Through the editor, which compares what came back with it."""
    page.goto(proxy.inspector(_INTERACTION))
    page.get_by_role("link", name="Edit and send").click()
    expect(page.get_by_label("Path and query")).to_have_value("/v1/models?n=2")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("status", name="Result")).to_contain_text("played")
    page.get_by_role("link", name="Diff with the original").click()
    expect(page).to_have_url(f"{proxy.admin_url}/#/diff?left=default.yaml%232&right=exchange%3A1")
