"""A running proxy with its inspector, and a browser to look at it.

Rules:
1. The proxy is a process of its own and the browser is a real one: nothing of ours is stood in for.
2. A page that complains (an error of a script, a refused piece of content) fails the test that looked at it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from openai import OpenAI
from playwright.sync_api import Browser, ConsoleMessage, Error, Page

from tests.processes import PATIENCE, Running, client, started

__all__ = ["Complaints", "Staged", "browser_path", "looking", "staged"]

#: What Debian, Ubuntu, Fedora and macOS' package managers call it.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def browser_path() -> str | None:
    """Where a Chromium is: what REPLAYPROXY_BROWSER says, or the first that is on the path."""
    named = os.environ.get("REPLAYPROXY_BROWSER")
    return named or next((found for name in _BROWSERS if (found := shutil.which(name))), None)


@dataclass(slots=True)
class Staged:
    """A proxy that runs, as tests use it."""

    running: Running

    @property
    def url(self) -> str:
        """Where the API is, without `/v1`."""
        return self.running.url

    @property
    def admin_url(self) -> str:
        """Where the inspector is."""
        return self.running.admin_url

    @property
    def token(self) -> str:
        """What unlocks changes."""
        return str(self.running.facts["admin_token"])

    def inspector(self, view: str = "/", *, unlocked: bool = True) -> str:
        """The address of a view (`/exchanges/3`), with the token that unlocks changes unless it is not wanted."""
        return f"{self.admin_url}/#{view}" if not unlocked else f"{self.admin_url}/#token={self.token}&view={view}"

    def client(self, session: str = "", **more: Any) -> OpenAI:
        """The official client for it, in a session of that name when one is given."""
        base = f"{self.url}/@{session}/v1" if session else f"{self.url}/v1"
        return OpenAI(base_url=base, api_key="any", max_retries=0, timeout=PATIENCE, **more)

    def raw(self, method: str, path: str, **more: Any) -> httpx.Response:
        """What the data port answers a request of any kind."""
        with client(self.url) as http:
            return http.request(method, path, **more)

    def get(self, path: str) -> Any:
        """The JSON that the admin API has there."""
        with client(self.admin_url) as http:
            return http.get(path).raise_for_status().json()

    def send(self, method: str, path: str, json: Any = None) -> Any:
        """What the admin API answers who changes something."""
        with client(self.admin_url, headers=self.running.admin_headers) as http:
            return http.request(method, path, json=json).raise_for_status().json()


@contextmanager
def staged(folder: Path, command: str = "serve", *arguments: str, **environment: str) -> Iterator[Staged]:
    """Runs a proxy in `folder`, on its own emulator and with its cassettes there unless `arguments` say otherwise."""
    with started(command, *arguments, cwd=folder, **environment) as running:
        yield Staged(running)


@dataclass(slots=True)
class Complaints:
    """What pages said that they should not have; `expected` are texts that a test allows."""

    said: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listens to a page."""
        page.on("console", lambda message: self._console(message))
        page.on("pageerror", lambda error: self._error(error))

    def unexpected(self) -> list[str]:
        """All that was said and is not expected."""
        return [told for told in self.said if not any(each in told for each in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"{message.type}: {message.text}")

    def _error(self, error: Error) -> None:
        self.said.append(f"uncaught: {error}")


@contextmanager
def looking(browser: Browser, complaints: Complaints, **options: Any) -> Iterator[Page]:
    """A page in a context of its own; `options` are Playwright's for a context."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE * 1000)
    try:
        page = context.new_page()
        complaints.watch(page)
        yield page
    finally:
        context.close()
