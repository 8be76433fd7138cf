"""What can be wrong with a message, and what is asked to find it: the values that all checks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol

from replayproxy.core.messages import plain

__all__ = ["UNREAD", "Call", "Check", "Problem", "Unread"]


class Unread(Enum):
    """The type of `UNREAD`."""

    UNREAD = "unread"


#: Stands for a body that was not read as JSON.
UNREAD = Unread.UNREAD


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a message, in the fields of the API's error envelope.

    `param` is the path of what is wrong (`attachments[0].tools`) or None, `code` the API's error code or None. A
    `warning` is about what the API may take all the same: no reason to refuse. `side` says whose message it is in,
    `event` in which event of a stream (from 1; 0: in no event). Bytes of a head that are no text are escaped in
    `message` and `param`: a problem can always be sent and written.
    """

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400
    type: str = "invalid_request_error"
    warning: bool = False
    side: Literal["request", "response"] = "request"
    event: int = 0

    def __post_init__(self) -> None:
        for name, text in (("message", self.message), ("param", self.param)):
            if text is not None and not text.isascii():
                object.__setattr__(self, name, plain(text))


@dataclass(frozen=True, slots=True)
class Call:
    """A request as an operation sees it: decoded path parameters and query, and the body read as JSON or UNREAD."""

    params: Mapping[str, str]
    query: tuple[tuple[str, str], ...] = ()
    body: object = UNREAD


class Check(Protocol):
    """Finds the first thing wrong with a call to one operation; must not raise for anything a client can send."""

    def __call__(self, call: Call) -> Problem | None: ...
