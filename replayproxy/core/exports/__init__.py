"""Traffic for others: a request as something to paste and run, exchanges and interactions as HAR and back."""

from __future__ import annotations

__all__: list[str] = []
