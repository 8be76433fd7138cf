"""Ids of answers that are kept nowhere.

Such an answer has no place among others, so its id follows from what was asked, and from how often just that was asked
before: requests on the way at the same time do not change each other's ids.
"""

from __future__ import annotations

import hashlib

import orjson

from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["numbered"]


def numbered(state: State, kind: Kind, body: Json) -> Record:
    """A record of a kind that is on no shelf, for the answer to `body`: its id and time are its own."""
    shelf = state.shelf(kind, hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest())
    start = state.settings.clock_start
    record = shelf.add(lambda id_, place: Record(kind.name, id_, "", place, start + place))
    shelf.remove(record.id)
    return record
