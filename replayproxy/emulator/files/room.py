"""How much of what is uploaded the emulator keeps: no more than its settings say, of all kinds together."""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.state import State

__all__ = ["room_problem"]

#: The kinds whose records hold bytes: their own, or (`hidden["held"]` counts them) those of their children.
_HOLDING = ("file", "upload", "container", "skill")
_FULL = (
    "The upload is too large: it has {size} bytes, and the emulator keeps at most {limit} bytes of uploads in all, of "
    "which {held} are taken. Delete files, or start it with a larger limit."
)


def room_problem(state: State, size: int) -> Problem | None:
    """The problem that there is no room for `size` bytes more, or None."""
    limit = state.settings.upload_limit
    held = sum(
        len(record.blob) + int(record.hidden.get("held", 0))
        for name in _HOLDING
        for record in state.shelf(state.kinds[name])
    )
    if held + size <= limit:
        return None
    return Problem(_FULL.format(size=size, limit=limit, held=held), "file", "content_size_limit_exceeded", status=413)
