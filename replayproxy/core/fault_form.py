"""Faults and delays in an interaction's document: read with a line for every complaint, and written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from replayproxy.core.cassette import Interaction
from replayproxy.core.fault_grammar import FaultError, read_delay, read_fault
from replayproxy.core.fault_kinds import NO_DELAY, SILENCE, Delay, Fault
from replayproxy.core.fields import line_of, spelled_seconds
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Response
from replayproxy.core.yaml_read import Mapping
from replayproxy.errors import CassetteError

__all__ = ["get_delay", "get_fault", "write_failing"]

T = TypeVar("T")


def get_fault(mapping: Mapping, response: Response) -> Fault | None:
    """The fault of an interaction, None when it has none; CassetteError when it does not fit the answer."""
    if "fault" not in mapping:
        return None
    fault = _read(mapping, "fault", read_fault)
    _check_fits(response, "fault", "after_events", fault.after_events is not None, line_of(mapping, "fault"))
    return fault


def get_delay(mapping: Mapping, response: Response) -> Delay:
    """The delay of an interaction; CassetteError when it does not fit the answer."""
    if "delay" not in mapping:
        return NO_DELAY
    delay = _read(mapping, "delay", read_delay)
    _check_fits(response, "delay", "each_event", bool(delay.each_event), line_of(mapping, "delay"))
    return delay


def write_failing(interaction: Interaction) -> dict[str, Any]:
    """The entries `fault` and `delay` of an interaction's document; CassetteError for what could not be loaded."""
    entries, response = dict[str, Any](), interaction.response
    if interaction.fault is not None:
        fields = _fault_fields(interaction.fault)
        entries["fault"] = fields["kind"] if len(fields) == 1 else fields
    if interaction.delay != NO_DELAY:
        entries["delay"] = _seconds(first_byte=interaction.delay.first_byte, each_event=interaction.delay.each_event)
    written = Mapping(0)
    written.update(entries)
    get_fault(written, response)
    get_delay(written, response)
    return entries


def _read(mapping: Mapping, key: str, read: Callable[[Any], T]) -> T:
    value = mapping[key]
    try:
        return read(value)
    except FaultError as error:
        line = line_of(value, error.field) if isinstance(value, Mapping) else line_of(mapping, key)
        raise CassetteError(error.what, line=line, cure=error.cure) from error


def _check_fits(response: Response, key: str, field: str, asked: bool, line: int) -> None:
    if asked and media_type(response.headers).essence != "text/event-stream":
        cure = f"Leave `{field}` out of `{key}`"
        raise CassetteError(f"{field!r} of an answer that is no event stream", line=line, cure=cure)


def _fault_fields(fault: Fault) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": fault.kind}
    if fault.of_upstream:
        return fields | {"of": "upstream"}
    counts = {"after": fault.after, "after_events": fault.after_events, "status": fault.status or None}
    fields |= {name: count for name, count in counts.items() if count is not None}
    if fault.lasts != SILENCE:
        fields |= {"for": spelled_seconds(fault.lasts, "for")}
    if fault.retry_after is not None:
        fields |= {"retry_after": spelled_seconds(fault.retry_after, "retry_after")}
    if fault.times != (fault.kind == "status"):
        fields |= {"times": fault.times or "always"}
    return fields


def _seconds(**delays: float) -> dict[str, Any]:
    return {name: spelled_seconds(delay, name) for name, delay in delays.items() if delay}
