"""Pages of a real browser, and proxies to look at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser is driven by playwright")

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.stage import Complaints, Staged, browser_path, looking, staged

expect.set_options(timeout=20_000)

#: What headless Chromium needs in a container without privileges and with little shared memory.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 400, "height": 800}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a module, no longer: while it runs, no other loop can run in this thread.

    Skips, and says why, where there is none; in CI there has to be one.
    """
    path = browser_path()
    if path is None:
        told = "no Chromium is installed (apt-get install chromium), and REPLAYPROXY_BROWSER names none"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the pages of this test complained about; it fails the test, but for what it expects."""
    found = Complaints()
    yield found
    assert not found.unexpected()


@pytest.fixture
def open_page(browser: Browser, complaints: Complaints, stage: Callable[..., Staged]) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a context of its own, with Playwright's options for one. They close before proxies stop."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(looking(browser, complaints, **({"viewport": WIDE} | options)))


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A page as wide as a laptop's."""
    return open_page(permissions=["clipboard-read", "clipboard-write"])


@pytest.fixture
def narrow(open_page: Callable[..., Page]) -> Page:
    """A page as narrow as a phone's."""
    return open_page(viewport=NARROW)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Staged]]:
    """Starts proxies that end with the test: `stage()` on the emulator, `stage("playback", "--cassette", "c.yaml")`,
    variables of the environment by name."""
    with ExitStack() as stack:

        def start(command: str = "serve", *arguments: str, **environment: Any) -> Staged:
            return stack.enter_context(staged(tmp_path, command, *arguments, **environment))

        yield start
