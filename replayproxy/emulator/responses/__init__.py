"""Responses, and the conversations that they may belong to."""

from __future__ import annotations

__all__: list[str] = []
