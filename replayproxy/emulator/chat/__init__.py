"""Chat completions, and completions of the older kind."""

from __future__ import annotations

__all__: list[str] = []
