"""The modes, as rows of one table: what happens on a hit, on a miss, and to what came back."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MODES", "Mode"]


@dataclass(frozen=True, slots=True)
class Mode:
    """What a mode does.

    `plays`: a recorded answer is given when there is one. `forwards`: without one, the upstream is asked (otherwise
    the request is refused). `saves`: what the upstream answered is recorded. `replaces`: the recording takes the
    place of the earlier one instead of adding to it.
    """

    name: str
    plays: bool
    forwards: bool
    saves: bool
    replaces: bool


MODES = {
    mode.name: mode
    for mode in (
        Mode("playback", plays=True, forwards=False, saves=False, replaces=False),
        Mode("auto", plays=True, forwards=True, saves=True, replaces=False),
        Mode("record", plays=False, forwards=True, saves=True, replaces=True),
        Mode("passthrough", plays=False, forwards=True, saves=False, replaces=False),
    )
}
