"""Administration: projects, people, keys, certificates, audit logs, usage and costs."""

from __future__ import annotations

__all__: list[str] = []
