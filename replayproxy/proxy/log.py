"""The log on standard error: one line for each exchange, as text or as JSON.

Rules:
1. What a client or an upstream sent reaches a line redacted, and with its control characters escaped; so do messages
   and exceptions that may quote it.
2. Exchanges of which there is nothing to say but what became of them are collected and told a few times a second: a
   line of its own for each, but one message of the log for all. Whatever else is told comes after them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from replayproxy.core.catalog import Operation
from replayproxy.core.redaction import Redactor
from replayproxy.core.report import printable, problem_line
from replayproxy.proxy.exchange import Exchange

__all__ = ["Line", "Lines", "configure"]

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
    became of it, which interaction answered (0: none), and how long it took in seconds."""

    time: float
    asked: str
    operation: Operation | None
    status: int
    outcome: str
    number: int
    took: float


class Lines:
    """Lines that wait to be told together to `logger`."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger, self._waiting = logger, list[Line]()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, line: Line) -> None:
        """Takes a line in."""
        self._waiting.append(line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TOGETHER, self.tell)

    def tell_at_length(self, asked: str, exchange: Exchange, took: float) -> None:
        """Tells of an exchange at once, after what waits, with all that there is to say."""
        self.tell()
        self._logger.info("%s", asked, extra={"exchange": exchange, "took": took})

    def tell(self) -> None:
        """Tells what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            lines, self._waiting = self._waiting, []
            self._logger.info("%d exchange(s)", len(lines), extra={"lines": lines})


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """`12:00:01 POST /v1/threads 200 saved 12 ms`, further lines indented."""
        if lines := getattr(record, "lines", None):
            return "\n".join([_text(line) for line in lines])
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        lines = [f"{time} {level}{printable(_message(record))}{_told(record)}"]
        if record.exc_info:
            lines += _discreet(self.formatException(record.exc_info)).splitlines()
        exchange = getattr(record, "exchange", None)
        if isinstance(exchange, Exchange):
            if exchange.outcome != "missed":  # a miss tells of them itself
                lines += [problem_line(problem) for problem in exchange.problems]
            lines += exchange.note.splitlines()
        return "\n    ".join(printable(line) for line in lines)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One JSON object a line."""
        if lines := getattr(record, "lines", None):
            return "\n".join([_json(_facts(line.time, "info", line.asked) | _line_facts(line)) for line in lines])
        told = _facts(record.created, record.levelname.lower(), _message(record))
        exchange = getattr(record, "exchange", None)
        if isinstance(exchange, Exchange):
            told |= _exchange_facts(exchange, getattr(record, "took", 0.0))
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
    return json.dumps(facts, default=str).replace("\x7f", "\\u007f")


def _facts(time: float, level: str, message: str) -> dict[str, Any]:
    return {
        "time": datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "message": message,
    }


def _exchange_facts(exchange: Exchange, took: float) -> dict[str, Any]:
    return {
        "method": exchange.twin.method,
        "target": exchange.twin.target,
        "operation": exchange.operation,
        "family": exchange.family,
        "status": exchange.status,
        "outcome": exchange.outcome,
        "interaction": exchange.number,
        "seconds": round(took, 6),
        "problems": [problem_line(problem) for problem in exchange.problems],
        "note": exchange.note,
    }


def _line_facts(line: Line) -> dict[str, Any]:
    method, _, target = line.asked.partition(" ")
    return {
        "method": method,
        "target": target,
        "operation": line.operation.id if line.operation else "",
        "family": line.operation.family if line.operation else "",
        "status": line.status,
        "outcome": line.outcome,
        "interaction": line.number,
        "seconds": round(line.took, 6),
        "problems": [],
        "note": "",
    }


def _text(line: Line) -> str:
    word = _WORDS[line.outcome].format(number=line.number)
    told = f"{line.status or '-'} {word} {line.took * 1000:.0f} ms"
    return f"{_clock(int(line.time))} {printable(line.asked)} {told}"


@lru_cache(maxsize=8)
def _clock(second: int) -> str:
    return datetime.fromtimestamp(second).strftime("%H:%M:%S")


def _told(record: logging.LogRecord) -> str:
    exchange = getattr(record, "exchange", None)
    if not isinstance(exchange, Exchange):
        return ""
    word = _WORDS[exchange.outcome].format(number=exchange.number)
    return f" {exchange.status or '-'} {word} {getattr(record, 'took', 0.0) * 1000:.0f} ms"
