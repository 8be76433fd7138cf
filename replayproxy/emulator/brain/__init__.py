"""What answers in the place of a model: asked and answering in one form, whichever family asks.

`Brain` is the contract; `default` thinks up a sensible answer, the same one each time. Who asks (chat completions,
responses, runs) puts the reply into the form of its family.
"""

from __future__ import annotations

from replayproxy.emulator.brain.turns import (
    Brain,
    Failure,
    KeptBrain,
    Passage,
    Reply,
    ToolCall,
    Turn,
    Usage,
    run_error,
)

__all__ = ["Brain", "Failure", "KeptBrain", "Passage", "Reply", "ToolCall", "Turn", "Usage", "run_error"]
