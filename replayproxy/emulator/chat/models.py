"""What the names of models say: which snapshot an alias means, and what its answers are marked with."""

from __future__ import annotations

from collections.abc import Mapping

from replayproxy.emulator.shelf import HEX, mint

__all__ = ["SNAPSHOTS", "fingerprint", "snapshot"]

#: Answers name the snapshot that an alias stands for. gpt-3.5-turbo's is recorded; the others are inferred from the
#: names in the API's description, and move on at the real API.
SNAPSHOTS: Mapping[str, str] = {
    "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
    "gpt-4": "gpt-4-0613",
    "gpt-4-turbo": "gpt-4-turbo-2024-04-09",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-audio-preview": "gpt-4o-audio-preview-2025-06-03",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "gpt-5-nano": "gpt-5-nano-2025-08-07",
    "gpt-5.1": "gpt-5.1-2025-11-13",
    "gpt-5.2": "gpt-5.2-2025-12-11",
    "o1": "o1-2024-12-17",
    "o3": "o3-2025-04-16",
    "o3-mini": "o3-mini-2025-01-31",
    "o4-mini": "o4-mini-2025-04-16",
}


def snapshot(model: str) -> str:
    """The name that answers give to a model."""
    return SNAPSHOTS.get(model, model)


def fingerprint(model: str) -> str | None:
    """The `system_fingerprint` of a model's answers; in recordings the oldest and the newest models have none."""
    return mint("fp_", model, length=10, digits=HEX) if model.startswith(("gpt-4", "ft:gpt-4")) else None
