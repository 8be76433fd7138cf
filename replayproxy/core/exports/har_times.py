"""When an exchange of a HAR began, and how long it took."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

__all__ = ["started", "times"]


def started(entry: dict[str, Any]) -> str:
    """When it began, as cassettes have it: in UTC, to the millisecond."""
    try:
        at = datetime.fromisoformat(str(entry.get("startedDateTime")))
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def times(entry: dict[str, Any]) -> tuple[float, float]:
    """Seconds until the answer's head and until its end."""
    timings = entry.get("timings")
    known = timings if isinstance(timings, dict) else {}
    before = sum(_milliseconds(known, name) for name in ("blocked", "dns", "connect", "send", "wait"))
    took = max(_milliseconds(entry, "time"), before + _milliseconds(known, "receive"))
    return round(before / 1000, 6), round(took / 1000, 6)


def _milliseconds(fields: dict[str, Any], name: str) -> float:
    value = fields.get(name)
    number = float(value) if isinstance(value, int | float) and abs(value) < 1e12 else 0.0
    return max(number, 0.0)
