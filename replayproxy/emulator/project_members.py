"""The family of the users, service accounts, keys and rate limits of a project."""

from __future__ import annotations

from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Kind

__all__ = ["KINDS", "ROUTES"]

KINDS: tuple[Kind, ...] = ()
ROUTES: Routes = ()
