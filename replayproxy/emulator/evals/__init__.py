"""Evals: their runs and what comes out of these."""

from __future__ import annotations

__all__: list[str] = []
