"""The Assistants API: assistants, threads, messages, runs and their steps."""

from __future__ import annotations

__all__: list[str] = []
