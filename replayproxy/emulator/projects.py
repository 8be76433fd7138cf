"""The family of projects."""

from __future__ import annotations

from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Kind

__all__ = ["KINDS", "ROUTES"]

KINDS: tuple[Kind, ...] = ()
ROUTES: Routes = ()
