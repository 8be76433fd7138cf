"""A miss as it is shown: the nearest recordings, and how the request differs from each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, is_dataclass

from replayproxy.core.cassette import Interaction
from replayproxy.core.decisions import Miss
from replayproxy.core.differences import ABSENT, Difference
from replayproxy.core.journal import Missed, NearMiss, ShownDifference
from replayproxy.core.matching import Near
from replayproxy.core.messages import plain

__all__ = ["json_text", "missed"]

#: So much of a value is shown, in characters, and so many differences of one recording.
VALUE_SHOWN, DIFFERENCES_SHOWN = 20_000, 200


def missed(miss: Miss, interaction: Callable[[int], Interaction]) -> Missed:
    """What is shown of a miss; `interaction` gives the recording with an index (from 0)."""
    return Missed(miss.reason, tuple(_near(near, interaction(near.index)) for near in miss.near))


def _near(near: Near, interaction: Interaction) -> NearMiss:
    return NearMiss(near.index + 1, interaction.line, tuple(map(_shown, near.differences[:DIFFERENCES_SHOWN])))


def _shown(difference: Difference) -> ShownDifference:
    return ShownDifference(difference.path, json_text(difference.recorded), json_text(difference.received))


def json_text(value: object) -> str | None:
    """One side of a difference as JSON text, cut when it is long; None for a side that is not there."""
    if value is ABSENT:
        return None
    text = plain(json.dumps(value, ensure_ascii=False, default=_as_json))
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}… ({len(text)} characters)"


def _as_json(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)
