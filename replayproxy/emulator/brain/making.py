"""The brain that settings ask for."""

from __future__ import annotations

from pathlib import Path

from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.brain.turns import KeptBrain

__all__ = ["make_brain"]


def make_brain(
    replies: Path | None = None, backend: str | None = None, key: str | None = None, model: str | None = None
) -> KeptBrain:
    """Scripted replies first (`replies`, a file), then those of the model at `backend` (a URL), else default ones.

    `key` is the backend's, `model` the one it is asked for in place of the client's. The caller closes the brain.
    ConfigError for a file that is not in order, or a URL that is none.
    """
    brain: KeptBrain = DefaultBrain()
    if backend is not None:
        from replayproxy.emulator.brain.backend import ModelBackend  # here, since few need a client

        brain = ModelBackend(backend, key, model)
    if replies is not None:
        from replayproxy.emulator.brain.replies_form import read_replies
        from replayproxy.emulator.brain.scripted import ScriptedBrain

        brain = ScriptedBrain(read_replies(replies), brain)
    return brain
