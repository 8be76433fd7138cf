"""Batches of requests, which really run."""

from __future__ import annotations

__all__: list[str] = []
