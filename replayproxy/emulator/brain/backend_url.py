"""Where a model answers, and how it is told the key.

A URL is an origin (`http://127.0.0.1:11434`), an API's base (`https://api.openai.com/v1`), a deployment of Azure
(`https://NAME.openai.azure.com/openai/deployments/NAME?api-version=…`), or the endpoint itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from replayproxy.errors import ConfigError

__all__ = ["BackendUrl"]

_ENDPOINT: Final = "/chat/completions"
_EXPECTED: Final = "expected a URL such as https://api.openai.com/v1 or http://127.0.0.1:11434/v1"


@dataclass(frozen=True, slots=True)
class BackendUrl:
    """The endpoint of chat completions; `shown` is what messages call it, without its query."""

    endpoint: str
    shown: str
    azure: bool

    @classmethod
    def parse(cls, text: str) -> BackendUrl:
        """What a URL of a user's means. ConfigError when it is none; the message does not repeat it."""
        try:
            url = urlsplit(text)
            fit = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        except ValueError:
            fit = False
        if not fit or any(each.isspace() for each in text):
            raise ConfigError(f"the model backend: {_EXPECTED}")
        if url.username is not None:
            raise ConfigError(
                "the model backend: the URL holds a user name or a password; "
                "keep secrets out of it, and name the variable that holds the key"
            )
        path = url.path.rstrip("/").removesuffix(_ENDPOINT) or "/v1"
        shown = f"{url.scheme}://{url.netloc}{path}{_ENDPOINT}"
        azure = (url.hostname or "").endswith(".azure.com") or "/openai/deployments/" in path
        return cls(f"{shown}?{url.query}" if url.query else shown, shown, azure)

    def headers(self, key: str | None) -> dict[str, str]:
        """The headers that carry the key."""
        if not key:
            return {}
        return {"api-key": key} if self.azure else {"Authorization": f"Bearer {key}"}
