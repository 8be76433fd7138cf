"""Models, and what asks them for numbers: embeddings and moderations."""

from __future__ import annotations

__all__: list[str] = []
