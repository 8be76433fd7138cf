"""The feed of a running proxy, read from its admin port."""

from __future__ import annotations

import errno
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from replayproxy.core.sse import EventParser
from replayproxy.errors import ConfigError, UpstreamError

__all__ = ["AdminPort", "admin_port", "read_feed", "read_note"]

#: The feed shows every ten seconds that it lives, so a silence of this length is an end; in seconds.
_SILENCE, _CONNECT = 30.0, 5.0
_TIME_OUTS = aiohttp.ClientTimeout(total=None, connect=_CONNECT, sock_read=_SILENCE)


@dataclass(frozen=True, slots=True)
class AdminPort:
    """Where the admin port of a proxy is, and what it wants to be shown."""

    url: str
    token: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What a request to it carries."""
        return {"x-replayproxy-token": self.token} if self.token else {}


def admin_port(url: str, token: str, ready_file: Path | None) -> AdminPort:
    """The admin port that is meant: what a ready file says comes before the URL and the token. ConfigError tells what
    is wrong with them."""
    if ready_file is not None:
        try:
            facts = json.loads(ready_file.read_text("utf-8"))
            url, token = str(facts["admin_url"]), str(facts.get("admin_token", ""))
        except OSError as error:
            told = f"cannot read the ready file {ready_file}: {error.strerror or error}"
            raise ConfigError(f"{told}; a proxy that was started with --ready-file writes it") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"{ready_file} is no ready file of a proxy: it names no admin_url") from error
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"{url!r:.200} is no URL of an admin port; it looks like http://127.0.0.1:8081")
    if not (token.isascii() and token.isprintable()):
        raise ConfigError("the admin token holds characters that no token has; look at REPLAYPROXY_ADMIN_TOKEN")
    return AdminPort(url.rstrip("/"), token)


async def read_feed(
    session: aiohttp.ClientSession, port: AdminPort, wanted: str
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The feed's events, until the proxy ends it: name and value.

    Raises UpstreamError when the proxy cannot be reached or goes away, and ConfigError when it refuses.
    """
    try:
        asked = session.get(f"{port.url}/feed", params={"filter": wanted}, headers=port.headers, timeout=_TIME_OUTS)
        async with asked as response:
            await _check(response, port)
            parser = EventParser()
            async for data in response.content.iter_any():
                for event in parser.feed(data):
                    if event.dispatched:
                        yield event.event, json.loads(event.data)
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise ConfigError(f"{port.url} is no URL of an admin port; it looks like http://127.0.0.1:8081") from error
    except aiohttp.ServerTimeoutError as error:
        raise UpstreamError("it does not answer") from error
    except (aiohttp.ClientError, OSError) as error:
        raise UpstreamError(_reason(error)) from error


async def read_note(session: aiohttp.ClientSession, port: AdminPort, number: int) -> str:
    """The whole note of an exchange; "" when it is no longer there."""
    try:
        asked = session.get(f"{port.url}/exchanges/{number}", headers=port.headers, timeout=_TIME_OUTS)
        async with asked as response:
            return str((await response.json())["note"]) if response.status == 200 else ""
    except (aiohttp.ClientError, OSError, ValueError):
        return ""


async def _check(response: aiohttp.ClientResponse, port: AdminPort) -> None:
    """ConfigError when the proxy refuses, or when it is none."""
    if response.status == 200 and response.content_type == "text/event-stream":
        return
    if response.status == 401:
        how = "set REPLAYPROXY_ADMIN_TOKEN, or name the proxy's ready file with --ready-file"
        raise ConfigError(f"{port.url} wants the admin token: {how}")
    message = ""
    if response.content_type == "application/json":
        error = json.loads(await response.text() or "null")
        message = str(error["error"]["message"]) if isinstance(error, dict) and "error" in error else ""
    if response.status == 400 and message:
        raise ConfigError(message.removeprefix("filter: "))
    hint = "name the admin port with --admin; `replayproxy serve` says where it is"
    raise ConfigError(f"{port.url} is no admin port of a proxy (GET /feed: {response.status}); {hint}")


def _reason(error: Exception) -> str:
    """What happened, without where: that is told already."""
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.strerror:
        return "nothing listens there" if error.os_error.errno == errno.ECONNREFUSED else str(error.os_error.strerror)
    return str(error) or type(error).__name__
