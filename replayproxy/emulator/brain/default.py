"""The reply of a model that is none: sensible, and the same each time."""

from __future__ import annotations

from replayproxy.emulator.brain.turns import Reply, Turn, Usage

__all__ = ["DefaultBrain"]


class DefaultBrain:
    """Says what it was asked."""

    async def reply(self, turn: Turn) -> Reply:
        """A reply to the last message of the user."""
        asked = next((each["content"] for each in reversed(turn.messages) if each.get("role") == "user"), "")
        text = f"You said: {asked}" if isinstance(asked, str) else "You said something."
        return Reply(text, usage=Usage(10, len(text.split())))
