"""A real model behind the emulator: any endpoint of chat completions.

Rules:
1. What goes wrong is a reply with an error, never an exception: the backend's own status and words where it has any.
2. The key goes to the backend alone: redirects are not followed, and no message repeats the URL's query.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final

import aiohttp
import orjson

from replayproxy.emulator.brain.backend_form import failure_of, reply_of, request_of
from replayproxy.emulator.brain.backend_url import BackendUrl
from replayproxy.emulator.brain.turns import Failure, Reply, Turn

__all__ = ["ModelBackend"]

#: Seconds: real models may think for minutes; a connection is there at once or not at all.
_TIMEOUT: Final = 600.0
_CONNECT_TIMEOUT: Final = 10.0


class ModelBackend:
    """Asks the model at `url`, which it tells `key`; `model` is asked for in place of the client's.

    ConfigError for a URL that is none. `timeout` is in seconds, for a whole answer. Use it in one event loop.
    """

    def __init__(self, url: str, key: str | None = None, model: str | None = None, timeout: float = _TIMEOUT) -> None:
        self._url, self._key, self._model = BackendUrl.parse(url), key, model
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def reply(self, turn: Turn) -> Reply:
        """What the model says; or an error."""
        try:
            return await self._asked(turn)
        except aiohttp.ConnectionTimeoutError:
            told = f"took no connection within {_CONNECT_TIMEOUT:g} s"
            return self._broken(f"{told}. Check that it is running, and its URL.", "backend_unreachable")
        except TimeoutError:
            told = f"did not answer within {self._timeout:g} s"
            return self._broken(f"{told}. Ask for less, or try again.", "backend_timeout", 504)
        except aiohttp.ClientConnectorError as error:
            told = f"cannot be reached: {error.os_error.strerror or error.os_error}"
            return self._broken(f"{told}. Check that it is running, and its URL.", "backend_unreachable")
        except (aiohttp.ClientError, ValueError) as error:
            told = f"gave no whole answer: {str(error) or type(error).__name__}"
            return self._broken(f"{told}. Check that it serves chat completions.", "backend_failed")

    def reset(self) -> None:
        """There is nothing to forget."""

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _asked(self, turn: Turn) -> Reply:
        body = json.dumps(request_of(turn, self._model)).encode()
        headers = {"Content-Type": "application/json", **self._url.headers(self._key)}
        async with (
            asyncio.timeout(self._timeout),
            self._open().post(self._url.endpoint, data=body, headers=headers, allow_redirects=False) as response,
        ):
            content = await response.read()
            if response.status != 200:
                failed = failure_of(response.status, response.headers, content, self._url.shown)
                return Reply(error=failed)
        found = reply_of(turn, orjson.loads(content))
        return found or self._broken("answered with JSON that is no chat completion.", "backend_failed")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            limits = aiohttp.ClientTimeout(total=None, connect=_CONNECT_TIMEOUT)
            self._session = aiohttp.ClientSession(timeout=limits)
        return self._session

    def _broken(self, told: str, code: str, status: int = 502) -> Reply:
        message = f"The model backend {self._url.shown} {told}"
        return Reply(error=Failure(message, None, code, status, "server_error"))
