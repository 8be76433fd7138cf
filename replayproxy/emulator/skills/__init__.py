"""Skills: bundles of files with a manifest, in versions."""

from __future__ import annotations

__all__: list[str] = []
