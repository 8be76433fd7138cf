"""The fields of faults and delays: one grammar for cassettes (core/fault_form.py) and plans (core/faults.py)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, cast

from replayproxy.core.fault_kinds import ALWAYS, SILENCE, Delay, Fault, Kind
from replayproxy.core.json_layout import Number

__all__ = ["FaultError", "read_delay", "read_fault"]

_PLACES = {"after", "after_events"}
#: The fields of each kind, beside `kind` and `times`.
_FIELDS: Mapping[str, set[str]] = {
    "reset": set(),
    "timeout": {"for", *_PLACES},
    "truncate": _PLACES,
    "status": {"status", "retry_after"},
}
_KINDS_OF_UPSTREAM = ("refused", "reset", "timeout")


class FaultError(ValueError):
    """A fault or a delay that makes no sense: which `field` of it ("" for the whole), what is wrong, and a cure."""

    def __init__(self, field: str, what: str, cure: str = "") -> None:
        self.field, self.what, self.cure = field, what, cure
        super().__init__(f"{what}{'. ' + cure if cure else ''}")


def read_fault(value: Any, times: int | None = None) -> Fault:
    """A fault from its kind alone or from its fields; raises FaultError.

    `times` is what holds when the fault does not say how often it is met; None: once for a status, else always.
    """
    fields = {"kind": value} if isinstance(value, str) else value
    if not isinstance(fields, Mapping):
        raise FaultError("", "a fault is neither a kind nor a mapping", f"Write one of {', '.join(_FIELDS)}")
    if "of" in fields:
        return _read_of_upstream(fields)
    kind = _one_of(fields, "kind", _FIELDS)
    _check_fields(fields, {"kind", "times", *_FIELDS[kind]}, f"a fault of kind {kind}")
    if fields.keys() >= _PLACES:
        raise FaultError("after_events", "a fault has one place only", "Keep `after` or `after_events`")
    return Fault(
        cast("Kind", kind),
        _count(fields, "after", 0),
        _count(fields, "after_events", 0),
        _seconds(fields, "for", SILENCE),
        _status(fields) if kind == "status" else 0,
        _seconds(fields, "retry_after") if "retry_after" in fields else None,
        _times(fields, (kind == "status") if times is None else times),
    )


def read_delay(fields: Any) -> Delay:
    """A delay from its fields; raises FaultError."""
    if not isinstance(fields, Mapping):
        raise FaultError("", "a delay is not a mapping", "Write {first_byte: SECONDS, each_event: SECONDS}")
    _check_fields(fields, {"first_byte", "each_event"}, "a delay")
    return Delay(_seconds(fields, "first_byte"), _seconds(fields, "each_event"))


def _read_of_upstream(fields: Mapping[str, Any]) -> Fault:
    _one_of(fields, "of", ("upstream",))
    kind = _one_of(fields, "kind", _KINDS_OF_UPSTREAM)
    _check_fields(fields, {"kind", "of"}, "a fault of the upstream")
    return Fault(cast("Kind", kind), of_upstream=True)


def _check_fields(fields: Mapping[str, Any], known: set[str], what: str) -> None:
    for name in fields:
        if name not in known:
            near = get_close_matches(str(name)[:80], known, 1, 0.5)
            cure = f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(sorted(known))}"
            raise FaultError(name, f"{what} has no field {name!r:.80}", cure)


def _one_of(fields: Mapping[str, Any], name: str, known: Any) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or value not in known:
        raise FaultError(name, f"{name!r} is {value!r:.80}", f"Write one of {', '.join(known)}")
    return value


def _count(fields: Mapping[str, Any], name: str, least: int) -> int | None:
    if name not in fields:
        return None
    value = fields[name]
    if type(value) is not int or value < least:
        raise FaultError(name, f"{name!r} is {value!r:.80}", f"Write a number from {least}")
    return value


def _times(fields: Mapping[str, Any], default: int) -> int:
    if fields.get("times") == "always":
        return ALWAYS
    times = _count(fields, "times", 1)
    return default if times is None else times


def _status(fields: Mapping[str, Any]) -> int:
    value = fields.get("status")
    if type(value) is not int or not 400 <= value <= 599:
        raise FaultError("status", f"'status' is {value!r:.80}", "Write a status from 400 to 599")
    return value


def _seconds(fields: Mapping[str, Any], name: str, default: float = 0.0) -> float:
    value = fields.get(name, default)
    number = float(value) if isinstance(value, (int, float, Number)) and not isinstance(value, bool) else math.nan
    if not math.isfinite(number) or number < 0:
        raise FaultError(name, f"{name!r} is {value!r:.80}", "Write a number of seconds")
    return number
