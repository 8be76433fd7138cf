"""What a test wants of the proxy, as its markers and fixtures tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from replayproxy.errors import ConfigError
from replayproxy.pytest_plugin.naming import cassette_of, session_name

__all__ = ["MARKER", "Wish", "brings", "cassette_wanted", "wants", "wish_of"]

#: What `pytest --markers` shows.
MARKER = (
    "replay(cassette=None, mode=None, ignore=[], also=[], mask={}, strict=None, repeat=None, env=True): run the test "
    "behind replayproxy, in a session of its own that OPENAI_BASE_URL leads to (env=False: which it does not)."
)
_NAMES = ("cassette", "mode", "ignore", "also", "mask", "strict", "repeat", "env")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a session is to be. None stands for what the run's options and the settings say.

    `ignore`, `also` and `mask` are matching rules, spelled as in `replayproxy.yaml`.
    """

    name: str
    cassette: Path
    mode: str | None = None
    ignore: Sequence[str] = ()
    also: Sequence[str] = ()
    mask: Mapping[str, str] = field(default_factory=dict)
    strict: bool | None = None
    repeat: str | None = None


def wish_of(item: pytest.Item, folder: str) -> Wish:
    """What the markers of a test say, the closest first; rules add up. ConfigError for what no marker takes."""
    given = _given(item)
    for name in {name for each in given for name in each} - {*_NAMES}:
        raise ConfigError(f"@pytest.mark.replay takes no {name!r}; it takes {', '.join(_NAMES)}")
    masks: dict[str, str] = {}
    for each in reversed(given):
        masks |= each.get("mask") or {}
    return Wish(
        name=session_name(item.nodeid),
        cassette=cassette_wanted(item, folder),
        mode=_closest(given, "mode"),
        ignore=_added(given, "ignore"),
        also=_added(given, "also"),
        mask=masks,
        strict=_closest(given, "strict"),
        repeat=_closest(given, "repeat"),
    )


def cassette_wanted(item: pytest.Item, folder: str) -> Path:
    """The cassette of a test."""
    return cassette_of(item, folder, _closest(_given(item), "cassette"))


def brings(item: pytest.Item) -> str:
    """The fixture that the marker of a test stands for; "" without a marker."""
    given = _given(item)
    return ("replay_session" if _closest(given, "env") is False else "replay_env") if given else ""


def wants(item: pytest.Item) -> bool:
    """Whether a test has a session of its own."""
    return "replay_session" in getattr(item, "fixturenames", ()) or bool(brings(item))


def _given(item: pytest.Item) -> list[dict[str, Any]]:
    """What each marker says, the closest one first."""
    return [dict(zip(_NAMES, mark.args, strict=False), **mark.kwargs) for mark in item.iter_markers("replay")]


def _closest(given: list[dict[str, Any]], name: str) -> Any:
    return next((each[name] for each in given if each.get(name) is not None), None)


def _added(given: list[dict[str, Any]], name: str) -> tuple[str, ...]:
    found: list[str] = []
    for each in reversed(given):
        paths = each.get(name) or ()
        found += [paths] if isinstance(paths, str) else paths
    return tuple(found)
