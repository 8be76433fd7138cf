"""Realtime calls, sessions and the secrets that open them."""

from __future__ import annotations

__all__: list[str] = []
