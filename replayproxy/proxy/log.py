"""The log on standard error: one line for each exchange, as text or as JSON.

Rules:
1. What a client or an upstream sent reaches a line redacted, and with its control characters escaped; so do messages
   and exceptions that may quote it.
2. Exchanges of which there is nothing to say but what became of them are collected and told a few times a second: a
   line of its own for each, but one message of the log for all. Whatever else is told comes after them.
3. What is told is counted by then: nobody who waits for an answer pays for that.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import orjson

from replayproxy.core.catalog import Operation
from replayproxy.core.meter import Meter
from replayproxy.core.redaction import Redactor
from replayproxy.core.report import printable, problem_line
from replayproxy.core.trace_ids import NO_IDS, Ids
from replayproxy.proxy.exchange import Exchange

__all__ = ["Line", "Lines", "Tellable", "configure"]

#: How long a hit may wait for others, in seconds.
_TOGETHER = 0.2

_WORDS = {
    "played": "played #{number}",
    "repeated": "played #{number} again",
    "missed": "missed",
    "saved": "saved",
    "forwarded": "forwarded",
    "rejected": "rejected by the validator",
    "failed": "failed",
    "gone": "the client hung up",
}


def configure(style: str) -> None:
    """Sends the package's log to standard error; `style` is text or json."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if style == "json" else _Text())
    logger = logging.getLogger("replayproxy")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    # aiohttp tells of every malformed request with a traceback; the client is answered, and that is enough.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


class Line(NamedTuple):
    """An exchange as a line tells it: when it ended (Unix seconds), `METHOD target` (redacted), what it called, what
    became of it, which interaction answered (0: none), and how long it took in seconds.

    `ordinal` counts the exchanges of the proxy; `first_byte` is how long it took until the answer began (0: as long as
    the whole); `sent` and `received` are the bytes of the bodies that the client sent and received. `ids` are what
    others call the exchange, and `request_id` what the API calls it.
    """

    time: float
    asked: str
    operation: Operation | None
    status: int
    outcome: str
    number: int
    took: float
    ordinal: int = 0
    first_byte: float = 0.0
    sent: int = 0
    received: int = 0
    ids: Ids = NO_IDS
    request_id: str = ""

    def line(self) -> Line:
        """Itself."""
        return self


class Tellable(Protocol):
    """What a line is made of when it is told; a `Line` is one kind."""

    def line(self) -> Line:
        """The line."""


class Lines:
    """Lines that wait to be told together to `logger`, those of one `session`; `meter` counts them."""

    def __init__(self, logger: logging.Logger, session: str = "", meter: Meter | None = None) -> None:
        self._logger, self._session, self._meter = logger, session, meter or Meter()
        self._waiting = list[Tellable]()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, line: Tellable) -> None:
        """Takes a line in."""
        self._waiting.append(line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TOGETHER, self.tell)

    def tell_at_length(self, line: Line, exchange: Exchange) -> None:
        """Tells of an exchange at once, after what waits, with all that there is to say."""
        self.tell()
        self._count(line)
        self._logger.info("%s", line.asked, extra={"exchange": exchange, "line": line, "session": self._session})

    def tell(self) -> None:
        """Tells what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            lines = [each.line() for each in waiting]
            for line in lines:
                self._count(line)
            self._logger.info("%d exchange(s)", len(lines), extra={"lines": lines, "session": self._session})

    def _count(self, line: Line) -> None:
        self._meter.ended(line.outcome, line.operation, line.took, line.first_byte, line.sent, line.received)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """`12:00:01 POST /v1/threads 200 saved 12 ms`, further lines indented."""
        if lines := getattr(record, "lines", None):
            return "\n".join([_text(line) for line in lines])
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        line, exchange = getattr(record, "line", None), getattr(record, "exchange", None)
        lines = [f"{time} {level}{printable(_message(record))}{_told(line) if line else ''}"]
        if record.exc_info:
            lines += _discreet(self.formatException(record.exc_info)).splitlines()
        if isinstance(exchange, Exchange):
            if exchange.outcome != "missed":  # a miss tells of them itself
                lines += [problem_line(problem) for problem in exchange.problems]
            lines += exchange.note.splitlines()
        return "\n    ".join(printable(line) for line in lines)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One JSON object a line."""
        session = getattr(record, "session", "")
        if lines := getattr(record, "lines", None):
            return "\n".join(
                [_json(_facts(line.time, "info", line.asked) | _line_facts(line, session)) for line in lines]
            )
        told = _facts(record.created, record.levelname.lower(), _message(record))
        line, exchange = getattr(record, "line", None), getattr(record, "exchange", None)
        if isinstance(line, Line) and isinstance(exchange, Exchange):
            told |= _line_facts(line, session)
            told |= {"problems": [problem_line(problem) for problem in exchange.problems], "note": exchange.note}
        if record.exc_info:
            told["exception"] = _discreet(self.formatException(record.exc_info))
        return _json(told)


def _message(record: logging.LogRecord) -> str:
    """What a record says. That of an exchange was redacted with it; others may quote a request as well."""
    message = record.getMessage()
    return message if hasattr(record, "exchange") else _discreet(message)


def _discreet(text: str) -> str:
    """Text without what looks like a secret: exceptions quote what they stumbled over."""
    return Redactor().text(text)


def _json(facts: dict[str, Any]) -> str:
    """ASCII, and no control character in it."""
    with contextlib.suppress(TypeError):  # halves of characters
        if (text := orjson.dumps(facts)).isascii() and b"\x7f" not in text:
            return text.decode()
    return json.dumps(facts, default=str).replace("\x7f", "\\u007f")


def _facts(time: float, level: str, message: str) -> dict[str, Any]:
    return {
        "time": datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "message": message,
    }


def _line_facts(line: Line, session: str) -> dict[str, Any]:
    method, _, target = line.asked.partition(" ")
    return {
        "number": line.ordinal,
        "session": session,
        "method": method,
        "target": target,
        "operation": line.operation.id if line.operation else "",
        "family": line.operation.family if line.operation else "",
        "status": line.status,
        "outcome": line.outcome,
        "interaction": line.number,
        "seconds": round(line.took, 6),
        "first_byte": round(line.first_byte or line.took, 6),
        "sent": line.sent,
        "received": line.received,
        "request_id": line.request_id,
        "client_request_id": line.ids.client,
        "trace_id": line.ids.trace,
        "problems": [],
        "note": "",
    }


def _text(line: Line) -> str:
    return f"{_clock(int(line.time))} {printable(line.asked)}{_told(line)}"


@lru_cache(maxsize=8)
def _clock(second: int) -> str:
    return datetime.fromtimestamp(second).strftime("%H:%M:%S")


def _told(line: Line) -> str:
    word = _WORDS[line.outcome].format(number=line.number)
    return f" {line.status or '-'} {word} {line.took * 1000:.0f} ms"
