"""JSON Schemas of a catalog, and what is wrong with a value by them, told as the API tells it."""

from __future__ import annotations

from replayproxy.core.schemas.schema import Schema

__all__ = ["Schema"]
