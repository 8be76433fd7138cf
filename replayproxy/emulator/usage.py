"""The family of usage and costs."""

from __future__ import annotations

from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Kind
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES", "observe"]

KINDS: tuple[Kind, ...] = ()
ROUTES: Routes = ()


def observe(state: State, asked: Asked, answer: Answer) -> None:
    """Takes note of a request that was answered."""
