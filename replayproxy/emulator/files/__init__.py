"""Files, uploads in parts, and containers with files of their own."""

from __future__ import annotations

__all__: list[str] = []
