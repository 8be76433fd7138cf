"""Vector stores: their files, batches of these, and the search in them."""

from __future__ import annotations

__all__: list[str] = []
