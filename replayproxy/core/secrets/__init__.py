"""What a secret looks like, where it may stand, and how it is taken out. Others go through `core/redaction.py`."""

from __future__ import annotations

__all__: list[str] = []
