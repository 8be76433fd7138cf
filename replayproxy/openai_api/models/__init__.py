"""The shapes of the API's bodies as pydantic models; imported when a body is first checked."""

from __future__ import annotations

__all__: list[str] = []
