"""Usage as the inspector's JSON has it: tokens and costs by session and model, and what playing recordings saved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from replayproxy.config import Settings
from replayproxy.core.journal import Entry
from replayproxy.core.messages import plain
from replayproxy.core.prices import Prices
from replayproxy.errors import ReplayProxyError
from replayproxy.openai_api.spending import Amount, ModelSpending, SessionSpending, spending
from replayproxy.stores import FileStore

__all__ = ["usage_json"]

#: The recorded times of so many different interactions are looked up for what playback saved.
LOOKED_UP = 2_000

_Recorded = dict[tuple[str, int], float]


def usage_json(settings: Settings, entries: Iterable[Entry]) -> dict[str, Any]:
    """The usage of exchanges, the oldest first; reads cassettes, so it is for a thread."""
    prices, found = Prices(settings.prices), spending(entries)
    recorded = _recorded_seconds(found)
    models = {each.model for session in found for each in session.models}
    return {
        "sessions": [_session(each, prices, recorded) for each in found],
        "total": _total(found, prices, recorded),
        "priced": bool(prices),
        "unpriced": sorted(plain(model) for model in models if prices.of(model) is None),
        "currency": settings.currency,
        "emulated": settings.forwards and settings.upstream.kind == "emulator",
    }


def _recorded_seconds(sessions: Iterable[SessionSpending]) -> _Recorded:
    """How long interactions that were played took when they were recorded; those that cannot be read are left out."""
    wanted = list(dict.fromkeys(each for session in sessions for each in session.recordings))[:LOOKED_UP]
    numbers = dict[str, list[int]]()
    for path, number in wanted:
        numbers.setdefault(path, []).append(number)
    found: _Recorded = {}
    for path, asked in numbers.items():
        took = _took(path, _version(path), tuple(asked))
        found |= {(path, number): seconds for number, seconds in took.items()}
    return found


def _version(path: str) -> tuple[int, ...]:
    """What changes when the file does."""
    try:
        status = Path(path).stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=32)  # the page asks again every few seconds, and mostly for the same
def _took(path: str, version: tuple[int, ...], numbers: tuple[int, ...]) -> dict[int, float]:
    """How long the interactions of a cassette took, by number."""
    found = dict[int, float]()
    with contextlib.suppress(ReplayProxyError):
        recordings = FileStore(Path(path)).open_recordings()[1] if version else ()
        for number in numbers:
            if 1 <= number <= len(recordings):
                with contextlib.suppress(ReplayProxyError):
                    found[number] = recordings[number - 1].took
    return found


def _session(found: SessionSpending, prices: Prices, recorded: _Recorded) -> dict[str, Any]:
    return {
        "session": found.session,
        "exchanges": found.exchanges,
        "played": found.played,
        "models": [{"model": plain(each.model), **_model(each, prices)} for each in found.models],
        **_saved([found], recorded),
    }


def _total(found: tuple[SessionSpending, ...], prices: Prices, recorded: _Recorded) -> dict[str, Any]:
    models = [each for session in found for each in session.models]
    sent = [_amount(each.sent, each.model, prices) for each in models]
    played = [_amount(each.played, each.model, prices) for each in models]
    return {
        "exchanges": sum(each.exchanges for each in found),
        **_added(sent),
        "played": {"exchanges": sum(each.played for each in found), **_added(played)},
        **_saved(found, recorded),
    }


def _added(amounts: list[dict[str, Any]]) -> dict[str, Any]:
    """The sums; the cost is that of what has a price, None when nothing has."""
    costs = [each["cost"] for each in amounts if each["cost"] is not None]
    names = ("input", "cached", "output", "reasoning")
    return {name: sum(each[name] for each in amounts) for name in names} | {"cost": sum(costs) if costs else None}


def _model(found: ModelSpending, prices: Prices) -> dict[str, Any]:
    sent = _amount(found.sent, found.model, prices)
    return {**sent, "played": _amount(found.played, found.model, prices)}


def _amount(amount: Amount, model: str, prices: Prices) -> dict[str, Any]:
    usage = amount.usage
    price = prices.of(model)
    cost = None if price is None else price.cost(usage.input, usage.cached, usage.output)
    return {
        "exchanges": amount.exchanges,
        "input": usage.input,
        "cached": usage.cached,
        "output": usage.output,
        "reasoning": usage.reasoning,
        "cost": None if cost is None else _number(cost),
    }


def _number(cost: Decimal) -> float:
    return float(round(cost, 12))


def _saved(found: Iterable[SessionSpending], recorded: _Recorded) -> dict[str, Any]:
    """The seconds that recordings took when they were made (null: nobody knows), and those that playing them took."""
    sessions = tuple(found)
    played = [each for session in sessions for each in session.recordings]
    known = [recorded[each] for each in played if each in recorded]
    took = sum(session.played_seconds for session in sessions)
    return {
        "seconds": {
            "recorded": round(sum(known), 6) if known else None,
            "played": round(took, 6),
            "known": len(known),
            "of": len(played),
        }
    }
