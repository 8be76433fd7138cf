"""The log on standard error: one line for each exchange, as text or as JSON.

Rule: what a client or an upstream sent reaches a line redacted, and with its control characters escaped.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from replayproxy.core.report import printable, problem_line
from replayproxy.proxy.exchange import Exchange

__all__ = ["configure"]

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


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """`12:00:01 POST /v1/threads 200 saved 12 ms`, further lines indented."""
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        lines = [f"{time} {level}{printable(record.getMessage())}{_told(record)}"]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        exchange = getattr(record, "exchange", None)
        if isinstance(exchange, Exchange):
            if exchange.outcome != "missed":  # a miss tells of them itself
                lines += [problem_line(problem) for problem in exchange.problems]
            lines += exchange.note.splitlines()
        return "\n    ".join(printable(line) for line in lines)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One JSON object a line."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        exchange = getattr(record, "exchange", None)
        if isinstance(exchange, Exchange):
            told |= {
                "method": exchange.twin.method,
                "target": exchange.twin.target,
                "operation": exchange.operation,
                "family": exchange.family,
                "status": exchange.status,
                "outcome": exchange.outcome,
                "interaction": exchange.number,
                "seconds": round(getattr(record, "took", 0.0), 6),
                "problems": [problem_line(problem) for problem in exchange.problems],
                "note": exchange.note,
            }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


def _told(record: logging.LogRecord) -> str:
    exchange = getattr(record, "exchange", None)
    if not isinstance(exchange, Exchange):
        return ""
    word = _WORDS[exchange.outcome].format(number=exchange.number)
    return f" {exchange.status or '-'} {word} {getattr(record, 'took', 0.0) * 1000:.0f} ms"
