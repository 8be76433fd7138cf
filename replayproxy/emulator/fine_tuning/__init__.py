"""Fine-tuning: jobs, checkpoints, graders and permissions."""

from __future__ import annotations

__all__: list[str] = []
